// Expected distances of the one-step model for any population spectrum:
// theory/one_step_model/anisotropic.py, anisotropic_log_det.py, anisotropic_potential.py,
// anisotropic_moments.py.

import { exact_log_det } from "./exact_log_determinant.js";
import { GINIBRE_CONSTANT, THRESHOLD_FAR, threshold_function } from "./log_determinant.js";
import { condensed, linear_map, noised_modes } from "./noised_modes.js";
import { decreasing_root, dot, remembered } from "./numerics.js";
import { affinity_cumulants } from "./potential.js";
import {
  covariance_map,
  finite_size_gap,
  inverse_excess,
  leading_excess,
  mean_potential,
  potential_constants,
  potential_covariance,
  potential_excess,
  projection,
  saddle_point,
  span_spread,
} from "./saddle_point.js";
import { digamma, expit, log_gamma, trigamma, xlogy } from "./special_functions.js";
import { log_det_variance } from "./wishart.js";

const ZERO_T = 1e-60; // stands for t = 0
const NORM_STEP = 0.4;
const NORM_BELOW = 27;
const NORM_ABOVE = 9;
const NORM_TAIL = 1e-14;

/**
 * Fields of theory.one_step_anisotropic. `n_train` is a number, or an array: then kl, trace,
 * log_det, hellinger_squared and wasserstein_squared are arrays.
 */
export function one_step_anisotropic(eigenvalues, n_train, time = 2, noise_scale = 1) {
  const { modes, nodes } = known_modes(eigenvalues, time, noise_scale);
  const many = typeof n_train !== "number";
  const rows = Array.from(many ? n_train : [n_train], (n) => anisotropic_distances(modes, nodes, n));
  const field = (name) => (many ? Float64Array.from(rows, (row) => row[name]) : rows[0][name]);
  const noise = modes.noise * modes.scale;
  let limit = 0;
  let threshold = 0;
  for (let k = 0; k < modes.eigenvalue.length; k++) {
    const eigenvalue = modes.eigenvalue[k];
    threshold += modes.weight[k] * (1 + modes.noise / eigenvalue);
    if (eigenvalue > 0) {
      const variance = (modes.start_variance * modes.signal_fraction[k] ** 2) / eigenvalue;
      limit += (modes.weight[k] * (variance - 1 - Math.log(variance))) / 2;
    }
  }
  return {
    signal_fraction: Float64Array.from(eigenvalues, (v) => (v > 0 ? v / (v + noise) : 0)),
    threshold,
    kl: field("kl"),
    trace: field("trace"),
    log_det: field("log_det"),
    hellinger_squared: field("hellinger_squared"),
    wasserstein_squared: field("wasserstein_squared"),
    kl_infinite_data: limit,
  };
}

/** The modes of a population, and fewer nodes in their place. */
const known_modes = remembered((eigenvalues, time, noise_scale) => {
  const modes = noised_modes(eigenvalues, time, noise_scale);
  return { modes, nodes: condensed(modes) };
}, 8);

function anisotropic_distances(modes, nodes, n) {
  const nu = n - 1;
  const start = modes.start_variance;
  const second = fitted_second_moment(modes, nu);
  const [log_det, affinity] = whitened(nodes, n);
  const hellinger_squared = -Math.expm1(affinity);
  if (!second.every(Number.isFinite)) {
    const kl = Infinity;
    return { trace: kl, log_det, kl, hellinger_squared, wasserstein_squared: kl };
  }
  let [trace, mean, relative, shared, total] = [0, 0, 0, 0, 0];
  for (let k = 0; k < second.length; k++) {
    const eigenvalue = modes.eigenvalue[k];
    const generated = start * second[k];
    const moved = eigenvalue / n + (modes.noise / n) * second[k];
    trace += modes.weight[k] * generated;
    mean += modes.weight[k] * moved;
    total += modes.weight[k] * eigenvalue;
    shared += modes.weight[k] * eigenvalue * generated;
    if (eigenvalue > 0) relative += (modes.support[k] * (generated + moved)) / eigenvalue;
  }
  const nuclear = nuclear_norm(linear_map(nodes, nu, 1), shared);
  const wasserstein = trace + total - 2 * nuclear + mean;
  return {
    trace: trace / modes.dim,
    log_det,
    kl: Number.isFinite(log_det) ? (relative - modes.rank - log_det) / 2 : Infinity,
    hellinger_squared,
    wasserstein_squared: modes.scale * Math.max(wasserstein, 0),
  };
}

