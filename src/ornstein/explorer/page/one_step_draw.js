// One training set, one fitted one-step denoiser, the law that it generates, and its distances.
//
// Nothing here knows the theory: n points are drawn and noised, x is regressed on y, and the
// distances follow from the fitted matrix. In the basis in which the population covariance is
// diagonal, with mean 0:
//
//     y = a x + sqrt(v_z) z,   a = e^{-T},   v_z = noise_scale a^2 (1 - a^2)
//     x_hat = xbar + B (y - ybar), by least squares, of minimum norm for n - 1 < d
//     generated: N(mu, F F^T),  mu = xbar + B (a xbar - ybar),  F = sqrt(v) B,
//     v = a^2 (mean variance of the training set) + v_z

import {
  cholesky, gram_matrix, log_determinant, outer_product, solve_cholesky, squared_length, symmetric_eigenvalues,
  transposed_product,
} from "./dense_matrices.js";

const ORIGINALS = 10000;
// Pairs of exp(-13) of the larger terms in the mean decide no sign but once in 1000 draws.
const NEGLIGIBLE = 13;

/** Points of the population, shape (n, d). */
export function draw_points(eigenvalues, n, random) {
  const d = eigenvalues.length;
  const spread = eigenvalues.map(Math.sqrt);
  const points = random.normals(n * d);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) points[i * d + k] *= spread[k];
  return points;
}

/** Fit the denoiser to training points: {mean, factor, rank} of the law that it generates. */
export function generated_law(train, n, d, time, noise_scale, random) {
  const a = Math.exp(-time);
  const noise = noise_scale * a * a * -Math.expm1(-2 * time);
  const noised = random.normals(n * d);
  for (let i = 0; i < n * d; i++) noised[i] = a * train[i] + Math.sqrt(noise) * noised[i];
  const [centre, X] = centred(train, n, d);
  const [noised_centre, Y] = centred(noised, n, d);
  let variance = 0;
  for (const x of X) variance += (x * x) / (d * (n - 1));
  const B = n - 1 < d ? least_norm(X, Y, n, d) : least_squares(X, Y, n, d);
  const root = Math.sqrt(a * a * variance + noise);
  const mean = centre.map((own, i) => {
    let sum = own;
    for (let k = 0; k < d; k++) sum += B[i * d + k] * (a * centre[k] - noised_centre[k]);
    return sum;
  });
  return { mean, factor: B.map((entry) => root * entry), rank: Math.min(n - 1, d), d };
}

function centred(points, n, d) {
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) mean[k] += points[i * d + k] / n;
  const moved = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) moved[i * d + k] = points[i * d + k] - mean[k];
  }
  return [mean, moved];
}

/** X^T Y (Y^T Y)^{-1}. */
function least_squares(X, Y, n, d) {
  const L = cholesky(gram_matrix(Y, n, d), d);
  const B = transposed_product(X, Y, n, d, d);
  for (let i = 0; i < d; i++) solve_cholesky(L, d, B, i * d);
  return B;
}

/** X^T (Y Y^T)^+ Y; centred points sum to 0, so that direction can be filled. */
function least_norm(X, Y, n, d) {
  const G = outer_product(Y, n, d);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += G[i * n + i];
  for (let i = 0; i < G.length; i++) G[i] += trace / (n * n);
  const L = cholesky(G, n);
  const solved = new Float64Array(d * n);
  for (let k = 0; k < d; k++) {
    for (let i = 0; i < n; i++) solved[k * n + i] = Y[i * d + k];
    solve_cholesky(L, n, solved, k * n);
  }
  const weights = new Float64Array(n * d);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) weights[i * d + k] = solved[k * n + i];
  return transposed_product(X, weights, n, d, d);
}

/** Singular values of Sigma^power F, those that are not 0 by the rank of the law, ascending. */
export function singular_values(law, eigenvalues, power) {
  const { factor, d, rank } = law;
  const scaled = factor.map((entry, i) => entry * eigenvalues[Math.floor(i / d)] ** power);
  const squares = symmetric_eigenvalues(outer_product(scaled, d, d), d);
  return Array.from(squares.subarray(d - rank), (square) => Math.sqrt(Math.max(square, 0)));
}

