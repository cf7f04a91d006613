// Milliseconds of what the explorer page computes while a control is dragged: JSON on stdout.
// Every call has new parameters, as a drag has; the best of several, after a warm-up. Time is that
// of the processor, which other programs do not lengthen.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const load = (name) => import(pathToFileURL(join(folder, `${name}.js`)).href);
const { replicate } = await import(pathToFileURL(join(folder, "..", "page", "simulation_worker.js")).href);
const { one_step } = await load("one_step");
const { one_step_anisotropic } = await load("anisotropic");
const { one_step_spectrum } = await load("singular_values");
const { one_step_anisotropic_spectrum } = await load("anisotropic_spectrum");
const { best_steps, fitted_kl, fitted_model } = await load("fitted_sampling");
const { tangent_grid } = await load("tangent_grids");
const { membership } = await load("membership");
const { simulate_one_step, simulated_singular_values, simulated_distances } = await load("simulation");

const DIM = 100;
const sizes = Array.from({ length: 80 }, (_, k) => Math.round(10 * 10 ** (k / 32)));
const places = Float64Array.from({ length: 150 }, (_, k) => 0.01 * 600 ** (k / 149));
const steps = [1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, Infinity];
const power_law = (exponent, dim = DIM) =>
  Float64Array.from({ length: dim }, (_, k) => (k + 1) ** -exponent);
const slope = power_law(1);
const flat = power_law(0);
const curve_of_steps = (eigenvalues, n) => {
  const model = fitted_model(eigenvalues, n);
  return steps.map((count) => fitted_kl(model, "ddim", "linear", count));
};

const timed = {
  "one_step, 80 n, T moves": (i) => sizes.forEach((n) => one_step(DIM, n, 1 + 0.01 * i)),
  "one_step, 80 n, d moves": (i) => sizes.forEach((n) => one_step(DIM + i, n)),
  "one_step_anisotropic, 80 n, T moves": (i) => one_step_anisotropic(slope, sizes, 1 + 0.01 * i),
  "one_step_anisotropic, 80 n, d moves": (i) => one_step_anisotropic(power_law(1, DIM + i), sizes),
  "one_step_spectrum, 150 s": (i) => one_step_spectrum(places, 0.5 + 0.001 * i, 0.5),
  "one_step_anisotropic_spectrum, 150 s": (i) => one_step_anisotropic_spectrum(places, slope, 150 + i),
  "fitted_model, power law": (i) => fitted_model(slope, 300 + i),
  "fitted_model and 19 S, isotropic": (i) => curve_of_steps(flat, 300 + i),
  "fitted_model and 19 S, power law": (i) => curve_of_steps(slope, 400 + i),
  "best_steps, isotropic": (i) => best_steps(flat, 300 + i, "ddpm:large", "linear"),
  "tangent_grid, 20 steps": (i) => tangent_grid(power_law(1 + 0.01 * i), 20),
  "membership, 80 noises": (i) => sizes.forEach((s2) => membership(slope, s2 / 1e4, 300 + i)),
  "simulate_one_step, n = 200": (i) => simulate_one_step(slope, 200, 2, 1, i),
  "simulate_one_step, n = 1000": (i) => simulate_one_step(slope, 1000, 2, 1, i),
};
const fit = simulate_one_step(slope, 400, 2, 1, 0);
timed["simulated_singular_values"] = () => simulated_singular_values(fit, slope);
timed["simulated_distances"] = () => simulated_distances(fit, slope);
const task = { eigenvalues: slope, time: 2, noise_scale: 1, seed: 0 };
timed["replicate, n = 400"] = (i) => replicate(task, 400, i);

const best = {};
let count = 0;
for (const [name, call] of Object.entries(timed)) {
  const times = Array.from({ length: 15 }, () => {
    const before = process.cpuUsage();
    call((count += 1));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  best[name] = Math.min(...times.slice(3));
}
process.stdout.write(JSON.stringify(best));
