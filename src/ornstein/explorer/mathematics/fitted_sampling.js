// Samplers of many steps with the denoisers of n points, averaged over the points:
// theory/linear_denoisers/fitted_sampling.py, best_steps.py and random_matrices/resolvent_contours.py.
// The population has mean 0 here.

import { remembered } from "./numerics.js";
import { generated_modes } from "./samplers.js";
import { most_steps } from "./schedules.js";
import { resolvent_contour, spectral_averages } from "./spectral_averages.js";
import { wishart_kl } from "./wishart.js";

const COMPLEX_STEP = 1e-30;
const SQUARE_EXCESS = 0.3;
const STEP_RATIO = 1.25;
const MOST_STEPS = 1000;

/** All that does not depend on the sampler: nodes, their weights in sums, the contour. */
export const fitted_model = remembered((eigenvalues, n_train) => {
  const spectrum = Float64Array.from(eigenvalues);
  const rank = spectrum.filter((value) => value > 0).length;
  const scale = 1 - 1 / n_train;
  const nu = n_train - 1;
  const degrees = nu === rank ? nu + SQUARE_EXCESS : nu;
  const averages = spectral_averages(spectrum.map((value) => scale * value), degrees);
  const contour = resolvent_contour(averages, degrees);
  const { values, counts, density } = averages;
  const weigh = (factor) => density.map((row) => {
    let sum = 0;
    for (let k = 0; k < row.length; k++) sum += row[k] * counts[k] * factor(values[k] / scale);
    return sum;
  });
  return {
    spectrum, n_train, rank, scale, degrees, averages, contour,
    singular: nu < rank,
    relative: weigh((value) => 1 / value), // of tr Sigma^-1 f(C)
    plain: weigh(() => 1), // of tr f(C)
    pairs: contour_pairs(contour, averages, degrees, scale),
  };
}, 24);

/** Generated variance f and its slope, at the nodes. */
function fitted_functions(model, sampler, schedule, n_steps, start) {
  const { nodes } = model.averages;
  const stepped = { re: nodes, im: nodes.map((x) => x * COMPLEX_STEP) };
  const { variance } = generated_modes(sampler, schedule, n_steps, stepped, start);
  return { f: variance.re, slope: variance.im.map((value, i) => value / stepped.im[i]) };
}

/** Expected KL of a sampler of n_steps to the population, in nats. */
export function fitted_kl(model, sampler, schedule, n_steps, start = "standard") {
  if (model.singular) return Infinity;
  const law = fitted_functions(model, sampler, schedule, n_steps, start);
  const { averages, contour, scale, rank, n_train } = model;
  const { nodes, phase, values, counts } = averages;
  let trace = 0;
  let log_ratio = rank * Math.log(scale) - 2 * wishart_kl(rank, n_train - 1).generated_population;
  for (let i = 0; i < nodes.length; i++) {
    trace += law.f[i] * model.relative[i];
    log_ratio += model.plain[i] * Math.log(law.f[i] / nodes[i]);
    log_ratio += phase[i] * (law.slope[i] / law.f[i] - 1 / nodes[i]);
  }
  const on_contour = { re: contour.z_r, im: contour.z_i };
  const { fraction, variance } = generated_modes(sampler, schedule, n_steps, on_contour, start);
  const size = contour.w_r.length;
  let order_one = 0;
  // What the start leaves of m, and its matrix element in the upper half of the contour.
  const upper_r = new Float64Array(2 * size);
  const upper_i = new Float64Array(2 * size);
  for (let j = 0; j < size; j++) {
    const [zr, zi, sr, si] = [contour.z_r[j], contour.z_i[j], contour.step_r[j], contour.step_i[j]];
    const below = zr * zr + zi * zi;
    // step / z
    const qr = (sr * zr + si * zi) / below;
    const qi = (si * zr - sr * zi) / below;
    const [cr, ci] = [contour.change_r[j], contour.change_i[j]];
    const vr = variance.re[j] * qr - variance.im[j] * qi;
    const vi = variance.re[j] * qi + variance.im[j] * qr;
    order_one += (vr * ci + vi * cr) / (2 * Math.PI);
    const tau_r = 1 - fraction.re[j];
    const tau_i = -fraction.im[j];
    let ur = tau_r * qr - tau_i * qi;
    let ui = tau_r * qi + tau_i * qr;
    [ur, ui] = [ur * contour.w_r[j] - ui * contour.w_i[j], ur * contour.w_i[j] + ui * contour.w_r[j]];
    const [pr, pi] = [contour.slope_r[j], contour.slope_i[j]];
    // divided by 2 pi i
    upper_r[j] = (ur * pi + ui * pr) / (2 * Math.PI);
    upper_i[j] = -(ur * pr - ui * pi) / (2 * Math.PI);
    upper_r[size + j] = upper_r[j];
    upper_i[size + j] = -upper_i[j];
  }
  trace += scale * order_one;
  let passed = 0;
  for (let k = 0; k < values.length; k++) {
    // E tau(C) of the mode.
    let once = 0;
    for (let j = 0; j < size; j++) {
      const gap = values[k] - contour.w_r[j];
      const below = gap * gap + contour.w_i[j] ** 2;
      once += (2 * (upper_r[j] * gap - upper_i[j] * contour.w_i[j])) / below;
    }
    passed += counts[k] * (1 - 2 * once + once * once);
  }
  passed += paired_sum(upper_r, upper_i, model.pairs);
  return 0.5 * (trace - rank - (log_ratio) + passed / n_train);
}

/**
 * For every two points of the whole contour, the sum over modes that E [tau(C)^2] - [E tau(C)]^2
 * needs, by partial fractions: (h_i - h_j) (H_i - H_j) / ((z_i - z_j) (w_i - w_j)).
 */
