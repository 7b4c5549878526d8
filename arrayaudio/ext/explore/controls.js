// What is chosen, and the radio buttons by which it is.

const element = (id) => document.getElementById(id);
const FREQUENCY_SCALE = "Frequency scale";
const UP_TO = "Up to";
// Which of the options of a setting is taken until another is chosen.
const USUAL = { Window: 1, Bands: 1, Coefficients: 0, "Rows in an octave": 1, From: 1, Part: 0, [UP_TO]: -1 };

const state = { family: Object.keys(page.families)[0], chosen: {}, map: "magma", range: 80, from: 0, to: duration };

// The settings of a family and their options; the last two are of the picture alone.
function settingsOf(family) {
  const views = page.views.filter((view) => view.family === family);
  const found = Object.keys(views[0].settings).map((name) => [name, [...new Set(views.map((view) => view.settings[name]))]]);
  return family === "STFT" ? [...found, [FREQUENCY_SCALE, ["linear", "logarithmic"]], [UP_TO, limits()]] : found;
}

function limits() {
  const lower = [2000, 4000, 8000, 16000].filter((hz) => hz < 0.45 * page.rate);
  return [...lower, page.rate / 2].map((hz) => `${+(hz / 1000).toPrecision(4)} kHz`);
}

// What is chosen of a setting, if the family has it.
function optionOf(name, options) {
  return options.includes(state.chosen[name]) ? state.chosen[name] : options.at(USUAL[name] ?? 0);
}

function currentView() {
  const chosen = settingsOf(state.family).map(([name, options]) => [name, optionOf(name, options)]);
  return page.views.find(
    (view) => view.family === state.family && chosen.every(([name, option]) => (view.settings[name] ?? option) === option),
  );
}

function currentScale(view) {
  if (view.family !== "STFT") return scaleOf(view, false, Infinity);
  const options = limits();
  const limit = optionOf(UP_TO, options);
  return scaleOf(view, isLogarithmic(view), limit === options.at(-1) ? Infinity : parseFloat(limit) * 1000);
}

function isLogarithmic(view) {
  return view.family === "STFT" && state.chosen[FREQUENCY_SCALE] === "logarithmic";
}

// Put radio buttons behind the legend of a fieldset.
function radios(fieldset, name, options, chosen, change) {
  for (const option of options) {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name, value: option });
    const text = document.createElement("span");
    input.checked = option === chosen;
    input.addEventListener("change", () => change(option));
    text.textContent = option;
    label.append(input, text);
    fieldset.append(label);
  }
}

function showSettings(change) {
  const choices = settingsOf(state.family).filter(([, options]) => options.length > 1);
  const fieldsets = choices.map(([name, options]) => {
    const fieldset = document.createElement("fieldset");
    const legend = document.createElement("legend");
    fieldset.className = "choice";
    legend.textContent = name;
    fieldset.append(legend);
    radios(fieldset, name, options, optionOf(name, options), (option) => {
      state.chosen[name] = option;
      change();
    });
    return fieldset;
  });
  element("settings").replaceChildren(...fieldsets);
}
