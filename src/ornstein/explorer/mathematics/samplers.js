// Samplers as affine maps, and what a linear denoiser makes of them: diffusion/samplers.py and
// diffusion/affine_propagation.py.
//
// Variances may be complex: pairs of arrays of real and imaginary parts. All steps are analytic.

import { remembered } from "./numerics.js";
import { noise_levels, noise_range } from "./schedules.js";

export const SAMPLERS = ["ddpm", "ddpm:large", "ddim", "euler", "heun"];

/** Part eta of the reverse SDE's noise, of a sampler's name; also of ddim:ETA. */
export function sampler_eta(sampler) {
  const [name, option] = sampler.split(":");
  if (name === "ddpm") return 1;
  return name === "ddim" && option !== undefined ? Number(option) : 0;
}

/**
 * All steps of a sampler: `stages`, arrays of [signal, noise, start, point, denoised, fresh] a step,
 * and signal and noise_std of the first level.
 */
export function sampler_trajectory(sampler, schedule, n_steps) {
  if (typeof schedule !== "string") return new_trajectory(sampler, schedule, n_steps);
  return known_trajectory(sampler, schedule, n_steps);
}

const known_trajectory = remembered(new_trajectory, 200);

function new_trajectory(sampler, schedule, n_steps) {
  const levels = noise_levels(schedule, n_steps);
  const [name, option] = sampler.split(":");
  const { noise } = levels;
  let { signal } = levels;
  if (name === "euler" || name === "heun") signal = signal.map(() => 1);
  const first = new Float64Array(6 * n_steps);
  const second = name === "heun" ? new Float64Array(6 * n_steps) : null;
  const eta = sampler_eta(sampler);
  for (let k = 0; k < n_steps; k++) {
    const s = noise[k];
    const next = noise[k + 1];
    const ratio = next / s;
    const forward = (s - next) * (s + next);
    let kept = ratio;
    let fresh = 0;
    if (name === "ddpm") {
      kept = ratio * ratio;
      if (option === undefined || option === "small") fresh = Math.sqrt(kept * forward);
      // The sample is the last mean, without noise.
      else if (option === "large") fresh = k < n_steps - 1 ? (signal[k] / signal[k + 1]) * Math.sqrt(forward) : 0;
      else throw new RangeError(`sampler ${sampler}, expected one of ${SAMPLERS.join(", ")}`);
    } else if (name === "ddim") {
      kept = ratio * Math.sqrt((1 - eta) * (1 + eta) + (eta * ratio) ** 2);
      fresh = eta * ratio * Math.sqrt(forward);
    } else if (name !== "euler" && name !== "heun") {
      throw new RangeError(`sampler ${sampler}, expected one of ${SAMPLERS.join(", ")}`);
    }
    const after = signal[k + 1];
    first.set([signal[k], s, 0, (after / signal[k]) * kept, after * (1 - kept), after * fresh], 6 * k);
    if (second) {
      const half = (0.5 * s) / next;
      // The last step is Euler's: its second stage leaves the point where it is.
      if (k < n_steps - 1) second.set([1, next, 0.5, 1 - half, half - 0.5, 0], 6 * k);
      else second.set([1, 1, 0, 1, 0, 0], 6 * k);
    }
  }
  const stages = second ? [first, second] : [first];
  const prepared = stages.map(prepared_stage);
  return { stages, prepared, n_steps, signal: signal[0], noise_std: signal[0] * noise[0] };
}

/**
 * Generated mean (as a fraction of the data's) and variance of modes, by a sampler of n_steps, which
 * may be Infinity. `variance` = { re, im }; so are both results. `start`: "standard" or "marginal".
 */
export function generated_modes(sampler, schedule, n_steps, variance, start = "standard") {
  const limit = n_steps === Infinity;
  const ends = limit ? noise_range(schedule) : sampler_trajectory(sampler, schedule, n_steps);
  const response = limit
    ? limit_response(ends, variance, sampler_eta(sampler))
    : sampler_response(ends, variance);
  const { signal, noise_std } = ends;
  const count = variance.re.length;
  const fraction = { re: new Float64Array(count).fill(1), im: new Float64Array(count) };
  const generated = { re: new Float64Array(count), im: new Float64Array(count) };
  for (let i = 0; i < count; i++) {
    const tr = response[4 * i];
    const ti = response[4 * i + 1];
    const ar = response[4 * i + 2];
    const ai = response[4 * i + 3];
    const square_r = tr * tr - ti * ti;
    const square_i = 2 * tr * ti;
    let first_r = signal * signal + noise_std * noise_std;
    let first_i = 0;
    if (start === "standard") {
      fraction.re[i] = 1 - tr * signal;
      fraction.im[i] = -ti * signal;
    } else {
      first_r = signal * signal * variance.re[i] + noise_std * noise_std;
      first_i = signal * signal * variance.im[i];
    }
    generated.re[i] = square_r * first_r - square_i * first_i + ar;
    generated.im[i] = square_r * first_i + square_i * first_r + ai;
  }
  return { fraction, variance: generated };
}