/** KL(generated || population), Hellinger^2, W2^2, trace ratio, and relative singular values. */
export function distances_to_population(law, eigenvalues) {
  const { mean, factor, d, rank } = law;
  const relative = singular_values(law, eigenvalues, -0.5);
  const equal = eigenvalues.every((value) => value === eigenvalues[0]);
  const nuclear = equal
    ? relative.map((s) => s * eigenvalues[0])
    : singular_values(law, eigenvalues, 0.5);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const trace = sum(Array.from(factor, (entry) => entry * entry));
  const total = sum(Array.from(eigenvalues));
  const drift = sum(Array.from(mean, (m) => m * m));
  const found = {
    singular_values: relative,
    trace: trace / total,
    wasserstein_squared: Math.max(trace + total - 2 * sum(nuclear) + drift, 0),
    kl: Infinity,
    hellinger_squared: 1,
  };
  if (rank < d) return found;
  const squares = relative.map((s) => s * s);
  const scaled = mean.map((m, k) => m / Math.sqrt(eigenvalues[k]));
  const length = sum(Array.from(scaled, (m) => m * m));
  found.kl = (sum(squares) - d - sum(squares.map(Math.log)) + length) / 2;
  const joint = outer_product(
    factor.map((entry, i) => entry / Math.sqrt(eigenvalues[Math.floor(i / d)])), d, d,
  );
  for (let k = 0; k < d; k++) joint[k * d + k] += 1;
  const overlap =
    sum(squares.map((s2) => Math.log(s2) / 4 - Math.log((1 + s2) / 2) / 2)) -
    squared_length(cholesky(joint, d), d, scaled) / 4;
  found.hellinger_squared = -Math.expm1(overlap);
  return found;
}

/** Sign of Delta of a law: 1 if it is closer to fresh data than to its training set, else -1. */
export function delta_sign(law, train, n, eigenvalues) {
  const { pairs_train, cross_train, pairs_originals, cross_originals } = delta_terms(
    law, train, n, eigenvalues,
  );
  const top = Math.max(pairs_train, cross_train, pairs_originals, cross_originals);
  return Math.sign(
    Math.exp(pairs_train - top) - 2 * Math.exp(cross_train - top) -
      Math.exp(pairs_originals - top) + 2 * Math.exp(cross_originals - top),
  );
}

/** Logarithms of the four terms of Delta, as in ornstein.memorization.delta. */
export function delta_terms(law, train, n, eigenvalues) {
  const d = eigenvalues.length;
  const scale = eigenvalues.reduce((sum, value) => sum + value, 0) / d;
  const narrow = scale * ORIGINALS ** (-2 / d);
  const wide = scale * n ** (-2 / d);
  const covariance = law.covariance ?? outer_product(law.factor, d, d);
  const seen = with_diagonal(covariance, d, () => wide);
  const fresh = with_diagonal(covariance, d, (k) => eigenvalues[k] + narrow);
  const exponents = new Float64Array(n);
  const point = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) point[k] = train[i * d + k] - law.mean[k];
    exponents[i] = -0.5 * squared_length(seen, d, point);
  }
  const constant = d * Math.log(2 * Math.PI);
  const cross_train =
    log_sum(exponents) - Math.log(n) - 0.5 * (log_determinant(seen, d) + constant);
  const cross_originals =
    -0.5 * (squared_length(fresh, d, law.mean) + log_determinant(fresh, d) + constant);
  const largest = Math.max(cross_train, cross_originals);
  const pairs_originals = expected_pairs(eigenvalues, ORIGINALS, narrow);
  // By Markov's inequality the pairs hardly ever exceed their mean by such a factor.
  const expected = expected_pairs(eigenvalues, n, wide);
  const pairs_train =
    expected < largest - NEGLIGIBLE ? expected : log_pairs(train, n, d, wide);
  return { pairs_train, cross_train, pairs_originals, cross_originals };
}

/** A law that is the population itself, for `delta_sign`. */
export function perfect_law(eigenvalues) {
  const d = eigenvalues.length;
  return { mean: new Float64Array(d), covariance: diagonal_matrix(eigenvalues) };
}

function diagonal_matrix(values) {
  const d = values.length;
  const matrix = new Float64Array(d * d);
  for (let k = 0; k < d; k++) matrix[k * d + k] = values[k];
  return matrix;
}

function with_diagonal(matrix, d, added) {
  const sum = Float64Array.from(matrix);
  for (let k = 0; k < d; k++) sum[k * d + k] += added(k);
  return cholesky(sum, d);
}

/** ln E A' of N draws of the population, kernels of variance eps2. */
function expected_pairs(eigenvalues, N, eps2) {
  let log = Math.log1p(-1 / N);
  for (const value of eigenvalues) log -= 0.5 * Math.log(4 * Math.PI * (value + eps2));
  return log;
}

/** ln A' of the points themselves. */
function log_pairs(points, n, d, eps2) {
  const exponents = new Float64Array((n * (n - 1)) / 2);
  let place = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = 0, a = i * d, b = j * d; k < d; k++) {
        const gap = points[a + k] - points[b + k];
        sum += gap * gap;
      }
      exponents[place++] = -sum / (4 * eps2);
    }
  }
  return log_sum(exponents) + Math.log(2 / (n * n)) - 0.5 * d * Math.log(4 * Math.PI * eps2);
}

function log_sum(values) {
  const top = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}
