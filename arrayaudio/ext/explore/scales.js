// The vertical scale of a view: heights, from 0 at the bottom of the picture to 1 at its top, rows and frequencies.
// Row k is between k - 1/2 and k + 1/2.

function scaleOf(view, logarithmic, limit) {
  if (logarithmic) return logarithmicScale(view, limit);
  const top = limit < view.frequencies.at(-1) ? rowOf(view, limit) + 0.5 : view.rows;
  return {
    top: frequencyOf(view, top - 0.5),
    bottom: view.frequencies[0],
    rowAt: (height) => height * top - 0.5,
    heightOf: (frequency) => (rowOf(view, frequency) + 0.5) / top,
  };
}

// Of a view whose rows lie at equal distances from 0 on.
function logarithmicScale(view, limit) {
  const step = view.frequencies[1];
  const top = Math.min(limit, view.frequencies.at(-1));
  const bottom = Math.min(Math.max(step, 20), top / 2);
  return {
    top,
    bottom,
    rowAt: (height) => (bottom * (top / bottom) ** height) / step,
    heightOf: (frequency) => Math.log(frequency / bottom) / Math.log(top / bottom),
  };
}

// The row of a frequency, as a real number.
function rowOf(view, frequency) {
  const places = view.frequencies;
  let low = 0;
  let high = places.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (places[middle] <= frequency) low = middle;
    else high = middle;
  }
  return low + (frequency - places[low]) / (places[high] - places[low]);
}

function frequencyOf(view, row) {
  const k = Math.min(Math.max(Math.floor(row), 0), view.rows - 1);
  const next = Math.min(k + 1, view.rows - 1);
  return view.frequencies[k] + (row - k) * (view.frequencies[next] - view.frequencies[k]);
}
