// Grids of noise levels made for a spectrum: diffusion/grids.py and
// theory/linear_denoisers/tangent_grids.py.

import { positive_modes } from "./membership.js";
import { least_between, least_point } from "./minimization.js";
import { spectral_averages } from "./spectral_averages.js";

const FINE_LEVELS = 400;
const METRIC_ROUNDS = 60;
const TANGENT_CANDIDATES = 40;

/** Noises sqrt(variance) tan(theta_i), theta equally spaced: the best for one variance. */
export function tangent_noises(n_steps, variance = 1, smallest = 0, largest = 80) {
  const root = Math.sqrt(variance);
  // Angles from the far end: those near pi/2 keep their digits.
  const top = Math.atan2(root, largest);
  const bottom = Math.atan2(root, smallest);
  const noises = Float64Array.from({ length: n_steps + 1 }, (_, k) => {
    return root / Math.tan(top + ((bottom - top) * k) / n_steps);
  });
  noises[0] = largest;
  noises[n_steps] = smallest;
  return noises;
}

/**
 * Noise levels of least KL for Euler's method with linear denoisers, n_steps + 1 of them, falling.
 *
 * With n_train those of least expected KL of the model of n points. Python's grid and this one are
 * found by descents that end at different places of a flat minimum: their losses agree to 1e-9, the
 * levels to 1e-5.
 */
export function tangent_grid(eigenvalues, n_steps, noise_min = 0.002, noise_max = 80, n_train = null) {
  const { values, counts } = positive_modes(Float64Array.from(eigenvalues));
  let modes = { variances: values, counts, targets: counts };
  if (n_train !== null && values.length) modes = grid_modes_of_points(eigenvalues, n_train, noise_min);
  if (!values.length) return tangent_noises(n_steps, 1, noise_min, noise_max);
  if (modes.variances.length === 1) {
    return tangent_noises(n_steps, modes.variances[0], noise_min, noise_max);
  }
  const variance = best_tangent_variance(modes, n_steps, noise_min, noise_max);
  const tangent = tangent_noises(n_steps, variance, noise_min, noise_max);
  if (n_steps === 1) return tangent;
  const equal = equal_distances(modes, n_steps, noise_min, noise_max);
  const better = grid_loss(tangent, modes) <= grid_loss(equal, modes) ? tangent : equal;
  return lowered_grid(better, modes, variance);
}

/** sum (c q^2 - b - 2 b ln q) / 2 of Euler's method on a grid, in nats. */
export function grid_loss(noises, modes) {
  return grid_loss_and_slopes(noises, modes)[0];
}

/** The spectrum of the sample covariance, and what the population has in its place. */
export function grid_modes_of_points(eigenvalues, n_train, noise_min) {
  const spectrum = Float64Array.from(eigenvalues).filter((value) => value > 0);
  const share = (n_train - 1) / n_train;
  const averages = spectral_averages(spectrum.map((value) => value * share), n_train - 1);
  const floor = noise_min * noise_min;
  const order = Array.from(averages.nodes, (_, i) => i).sort((i, j) => averages.nodes[i] - averages.nodes[j]);
  const sums = order.map((i) => {
    let [count, target] = [0, 0];
    averages.density[i].forEach((density, k) => {
      const weight = density * averages.counts[k];
      count += weight;
      target += (weight * (averages.nodes[i] + floor)) / (averages.values[k] / share + floor);
    });
    return [count, target];
  });
  return {
    variances: Float64Array.from(order, (i) => averages.nodes[i]),
    counts: Float64Array.from(sums, (pair) => pair[0]),
    targets: Float64Array.from(sums, (pair) => pair[1]),
  };
}

function grid_loss_and_slopes(noises, { variances, counts, targets }) {
  const steps = noises.length - 1;
  const slopes = new Float64Array(steps + 1);
  const tangents = new Float64Array(steps);
  let loss = 0;
  for (let k = 0; k < variances.length; k++) {
    const lambda = variances[k];
    const root = Math.sqrt(lambda);
    let product = 1;
    let log_q = 0;
    for (let i = 0; i < steps; i++) {
      // tan(theta - theta') of the step.
      const tangent = (root * (noises[i] - noises[i + 1])) / (lambda + noises[i] * noises[i + 1]);
      tangents[i] = tangent;
      // The logarithm of a product of a few, which are not large.
      product *= 1 + tangent * tangent;
      if (product > 1e3 || i === steps - 1 || product < 1.01) {
        log_q -= 0.5 * (product < 1.01 ? Math.log1p(product - 1) : Math.log(product));
        product = 1;
      }
    }
    const squared = Math.exp(2 * log_q);
    loss += counts[k] * (Math.expm1(2 * log_q) - 2 * log_q) + (targets[k] - counts[k]) * squared;
    const turn = (targets[k] * squared - counts[k]) * root;
    for (let i = 0; i < steps; i++) {
      slopes[i] -= (turn * tangents[i]) / (lambda + noises[i] * noises[i]);
      slopes[i + 1] += (turn * tangents[i]) / (lambda + noises[i + 1] * noises[i + 1]);
    }
  }
  return [0.5 * loss, slopes];
}

