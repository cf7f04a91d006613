// Wasserstein and Hellinger distance of a fitted sampler to the population, averaged over training
// sets: theory/linear_denoisers/fitted_distances.py. Slow where eigenvalues are many: not while
// dragging.

import { fitted_functions } from "./fitted_sampling.js";
import { fit_rational, on_same_poles, rational_value } from "./rational_fits.js";
import {
  mean_root_trace,
  pencil_correction,
  pencil_covariance,
  pencil_log_det,
  poles_pencil,
  solve_pencil,
} from "./rational_pencils.js";
import { generated_modes } from "./samplers.js";
import { wishart_kl } from "./wishart.js";

function fitted_variance(model, sampler, schedule, n_steps, start) {
  const { nodes } = model.averages;
  const at = (x) => generated_modes(sampler, schedule, n_steps, { re: x, im: new Float64Array(x.length) }, start);
  const [low, high] = [Math.min(...nodes), Math.max(...nodes)];
  return { at, low, high, fitted: fit_rational((x) => at(x).variance.re, low, high) };
}

function fitted_population({ averages, degrees }) {
  return {
    values: averages.values,
    counts: averages.counts,
    n_train: degrees,
    nodes: [...averages.nodes, 0],
    density: [...averages.density, averages.atoms],
  };
}

/** E W_2^2(generated, population). */
export function fitted_wasserstein_squared(model, sampler, schedule, n_steps, start = "standard") {
  const { averages, scale, n_train } = model;
  const { fitted } = fitted_variance(model, sampler, schedule, n_steps, start);
  const law = fitted_functions(model, sampler, schedule, n_steps, start);
  let [low, high, trace, mean, total] = [Infinity, 0, 0, 0, 0];
  averages.nodes.forEach((x, i) => {
    const [value, slope] = rational_value(fitted, x);
    low = Math.min(low, value);
    high = Math.max(high, value);
    trace += model.plain[i] * value + averages.phase[i] * slope;
    mean += (model.shared[i] * law.fraction[i] ** 2) / n_train;
  });
  // Directions without points keep all of the mean.
  averages.values.forEach((value, k) => {
    total += (averages.counts[k] * value) / scale;
    mean += (averages.atoms[k] * averages.counts[k] * value) / scale / n_train;
  });
  // The pencil is that of nu points of the population (nu/n) Sigma.
  const shared = mean_root_trace(fitted, fitted_population(model), low, high) / Math.sqrt(scale);
  return trace + total - 2 * shared + mean;
}

/** E of the squared Hellinger distance 1 - BC to the population. */
export function fitted_hellinger_squared(model, sampler, schedule, n_steps, start = "standard") {
  if (model.singular) return 1;
  const { averages, scale, n_train, rank } = model;
  const { at, low, high, fitted } = fitted_variance(model, sampler, schedule, n_steps, start);
  const population = fitted_population(model);
  const { values, counts } = population;
  const spectrum = values.map((value) => value / scale);
  const both = solve_pencil(fitted, spectrum, population);
  const alone = solve_pencil(fitted, values.map(() => 0), population);
  const poles = poles_pencil(fitted, population);
  const total =
    pencil_log_det(both) + pencil_correction(both) - pencil_log_det(poles) - pencil_correction(poles);
  let own = -2 * wishart_kl(rank, n_train - 1).generated_population;
  let logs = 0;
  values.forEach((value, k) => {
    own += counts[k] * Math.log(value);
    logs += counts[k] * Math.log(spectrum[k]);
  });
  averages.nodes.forEach((x, i) => {
    const [value, slope] = rational_value(fitted, x);
    own += model.plain[i] * Math.log(value / x) + averages.phase[i] * (slope / value - 1 / x);
  });
  let log_affinity = 0.25 * (logs + own) - 0.5 * total + 0.5 * rank * Math.LN2;

  // The mean: passed = 1 - tau, tau = sum_j weights_j C/(C + p_j), on the blocks of the pencil.
  const weights = on_same_poles(fitted, (x) => at(x).fraction.re.map((f) => 1 - f), low, high);
  const size = both.size;
  const passed = new Float64Array(size);
  passed[0] = 1 - weights.reduce((sum, weight) => sum + weight, 0);
  const unit = new Float64Array(size).fill(1);
  fitted.poles.forEach((pole, j) => {
    passed[j + 1] = weights[j] * pole;
    const c = fitted.coefficients[j];
    unit[j + 1] = -Math.sign(c) / Math.sqrt(Math.abs(c) * pole);
  });
  values.forEach((value, k) => {
    let sum = 0;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        let block = both.Q[k][i * size + j];
        if (i > 0 && j > 0) {
          block -= Math.sign(fitted.coefficients[j - 1]) * poles.Q[k][(i - 1) * (size - 1) + j - 1];
        }
        sum += passed[i] * unit[i] * block * unit[j] * passed[j];
      }
    }
    log_affinity -= (0.25 * sum * spectrum[k] * counts[k]) / n_train;
  });

  // ln det f(C) and ln det (Sigma + f(C)) are differences of two pencils each.
  const parts = [[alone, 0.25], [both, -0.5], [poles, 0.25]];
  let variance = 0;
  parts.forEach(([one, a], i) => {
    parts.slice(i).forEach(([two, b], j) => (variance += (j ? 2 : 1) * a * b * pencil_covariance(one, two)));
  });
  return -Math.expm1(log_affinity + 0.5 * variance);
}
