// Delta: is the generated law closer to fresh data than to its training set?
// memorization/delta.py and kernels/full_dimension.py, all terms in logarithms.

import { cholesky, solve_lower, triangular_log_det } from "./matrices.js";
import { LOG_2PI } from "./special_functions.js";

/** eps_N = std N^(-1/d). */
export function bandwidth(std, n_points, dim) {
  return std * n_points ** (-1 / dim);
}

/** ln A'(X) of n points, row by row. */
export function log_pairs(points, dim, eps) {
  const n = points.length / dim;
  if (n < 2) return -Infinity;
  const unit = 1 / (4 * eps * eps);
  let top = -Infinity;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const here = i * dim;
    for (let j = 0; j < i; j++) {
      const there = j * dim;
      const exponent = -squared_distance(points, here, there, dim) * unit;
      if (exponent > top) {
        total = total * Math.exp(top - exponent) + 1;
        top = exponent;
      } else if (exponent > top - 45) total += Math.exp(exponent - top);
    }
  }
  return log_peak(dim, Math.SQRT2 * eps) + Math.LN2 - 2 * Math.log(n) + top + Math.log(total);
}

/** |x - y|^2 of two rows: four sums, so that additions need not wait for each other. */
function squared_distance(points, here, there, dim) {
  let a = 0;
  let b = 0;
  let c = 0;
  let e = 0;
  let k = 0;
  for (; k + 3 < dim; k += 4) {
    const first = points[here + k] - points[there + k];
    const second = points[here + k + 1] - points[there + k + 1];
    const third = points[here + k + 2] - points[there + k + 2];
    const fourth = points[here + k + 3] - points[there + k + 3];
    a += first * first;
    b += second * second;
    c += third * third;
    e += fourth * fourth;
  }
  for (; k < dim; k++) a += (points[here + k] - points[there + k]) ** 2;
  return a + b + c + e;
}

/** ln N(0; 0, std^2 I). */
function log_peak(dim, std) {
  return -dim * (0.5 * LOG_2PI + Math.log(std));
}

/** ln B(X) of points under N(mean, covariance). */
export function log_cross(mean, covariance, points, eps) {
  const d = mean.length;
  const n = points.length / d;
  const wide = widened(covariance, d, () => eps * eps);
  const L = cholesky(wide, d);
  const log_det = triangular_log_det(L, d);
  const gap = new Float64Array(d);
  let top = -Infinity;
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) gap[k] = points[i * d + k] - mean[k];
    solve_lower(L, d, gap);
    let square = 0;
    for (let k = 0; k < d; k++) square += gap[k] * gap[k];
    const log = -0.5 * (d * LOG_2PI + log_det + square);
    if (log > top) {
      total = total * Math.exp(top - log) + 1;
      top = log;
    } else total += Math.exp(log - top);
  }
  return top + Math.log(total) - Math.log(n);
}

/** ln E A'(X) over n draws of N(0, diag(eigenvalues)). */
export function log_pairs_expected(eigenvalues, n_points, eps) {
  let log_det = 0;
  for (const value of eigenvalues) log_det += Math.log(2 * value + 2 * eps * eps);
  return -0.5 * (eigenvalues.length * LOG_2PI + log_det) + Math.log1p(-1 / n_points);
}

/** ln E B(X) over draws of N(0, diag(eigenvalues)). */
export function log_cross_expected(mean, covariance, eigenvalues, eps) {
  const d = mean.length;
  const L = cholesky(widened(covariance, d, (k) => eigenvalues[k] + eps * eps), d);
  const gap = Float64Array.from(mean);
  solve_lower(L, d, gap);
  let square = 0;
  for (const value of gap) square += value * value;
  return -0.5 * (d * LOG_2PI + triangular_log_det(L, d) + square);
}

function widened(covariance, d, more) {
  const wide = Float64Array.from(covariance);
  for (let k = 0; k < d; k++) wide[k * d + k] += more(k);
  return wide;
}