/** (E B B^T)_kk of every distinct mode; infinite, where there is noise, for |nu - d| <= 1. */
export function fitted_second_moment(modes, dof) {
  const d = modes.columns;
  const spanned = dof < d ? spanned_share(modes, dof) : modes.weight.map(() => 1);
  const signal = modes.signal_fraction.map((f, k) => f * f * spanned[k]);
  if (modes.noise === 0) return signal;
  const room = dof >= d ? dof - d - 1 : d - dof - 1;
  if (room <= 0) return modes.eigenvalue.map((v) => (v > 0 ? Infinity : 0));
  let total = 0;
  for (let k = 0; k < spanned.length; k++) {
    total += (modes.weight[k] * spanned[k]) / (modes.eigenvalue[k] + modes.noise);
  }
  return signal.map((s, k) => s + (modes.residual[k] * total) / room);
}

/** E P_kk, nu < d. */
function spanned_share(modes, dof) {
  const { share } = projection(linear_map(modes, dof));
  const spread = share.map((s) => s * (1 - s));
  const total = dot(modes.weight, spread);
  let tilt = 0;
  for (let k = 0; k < share.length; k++) tilt += modes.weight[k] * spread[k] * (1 - 2 * share[k]);
  return share.map((s, k) => {
    const next = (spread[k] * (1 - 2 * s - tilt / total)) / (2 * total);
    return Math.min(Math.max(s + next, 0), 1);
  });
}

/** E sum s over the singular values of K, of power 1; `trace` is E tr K K^T. */
export function nuclear_norm(K, trace) {
  const q = Math.min(K.dof, K.rows);
  const scale2 = trace / q;
  const centre = 0.5 * Math.log(scale2);
  const low = centre - NORM_BELOW;
  const count = Math.ceil((NORM_BELOW + 0.5 * Math.log(q) + NORM_ABOVE) / NORM_STEP);
  const constants = potential_constants(K);
  let sum = 0;
  let last = 0;
  let before = Infinity;
  let [one, two] = [null, null];
  for (let k = count - 1; k >= 0; k--) {
    const y = Math.exp(low + NORM_STEP * k);
    // The last two saddle points, extrapolated.
    const near = two && { x: 2 * one.x - two.x, logit: 2 * one.logit - two.logit };
    const point = saddle_point(K, y * y, K.dof <= K.columns && near ? { ...near, logit: one.logit } : near);
    const excess = potential_excess(K, point, constants) - q * Math.log1p(scale2 / (y * y));
    const value = y * excess;
    if (k === count - 1) last = value;
    sum += value;
    // Below all singular values the potential is that at 0, and the rest a geometric series.
    const change = Math.abs(excess - before) * y;
    if (y * y < scale2 && change < NORM_TAIL * q * Math.sqrt(scale2)) {
      sum += value / Math.expm1(NORM_STEP);
      break;
    }
    before = excess;
    [one, two] = [point, one];
  }
  // The trapezoidal rule, with what follows the last point if it decays like e^-x.
  const integral = NORM_STEP * (sum + last / Math.expm1(NORM_STEP));
  return q * Math.sqrt(scale2) + integral / Math.PI;
}

/** E ln det Sigma^-1 Sigma_G and the logarithm of the expected affinity. */
function whitened(nodes, n) {
  const K = linear_map(nodes, n - 1, -1);
  const b = 1 + nodes.noise / (2 * n * nodes.start_variance);
  const t = (1 + 1 / n / 2) / b;
  const origin = anisotropic_log_det(K);
  return [origin.mean, anisotropic_log_affinity(K, origin, t, b)];
}

