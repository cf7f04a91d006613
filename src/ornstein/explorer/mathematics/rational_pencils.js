// E ln det(B + f(C)) for a sample covariance C and B that does not commute with it:
// theory/random_matrices/rational_pencils.py, whose docstring derives it.
//
// A population is { values, counts, n_train, nodes, density }: nodes of C, the last one 0, and their
// weights in each of the distinct eigenvalues.

import { noise_equivalent } from "./membership.js";
import { inverse_matrix, log_abs_det, remembered } from "./numerics.js";
import { least_squares, rational_value } from "./rational_fits.js";

const PENCIL_DAMPING = 0.7;
const PENCIL_MEMORY = 6;
const PENCIL_TOLERANCE = 1e-10;
const LOOSEST_TOLERANCE = 1e-6;
const PENCIL_PATIENCE = 60;
const ROOT_DIGITS = 18;

/** a b of n by n matrices. */
function square_product(a, b, n) {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k];
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[k * n + j];
    }
  }
  return c;
}

/** The pencil of B + f(C): { population, size, E, R, K, Q }. */
export function solve_pencil(fitted, B, population) {
  const { coefficients: c, poles } = fitted;
  const size = 1 + c.length;
  const bare = new Float64Array(size * size);
  const A = new Float64Array(size);
  A[0] = fitted.linear;
  bare[0] = fitted.constant + c.reduce((sum, value) => sum + value, 0);
  c.forEach((value, j) => {
    A[j + 1] = Math.sign(value);
    bare[(j + 1) * (size + 1)] = A[j + 1] * poles[j];
    bare[j + 1] = Math.sqrt(Math.abs(value) * poles[j]);
    bare[(j + 1) * size] = bare[j + 1];
  });
  let E = commuting_start(fitted, B, population, A, size);
  const moves = [];
  const changes = [];
  let least = Infinity;
  let waited = 0;
  while (waited < PENCIL_PATIENCE) {
    // R = A (1 + E A)^-1
    const both = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) both[i * size + j] = (i === j ? 1 : 0) + E[i * size + j] * A[j];
    }
    const R = inverse_matrix(both, size);
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) R[i * size + j] *= A[i];
    const { mean, Q, K } = pencil_inverses(R, bare, B, population, size);
    const step = mean.map((value, k) => value - E[k]);
    const change = Math.max(...step.map(Math.abs)) / Math.max(...mean.map(Math.abs));
    if (change < least) [least, waited] = [change, 0];
    else waited += 1;
    // With poles over many decades rounding ends it earlier.
    if (change <= PENCIL_TOLERANCE || (waited > PENCIL_MEMORY && change <= LOOSEST_TOLERANCE)) {
      return { population, size, E, R, K, Q };
    }
    moves.push(E);
    changes.push(step);
    if (moves.length > PENCIL_MEMORY) {
      moves.shift();
      changes.shift();
    }
    E = accelerated_point(moves, changes);
  }
  throw new Error(`the pencil of ${size - 1} poles has not converged: change ${least}`);
}

/** E as if B and C commuted. */
function commuting_start(fitted, B, { values, counts, n_train, nodes, density }, A, size) {
  const E = new Float64Array(size * size);
  const row = new Float64Array(size);
  nodes.forEach((x, i) => {
    let [coupled, total] = [0, 0];
    const f = rational_value(fitted, x)[0];
    for (let k = 0; k < values.length; k++) {
      const weight = density[i][k] * counts[k] * values[k];
      if (weight === 0) continue;
      coupled += weight / (B[k] + f) / n_train;
      total += weight / n_train;
    }
    if (total === 0) return;
    row[0] = 1;
    fitted.poles.forEach((pole, j) => {
      const inverse = A[j + 1] / (x + pole);
      row[j + 1] = -Math.sqrt(Math.abs(fitted.coefficients[j]) * pole) * inverse;
      E[(j + 1) * (size + 1)] += total * inverse;
    });
    for (let a = 0; a < size; a++) for (let b = 0; b < size; b++) E[a * size + b] += coupled * row[a] * row[b];
  });
  return E;
}

