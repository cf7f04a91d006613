// The singular values of the one-step generated covariance for any population spectrum:
// theory/one_step_model/anisotropic_spectrum.py.

import { linear_map, noised_modes } from "./noised_modes.js";
import { saddle_point } from "./saddle_point.js";

const DARK = 1e-7; // an imaginary part below, relative to the whole, is made of rounding errors
const FOLLOW_STEPS = 8;
const FOLLOW_RESOLUTION = 1e-10;
const SHORTEST_TURN = 1e-7;

/**
 * Density of the non-zero singular values, at ascending `points` > 0.
 *
 * `relative_to`: "population" for those of Sigma^{-1/2} Sigma_G^{1/2}, "scale" for those of
 * Sigma_G^{1/2} in units of the root of the mean eigenvalue.
 */
export function one_step_anisotropic_spectrum(
  points, eigenvalues, n_train, time = 2, noise_scale = 1, relative_to = "population",
) {
  return singular_density(spectrum_map(eigenvalues, n_train, time, noise_scale, relative_to), points);
}

function spectrum_map(eigenvalues, n_train, time, noise_scale, relative_to) {
  if (relative_to !== "population" && relative_to !== "scale") {
    throw new RangeError(`relative_to is ${relative_to}, expected population or scale`);
  }
  const modes = noised_modes(eigenvalues, time, noise_scale);
  if (modes.noise === 0) throw new RangeError("without noise the spectrum has no density");
  return linear_map(modes, n_train - 1, relative_to === "population" ? -1 : 0);
}

function singular_density(K, points) {
  const found = new Float64Array(points.length);
  let near = null;
  for (let i = 0; i < points.length; i++) {
    const s = points[i];
    const square = s * s;
    // A root with a density in the neighbourhood is followed along the axis; else it is found from
    // t > 0, along t = s^2 e^{-i theta}.
    let at = near && follow_root(K, -square, 0, near, 0.3);
    let density = at && root_density(K, s, at);
    if (!(density > 0)) {
      at = turned_root(K, square);
      density = root_density(K, s, at);
    }
    found[i] = density;
    near = density > 0 ? at : null;
  }
  return found;
}

/** [Re ln kappa, Im ln kappa, Re ln delta, Im ln delta] at t = -square. */
function turned_root(K, square) {
  const start = saddle_point(K, square);
  let here = [Math.log(start.p * start.beta), 0, -Math.log(start.beta), 0];
  let theta = 0;
  let step = Math.PI / 4;
  while (theta < Math.PI) {
    const goal = Math.min(theta + step, Math.PI);
    const found = follow_root(K, square * Math.cos(goal), -square * Math.sin(goal), here, 0.5);
    if (found) {
      here = found;
      theta = goal;
      step *= 1.5;
    } else {
      // Two roots meet at an edge: no step is short enough, and the density there is 0.
      if (step < SHORTEST_TURN) theta = Math.PI;
      step *= 0.4;
    }
  }
  return here;
}

function root_density(K, s, logs) {
  const { transform } = spectrum_equations(K, -s * s, 0, logs);
  const [real, imaginary] = transform;
  if (!(imaginary > DARK * Math.hypot(real, imaginary))) return 0;
  return (2 * s * imaginary) / (Math.PI * Math.min(K.dof, K.rows));
}

/** Newton's method from a neighbouring t; null if it does not converge, or goes far. */
function follow_root(K, t_real, t_imaginary, start, far) {
  const here = start.slice();
  let size = Infinity;
  for (let step = 0; step < FOLLOW_STEPS && size > FOLLOW_RESOLUTION; step++) {
    const { move } = spectrum_equations(K, t_real, t_imaginary, here);
    if (!move.every(Number.isFinite)) return null;
    size = Math.max(Math.hypot(move[0], move[1]), Math.hypot(move[2], move[3]));
    const part = Math.min(1, 0.5 / Math.max(size, 0.5));
    for (let k = 0; k < 4; k++) here[k] += part * move[k];
  }
  if (size > FOLLOW_RESOLUTION) return null;
  for (let k = 0; k < 4; k += 2) {
    if (Math.hypot(here[k] - start[k], here[k + 1] - start[k + 1]) >= far) return null;
  }
  return here;
}

