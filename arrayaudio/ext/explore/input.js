// What a person does: pointing, dragging, turning the wheel, pressing keys and buttons.

const surface = element("surface");
const strip = element("strip");

function part(event, place) {
  const { left, width } = place.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - left) / width, 0), 1);
}

function timeAt(event) {
  return state.from + part(event, surface) * (state.to - state.from);
}

// Time, row and value of the pixel under the pointer: of all cells that it covers, the largest.
function read(event) {
  if (!shown?.bytes) return;
  const { view, cells, scale } = shown;
  const { width, height } = picture;
  const x = Math.min(Math.floor(part(event, surface) * width), width - 1);
  const { bottom, height: tall } = surface.getBoundingClientRect();
  const y = Math.min(Math.max(Math.floor(((bottom - event.clientY) / tall) * height), 0), height - 1);
  const [first, last] = rowSpans(view, scale, height)[y];
  const columns = columnSpans(view, state.from, state.to, width)[x];
  const [byte, row] = largest(view, cells, first, last, columns);
  element("readout").textContent = `${timeAt(event).toFixed(3)} s  ·  ${rowLabel(view, row)}  ·  ${valueLabel(view, byte)}`;
}

function forgetReading() {
  element("readout").textContent = "Point at the picture to read it.";
}

function dragging(place, go) {
  place.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    place.setPointerCapture(event.pointerId);
    go(event);
  });
  place.addEventListener("pointermove", (event) => {
    if (place.hasPointerCapture(event.pointerId)) go(event);
  });
}

function wheel(event) {
  const zoomed = state.to - state.from < duration;
  if (event.ctrlKey || event.metaKey) zoom(Math.exp(0.01 * event.deltaY), timeAt(event));
  else if (zoomed && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    look(state.from + (event.deltaX / picture.clientWidth) * (state.to - state.from));
  } else return;
  event.preventDefault();
}

function key(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const target = event.target;
  const step = event.shiftKey ? 1 : 0.1;
  const moves = { ArrowLeft: () => seek(audio.currentTime - step), ArrowRight: () => seek(audio.currentTime + step) };
  const ends = { Home: () => seek(0), End: () => seek(duration) };
  const others = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(0, duration) };
  // A button or a list has a use of its own for the space bar.
  if (event.key === " " && !target.closest("button, select, [type=checkbox]")) toggle();
  else if ((target === document.body || target === surface) && moves[event.key]) moves[event.key]();
  else if (target === surface && ends[event.key]) ends[event.key]();
  else if (!target.closest("select") && others[event.key]) others[event.key]();
  else return;
  event.preventDefault();
}

function begin() {
  radios(element("families"), "family", Object.keys(page.families), state.family, (family) => {
    state.family = family;
    showSettings(show);
    show();
  });
  radios(element("maps"), "map", Object.keys(COLOURS), state.map, (map) => {
    state.map = map;
    colour();
  });
  showSettings(show);
  surface.setAttribute("aria-valuemax", duration.toFixed(2));
  element("range").addEventListener("input", (event) => {
    state.range = event.target.valueAsNumber;
    colour();
  });

  element("play").addEventListener("click", toggle);
  element("loop").addEventListener("change", (event) => (audio.loop = event.target.checked));
  element("speed").addEventListener("change", (event) => (audio.playbackRate = Number(event.target.value)));
  for (const kind of ["play", "pause", "ended"]) audio.addEventListener(kind, showPlaying);
  audio.addEventListener("play", follow);
  for (const kind of ["seeked", "pause", "ended"]) audio.addEventListener(kind, showPosition);
  audio.addEventListener("error", () => (element("clock").textContent = "This browser cannot play the clip."));

  element("closer").addEventListener("click", () => zoom(0.5));
  element("wider").addEventListener("click", () => zoom(2));
  element("whole").addEventListener("click", () => look(0, duration));
  surface.addEventListener("wheel", wheel, { passive: false });

  dragging(surface, (event) => seek(timeAt(event)));
  dragging(strip, (event) => {
    const time = part(event, strip) * duration;
    look(time - (state.to - state.from) / 2);
    seek(time);
  });
  surface.addEventListener("pointermove", read);
  surface.addEventListener("pointerdown", read);
  // A finger that is lifted leaves, too, and the reading is still wanted.
  surface.addEventListener("pointerleave", (event) => event.pointerType === "touch" || forgetReading());
  document.addEventListener("keydown", key);

  const waveform = element("waveform");
  const samples = samplesOf(audio);
  new ResizeObserver(draw).observe(picture);
  new ResizeObserver(() => drawWaveform(waveform, samples)).observe(waveform);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawWaveform(waveform, samples));
  forgetReading();
  show();
}

begin();