/** Q_k = (lambda_k R + K_k)^-1 and (1/n) sum_k lambda_k Q_k. */
function pencil_inverses(R, bare, B, { values, counts, n_train }, size) {
  const mean = new Float64Array(size * size);
  const Q = [];
  const K = [];
  values.forEach((value, k) => {
    const own = Float64Array.from(bare);
    own[0] += B[k];
    const inverse = inverse_matrix(own.map((entry, i) => entry + value * R[i]), size);
    for (let i = 0; i < mean.length; i++) mean[i] += (counts[k] * value * inverse[i]) / n_train;
    Q.push(inverse);
    K.push(own);
  });
  return { mean, Q, K };
}

/** Anderson's next point. */
function accelerated_point(points, steps) {
  const last = points.length - 1;
  const [x, f] = [points[last], steps[last]];
  if (points.length < PENCIL_MEMORY) return x.map((value, i) => value + PENCIL_DAMPING * f[i]);
  const moved = [];
  const turned = [];
  for (let k = 0; k < last; k++) {
    const difference = steps[k + 1].map((value, i) => value - steps[k][i]);
    const size = Math.sqrt(difference.reduce((sum, value) => sum + value * value, 0)) || 1;
    turned.push(difference.map((value) => value / size));
    moved.push(points[k + 1].map((value, i) => (value - points[k][i]) / size));
  }
  const part = least_squares(turned, f, 1e-8);
  return x.map((value, i) => {
    let next = value + PENCIL_DAMPING * f[i];
    for (let k = 0; k < last; k++) next -= (moved[k][i] + PENCIL_DAMPING * turned[k][i]) * part[k];
    return next;
  });
}

/** E ln |det L| to leading order. */
export function pencil_log_det(pencil) {
  const { population, size, E, R, K } = pencil;
  const { values, counts, n_train } = population;
  let sum = 0;
  values.forEach((value, k) => {
    sum += counts[k] * log_abs_det(K[k].map((entry, i) => entry + value * R[i]), size);
  });
  // det(1 + A E) = 1 / det(1 - R E).
  const product = square_product(R, E, size);
  let shared = 0;
  for (let i = 0; i < R.length; i++) shared += R[i] * E[i];
  const rest = product.map((entry, i) => (i % (size + 1) === 0 ? 1 : 0) - entry);
  return sum + n_train * (-log_abs_det(rest, size) - shared);
}

/** lambda_k R Q_k of every eigenvalue. */
function pencil_factors({ population, size, R, Q }) {
  return Q.map((matrix, k) => square_product(R, matrix, size).map((v) => population.values[k] * v));
}

/** Order 1 of E ln |det L|: the map T on symmetric and on antisymmetric matrices. */
export function pencil_correction(pencil) {
  const { population, size } = pencil;
  const factors = pencil_factors(pencil);
  const { counts, n_train } = population;
  const pairs = [];
  for (let i = 0; i < size; i++) for (let j = i; j < size; j++) pairs.push([i, j]);
  const even_size = pairs.length;
  const apart = pairs.filter(([i, j]) => i !== j);
  const odd_size = apart.length;
  const even = new Float64Array(even_size * even_size);
  const odd = new Float64Array(odd_size * odd_size);
  let a = 0;
  let odd_row = 0;
  for (const [k, l] of pairs) {
    let odd_column = 0;
    pairs.forEach(([i, j], b) => {
      let [direct, crossed] = [0, 0];
      for (let v = 0; v < factors.length; v++) {
        const F = factors[v];
        const weight = counts[v] / n_train;
        direct += weight * F[k * size + i] * F[l * size + j];
        crossed += weight * F[k * size + j] * F[l * size + i];
      }
      even[a * even_size + b] = (a === b ? 1 : 0) - direct - (i === j ? 0 : crossed);
      if (k !== l && i !== j) {
        odd[odd_row * odd_size + odd_column] = (odd_row === odd_column ? 1 : 0) - direct + crossed;
        odd_column += 1;
      }
    });
    if (k !== l) odd_row += 1;
    a += 1;
  }
  return 0.5 * (log_abs_det(even, even_size) - log_abs_det(odd, odd_size));
}

