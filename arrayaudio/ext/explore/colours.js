// Colour maps as 256 pixels each, between colours at equal distances.
// magma and viridis are by Nathaniel Smith and Stefan van der Walt (CC0), the one around zero by Cynthia Brewer.

const COLOURS = {
  magma: "000004 140e36 3b0f70 641a80 8c2981 b73779 de4968 f7705c fe9f6d fecf92 fcfdbf",
  viridis: "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725",
  grey: "ffffff 000000",
};
const AROUND_ZERO = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f";

function table(colours) {
  const stops = colours.split(" ").map((hex) => [0, 2, 4].map((place) => parseInt(hex.slice(place, place + 2), 16)));
  const pixels = new Uint8ClampedArray(4 * 256);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (stops.length - 1);
    const k = Math.min(Math.floor(place), stops.length - 2);
    const mixed = stops[k].map((channel, c) => channel + (place - k) * (stops[k + 1][c] - channel));
    pixels.set([...mixed, 255], 4 * i);
  }
  return new Uint32Array(pixels.buffer);
}

// The pixel of each byte of a view: levels from `range` dB below the highest up, other values over all bytes.
function pixelsOf(view, map, range) {
  const colours = table(view.signed ? AROUND_ZERO : COLOURS[map]);
  const low = lowest(view, range);
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const part = (valueOf(view, byte) - low) / (view.high - low);
    return colours[Math.round(255 * Math.min(Math.max(part, 0), 1))];
  });
}

// The value with the first colour.
function lowest(view, range) {
  return view.unit === "dB" ? view.high - range : view.low;
}
