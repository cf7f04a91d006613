// Renormalised noise and membership inference: theory/linear_denoisers/effective_noise.py and
// theory/membership_inference.py.

import { least_between } from "./minimization.js";
import { decreasing_root, distinct_values } from "./numerics.js";
import { ndtr, ndtri } from "./special_functions.js";

const REVEALING_DECADES = 3;
const REVEALING_PER_DECADE = 4;
const MOST_POINTS = 1e15;

/** Distinct eigenvalues > 0, how often each occurs, and their number. */
export function positive_modes(eigenvalues) {
  const { values, counts } = distinct_values(Array.from(eigenvalues).filter((value) => value > 0));
  return { values, counts, rank: counts.reduce((sum, count) => sum + count, 0) };
}

/** kappa(s^2), the root >= s^2 of kappa - s^2 = kappa df1(kappa) / n. */
export function renormalized_noise(eigenvalues, noise_variance, n_train) {
  return noise_equivalent(positive_modes(eigenvalues), noise_variance, n_train).kappa;
}

/** Solve for kappa; `modes` of `positive_modes`. */
export function noise_equivalent(modes, noise_variance, n_train) {
  const { values, counts, rank } = modes;
  const s2 = noise_variance;
  const n = n_train;
  if (rank === 0) return { kappa: s2, df1: 0, unresolved: 1 };
  const balance = (kappa) => {
    let resolved = 0;
    let above = -n;
    let bend = 0;
    for (let k = 0; k < values.length; k++) {
      const kept = values[k] / (values[k] + kappa);
      const lost = kappa / (values[k] + kappa);
      bend += counts[k] * kept * lost;
      // A direction counts as 1 - lost or as kept, whichever is small.
      if (values[k] > kappa) {
        above += counts[k];
        resolved -= counts[k] * lost;
      } else resolved += counts[k] * kept;
    }
    const deviation = s2 / kappa + (above + resolved) / n;
    return [Math.log1p(deviation), -(s2 / kappa + bend / n) / (1 + deviation)];
  };
  let total = 0;
  for (let k = 0; k < values.length; k++) total += values[k] * counts[k];
  const lower = equal_eigenvalues(s2, values[0], rank, n);
  const upper = equal_eigenvalues(s2, total / rank, rank, n);
  const kappa = upper === 0 ? 0 : Math.max(decreasing_root(balance, lower, upper), s2);
  let df1 = 0;
  let overlap = 0;
  for (let k = 0; k < values.length; k++) {
    const kept = values[k] / (values[k] + kappa);
    df1 += counts[k] * kept;
    overlap += (counts[k] * kept * kappa) / (values[k] + kappa);
  }
  const ratio = kappa === 0 ? 1 - rank / n : s2 / kappa;
  return { kappa, df1, unresolved: ratio + overlap / n };
}

/** kappa for `rank` equal eigenvalues. */
function equal_eigenvalues(s2, eigenvalue, rank, n) {
  const b = s2 + ((rank - n) / n) * eigenvalue;
  const larger = 0.5 * (Math.abs(b) + Math.hypot(b, 2 * Math.sqrt(s2) * Math.sqrt(eigenvalue)));
  // The roots have the product -s^2 eigenvalue: for b < 0 the sum of b and root would cancel.
  return b > 0 ? larger : larger > 0 ? (s2 * eigenvalue) / larger : 0;
}

/**
 * Residuals of members and non-members under the best linear denoiser of n points.
 *
 * Fields of theory.Membership; `membership_power` is its method `power`.
 */
export function membership(eigenvalues, noise_variance, n_train) {
  const modes = positive_modes(eigenvalues);
  const s2 = noise_variance;
  const n = n_train;
  const { kappa, unresolved } = noise_equivalent(modes, s2, n);
  const slope = 1 / unresolved;
  let [mean, G, G_a, G_ab] = [0, 0, 0, 0];
  for (let k = 0; k < modes.values.length; k++) {
    const lost = 1 / (modes.values[k] + kappa);
    const kept = modes.values[k] * lost;
    const count = modes.counts[k];
    mean += count * kept * lost;
    G += count * kept * kept;
    G_a -= count * kept * kept * lost;
    G_ab += count * kept * kept * lost * lost;
  }
  mean *= kappa * kappa * slope;
  G_a *= slope;
  G_ab *= slope * slope;
  // F = P(a) P(b) n G/(n - G) and its derivatives in a and b, at s^2; P = kappa/s^2.
  const P = kappa / s2;
  const P_a = (slope * s2 - kappa) / (s2 * s2);
  const value = G * slope;
  const first = slope * slope;
  const second = (2 * slope ** 3) / n;
  const F = P * P * value;
  const F_a = P_a * P * value + P * P * first * G_a;
  let F_ab = P_a * P_a * value + 2 * P * P_a * first * G_a;
  F_ab += P * P * (second * G_a * G_a + first * G_ab);

  const residual = (2 * s2 ** 4 * F_ab) / (mean * mean);
  const weight = (2 * F) / (n * P) ** 2;
  const together = (-2 * s2 * s2 * F_a) / (n * mean * P);
  const member = residual - 4 * together + 4 * weight;
  const gap = 2 * Math.log(P) - weight;
  return {
    ratio: P ** -2,
    member_mean: mean * P ** -2,
    non_member_mean: mean,
    auc: ndtr(gap / Math.sqrt(residual + member)),
    log_gap: gap,
    member_log_std: Math.sqrt(member),
    non_member_log_std: Math.sqrt(residual),
  };
}

/** Share of the training points that are found at a false-positive rate. */
export function membership_power(found, false_positive_rate) {
  const threshold = found.log_gap + found.non_member_log_std * ndtri(false_positive_rate);
  return ndtr(threshold / found.member_log_std);
}

/** { noise_variance, auc } where training points are told best from others. */
export function most_revealing_noise(eigenvalues, n_train) {
  const { values } = positive_modes(eigenvalues);
  const [least, largest] = [values[0], values[values.length - 1]];
  // The argument of the normal distribution: an AUC that rounds to 1 is no plateau.
  const missed = (log_noise) => {
    const found = membership(eigenvalues, Math.exp(log_noise), n_train);
    return -found.log_gap / Math.hypot(found.member_log_std, found.non_member_log_std);
  };
  const margin = REVEALING_DECADES * Math.LN10;
  const [low, high] = [Math.log(least) - margin, Math.log(largest) + margin];
  const decades = 2 * REVEALING_DECADES + Math.log10(largest / least);
  const count = Math.floor(REVEALING_PER_DECADE * decades) + 2;
  const grid = Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));
  const values_there = grid.map(missed);
  const best = values_there.indexOf(Math.min(...values_there));
  const found = least_between(missed, grid[Math.max(best - 1, 0)], grid[Math.min(best + 1, count - 1)]);
  const noise_variance = Math.exp(missed(found) < values_there[best] ? found : grid[best]);
  return { noise_variance, auc: membership(eigenvalues, noise_variance, n_train).auc };
}

/** Number of points, not rounded, from which on the attack has no more than a given AUC. */
export function points_for_auc(eigenvalues, noise_variance, auc) {
  const told = (n) => membership(eigenvalues, noise_variance, n).auc;
  if (told(1) <= auc) return 1;
  let [low, high] = [0, Math.log(MOST_POINTS)];
  while (high - low > 1e-13 * high) {
    const middle = 0.5 * (low + high);
    if (told(Math.exp(middle)) > auc) low = middle;
    else high = middle;
  }
  return Math.exp(0.5 * (low + high));
}