/** Cov(ln |det L|, ln |det L'|) over training sets. */
export function pencil_covariance(first, second) {
  const [a, b] = [first.size, second.size];
  const [F, G] = [pencil_factors(first), pencil_factors(second)];
  const { counts, n_train } = first.population;
  const size = a * b;
  const ladder = new Float64Array(size * size);
  F.forEach((left, v) => {
    const right = G[v];
    const weight = counts[v] / n_train;
    for (let i = 0; i < a; i++) {
      for (let j = 0; j < a; j++) {
        const factor = weight * left[i * a + j];
        for (let k = 0; k < b; k++) {
          const row = (i * b + k) * size + j * b;
          for (let l = 0; l < b; l++) ladder[row + l] -= factor * right[k * b + l];
        }
      }
    }
  });
  for (let i = 0; i < size; i++) ladder[i * (size + 1)] += 1;
  return -2 * log_abs_det(ladder, size);
}

/** The pencil of all C + p_j, in closed form. */
export function poles_pencil(fitted, population) {
  const { values, counts, n_train } = population;
  const size = fitted.poles.length;
  const modes = { values, counts, rank: counts.reduce((sum, count) => sum + count, 0) };
  const kappa = fitted.poles.map((pole) => noise_equivalent(modes, pole, n_train).kappa);
  const diagonal = (entries) => {
    const matrix = new Float64Array(size * size);
    entries.forEach((entry, j) => (matrix[j * (size + 1)] = entry));
    return matrix;
  };
  return {
    population, size,
    E: diagonal(fitted.poles.map((pole, j) => kappa[j] / pole - 1)),
    R: diagonal(fitted.poles.map((pole, j) => pole / kappa[j])),
    K: Array.from(values, () => diagonal(fitted.poles)),
    Q: Array.from(values, (value) => diagonal(kappa.map((k, j) => k / fitted.poles[j] / (value + k)))),
  };
}

/** E tr (Sigma^{1/2} f(C) Sigma^{1/2})^{1/2}; [low, high] the range of the eigenvalues > 0 of f(C). */
export function mean_root_trace(fitted, population, low, high) {
  const { values, counts } = population;
  const poles = pencil_correction(poles_pencil(fitted, population));
  let total = 0;
  for (const [noise, weight] of root_nodes(values[0] * low, values[values.length - 1] * high)) {
    const square = noise * noise;
    const pencil = solve_pencil(fitted, values.map((value) => square / value), population);
    let leading = 0;
    values.forEach((value, k) => (leading += counts[k] * (1 - (square * pencil.Q[k][0]) / value)));
    total += weight * (2 * leading + pencil_correction(pencil) - poles);
  }
  return total;
}

/** Nodes t and weights dt/pi of the root of all m between two values. */
export const root_nodes = remembered((smallest, largest) => {
  const modulus = smallest / largest;
  // Arithmetic-geometric means of 1 and the root of the modulus: period and amplitude.
  const a = [1];
  const c = [Math.sqrt(1 - modulus)];
  let b = Math.sqrt(modulus);
  while (c[c.length - 1] > 1e-16 && a.length < 40) {
    const last = a[a.length - 1];
    a.push(0.5 * (last + b));
    c.push(0.5 * (last - b));
    b = Math.sqrt(last * b);
  }
  const top = a.length - 1;
  const period = Math.PI / (2 * a[top]);
  const half = Math.ceil((ROOT_DIGITS * (3 - Math.log(modulus))) / (4 * Math.PI * Math.PI));
  const nodes = [];
  for (let j = 0; j < half; j++) {
    let phi = 2 ** top * a[top] * ((j + 0.5) * period) / (2 * half);
    for (let k = top; k > 0; k--) phi = 0.5 * (phi + Math.asin((c[k] * Math.sin(phi)) / a[k]));
    const [sn, cn] = [Math.sin(phi), Math.cos(phi)];
    const dn = Math.sqrt(cn * cn + modulus * sn * sn);
    const t = (Math.sqrt(smallest) * sn) / cn;
    const step = (Math.sqrt(smallest) * dn * period) / (cn * cn * 2 * half * Math.PI);
    // The second half of the period is the reflection of the first at the geometric mean.
    const mirrored = Math.sqrt(smallest * largest) / t;
    nodes.push([t, step], [mirrored, (step * mirrored) / t]);
  }
  return nodes;
}, 16);
