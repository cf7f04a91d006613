// Log-determinants of Wishart matrices: theory/random_matrices/wishart.py.

import { digamma, trigamma, xlogy } from "./special_functions.js";

const STIRLING_EPS = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12];

/** Expected KL divergences of N(m, C) and N(m, Sigma), C the covariance of n points. */
export function wishart_kl(dim, n_train) {
  const deficit = log_det_deficit(dim, Math.max(n_train, dim));
  const gap = (dim * (dim + 1)) / (n_train - dim - 1) - deficit;
  return {
    generated_population: n_train < dim ? Infinity : 0.5 * deficit,
    population_generated: n_train <= dim + 1 ? Infinity : 0.5 * gap,
  };
}

/** -E ln det(W/n) of a Wishart matrix W with n >= d degrees of freedom. */
export function log_det_deficit(d, n) {
  const h = 0.5 * n;
  let total = 0;
  for (const [top, count] of [[h, Math.ceil(0.5 * d)], [h - 0.5, Math.floor(0.5 * d)]]) {
    if (count <= 0) continue;
    const bottom = top - count;
    total += h * (entropy_gap((h - bottom) / h) - entropy_gap((h - top) / h));
    total -= psi_deficit(bottom) - psi_deficit(top);
  }
  return total;
}

/** Var ln det W. */
export function log_det_variance(d, n) {
  let total = 0;
  for (const [top, count] of [[0.5 * n, Math.ceil(0.5 * d)], [0.5 * n - 0.5, Math.floor(0.5 * d)]]) {
    if (count <= 0) continue;
    const bottom = Math.max(top - count, -0.5) + 1;
    total += Math.log1p(count / bottom) + slope_rest(bottom + count) - slope_rest(bottom);
  }
  return total;
}

/** (x-1) psi'(x) + psi(x) - ln x - 1 - psi'(x). */
function slope_rest(x) {
  if (x < 16) return (x - 1) * trigamma(x) + digamma(x) - Math.log(x) - 1;
  const inverse = 1 / (x * x);
  let sum = 0;
  for (let k = STIRLING_EPS.length - 1; k >= 0; k--) {
    sum = sum * inverse + (2 * k + 1) * STIRLING_EPS[k];
  }
  return sum * inverse - trigamma(x);
}

/** (1-u) ln|1-u| + u. */
export function entropy_gap(u) {
  if (u >= 0.1) return xlogy(1 - u, Math.abs(1 - u)) + u;
  let sum = 0;
  for (let k = 18; k >= 2; k--) sum = sum * u + 1 / (k * (k - 1));
  return sum * u * u;
}

/** x ln|x| - x psi(x) - 1/2. */
function psi_deficit(x) {
  if (x < 16) return xlogy(x, Math.abs(x)) - x * digamma(x + 1) + 0.5;
  const inverse = 1 / (x * x);
  let sum = 0;
  for (let k = STIRLING_EPS.length - 1; k >= 0; k--) sum = sum * inverse + STIRLING_EPS[k];
  return sum / x;
}
