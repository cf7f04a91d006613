// Distances between Gaussians that share their eigenvectors: gaussians.py, mode by mode.
//
// p and q are variances, counts how often each pair occurs (once, if left out), gap squared
// differences of means along the eigenvectors (per pair, all of its modes together; none, if left
// out).

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