const times = (a, b) => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
const plus = (...all) => [all.reduce((s, z) => s + z[0], 0), all.reduce((s, z) => s + z[1], 0)];
const scaled = (a, z) => [a * z[0], a * z[1]];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const exponential = (re, im) => [Math.exp(re) * Math.cos(im), Math.exp(re) * Math.sin(im)];

function quotient(a, b) {
  const size = b[0] * b[0] + b[1] * b[1];
  return [(a[0] * b[0] + a[1] * b[1]) / size, (a[1] * b[0] - a[0] * b[1]) / size];
}

/** Newton's step [Re, Im, Re, Im] at `logs`, and the transform L'(t). Complex numbers are pairs. */
function spectrum_equations(K, t_real, t_imaginary, logs) {
  const excess = K.dof - K.columns;
  const kappa = exponential(logs[0], logs[1]);
  // Where nu <= d there is one unknown: delta = 1 / kappa.
  const delta = excess <= 0 ? quotient([1, 0], kappa) : exponential(logs[2], logs[3]);
  const p = times(kappa, delta);
  const tilted = times(delta, [t_real, t_imaginary]);
  const { inverse, residual, noisy, signal, weight } = K;
  let [one_r, one_i, rows_r, rows_i, columns_r, columns_i, noisy_r, noisy_i] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [tt_r, tt_i, tn_r, tn_i, nn_r, nn_i] = [0, 0, 0, 0, 0, 0];
  let [tr_r, tr_i, rn_r, rn_i, rr_r, rr_i] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < weight.length; k++) {
    const T = inverse[k];
    const R = residual[k];
    const N = noisy[k];
    const re = t_real + tilted[0] * R + kappa[0] * T + p[0] * N + signal[k];
    const im = t_imaginary + tilted[1] * R + kappa[1] * T + p[1] * N;
    const size = 1 / (re * re + im * im);
    const x = re * size;
    const y = -im * size;
    const w = weight[k];
    const wx = w * x;
    const wy = w * y;
    one_r += wx;
    one_i += wy;
    rows_r += wx * R;
    rows_i += wy * R;
    columns_r += wx * T;
    columns_i += wy * T;
    noisy_r += wx * N;
    noisy_i += wy * N;
    const square_r = wx * x - wy * y;
    const square_i = 2 * wx * y;
    tt_r += square_r * T * T;
    tt_i += square_i * T * T;
    tn_r += square_r * T * N;
    tn_i += square_i * T * N;
    nn_r += square_r * N * N;
    nn_i += square_i * N * N;
    tr_r += square_r * N;
    tr_i += square_i * N;
    rn_r += square_r * R * N;
    rn_i += square_i * R * N;
    rr_r += square_r * R * R;
    rr_i += square_i * R * R;
  }
  const transform = plus([one_r, one_i], times(delta, [rows_r, rows_i]));
  const u = times(kappa, [columns_r, columns_i]);
  const w = times(tilted, [rows_r, rows_i]);
  const v = times(p, [noisy_r, noisy_i]);
  const kk = times(times(kappa, kappa), [tt_r, tt_i]);
  const ww = times(times(tilted, tilted), [rr_r, rr_i]);
  const kw = times(times(kappa, tilted), [tr_r, tr_i]);
  if (excess <= 0) {
    const curvature = plus(u, w, scaled(-1, kk), scaled(2, kw), scaled(-1, ww));
    const value = plus(u, scaled(-1, w), [excess, 0]);
    const move = scaled(-1, quotient(value, curvature));
    return { transform, move: [move[0], move[1], 0, 0] };
  }
  const kp = times(times(kappa, p), [tn_r, tn_i]);
  const wp = times(times(tilted, p), [rn_r, rn_i]);
  const pp = times(times(p, p), [nn_r, nn_i]);
  const rest = minus([1, 0], p);
  const pull = scaled(excess, quotient(p, rest));
  const bend = quotient(pull, rest);
  const a = plus(u, v, scaled(-1, plus(kk, scaled(2, kp), pp, bend)));
  const d = plus(w, v, scaled(-1, plus(ww, scaled(2, wp), pp, bend)));
  const b = minus(v, plus(kw, kp, wp, pp, bend));
  const f = minus(plus(u, v), pull);
  const g = minus(plus(w, v), pull);
  const det = minus(times(a, d), times(b, b));
  const first = quotient(minus(times(b, g), times(d, f)), det);
  const second = quotient(minus(times(b, f), times(a, g)), det);
  return { transform, move: [first[0], first[1], second[0], second[1]] };
}
