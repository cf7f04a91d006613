// The stationary principle of the one-step model: theory/one_step_model/saddle_point.py.
//
// Everything here is at one t; a saddle point found nearby is a good start for the next one.

import { decreasing_root } from "./numerics.js";
import { expit } from "./special_functions.js";
import { entropy_gap, log_det_deficit } from "./wishart.js";

const SADDLE_STEPS = 100;
const SADDLE_RESOLUTION = 1e-11;
const FAR_FROM_SQUARE = 1e4;
const LEAST_ARGUMENT = 1e-300;
const STILL = 1e-15;

/** { t, p, rest = 1 - p, alpha, beta } and the unknowns { x, logit } of Newton's method. */
export function saddle_point(K, t, near = null) {
  const excess = K.dof - K.columns;
  if (excess >= 0 && K.silent) return { t, p: 0, rest: 1, alpha: 0, beta: 0, x: 0, logit: 0 };
  let found = near && saddle_newton(K, t, excess, near.x, near.logit, 25);
  if (!found) {
    const [x, logit] = saddle_start(K, t, excess);
    found = saddle_newton(K, t, excess, x, logit, SADDLE_STEPS);
  }
  if (!found) throw new Error(`the saddle point was not found in ${SADDLE_STEPS} steps`);
  const [x, logit] = found;
  const p = expit(logit);
  const root = Math.sqrt(t / p);
  return { t, p, rest: expit(-logit), alpha: root * Math.exp(x), beta: root * Math.exp(-x), x, logit };
}

/** x = ln(alpha/beta)/2 and the logit of p, with one mean mode in place of all. */
function saddle_start(K, t, excess) {
  let rows = 0;
  let columns = 0;
  let noisy = 0;
  for (let k = 0; k < K.weight.length; k++) {
    const share = K.weight[k] / (t + (K.signal[k] + K.noisy[k]));
    rows += share * K.residual[k];
    columns += share * K.inverse[k];
    noisy += (K.weight[k] * K.noisy[k]) / (t + K.signal[k]);
  }
  const x = 0.5 * Math.log(columns / Math.max(rows, 1e-200 * columns));
  if (excess <= 0) return [x, Infinity];
  let low = -340;
  let high = 340;
  for (let k = 0; k < 30; k++) {
    const logit = (low + high) / 2;
    const p = expit(logit);
    const room = excess / expit(-logit) - noisy / (1 + (p * noisy) / K.rows);
    if (room > 0 && p * room * room > t * rows * columns) high = logit;
    else low = logit;
  }
  return [x, (low + high) / 2];
}

function saddle_newton(K, t, excess, x_start, logit_start, most) {
  const { signal, residual, inverse, noisy, weight, support } = K;
  const count = weight.length;
  let x = x_start;
  let logit = logit_start;
  for (let step = 0; step < most; step++) {
    const p = expit(logit);
    const root = Math.sqrt(t * p);
    const for_columns = root * Math.exp(-x);
    const for_rows = root * Math.exp(x);
    let dx = 0;
    let dlogit = 0;
    if (excess <= 0) {
      // One convex function of x. Where R = 0, u is near 1 for small t, and what it lacks is t/B.
      let value = K.dof - K.rows;
      let curvature = 0;
      const lacking = Math.sqrt(t) * Math.exp(-x);
      for (let k = 0; k < count; k++) {
        const U = for_columns * inverse[k];
        const W = for_rows * residual[k];
        const B = U + W + p * noisy[k] + (t + signal[k]);
        const u = U / B;
        const w = W / B;
        const slope = w - u;
        value -= slope * support[k];
        curvature += (u + w - slope * slope) * support[k];
        const blank = weight[k] - support[k];
        if (blank > 0) {
          const lack = t / (t + lacking * inverse[k]);
          value -= lack * blank;
          curvature += u * lack * blank;
        }
      }
      // Where all shares are near 0 or 1 the function is flat, and rounding decides.
      if (Math.abs(value) > STILL * K.columns) dx = value / curvature;
    } else {
      const rest = expit(-logit);
      let [columns, rows, total] = [0, 0, 0];
      let [slope_w, slope_u, bend_w, bend_u, pull_x, pull_l] = [0, 0, 0, 0, 0, 0];
      for (let k = 0; k < count; k++) {
        const U = for_columns * inverse[k];
        const W = for_rows * residual[k];
        const V = p * noisy[k];
        const share = 1 / (U + W + V + (t + signal[k]));
        const u = U * share;
        const w = W * share;
        const v = V * share;
        const many = weight[k];
        const slope = w - u;
        const bend = v + 0.5 * (u + w);
        const seen = v + w;
        columns += many * u;
        rows += many * w;
        total += many * seen;
        slope_w += many * slope * w;
        slope_u += many * slope * u;
        bend_w += many * bend * w;
        bend_u += many * bend * u;
        pull_x += many * (w - seen * slope);
        pull_l += many * (v + 0.5 * w - seen * bend);
      }
      const h = Math.log(rows / columns);
      const g = Math.log(total / excess) - logit;
      const still = STILL * (4 + Math.abs(x) + Math.abs(logit));
      if (Math.max(Math.abs(h), Math.abs(g)) > still) {
        const hx = 2 - slope_w / rows + slope_u / columns;
        const hl = -rest * (bend_w / rows - bend_u / columns);
        const gx = pull_x / total;
        const gl = (rest * pull_l) / total - 1;
        const det = hx * gl - hl * gx;
        dx = (hl * g - h * gl) / det;
        dlogit = (gx * h - hx * g) / det;
      }
    }
    if (!Number.isFinite(dx + dlogit)) return null;
    x += Math.min(Math.max(dx, -3), 3);
    if (excess > 0) logit += Math.min(Math.max(dlogit, -6), 6);
    if (Math.max(Math.abs(dx), Math.abs(dlogit)) <= SADDLE_RESOLUTION) return [x, logit];
  }
  return null;
}

