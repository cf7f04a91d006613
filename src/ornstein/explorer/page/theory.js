// The theory as the panels ask for it: closed forms for equal eigenvalues, else those of any.

import { one_step_anisotropic } from "../mathematics/anisotropic.js";
import { one_step_anisotropic_spectrum } from "../mathematics/anisotropic_spectrum.js";
import {
  membership, membership_power, most_revealing_noise, points_for_auc,
} from "../mathematics/membership.js";
import { one_step } from "../mathematics/one_step.js";
import { one_step_spectrum, one_step_support } from "../mathematics/singular_values.js";

export const COARSE = 60; // points of a density while controls move
export const FINE = 180;
const MEMBERSHIP_POINTS = 81;
const ENDLESS = 10; // where a support without an end is cut
const LARGEST = 300; // where the search for an end gives up

/** Fields of theory.OneStepTheory at a training size. */
export function distances_at({ isotropic, eigenvalues, d, state }, n) {
  return isotropic
    ? one_step(d, n, state.T, state.noise)
    : one_step_anisotropic(eigenvalues, n, state.T, state.noise);
}

/** theory.membership at a noise variance, and the power at 1 % false positives. */
export function membership_at({ eigenvalues, n }, s2) {
  const found = membership(eigenvalues, s2, n);
  return { ...found, power: membership_power(found, 0.01) };
}

/** AUC against s^2, its maximum, and the n from which on it is at most `bound` there. */
export function membership_curve({ eigenvalues, n }, bound) {
  const least = Math.min(...eigenvalues);
  const largest = Math.max(...eigenvalues);
  const auc_at = (s2) => membership(eigenvalues, s2, n).auc;
  const { noise_variance: noise, auc } = most_revealing_noise(eigenvalues, n);
  const [from, to] = [Math.max(1e-2 * least, 1e-4), 1e3 * largest];
  const points = Array.from({ length: MEMBERSHIP_POINTS }, (_, k) => {
    const s2 = from * (to / from) ** (k / (MEMBERSHIP_POINTS - 1));
    return [s2, auc_at(s2)];
  });
  return {
    points, noise, auc,
    at_edge: noise < 1.01e-3 * least,
    enough: points_for_auc(eigenvalues, noise, bound),
  };
}

/** Density of the relative singular values: {points, support, low, high}; coarse while dragging. */
export function spectrum_curve(model, count, start) {
  return model.isotropic ? isotropic_curve(model, count) : anisotropic_curve(model, count, start);
}

function isotropic_curve({ d, n, here }, count) {
  const ratio = d / (n - 1);
  const support = one_step_support(ratio, here.signal_fraction);
  const last = Math.min(support[1], ENDLESS);
  const first = Math.max(support[0], 1e-3 * last);
  // Dense at both edges, where the density has the slope of a square root.
  const places = Float64Array.from({ length: count }, (_, k) =>
    first + (last - first) * (0.5 - 0.5 * Math.cos((Math.PI * k) / (count - 1))));
  const heights = one_step_spectrum(places, ratio, here.signal_fraction);
  const points = Array.from(places, (s, k) => [s, heights[k]]);
  return { points, support, low: 0, high: Math.max(1.08 * last, 1.5) };
}

/** `before` is where the support ended in the last frame: the search begins there. */
function anisotropic_curve({ eigenvalues, n, d, state }, count, before = 3) {
  // At rest the same address gives the same digits, wherever one came from.
  const start = count > COARSE || !Number.isFinite(before) ? 3 : before;
  const density = (places) =>
    one_step_anisotropic_spectrum(places, eigenvalues, n, state.T, state.noise);
  const endless = n - 1 === d;
  let top = endless ? ENDLESS : Math.min(1.3 * start, LARGEST);
  const rough = (high) => {
    const places = Float64Array.from({ length: 24 }, (_, k) => (high * (k + 1)) / 24);
    const heights = density(places);
    const last = heights.findLastIndex((height) => height > 0);
    return { last, edge: places[Math.min(last + 1, 23)] };
  };
  let found = rough(top);
  while (!endless && found.last === 23 && top < LARGEST) {
    top = Math.min(2 * top, LARGEST);
    found = rough(top);
  }
  if (!endless && found.last >= 0 && found.last < 8) found = rough((top = found.edge));
  const high = endless ? ENDLESS : found.edge;
  const places = Float64Array.from({ length: count }, (_, k) => (high * (k + 0.5)) / count);
  const heights = density(places);
  const points = Array.from(places, (s, k) => [s, heights[k]]);
  const inside = (s) => density([s])[0] > 0;
  const first = heights.findIndex((height) => height > 0);
  const last = heights.findLastIndex((height) => height > 0);
  // Below n* the support begins at 0.
  let support = [first === 0 ? 0 : places[first], endless ? Infinity : places[last]];
  if (count > COARSE) {
    if (first > 0) support[0] = edge(places[first], places[first - 1], inside);
    if (!endless) support[1] = edge(places[last], places[last + 1] ?? high, inside);
  }
  const shown = endless ? ENDLESS : support[1];
  return {
    points: points.filter((_, k) => k >= first - 1 && k <= last + 1),
    support, low: 0, high: Math.max(1.08 * shown, 1.5),
  };
}

/** Where the density ends, between a place inside and one outside. */
function edge(inner, outer, inside) {
  for (let step = 0; step < 10; step++) {
    const middle = (inner + outer) / 2;
    if (inside(middle)) inner = middle;
    else outer = middle;
  }
  return (inner + outer) / 2;
}
