// Distances between Gaussians: gaussians.py. Those that share their eigenvectors are compared mode by
// mode: p and q are variances, counts how often each pair occurs (once, if left out), gap squared
// differences of means along the eigenvectors (per pair, all of its modes together; none, if left
// out).

import {
  cholesky,
  row_products,
  solve_lower,
  symmetric_eigenvalues,
  transposed,
  triangular_log_det,
} from "./matrices.js";

const all_ones = (values) => new Float64Array(values.length).fill(1);
const no_gap = (values) => new Float64Array(values.length);

/** KL(p || q), total, in nats; Infinity if the laws live on different subspaces. */
export function commuting_kl(p, q, counts = all_ones(p), gap = no_gap(p)) {
  let total = 0;
  for (let k = 0; k < p.length; k++) {
    if (q[k] > 0 !== p[k] > 0) return Infinity;
    if (q[k] > 0) total += 0.5 * (counts[k] * log_excess(log_variance_ratio(p[k], q[k])) + gap[k] / q[k]);
    else if (gap[k] > 0) return Infinity;
  }
  return total;
}

/** 1 - int sqrt(p q). */
export function commuting_hellinger_squared(p, q, counts = all_ones(p), gap = no_gap(p)) {
  let exponent = 0;
  for (let k = 0; k < p.length; k++) {
    if (q[k] > 0 !== p[k] > 0) return 1;
    if (q[k] > 0) {
      exponent += 0.5 * counts[k] * log_cosh(log_variance_ratio(p[k], q[k]) / 2);
      exponent += (0.25 * gap[k]) / (p[k] + q[k]);
    } else if (gap[k] > 0) return 1;
  }
  return -Math.expm1(-exponent);
}

/** Squared 2-Wasserstein distance. */
export function commuting_wasserstein_squared(p, q, counts = all_ones(p), gap = no_gap(p)) {
  let total = 0;
  for (let k = 0; k < p.length; k++) {
    const sum = Math.sqrt(p[k]) + Math.sqrt(q[k]);
    const apart = sum > 0 ? (p[k] - q[k]) / sum : 0;
    total += counts[k] * apart * apart + gap[k];
  }
  return total;
}

function log_variance_ratio(a, b) {
  const relative = (a - b) / b;
  return Math.abs(relative) < 0.5 ? Math.log1p(relative) : Math.log(a) - Math.log(b);
}

/** e^l - 1 - l, quadratic at 0. */
export function log_excess(l) {
  if (Math.abs(l) >= 0.5) return Math.expm1(l) - l;
  let series = 1;
  for (let k = 18; k > 2; k--) series = 1 + (l / k) * series;
  return 0.5 * l * l * series;
}

/** ln cosh u, never negative. */
export function log_cosh(u) {
  const size = Math.abs(u);
  if (size < 1) return 0.5 * Math.log1p(Math.sinh(size) ** 2);
  return size + Math.log1p(Math.exp(-2 * size)) - Math.LN2;
}

/**
 * KL(p || q), squared Hellinger and 2-Wasserstein distances of p = N(gap, P) and q = N(0, Q), for any
 * two covariances, n by n, row by row. Q must be positive definite; for a P of less rank, which may
 * be given, KL is Infinity and squared Hellinger 1.
 */
export function gaussian_distances(P, Q, gap, rank = gap.length) {
  const n = gap.length;
  const lower = cholesky(Q, n);
  if (!lower) throw new RangeError("the second covariance is singular");
  // Eigenvalues of L^T P L, which are those of Q P: W2. Of L^-1 P L^-T, those of Q^-1 P: the rest.
  const rows = row_products(transposed(lower, n, n), P, n, n, n);
  const product = row_products(rows, transposed(lower, n, n), n, n, n);
  let shared = 0;
  // What is 0 but for rounding has a root that is not small.
  const values = symmetric_eigenvalues(product, n).slice(n - rank);
  for (const value of values) shared += Math.sqrt(Math.max(value, 0));
  let [traces, length] = [0, 0];
  for (let k = 0; k < n; k++) {
    traces += P[k * n + k] + Q[k * n + k];
    length += gap[k] * gap[k];
  }
  const wasserstein_squared = Math.max(traces - 2 * shared, 0) + length;
  const upper = rank < n ? null : cholesky(P, n);
  if (!upper) return { kl: Infinity, hellinger_squared: 1, wasserstein_squared };
  const moved = Float64Array.from(gap);
  solve_lower(lower, n, moved);
  const sum = Float64Array.from(P, (value, k) => value + Q[k]);
  const both = cholesky(sum, n);
  const between = Float64Array.from(gap);
  solve_lower(both, n, between);
  // L^-1 F of the factor F of P: its squares sum to tr Q^-1 P.
  const columns = transposed(upper, n, n);
  let trace = 0;
  for (let k = 0; k < n; k++) solve_lower(lower, n, columns, k * n);
  for (const value of columns) trace += value * value;
  const [log_p, log_q, log_sum] = [upper, lower, both].map((L) => triangular_log_det(L, n));
  const squares = (values) => values.reduce((total, value) => total + value * value, 0);
  const affinity = 0.25 * (log_p + log_q) + 0.5 * (n * Math.LN2 - log_sum) - 0.25 * squares(between);
  return {
    kl: 0.5 * (trace - n - (log_p - log_q) + squares(moved)),
    hellinger_squared: -Math.expm1(Math.min(affinity, 0)),
    wasserstein_squared,
  };
}
