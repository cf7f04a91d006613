// Noise levels of samplers: diffusion/schedules.py.
//
// A schedule is a name, as the command line has it, or { noises: [..] }, levels that fall. The name
// tangent stands for tangent:1, the grid for data of unit variance; tangent:V,W,.. for others.

import { remembered } from "./numerics.js";
import { tangent_grid } from "./tangent_grids.js";

const COSINE_OFFSET = 0.008;
const LARGEST_BETA = 0.999;
const DIFFUSION_STEPS = 1000;

export const SCHEDULES = ["linear", "scaled_linear", "cosine", "karras", "tangent"];

/** `count` numbers from start to stop, both included. */
export function linspace(start, stop, count) {
  const step = (stop - start) / (count - 1);
  const values = Float64Array.from({ length: count }, (_, k) => (count > 1 ? start + k * step : start));
  if (count > 1) values[count - 1] = stop;
  return values;
}

/** beta_k, evenly spaced. */
export function linear_betas(diffusion_steps, beta_start = 1e-4, beta_end = 0.02) {
  return linspace(beta_start, beta_end, diffusion_steps);
}

/** beta_k, their roots evenly spaced. */
export function scaled_linear_betas(diffusion_steps, beta_start = 1e-4, beta_end = 0.02) {
  return linspace(Math.sqrt(beta_start), Math.sqrt(beta_end), diffusion_steps).map((b) => b * b);
}

/** beta_k of abar(u) = cos^2(pi/2 (u + 0.008)/1.008). */
export function cosine_betas(diffusion_steps) {
  const alpha_bar = (k) => {
    const u = k / diffusion_steps;
    return Math.cos((((u + COSINE_OFFSET) / (1 + COSINE_OFFSET)) * Math.PI) / 2) ** 2;
  };
  return Float64Array.from({ length: diffusion_steps }, (_, k) => {
    return Math.min(1 - alpha_bar(k + 1) / alpha_bar(k), LARGEST_BETA);
  });
}

/** Noises whose 1/rho-th powers are evenly spaced, falling. */
export function karras_noises(n_steps, smallest = 0.002, largest = 80, rho = 7) {
  const roots = linspace(largest ** (1 / rho), smallest ** (1 / rho), n_steps);
  const noises = roots.map((root) => root ** rho);
  noises[0] = largest;
  if (n_steps > 1) noises[n_steps - 1] = smallest;
  return noises;
}

/** Which of the diffusion steps the sampling steps are at, falling ("trailing"). */
export function sampling_steps(diffusion_steps, n_steps) {
  if (n_steps > diffusion_steps) {
    throw new RangeError(`${n_steps} sampling steps, expected at most ${diffusion_steps}`);
  }
  const share = diffusion_steps / n_steps;
  return Array.from({ length: n_steps }, (_, k) => round_half_even(diffusion_steps - k * share) - 1);
}

function round_half_even(x) {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 ? below + 1 : below;
}

/** EDM noises of all diffusion steps. */
export const schedule_noises = remembered((name) => {
  const betas = { linear: linear_betas, scaled_linear: scaled_linear_betas, cosine: cosine_betas };
  if (!(name in betas)) throw new RangeError(`schedule ${name}, expected one of ${SCHEDULES.join(", ")}`);
  let time = 0;
  return betas[name](DIFFUSION_STEPS).map((beta) => {
    time -= 0.5 * Math.log1p(-beta);
    return Math.exp(time) * Math.sqrt(-Math.expm1(-2 * time));
  });
}, 3);

/** Largest number of steps a schedule has. */
export function most_steps(schedule) {
  if (typeof schedule !== "string") return schedule.noises.length;
  return ["linear", "scaled_linear", "cosine"].includes(schedule) ? DIFFUSION_STEPS : Infinity;
}

function is_tangent(schedule) {
  return schedule.split(":")[0] === "tangent";
}

/** { signal, noise } at the levels of a sampler of n steps; the last noise is 0. */
export function noise_levels(schedule, n_steps) {
  let noise;
  if (typeof schedule !== "string") noise = Array.from(schedule.noises);
  else if (schedule === "karras") noise = Array.from(karras_noises(n_steps));
  else if (is_tangent(schedule)) {
    const variances = (schedule.split(":")[1] ?? "1").split(",").map(Number);
    noise = Array.from(tangent_grid(variances, n_steps, 0, 80));
  } else {
    const noises = schedule_noises(schedule);
    noise = sampling_steps(DIFFUSION_STEPS, n_steps).map((step) => noises[step]);
    const signal = noise.map((s) => 1 / Math.hypot(1, s));
    return { signal: [...signal, 1], noise: [...noise, 0] };
  }
  if (noise[noise.length - 1] !== 0) noise.push(0);
  if (noise.length !== n_steps + 1) {
    throw new RangeError(`n_steps is ${n_steps}, expected ${noise.length - 1}, as there are levels`);
  }
  return { signal: noise.map(() => 1), noise };
}

/** First level { signal, noise_std } and smallest noise, for infinitely many steps. */
export function noise_range(schedule) {
  if (typeof schedule !== "string") {
    const { noises } = schedule;
    return { signal: 1, noise_std: noises[0], smallest: noises[noises.length - 1] };
  }
  if (schedule === "karras") return { signal: 1, noise_std: 80, smallest: 0.002 };
  if (is_tangent(schedule)) return { signal: 1, noise_std: 80, smallest: 0 };
  const noises = schedule_noises(schedule);
  const noise = noises[noises.length - 1];
  const signal = 1 / Math.hypot(1, noise);
  return { signal, noise_std: signal * noise, smallest: 0 };
}
