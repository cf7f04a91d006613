// One training set of the one-step model: drawn, fitted, and what the fit generates.
// denoisers/regression.py, in the eigenbasis of a population of mean 0.

import { gaussian_distances } from "./gaussians.js";
import {
  cholesky,
  row_products,
  solve_lower,
  solve_upper,
  symmetric_eigenvalues,
  transposed,
} from "./matrices.js";
import { random_generator } from "./random.js";

/** `count` points of N(0, diag(eigenvalues)), row by row. */
export function draw_points(eigenvalues, count, generator) {
  const roots = Float64Array.from(eigenvalues, Math.sqrt);
  const d = roots.length;
  const points = generator.normals(count * d);
  for (let i = 0; i < points.length; i++) points[i] *= roots[i % d];
  return points;
}

/**
 * Draw n points, noise them once, and fit: { train, noised } row by row, and the fields of
 * `fit_one_step`. The same seed gives the same normal numbers whatever the other parameters.
 */
export function simulate_one_step(eigenvalues, n_train, time = 2, noise_scale = 1, seed = 0) {
  const train = draw_points(eigenvalues, n_train, random_generator(seed, 0));
  const noised = random_generator(seed, 1).normals(train.length);
  const signal = Math.exp(-time);
  const noise_std = Math.sqrt(-noise_scale * Math.exp(-2 * time) * Math.expm1(-2 * time));
  for (let i = 0; i < train.length; i++) noised[i] = signal * train[i] + noise_std * noised[i];
  const fit = fit_one_step(train, noised, eigenvalues.length, time, noise_scale);
  return { train, noised, ...fit };
}

/**
 * Least squares of clean on noised points, of minimum norm for n - 1 < d.
 *
 * coefficients: B, d by d; mean: of the generated law; covariance: v B B^T; start_variance: v.
 */
export function fit_one_step(train, noised, dim, time, noise_scale) {
  const d = dim;
  const n = train.length / d;
  const signal = Math.exp(-time);
  const noise_variance = -noise_scale * Math.exp(-2 * time) * Math.expm1(-2 * time);
  const [clean_mean, noised_mean] = [train, noised].map((points) => column_means(points, n, d));
  let squares = 0;
  for (let i = 0; i < train.length; i++) squares += (train[i] - clean_mean[i % d]) ** 2;
  const start_variance = (signal * signal * squares) / (d * (n - 1)) + noise_variance;

  // Rows with the inner products of the centred points, n - 1 of them and independent; columns of
  // noised points that never vary are no coordinates to regress on.
  const X = independent_rows(train, clean_mean, n, d);
  const Y = independent_rows(noised, noised_mean, n, d);
  const nu = n - 1;
  const active = [];
  const columns = transposed(Y, nu, d);
  for (let k = 0; k < d; k++) {
    if (columns.subarray(k * nu, (k + 1) * nu).some((value) => value !== 0)) active.push(k);
  }
  const seen = active.length;
  const kept = new Float64Array(seen * nu);
  active.forEach((k, j) => kept.set(columns.subarray(k * nu, (k + 1) * nu), j * nu));
  const clean = transposed(X, nu, d);
  let small; // B, d by seen
  if (nu >= seen) {
    const L = positive_factor(row_products(kept, kept, seen, seen, nu), seen);
    small = row_products(clean, kept, d, seen, nu);
    for (let i = 0; i < d; i++) {
      solve_lower(L, seen, small, i * seen);
      solve_upper(L, seen, small, i * seen);
    }
  } else {
    const rows = transposed(kept, seen, nu);
    const L = positive_factor(row_products(rows, rows, nu, nu, seen), nu);
    const solved = clean;
    for (let i = 0; i < d; i++) {
      solve_lower(L, nu, solved, i * nu);
      solve_upper(L, nu, solved, i * nu);
    }
    small = row_products(solved, kept, d, seen, nu);
  }
  const coefficients = new Float64Array(d * d);
  for (let i = 0; i < d; i++) active.forEach((k, j) => (coefficients[i * d + k] = small[i * seen + j]));
  const mean = Float64Array.from(clean_mean);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      mean[i] += coefficients[i * d + j] * (signal * clean_mean[j] - noised_mean[j]);
    }
  }
  const covariance = row_products(coefficients, coefficients, d, d, d);
  for (let i = 0; i < covariance.length; i++) covariance[i] *= start_variance;
  return { coefficients, mean, covariance, start_variance, n_train: n };
}

