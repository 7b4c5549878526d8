// What is on the screen: the view that is chosen, with its cells and scale, and the byte of each pixel.

const picture = element("picture");
let shown = null;

async function show() {
  const view = currentView();
  element("figure").setAttribute("aria-busy", "true");
  const cells = await cellsOf(view);
  if (view !== currentView()) return; // another was chosen meanwhile
  shown = { view, cells };
  element("about").textContent = page.families[view.family];
  element("code").textContent = `aa.${view.code}(y)${view.unit === "dB" ? "  # shown in dB" : ""}`;
  element("levels").hidden = view.unit !== "dB";
  element("maps").hidden = view.signed;
  element("unit").textContent = { frequency: "Hz", note: "note" }[view.axis] ?? view.axis;
  draw();
  element("figure").setAttribute("aria-busy", "false");
}

function draw() {
  if (!shown || !fit(picture)) return;
  const { view, cells } = shown;
  shown.scale = currentScale(view);
  shown.bytes = pixelBytes(view, cells, shown.scale, state.from, state.to, picture.width, picture.height);
  colour();
  const rows = rowTicks(view, shown.scale, isLogarithmic(view), picture.clientHeight);
  label(element("rows"), "bottom", rows);
  const times = numbers(state.from, state.to, picture.clientWidth / 70);
  label(element("times"), "left", times.map(([time, text]) => [(time - state.from) / (state.to - state.from), `${text} s`]));
  const zoomed = state.to - state.from < duration;
  element("window").hidden = !zoomed;
  element("whole").disabled = element("wider").disabled = !zoomed;
  element("window").style.left = percent(state.from / duration);
  element("window").style.width = percent((state.to - state.from) / duration);
  showPosition();
}

function colour() {
  const { view, bytes } = shown;
  paint(picture, bytes, pixelsOf(view, state.map, state.range));
  const bar = { ...view, low: lowest(view, state.range) };
  paint(element("bar"), Uint8Array.from({ length: 256 }, (_, i) => i), pixelsOf(bar, state.map, state.range));
  const unit = view.unit === "value" ? "" : ` ${view.unit}`;
  element("low").textContent = number(bar.low) + unit;
  element("high").textContent = number(bar.high) + unit;
  element("decibels").textContent = `${state.range} dB`;
}

function label(axis, side, ticks) {
  const spans = ticks.map(([place, text]) => {
    const span = document.createElement("span");
    span.textContent = text;
    span.style[side] = percent(place);
    span.classList.toggle("end", place > 0.96);
    return span;
  });
  axis.replaceChildren(...spans);
}

function percent(part) {
  return `${100 * part}%`;
}
