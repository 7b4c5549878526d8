// Labels of axes, as many as there is room for, and of values.

const LANDMARKS = [31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000];
const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const LETTER = 15; // pixels from one label of the rows to the next, at least

// [place, label] of round numbers between two limits, at most so many.
function numbers(low, high, most, least = 0) {
  const rough = (high - low) / Math.max(most, 1);
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(least, ten * ([1, 2, 5].find((factor) => factor * ten >= rough) ?? 10));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    found.push([k * step, (k * step).toFixed(digits)]);
  }
  return found;
}

// [height, label] of rows.
function rowTicks(view, scale, logarithmic, pixels) {
  const places = rowPlaces(view, scale, logarithmic, pixels).map(([place, label]) => [scale.heightOf(place), label]);
  const kept = [];
  for (const [height, label] of places) {
    const near = kept.length && (height - kept.at(-1)[0]) * pixels < LETTER;
    if (height >= 0 && height <= 1 && !near) kept.push([height, label]);
  }
  return kept;
}

function rowPlaces(view, scale, logarithmic, pixels) {
  if (view.axis === "pitch class") return view.names.map((name, k) => [k, name]);
  if (view.axis === "coefficient") return numbers(0, view.rows - 1, pixels / 30, 1);
  if (view.axis === "note") {
    const octaves = Array.from({ length: 12 }, (_, octave) => [frequencyOfMidi(12 * (octave + 1)), `C${octave}`]);
    return octaves.filter(([hz]) => hz >= 0.999 * scale.bottom && hz <= 1.001 * scale.top);
  }
  const even = view.family === "STFT" && !logarithmic;
  const chosen = even ? numbers(0, scale.top, pixels / 40).map(([hz]) => hz) : LANDMARKS;
  return chosen.filter((hz) => hz >= scale.bottom && hz <= scale.top).map((hz) => [hz, hertz(hz)]);
}

function hertz(hz) {
  return hz >= 1000 ? `${+(hz / 1000).toPrecision(4)}k` : `${+hz.toPrecision(4)}`;
}

function frequencyOfMidi(midi) {
  return 440 * 2 ** ((midi - 69) / 12);
}

// The nearest note, and how many cents a frequency is off.
function noteOf(hz) {
  const midi = 69 + 12 * Math.log2(hz / 440);
  const nearest = Math.round(midi);
  const cents = Math.round(100 * (midi - nearest));
  const name = `${NOTES[((nearest % 12) + 12) % 12]}${Math.floor(nearest / 12) - 1}`;
  return cents ? `${name} ${cents > 0 ? "+" : "−"}${Math.abs(cents)} cents` : name;
}

// What a row is.
function rowLabel(view, row) {
  if (view.axis === "pitch class") return `pitch class ${view.names[row]}`;
  if (view.axis === "coefficient") return `coefficient ${row}`;
  const hz = view.frequencies[row];
  const digits = hz < 1000 ? 1 : 0;
  return hz > 16 ? `${hz.toFixed(digits)} Hz (${noteOf(hz)})` : `${hz.toFixed(digits)} Hz`;
}

// A value; the first and the last byte may also stand for what lies beyond.
function valueLabel(view, byte) {
  const below = byte === 0 && ["min", "both"].includes(view.beyond);
  const above = byte === 255 && ["max", "both"].includes(view.beyond);
  const unit = view.unit === "value" ? "" : ` ${view.unit}`;
  return (below ? "≤ " : above ? "≥ " : "") + number(valueOf(view, byte)) + unit;
}

function number(value) {
  const digits = Math.abs(value) < 10 ? 2 : 1;
  return value.toFixed(digits).replace("-", "−");
}