/** Cholesky's factor; what rounding made of 0 is raised by rounding of the largest. */
function positive_factor(gram, size) {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i];
  for (let ridge = 0; ; ridge = Math.max(100 * ridge, 1e-15 * trace)) {
    for (let i = 0; i < size; i++) gram[i * size + i] += ridge;
    const L = cholesky(gram, size);
    if (L) return L;
  }
}

function column_means(points, n, d) {
  const mean = new Float64Array(d);
  for (let i = 0; i < points.length; i++) mean[i % d] += points[i] / n;
  return mean;
}

function independent_rows(points, mean, n, d) {
  const rows = new Float64Array((n - 1) * d);
  const share = 1 / (Math.sqrt(n) - 1);
  for (let i = 1; i < n; i++) {
    for (let k = 0; k < d; k++) {
      rows[(i - 1) * d + k] = points[i * d + k] - mean[k] + share * (points[k] - mean[k]);
    }
  }
  return rows;
}

/**
 * Non-zero singular values of a fit, descending, as `one_step_anisotropic_spectrum` predicts them:
 * relative to the population, or to the root of its mean eigenvalue ("scale").
 */
export function simulated_singular_values(fit, eigenvalues, relative_to = "population") {
  const d = eigenvalues.length;
  let scale = 0;
  for (const value of eigenvalues) scale += value / d;
  const inside = [];
  for (let k = 0; k < d; k++) if (eigenvalues[k] > 0) inside.push(k);
  const size = inside.length;
  const root = inside.map((k) => Math.sqrt(relative_to === "population" ? eigenvalues[k] : scale));
  const block = new Float64Array(size * size);
  inside.forEach((k, i) => {
    inside.forEach((l, j) => (block[i * size + j] = fit.covariance[k * d + l] / (root[i] * root[j])));
  });
  const values = symmetric_eigenvalues(block, size).reverse();
  const rank = Math.min(fit.n_train - 1, size);
  return values.slice(0, rank).map((value) => Math.sqrt(Math.max(value, 0)));
}

/** KL, squared Hellinger and Wasserstein distances of a fit to its population. */
export function simulated_distances(fit, eigenvalues) {
  const d = eigenvalues.length;
  const inside = [];
  for (let k = 0; k < d; k++) if (eigenvalues[k] > 0) inside.push(k);
  const size = inside.length;
  const P = new Float64Array(size * size);
  const Q = new Float64Array(size * size);
  inside.forEach((k, i) => {
    Q[i * size + i] = eigenvalues[k];
    inside.forEach((l, j) => (P[i * size + j] = fit.covariance[k * d + l]));
  });
  return gaussian_distances(P, Q, inside.map((k) => fit.mean[k]), Math.min(fit.n_train - 1, size));
}

/** `count` points of the generated law of a fit, row by row. */
export function generated_points(fit, count, seed = 0) {
  const d = fit.mean.length;
  const starts = random_generator(seed, 2).normals(count * d);
  const root = Math.sqrt(fit.start_variance);
  const points = row_products(starts, fit.coefficients, count, d, d);
  for (let i = 0; i < points.length; i++) points[i] = fit.mean[i % d] + root * points[i];
  return points;
}

/** `count` fresh points of the population. */
export function fresh_points(eigenvalues, count, seed = 0) {
  return draw_points(eigenvalues, count, random_generator(seed, 3));
}
