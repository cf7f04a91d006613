// The controls: a slider and, with all details, a field for each number; a list for each choice.

import { short_text } from "./number_texts.js";
import { read_list } from "./spectra.js";
import {
  CHOICES, MOST_DIMENSIONS, NUMBERS, ODE_SAMPLERS, training_size, valid_number,
} from "./state.js";

const WORDS = {
  isotropic: "all equal (isotropic)", "power-law": "power law", "two-level": "two levels",
  list: "a list of your own", heun: "Heun (ODE)", euler: "Euler (ODE)", ddim: "DDIM",
  ddpm: "DDPM, small variance", "ddpm:large": "DDPM, large variance",
  tangent: "tangent law, for this spectrum", karras: "Karras, rho = 7",
  linear: "linear betas", scaled_linear: "scaled linear betas", cosine: "cosine",
};

/** Controls in their order; `full`: with all details only; `when(state)`: where it counts. */
const CONTROLS = [
  {
    name: "ratio_n", label: "Training set, n", main: true,
    hint: "in units of the dimension d",
    value: (state) => `${short_text(state.ratio_n)} d = ${training_size(state)}`,
    unit: (state) => `d = ${training_size(state)}`,
  },
  {
    name: "d", label: "Dimensions, d", hint: "numbers in one data point",
    when: (state) => state.spectrum !== "list",
  },
  {
    name: "spectrum", label: "Spectrum of the data", choice: true,
    hint: "variances along the principal directions",
  },
  {
    name: "exponent", label: "Exponent", hint: "direction k has variance 1/k to this power; 1 is like natural images",
    when: (state) => state.spectrum === "power-law",
  },
  {
    name: "ratio", label: "Large over small variance", hint: "",
    when: (state) => state.spectrum === "two-level",
  },
  {
    name: "share", label: "Share of large ones", hint: "",
    when: (state) => state.spectrum === "two-level",
  },
  {
    name: "list", label: "Variances", text: true, hint: "numbers above 0; scaled to mean 1",
    when: (state) => state.spectrum === "list",
  },
  { name: "T", label: "Diffusion time, T", hint: "when the noising stops", full: true },
  {
    name: "noise", label: "Noise scale", full: true,
    hint: "added variance over e\u207b\u00b2\u1d40(1 \u2212 e\u207b\u00b2\u1d40)",
  },
  { name: "S", label: "Sampling steps, S", hint: "of the sampler below", full: true },
  { name: "sampler", label: "Sampler", choice: true, full: true, hint: "" },
  {
    name: "grid", label: "Noise levels", choice: true, full: true, hint: "falling from 80",
    when: (state) => ODE_SAMPLERS.includes(state.sampler),
  },
  {
    name: "schedule", label: "Noise schedule", choice: true, full: true, hint: "1000 diffusion steps",
    when: (state) => !ODE_SAMPLERS.includes(state.sampler),
  },
];

/** Build the controls in `host`; `change` gets what is to be changed of the state. */
export function make_controls(host, change) {
  const made = CONTROLS.map((control) => {
    const block = document.createElement("div");
    block.className = `control${control.main ? " main" : ""}${control.full ? " only-full" : ""}`;
    block.id = `control-${control.name}`;
    host.append(block);
    const build = control.choice ? choice : control.text ? list_field : number;
    return { control, block, show: build(control, block, change) };
  });
  return (state) => {
    for (const { control, block, show } of made) {
      block.hidden = control.when ? !control.when(state) : false;
      if (!block.hidden) show(state);
    }
  };
}

function head(control, block, id) {
  block.innerHTML =
    `<div class="head"><label for="${id}">${control.label}</label></div>` +
    (control.hint ? `<p class="hint" id="${id}-hint">${control.hint}</p>` : "");
  return block.querySelector(".head");
}

function number(control, block, change) {
  const { name } = control;
  const { stops, least, most, whole } = NUMBERS[name];
  const id = `input-${name}`;
  const top = head(control, block, id);
  top.insertAdjacentHTML(
    "beforeend",
    `<output class="value" for="${id}"></output>`,
  );
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", id, min: 0, max: stops.length - 1, step: 1 });
  const hint = block.querySelector(".hint");
  if (hint) slider.setAttribute("aria-describedby", hint.id);
  top.after(slider);
  const field = document.createElement("input");
  Object.assign(field, { type: "number", min: least, max: most, step: whole ? 1 : "any" });
  field.id = `field-${name}`;
  field.setAttribute("aria-label", `${control.label}, typed`);
  const typed = document.createElement("span");
  typed.className = "typed only-full";
  const unit = document.createElement("span");
  typed.append(field, unit);
  top.append(typed);
  slider.addEventListener("input", () => change({ [name]: stops[Number(slider.value)] }));
  field.addEventListener("change", () => {
    const value = valid_number(name, field.value);
    if (!Number.isNaN(value)) change({ [name]: value });
    field.value = field.defaultValue;
    if (!Number.isNaN(value)) field.value = short_text(value);
  });
  const output = block.querySelector("output");
  return (state) => {
    const text = control.value?.(state) ?? short_text(state[name]);
    output.textContent = text;
    unit.textContent = control.unit?.(state) ?? "";
    slider.value = nearest_stop(stops, state[name]);
    slider.setAttribute("aria-valuetext", text);
    slider.style.setProperty("--filled", `${(100 * slider.value) / (stops.length - 1)}%`);
    field.defaultValue = short_text(state[name]);
    if (document.activeElement !== field) field.value = field.defaultValue;
  };
}

export function nearest_stop(stops, value) {
  let best = 0;
  for (let k = 1; k < stops.length; k++) {
    if (Math.abs(stops[k] - value) < Math.abs(stops[best] - value)) best = k;
  }
  return best;
}

function choice(control, block, change) {
  const { name } = control;
  const id = `input-${name}`;
  const top = head(control, block, id);
  const select = document.createElement("select");
  select.id = id;
  select.innerHTML = CHOICES[name]
    .map((word) => `<option value="${word}">${WORDS[word]}</option>`)
    .join("");
  top.after(select);
  select.addEventListener("change", () => change({ [name]: select.value }));
  return (state) => {
    select.value = state[name];
  };
}

function list_field(control, block, change) {
  const id = "input-list";
  const top = head(control, block, id);
  const area = document.createElement("textarea");
  Object.assign(area, { id, spellcheck: false });
  const wrong = document.createElement("p");
  wrong.className = "wrong";
  wrong.id = `${id}-wrong`;
  wrong.setAttribute("role", "alert");
  area.setAttribute("aria-describedby", `${id}-hint ${wrong.id}`);
  top.after(area);
  block.append(wrong);
  area.addEventListener("input", () => {
    try {
      const list = read_list(area.value, MOST_DIMENSIONS);
      wrong.textContent = "";
      change({ list });
    } catch (error) {
      wrong.textContent = error.message;
    }
  });
  return (state) => {
    if (document.activeElement !== area) area.value = state.list.map(short_text).join(", ");
  };
}
