// The data of the page, and the cells of its views: bytes by row, counted from the lowest, and column.

const page = JSON.parse(document.getElementById("data").textContent);
const duration = page.samples / page.rate;

// A promise, so that a view is decoded when it is first shown.
function cellsOf(view) {
  view.decoded ??= decode(view);
  return view.decoded;
}

async function decode(view) {
  const cells = await inflate(bytesOf(view.cells));
  // Differences along time, which are summed modulo 256.
  for (let row = 0; row < view.rows; row++) {
    const first = row * view.columns;
    for (let i = first + 1; i < first + view.columns; i++) cells[i] += cells[i - 1];
  }
  return cells;
}

async function inflate(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// The value that a byte stands for.
function valueOf(view, byte) {
  return view.low + (byte * (view.high - view.low)) / 255;
}
