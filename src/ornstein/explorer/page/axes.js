// Scales, and round numbers to put on them.

import { short_text } from "./number_texts.js";

/** From values to places; {place, value, ticks, low, high, logarithmic}. */
export function make_scale({ low, high, from, to, logarithmic = false, ticks = 6, tick_values }) {
  const turn = logarithmic ? Math.log : (x) => x;
  const back = logarithmic ? Math.exp : (x) => x;
  const [a, b] = [turn(low), turn(high)];
  const slope = (to - from) / (b - a || 1);
  return {
    low, high, logarithmic,
    ticks: tick_values ?? (logarithmic ? round_logarithmic(low, high, ticks)
      : round_linear(low, high, ticks)),
    place: (value) => from + (turn(value) - a) * slope,
    value: (place) => back(a + (place - from) / slope),
  };
}

export function round_linear(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((m) => m >= rough * (1 - 1e-9));
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}

export function round_logarithmic(low, high, most) {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const within = (value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  for (const digits of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const found = [];
    for (let power = first; power <= last; power++) {
      for (const digit of digits) found.push(Number(`${digit}e${power}`));
    }
    const shown = found.filter(within);
    if (shown.length <= most && shown.length >= 2) return shown;
  }
  const powers = [];
  for (let power = first; power <= last; power++) powers.push(Number(`1e${power}`));
  const shown = powers.filter(within);
  if (shown.length < 2) return round_linear(low, high, most);
  const step = Math.ceil(shown.length / most);
  return shown.filter((_, index) => index % step === 0);
}

const RAISED = { "-": "\u207b", 0: "\u2070", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3", 4: "\u2074",
  5: "\u2075", 6: "\u2076", 7: "\u2077", 8: "\u2078", 9: "\u2079" };

/** In full where that is short, else as a power of ten. */
export function tick_text(value) {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e5)) {
    return String(Number(value.toPrecision(10))).replace("-", "\u2212");
  }
  const [digits, power] = value.toExponential().split("e");
  const raised = [...String(Number(power))].map((c) => RAISED[c]).join("");
  const factor = Number(digits) === 1 ? "" : `${short_text(Number(digits))}\u00b7`;
  return `${factor}10${raised}`;
}

/** A range of some values, wide enough to be seen, with a margin. */
export function range_of(values, { logarithmic = false, margin = 0.06, floor, ceiling } = {}) {
  const finite = values.filter((v) => Number.isFinite(v) && (!logarithmic || v > 0));
  if (!finite.length) return logarithmic ? [0.1, 10] : [0, 1];
  let low = Math.min(...finite);
  let high = Math.max(...finite);
  if (logarithmic) {
    const widen = Math.max((high / low) ** margin, 1.08);
    [low, high] = [low / widen, high * widen];
  } else {
    const widen = Math.max(margin * (high - low), 0.02 * Math.max(Math.abs(low), Math.abs(high)));
    [low, high] = [low - (widen || 1), high + (widen || 1)];
  }
  return [Math.max(low, floor ?? -Infinity), Math.min(high, ceiling ?? Infinity)];
}