/** What 1 - q/N has to be for E ln det of a Wishart_q(N) matrix to be exact. */
export function finite_size_gap(q, N) {
  const g = q / N;
  if (N - q > FAR_FROM_SQUARE) return 1 - g;
  const leading = (q * entropy_gap(g)) / g;
  return Math.min(Math.max(Math.exp(2 * (leading - log_det_deficit(q, N))), 1e-300), 1);
}

/** 1/(nu - d), at the value of a finite size: finite for nu = d too. */
export function inverse_excess(K) {
  if (K.dof - K.columns > FAR_FROM_SQUARE) return 1 / (K.dof - K.columns);
  return (1 / finite_size_gap(K.columns, K.dof) - 1) / K.columns;
}

/** u0 with sum u0 / (T_k + u0) = nu, and these shares, for nu < d. */
export function projection(K) {
  if (K.projection) return K.projection;
  const odds = K.dof / (K.columns - K.dof);
  let direct = 0;
  let inverse = 0;
  for (let k = 0; k < K.weight.length; k++) {
    direct += K.weight[k] * K.inverse[k];
    inverse += K.weight[k] / K.inverse[k];
  }
  const u0 = decreasing_root(
    (u) => {
      let value = K.dof;
      let slope = 0;
      for (let k = 0; k < K.weight.length; k++) {
        const share = u / (K.inverse[k] + u);
        value -= K.weight[k] * share;
        slope -= K.weight[k] * share * (1 - share);
      }
      return [value, slope];
    },
    (odds * K.columns) / inverse,
    (odds * direct) / K.columns,
  );
  K.projection = { u0, share: K.inverse.map((T) => u0 / (T + u0)) };
  return K.projection;
}

/** tr Pi_0 (1 - Pi_0) for nu < d, and what a finite size adds to it and its like. */
export function span_spread(K) {
  const { share } = projection(K);
  let spread = 0;
  for (let k = 0; k < share.length; k++) spread += share[k] * (1 - share[k]) * K.weight[k];
  const more = K.dof * (finite_size_gap(K.dof, K.columns) - (1 - K.dof / K.columns));
  return [spread, more];
}

/**
 * E sum ln(t + s^2), less q ln t, over the q = min(nu, d_s) singular values of K, from its saddle
 * point; `constants` of `potential_constants`.
 */
export function potential_excess(K, point, constants) {
  const potential = leading_excess(K, point);
  if (K.dof >= K.columns && K.silent) return potential;
  const { p, alpha, beta, t } = point;
  let [curvature, mixed, seen_first, seen_second] = [0, 0, 0, 0];
  for (let k = 0; k < K.weight.length; k++) {
    const rows = alpha * K.residual[k];
    const columns = beta * K.inverse[k];
    const share = p / (t + K.signal[k] + p * (K.noisy[k] + rows + columns));
    const u = columns * share;
    const w = rows * share;
    const v = K.noisy[k] * share;
    const slope = w - u;
    const seen = u + v;
    curvature += (u + w - slope * slope) * K.weight[k];
    mixed += (u + slope * seen) * K.weight[k];
    seen_first += seen * K.weight[k];
    seen_second += seen * seen * K.weight[k];
  }
  if (K.dof < K.columns) {
    const [spread, more] = constants;
    return potential + 0.5 * Math.log((curvature + more) / (spread + more));
  }
  const H = (curvature * seen_second + mixed * mixed) / (seen_first * seen_first);
  return potential + 0.5 * Math.log(H + curvature * constants);
}

export function potential_constants(K) {
  if (K.dof < K.columns) return span_spread(K);
  return K.silent ? 0 : inverse_excess(K);
}

