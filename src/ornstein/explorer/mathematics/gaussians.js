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