/** Mean and variance of ln det K K^T, and how its small singular values are distributed. */
export function anisotropic_log_det(K) {
  if (K.dof < K.rows) return { mean: -Infinity, variance: Infinity, square: 0 };
  let base = 0;
  for (let k = 0; k < K.weight.length; k++) {
    if (K.support[k] > 0) base += K.support[k] * Math.log(K.signal[k]);
  }
  if (K.silent) return { mean: base, variance: 0, square: 0 };
  if (K.rows < K.columns) return log_det_with_rows_of_zeros(K);
  const ratio = K.noisy.map((noisy, k) => noisy / K.signal[k]);
  const total = dot(K.weight, ratio);
  const expanded = expanded_log_det(K.weight, ratio, K.dof - K.columns, K.columns);
  const a = Math.asinh(expanded.delta);
  const square = expit(1.47 - 1.5 * a - 0.06 * a ** 3);
  const variance = expanded.variance + square_excess(K.columns) * square;
  const mean = base + expanded.mean + isotropic_error(K.columns, K.dof - K.columns, total / K.columns);
  return { mean, variance: Math.max(variance, 0), square };
}

/** What the expansion lacks for equal eigenvalues of the same n*, where the mean is known. */
function isotropic_error(d, excess, ratio) {
  const expanded = expanded_log_det([d], [ratio], excess, d).mean;
  const exact = exact_log_det(d, excess, 1 / (1 + ratio), ratio / (1 + ratio));
  return exact + d * Math.log1p(ratio) - expanded;
}

/** Mean beyond the signal's, regular part of the variance and delta, for large d. */
function expanded_log_det(weight, ratio, excess, columns) {
  const total = dot(weight, ratio);
  if (total >= excess - 1) return log_det_below(weight, ratio, excess, columns);
  const tau = total / (excess - 1);
  let squares = 0;
  for (let k = 0; k < ratio.length; k++) squares += weight[k] * ratio[k] * ratio[k];
  const width = Math.sqrt(squares / (total * total) + 1 / excess);
  const delta = (1 - tau) / (tau * width);
  if (delta > THRESHOLD_FAR) {
    const inverse = delta ** -2;
    const far = Math.log1p(-tau) - inverse * (1 + 3 * inverse + 20 * inverse * inverse);
    return { mean: far, variance: -4 * far, delta };
  }
  const correction = Math.log(tau * width) + threshold_function(delta);
  const other = log_det_below(weight, ratio, excess, columns);
  const share = Math.exp(-delta * (0.6 + 0.12 * delta));
  const variance = -4 * correction;
  return {
    mean: correction + share * (other.mean - correction),
    variance: variance + share * (other.variance - variance),
    delta,
  };
}

/** The same for tau >= 1; continued to p < 0 above the threshold. */
function log_det_below(weight, ratio, excess, columns) {
  const [p, rest] = stationary_odds(weight, ratio, excess);
  const regular = inverse_excess({ dof: excess + columns, columns });
  let leading = xlogy(excess, rest);
  let [first, second] = [0, 0];
  for (let k = 0; k < ratio.length; k++) {
    const share = ratio[k] / (1 + p * ratio[k]);
    leading += weight[k] * Math.log1p(p * ratio[k]);
    first += weight[k] * share;
    second += weight[k] * share * share;
  }
  // 1/(nu-d) at the threshold, where (1-p) (first + 1) = nu-d; its regular value at nu = d.
  const width = Math.sqrt(second / (first * first) + 1 / (first + 1) + p * regular);
  const square = 2 * Math.max(leading + p, 0);
  const delta = -Math.sign(p) * Math.sqrt(square);
  const correction = Math.log(width) + threshold_function(delta);
  const variance = -4 * (correction - Math.log1p(p * regular * (first + 1)));
  return { mean: correction + (p >= 0 ? leading : -p), variance, delta };
}