function contour_pairs(contour, averages, degrees, scale) {
  const { values, counts } = averages;
  const half = contour.w_r.length;
  const size = 2 * half;
  const both = (name, sign) => {
    const array = new Float64Array(size);
    for (let j = 0; j < half; j++) {
      array[j] = contour[name][j];
      array[half + j] = sign * contour[name][j];
    }
    return array;
  };
  const [wr, wi, zr, zi] = [both("w_r", 1), both("w_i", -1), both("z_r", 1), both("z_i", -1)];
  const [slope_r, slope_i] = [both("slope_r", 1), both("slope_i", -1)];
  // h = sum (counts/n)/(lambda - w), H = sum counts lambda^2/(lambda - w), and their slopes.
  const sums = Array.from({ length: 8 }, () => new Float64Array(size));
  for (let i = 0; i < half; i++) {
    for (let k = 0; k < values.length; k++) {
      const gap = values[k] - wr[i];
      const below = gap * gap + wi[i] * wi[i];
      const [xr, xi] = [gap / below, wi[i] / below];
      const parts = [xr, xi, xr * xr - xi * xi, 2 * xr * xi];
      const light = counts[k] / degrees;
      const heavy = counts[k] * values[k] * values[k];
      for (let p = 0; p < 4; p++) {
        sums[p][i] += light * parts[p];
        sums[4 + p][i] += heavy * parts[p];
      }
    }
    sums.forEach((sum, p) => (sum[half + i] = p % 2 ? -sum[i] : sum[i]));
  }
  const [light_r, light_i, light_slope_r, light_slope_i] = sums;
  const [heavy_r, heavy_i, heavy_slope_r, heavy_slope_i] = sums.slice(4);
  // The other half of the rows is the conjugate of this one.
  const real = new Float64Array(half * size);
  const imaginary = new Float64Array(half * size);
  for (let i = 0; i < half; i++) {
    for (let j = 0; j < size; j++) {
      const at = i * size + j;
      if (j < i) {
        real[at] = real[j * size + i];
        imaginary[at] = imaginary[j * size + i];
        continue;
      }
      let [hr, hi, Hr, Hi] = [light_slope_r[i], light_slope_i[i], heavy_slope_r[i], heavy_slope_i[i]];
      let [br, bi] = [slope_r[i], slope_i[i]];
      if (i !== j) {
        hr = light_r[i] - light_r[j];
        hi = light_i[i] - light_i[j];
        Hr = heavy_r[i] - heavy_r[j];
        Hi = heavy_i[i] - heavy_i[j];
        const [dz, ez, dw, ew] = [zr[i] - zr[j], zi[i] - zi[j], wr[i] - wr[j], wi[i] - wi[j]];
        br = dz * dw - ez * ew;
        bi = dz * ew + ez * dw;
      }
      const ar = hr * Hr - hi * Hi;
      const ai = hr * Hi + hi * Hr;
      const below = br * br + bi * bi;
      real[at] = (ar * br + ai * bi) / below;
      imaginary[at] = (ai * br - ar * bi) / below;
    }
  }
  return { real, imaginary, size };
}

/** Real part of the quadratic form. */
function paired_sum(upper_r, upper_i, { real, imaginary, size }) {
  let total = 0;
  for (let i = 0; i < size / 2; i++) {
    let [sum_r, sum_i] = [0, 0];
    for (let j = 0; j < size; j++) {
      const at = i * size + j;
      sum_r += real[at] * upper_r[j] - imaginary[at] * upper_i[j];
      sum_i += real[at] * upper_i[j] + imaginary[at] * upper_r[j];
    }
    total += 2 * (upper_r[i] * sum_r - upper_i[i] * sum_i);
  }
  return total;
}

/** Number of steps of least expected KL: fields of theory.BestSteps. */
export function best_steps(eigenvalues, n_train, sampler = "ddim", schedule = "linear", start = "standard") {
  const model = fitted_model(eigenvalues, n_train);
  const known = new Map();
  const kl = (steps) => {
    if (!known.has(steps)) known.set(steps, fitted_kl(model, sampler, schedule, steps, start));
    return known.get(steps);
  };
  if (model.singular) return { steps: Infinity, kl: Infinity, kl_limit: Infinity };
  const limit = kl(Infinity);
  const largest = Math.min(MOST_STEPS, most_steps(schedule));
  const grid = step_counts(largest);
  let best = 0;
  grid.forEach((count, j) => {
    if (kl(count) < kl(grid[best])) best = j;
  });
  let low = grid[Math.max(best - 1, 0)];
  let high = grid[Math.min(best + 1, grid.length - 1)];
  while (high - low > 2) {
    const third = Math.floor((high - low) / 3);
    if (kl(low + third) <= kl(high - third)) high -= third;
    else low += third;
  }
  let steps = low;
  for (let count = low; count <= high; count++) if (kl(count) < kl(steps)) steps = count;
  if (kl(steps) < limit) return { steps, kl: kl(steps), kl_limit: limit };
  return { steps: Infinity, kl: limit, kl_limit: limit };
}

/** Numbers of steps from 1 to the largest, with ratios of about 1.25. */
export function step_counts(largest) {
  const all = new Set([largest]);
  for (let k = 0; k < 200; k++) all.add(Math.round(largest ** (k / 199)));
  const counts = [...all].sort((a, b) => a - b);
  const kept = [counts[0]];
  for (const count of counts.slice(1)) {
    if (count >= STEP_RATIO * kept[kept.length - 1]) kept.push(count);
  }
  if (kept[kept.length - 1] !== largest) kept.push(largest);
  return kept;
}