/** Levels at equal distances of the self-consistent metric of many steps. */
function equal_distances({ variances, counts }, steps, low, high) {
  const count = variances.length;
  const finest = Math.max(low, 1e-3 * Math.min(Math.sqrt(variances[0]), high));
  const fine = Array.from({ length: FINE_LEVELS }, (_, i) => high * (finest / high) ** (i / (FINE_LEVELS - 1)));
  if (low !== finest) fine.push(low);
  const parts = fine.length - 1;
  const each = Array.from(variances, () => new Float64Array(parts));
  for (let i = 0; i < parts; i++) {
    const middle = 0.5 * (fine[i] + fine[i + 1]);
    for (let k = 0; k < count; k++) each[k][i] = variances[k] / (variances[k] + middle * middle) ** 2;
  }
  let lengths = new Float64Array(count).fill(1);
  const root = new Float64Array(parts);
  for (let round = 0; round < METRIC_ROUNDS; round++) {
    let total = 0;
    for (let i = 0; i < parts; i++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += counts[k] * lengths[k] * each[k][i];
      root[i] = Math.sqrt(sum);
      total += root[i] * (fine[i] - fine[i + 1]);
    }
    let change = 0;
    // The root of old and new: lengths alone would overshoot.
    lengths = lengths.map((length, k) => {
      let sum = 0;
      for (let i = 0; i < parts; i++) sum += (each[k][i] / root[i]) * (fine[i] - fine[i + 1]);
      const next = Math.sqrt(length * total * sum);
      change = Math.max(change, Math.abs(next / length - 1));
      return next;
    });
    if (change < 1e-4) break;
  }
  const distance = [0];
  for (let i = 0; i < parts; i++) distance.push(distance[i] + root[i] * (fine[i] - fine[i + 1]));
  const noises = new Float64Array(steps + 1);
  let at = 0;
  for (let j = 0; j <= steps; j++) {
    const goal = (j / steps) * distance[parts];
    while (at < parts - 1 && distance[at + 1] < goal) at += 1;
    const share = (goal - distance[at]) / (distance[at + 1] - distance[at]);
    noises[j] = fine[at] + share * (fine[at + 1] - fine[at]);
  }
  noises[0] = high;
  noises[steps] = low;
  return noises;
}

/** Variance of the best of all tangent laws. */
function best_tangent_variance(modes, steps, low, high) {
  const loss = (log) => grid_loss(tangent_noises(steps, Math.exp(log), low, high), modes);
  const { variances } = modes;
  const first = Math.log(variances[0]) - 1;
  const width = (Math.log(variances[variances.length - 1]) + 1 - first) / (TANGENT_CANDIDATES - 1);
  let best = first;
  for (let j = 1; j < TANGENT_CANDIDATES; j++) if (loss(first + j * width) < loss(best)) best = first + j * width;
  return Math.exp(least_between(loss, best - width, best + width, 1e-5));
}

/** Lower the exact loss from a grid, moving the shares of the angle that each step takes. */
function lowered_grid(start, modes, variance) {
  const root = Math.sqrt(variance);
  const steps = start.length - 1;
  const angles = start.map((noise) => Math.atan2(root, noise));
  const length = angles[steps] - angles[0];
  const grid = (logits) => {
    const top = Math.max(...logits);
    let shares = logits.map((logit) => Math.exp(logit - top));
    const total = shares.reduce((sum, share) => sum + share, 0);
    shares = shares.map((share) => share / total);
    const noises = Float64Array.from(start);
    let sum = 0;
    for (let i = 1; i < steps; i++) {
      sum += shares[i - 1];
      noises[i] = root / Math.tan(angles[0] + length * sum);
    }
    return [noises, shares];
  };
  const loss = (logits) => {
    const [noises, shares] = grid(logits);
    const [value, slopes] = grid_loss_and_slopes(noises, modes);
    const moved = new Float64Array(steps);
    // A share moves all levels after it, but not the last.
    for (let i = steps - 1; i > 0; i--) {
      const turned = ((-slopes[i] * (variance + noises[i] ** 2)) / root) * length;
      moved[i - 1] = moved[i] + turned;
    }
    let mean = 0;
    for (let i = 0; i < steps; i++) mean += shares[i] * moved[i];
    return [value, moved.map((value_, i) => shares[i] * (value_ - mean))];
  };
  const logits = Float64Array.from({ length: steps }, (_, i) => Math.log((angles[i + 1] - angles[i]) / length));
  const [noises] = grid(least_point(loss, logits).x);
  const falling = noises.every((noise, i) => i === 0 || noise < noises[i - 1]);
  return falling && grid_loss(noises, modes) < grid_loss(start, modes) ? noises : start;
}
