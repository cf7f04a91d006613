// What is shown, as one plain object, and as the part of the address after "#".
//
// Only what differs from the default stands in the address, so that the plain address is the plain
// page, and a link holds the whole state.

import { read_list } from "./spectra.js";

export const MOST_DIMENSIONS = 400;

/** Stops of a slider: from..to in steps of the third number, one line a range. */
function stops(...ranges) {
  const found = [];
  for (const [from, to, step] of ranges) {
    const count = Math.round((to - from) / step);
    for (let k = 0; k <= count; k++) found.push(Number((from + k * step).toPrecision(10)));
  }
  return [...new Set(found)];
}

const SQUARES = [4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225, 256];

/** Numbers: default, stops of the slider, range of what may be typed, whether whole. */
export const NUMBERS = {
  d: { start: 100, stops: SQUARES, least: 2, most: MOST_DIMENSIONS, whole: true },
  ratio_n: {
    start: 1.2, least: 0.02, most: 100,
    stops: stops([0.1, 0.5, 0.02], [0.5, 0.9, 0.05], [0.92, 1.1, 0.02], [1.1, 3, 0.05],
      [3, 10, 0.25], [10, 30, 1]),
  },
  T: { start: 2, stops: stops([0.05, 1, 0.05], [1, 3, 0.1], [3, 5, 0.5]), least: 0.001, most: 20 },
  noise: {
    start: 1, least: 0.0001, most: 1000,
    stops: stops([0.01, 0.1, 0.01], [0.1, 1, 0.05], [1, 3, 0.1], [3, 10, 0.5]),
  },
  exponent: { start: 1, stops: stops([0, 2, 0.05]), least: 0, most: 3 },
  ratio: { start: 10, stops: stops([1, 3, 0.1], [3, 10, 0.5], [10, 100, 5]), least: 1, most: 10000 },
  share: { start: 0.5, stops: stops([0.05, 0.95, 0.05]), least: 0.01, most: 0.99 },
  S: {
    start: 20, least: 1, most: 1000, whole: true,
    stops: stops([1, 10, 1], [10, 20, 2], [20, 50, 5], [50, 100, 10], [100, 200, 20], [200, 500, 50],
      [500, 1000, 100]),
  },
  seed: { start: 0, stops: [], least: 0, most: 1e9, whole: true },
};

/** Choices: the first is the default. */
export const CHOICES = {
  spectrum: ["power-law", "isotropic", "two-level", "list"],
  sampler: ["ddpm:large", "ddpm", "ddim", "euler", "heun"],
  grid: ["tangent", "karras"],
  schedule: ["linear", "scaled_linear", "cosine", "karras"],
  detail: ["simple", "full"],
  theme: ["auto", "light", "dark"],
};

/** Samplers of the ODE, on noise levels of their own. */
export const ODE_SAMPLERS = ["euler", "heun"];

/** The short names of the address. */
const KEYS = {
  d: "d", ratio_n: "n", T: "T", noise: "noise", exponent: "exponent", ratio: "ratio",
  share: "share", S: "S", seed: "seed", spectrum: "spectrum", sampler: "sampler", grid: "grid",
  schedule: "schedule", detail: "detail", theme: "theme", list: "list",
};

export function default_state(changed = {}) {
  const state = { list: [4, 3, 2, 1.5, 1, 0.8, 0.6, 0.4, 0.2] };
  for (const [name, { start }] of Object.entries(NUMBERS)) state[name] = start;
  for (const [name, words] of Object.entries(CHOICES)) state[name] = words[0];
  return normalized({ ...state, ...changed });
}

/** A pasted list has a dimension of its own. */
function normalized(state) {
  return state.spectrum === "list" ? { ...state, d: state.list.length } : state;
}

/** A number within its range; NaN if it is none. */
export function valid_number(name, text) {
  const { least, most, whole } = NUMBERS[name];
  const value = typeof text === "string" && text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value)) return NaN;
  const within = Math.min(Math.max(value, least), most);
  return whole ? Math.round(within) : within;
}

/** The state of an address; what cannot be read is as by default. */
export function read_address(hash, defaults) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const state = { ...defaults };
  for (const [name, key] of Object.entries(KEYS)) {
    const text = given.get(key);
    if (text === null) continue;
    if (name in NUMBERS) {
      const value = valid_number(name, text);
      if (!Number.isNaN(value)) state[name] = value;
    } else if (name === "list") {
      try {
        state.list = read_list(text, MOST_DIMENSIONS);
      } catch {
        // Of a list that is none the default stays.
      }
    } else if (CHOICES[name].includes(text)) {
      state[name] = text;
    }
  }
  return normalized(state);
}

export function written_address(state, defaults) {
  const parts = [];
  for (const [name, key] of Object.entries(KEYS)) {
    const text = name === "list" ? state.list.join(",") : String(state[name]);
    const usual = name === "list" ? defaults.list.join(",") : String(defaults[name]);
    const counts = name !== "list" || state.spectrum === "list";
    if (text !== usual && counts) parts.push(`${key}=${text}`);
  }
  return `#${parts.join("&")}`;
}

/** The state with some entries changed, and what follows from them. */
export function changed_state(state, changes) {
  const next = { ...state, ...changes };
  if (next.spectrum !== "list" && state.spectrum === "list" && !("d" in changes)) {
    next.d = NUMBERS.d.start;
  }
  return normalized(next);
}

/** Training size n >= 2. */
export function training_size(state) {
  return Math.max(2, Math.round(state.ratio_n * state.d));
}