/** p and 1 - p. */
function stationary_odds(weight, ratio, excess) {
  if (excess === 0) return [1, 0];
  const total = dot(weight, ratio);
  const sign = total + 1 >= excess ? 1 : -1;
  let largest = 0;
  for (const q of ratio) largest = Math.max(largest, q);
  const high = Math.max(sign > 0 ? (total + 1) / excess - 1 : 1 / largest, 1e-300);
  const y = decreasing_root(
    (odds) => {
      // The odds of p for p > 0, -p for p < 0.
      const p = sign > 0 ? odds / (1 + odds) : -odds;
      const rest = sign > 0 ? 1 / (1 + odds) : 1 + odds;
      let value = 1 - excess / rest;
      let slope = -excess / (rest * rest);
      for (let k = 0; k < ratio.length; k++) {
        const share = ratio[k] / (1 + p * ratio[k]);
        value += weight[k] * share;
        slope -= weight[k] * share * share;
      }
      return [sign * value, sign * slope * (sign > 0 ? p * rest : p)];
    },
    high * 1e-16,
    high * (1 - 1e-12),
  );
  return sign > 0 ? [y / (1 + y), 1 / (1 + y)] : [-y, 1 + y];
}

function log_det_with_rows_of_zeros(K) {
  const point = saddle_point(K, ZERO_T);
  if (K.dof === K.rows) {
    // As many points as rows, a square matrix again.
    const leading = leading_excess(K, point) + K.rows * Math.log(ZERO_T);
    const [spread, more] = span_spread(K);
    const mean = leading + GINIBRE_CONSTANT - 0.5 * Math.log(spread + more);
    return { mean, variance: log_det_variance(K.rows, K.rows), square: 1 };
  }
  let mean = mean_potential(K, ZERO_T);
  if (K.dof < K.columns) {
    mean += 0.5 * Math.log(finite_size_gap(K.rows, K.dof) / (1 - K.rows / K.dof));
  }
  const regular = covariance_map(K);
  const here = regular === K ? point : saddle_point(regular, ZERO_T);
  return { mean, variance: potential_covariance(regular, here, here), square: 0 };
}

/** V + 4 C: what the variance of a square matrix exceeds -4 times its O(1) term by. */
function square_excess(d) {
  return log_det_variance(d, d) - 2 * Math.log(d) + 4 * GINIBRE_CONSTANT;
}

/** ln E int sqrt(p q), within the support; K of power -1, `origin` its log-determinant. */
function anisotropic_log_affinity(K, origin, t, b) {
  if (!Number.isFinite(origin.mean)) return -Infinity;
  const mean = 0.5 * K.rows * Math.log(2 / b) + origin.mean / 4 - mean_potential(K, t) / 2;
  const regular = covariance_map(K);
  const [zero, here] = [ZERO_T, t].map((value) => saddle_point(regular, value));
  let spread = origin.variance / 16;
  spread += potential_covariance(regular, here, here) / 4;
  spread -= potential_covariance(regular, zero, here) / 4;
  spread += 2 * origin.square * square_cumulants(K.rows);
  if (K.rows === K.columns && !K.silent) spread = anisotropic_few(K, spread);
  return Math.min(mean + spread / 2, 0);
}

/** Second cumulant where n is near d: lowered as that of equal eigenvalues is. */
function anisotropic_few(K, spread) {
  let ratio = 0;
  for (let k = 0; k < K.weight.length; k++) ratio += (K.weight[k] * K.noisy[k]) / K.signal[k];
  ratio /= K.columns;
  const cumulants = affinity_cumulants(K.columns, K.dof + 1, 1 / (1 + ratio), ratio / (1 + ratio));
  const [, found, many] = cumulants;
  if (K.dof === K.columns) return found;
  return (Math.max(spread, 0) * found) / Math.max(many, found, 1e-300);
}

/** ln E (det G G^T)^{1/4} beyond its mean and variance. */
const square_cumulants = remembered((d) => {
  let sum = 0;
  for (let j = 1; j <= d; j++) {
    const half = j / 2;
    sum += log_gamma(half + 0.25) - log_gamma(half) - digamma(half) / 4 - trigamma(half) / 32;
  }
  return sum;
}, 64);
