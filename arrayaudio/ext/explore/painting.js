// From cells to pixels.

// The byte of each pixel: the largest of the cells that it covers, so that thin lines survive; of values around zero,
// the first.
function pixelBytes(view, cells, scale, from, to, width, height) {
  const columns = columnSpans(view, from, to, width);
  const rows = rowSpans(view, scale, height);
  const bytes = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const [first, last] = rows[y];
    const line = (height - 1 - y) * width;
    if (y && rows[y - 1][0] === first && rows[y - 1][1] === last) {
      bytes.copyWithin(line, line + width, line + 2 * width);
      continue;
    }
    for (let x = 0; x < width; x++) bytes[line + x] = largest(view, cells, first, last, columns[x])[0];
  }
  return bytes;
}

// [byte, row] of the largest of the cells from row `first` up to `last`, and in some columns.
function largest(view, cells, first, last, [start, end]) {
  let best = cells[first * view.columns + start];
  let at = first;
  if (view.signed) return [best, at];
  for (let row = first; row < last; row++) {
    for (let i = row * view.columns + start; i < row * view.columns + end; i++) {
      if (cells[i] > best) {
        best = cells[i];
        at = row;
      }
    }
  }
  return [best, at];
}

function columnSpans(view, from, to, width) {
  return spans(width, view.columns, (x) => (from + (x / width) * (to - from) - view.start) / view.step);
}

function rowSpans(view, scale, height) {
  return spans(height, view.rows, (y) => scale.rowAt(y / height) + 0.5);
}

// Which cells, from [0] up to [1], each pixel covers: those whose middle it holds, or the one that it lies in.
function spans(n_pixels, n_cells, placeOf) {
  return Array.from({ length: n_pixels }, (_, pixel) => {
    const first = Math.round(placeOf(pixel));
    const end = Math.round(placeOf(pixel + 1));
    if (end > first && end > 0 && first < n_cells) return [Math.max(first, 0), Math.min(end, n_cells)];
    const inside = Math.min(Math.max(Math.floor(placeOf(pixel + 0.5)), 0), n_cells - 1);
    return [inside, inside + 1];
  });
}

function paint(canvas, bytes, pixels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const words = new Uint32Array(image.data.buffer);
  for (let i = 0; i < bytes.length; i++) words[i] = pixels[bytes[i]];
  context.putImageData(image, 0, 0);
}

// Give a canvas as many pixels as it has on the screen; false if it has none.
function fit(canvas) {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return width > 0 && height > 0;
}