/** [Re transfer, Im transfer, Re added, Im added] of each mode. */
export function sampler_response(trajectory, variance) {
  const [one, two] = trajectory.prepared;
  const count = variance.re.length;
  const response = new Float64Array(4 * count);
  for (let i = 0; i < count; i++) {
    const lr = variance.re[i];
    const li = variance.im[i];
    let tr = 1;
    let ti = 0;
    let ar = 0;
    let ai = 0;
    for (let at = 0; at < one.length; at += 5) {
      // slope = point + (denoised / signal) lambda / (lambda + s^2)
      const floor = one[at];
      let below = lr + floor;
      let size = one[at + 2] / (below * below + li * li || 1);
      let fr = one[at + 1] + (lr * below + li * li) * size;
      let fi = li * floor * size;
      let nr = one[at + 3];
      let ni = 0;
      if (two) {
        const again = two[at];
        below = lr + again;
        size = two[at + 2] / (below * below + li * li || 1);
        const sr = two[at + 1] + (lr * below + li * li) * size;
        const si = li * again * size;
        const r = two[at + 4] + sr * fr - si * fi;
        fi = sr * fi + si * fr;
        fr = r;
        const square = sr * sr - si * si;
        const part = square * nr - 2 * sr * si * ni + two[at + 3];
        ni = square * ni + 2 * sr * si * nr;
        nr = part;
      }
      const turned = fr * tr - fi * ti;
      ti = fr * ti + fi * tr;
      tr = turned;
      const whole_r = fr * fr - fi * fi;
      const whole_i = 2 * fr * fi;
      const moved = whole_r * ar - whole_i * ai + nr;
      ai = whole_r * ai + whole_i * ar + ni;
      ar = moved;
    }
    response[4 * i] = tr;
    response[4 * i + 1] = ti;
    response[4 * i + 2] = ar;
    response[4 * i + 3] = ai;
  }
  return response;
}

/** [s^2, point, denoised / signal, fresh^2, start] of every step. */
function prepared_stage(stage) {
  const ready = new Float64Array((stage.length / 6) * 5);
  for (let k = 0; 6 * k < stage.length; k++) {
    const [signal, noise, start, point, denoised, fresh] = stage.subarray(6 * k, 6 * k + 6);
    ready.set([noise * noise, point, denoised / signal, fresh * fresh, start], 5 * k);
  }
  return ready;
}

/** The same for infinitely many steps. */
export function limit_response(ends, variance, eta) {
  const { signal, noise_std, smallest } = ends;
  const count = variance.re.length;
  const response = new Float64Array(4 * count);
  const floor = smallest * smallest;
  for (let i = 0; i < count; i++) {
    const lr = variance.re[i];
    const li = variance.im[i];
    const low_r = lr + floor;
    const size = low_r * low_r + li * li;
    const last_r = size > 0 ? (lr * low_r + li * li) / size : 0;
    const last_i = size > 0 ? (li * floor) / size : 0;
    const up_r = signal * signal * lr + noise_std * noise_std;
    const up_i = signal * signal * li;
    const up = up_r * up_r + up_i * up_i;
    const shrink_r = (low_r * up_r + li * up_i) / up;
    const shrink_i = (li * up_r - low_r * up_i) / up;
    const [power_r, power_i] = complex_power(shrink_r, shrink_i, (1 + eta * eta) / 2);
    const scale = signal ** (eta * eta);
    const tr = scale * (last_r * power_r - last_i * power_i);
    const ti = scale * (last_r * power_i + last_i * power_r);
    // Rounding may put this factor above 1, and a variance below 0.
    let kept_r = signal * signal * shrink_r;
    let kept_i = signal * signal * shrink_i;
    if (kept_r > 1) [kept_r, kept_i] = [1, 0];
    [kept_r, kept_i] = complex_power(kept_r, kept_i, eta * eta);
    const square_r = last_r * last_r - last_i * last_i;
    const square_i = 2 * last_r * last_i;
    const whole_r = square_r * low_r - square_i * li;
    const whole_i = square_r * li + square_i * low_r;
    const ar = whole_r * (1 - kept_r) + whole_i * kept_i;
    const ai = whole_i * (1 - kept_r) - whole_r * kept_i;
    response.set([tr, ti, ar, ai], 4 * i);
  }
  return response;
}

function complex_power(re, im, power) {
  if (power === 0) return [1, 0];
  const size = Math.hypot(re, im);
  if (size === 0) return [0, 0];
  const length = size ** power;
  const angle = power * Math.atan2(im, re);
  return [length * Math.cos(angle), length * Math.sin(angle)];
}