/** E sum ln(t + s^2), at one t. */
export function mean_potential(K, t) {
  const point = saddle_point(K, t);
  return potential_excess(K, point, potential_constants(K)) + Math.min(K.dof, K.rows) * Math.log(t);
}

/** `potential_excess` without its term of order 1. */
export function leading_excess(K, point) {
  const { t, p, rest, alpha, beta } = point;
  let leading = 0;
  if (K.dof >= K.columns) {
    for (let k = 0; k < K.weight.length; k++) {
      const noisy = p * (K.noisy[k] + alpha * K.residual[k] + beta * K.inverse[k]);
      if (K.support[k] > 0) leading += K.support[k] * Math.log1p((K.signal[k] + noisy) / t);
      else if (!K.silent) leading += K.weight[k] * Math.log1p(K.inverse[k] / alpha);
    }
    if (K.silent || K.dof === K.columns) return leading;
    return leading + (K.dof - K.columns) * log_ratio(-p, rest);
  }
  const { u0 } = projection(K);
  // Beyond the largest singular value alpha is near u0.
  const apart = alpha - u0;
  for (let k = 0; k < K.weight.length; k++) {
    const T = K.inverse[k];
    if (K.support[k] > 0) {
      const R = K.residual[k];
      const B = t + K.signal[k] + p * (K.noisy[k] + alpha * R + beta * T);
      const moved = (K.signal[k] + R * (T + alpha)) / beta + apart;
      leading += K.support[k] * log_ratio(moved / (T + u0), B / (beta * (T + u0)));
    } else leading += K.weight[k] * log_ratio(apart / (T + u0), (T + alpha) / (T + u0));
  }
  return leading - K.dof * log_ratio(alpha / u0 - 1, alpha / u0);
}

/** Logarithm of a ratio, from ratio - 1 where that is the more accurate number. */
function log_ratio(less_one, ratio) {
  return Math.abs(less_one) < 0.5 ? Math.log1p(less_one) : Math.log(ratio);
}

/** Covariances over training sets of sum ln(t + s^2) at the points one and two. */
export function potential_covariance(K, one, two) {
  if (K.dof < K.columns) {
    const { share } = projection(K);
    const [a, b] = [one, two].map((point) => covariance_parts(K, point));
    let [both, first_one, first_two, squares] = [0, 0, 0, 0];
    for (let k = 0; k < share.length; k++) {
      const w = K.weight[k];
      both += w * (a.first[k] * b.first[k] + a.second[k] * b.second[k] + 2 * a.mixed[k] * b.mixed[k]);
      first_one += w * a.first[k] * share[k];
      first_two += w * b.first[k] * share[k];
      squares += w * share[k] * share[k];
    }
    const cov = (overlap) => -2 * Math.log(Math.max(1 - overlap / K.dof, LEAST_ARGUMENT));
    return cov(both) - cov(first_one) - cov(first_two) + cov(squares);
  }
  if (K.silent) return 0;
  const excess = K.dof - K.columns;
  const inverse = (one.rest * two.rest) / excess;
  let [a, b, c] = [0, 0, 0];
  const [left, right] = [one, two].map((point) => {
    const { t, p, alpha, beta } = point;
    return K.weight.map((_, k) => {
      return t + K.signal[k] + p * (K.noisy[k] + alpha * K.residual[k] + beta * K.inverse[k]);
    });
  });
  for (let k = 0; k < K.weight.length; k++) {
    const R = K.residual[k];
    const T = K.inverse[k];
    const many = K.weight[k] / (left[k] * right[k]);
    a += many * R * (T + one.alpha) * R * (T + two.alpha);
    b += many * T * (R + one.beta) * T * (R + two.beta);
    c += many * K.signal[k] * R * T;
  }
  const H = (1 - c * inverse) ** 2 - one.p * two.p * (1 + a * inverse) * (1 + b * inverse);
  // It vanishes with t where singular values reach 0.
  return -2 * Math.log(Math.max(H, LEAST_ARGUMENT));
}

/** K and points at which the covariances are finite: nu = d is moved to its finite-size value. */
export function covariance_map(K) {
  if (K.dof !== K.columns || K.silent) return K;
  return { ...K, dof: K.columns + 1 / inverse_excess(K), projection: undefined };
}

function covariance_parts(K, point) {
  const { t, p, alpha, beta } = point;
  const first = new Float64Array(K.weight.length);
  const second = new Float64Array(K.weight.length);
  const mixed = new Float64Array(K.weight.length);
  for (let k = 0; k < K.weight.length; k++) {
    const R = K.residual[k];
    const T = K.inverse[k];
    const B = t + K.signal[k] + p * (K.noisy[k] + alpha * R + beta * T);
    first[k] = (K.signal[k] + (R + beta) * alpha) / B;
    mixed[k] = Math.sqrt(K.signal[k] * R * T) / B;
    second[k] = (R * (T + alpha)) / B;
  }
  return { first, second, mixed };
}
