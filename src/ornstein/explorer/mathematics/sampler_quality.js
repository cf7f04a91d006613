// Distances of what a sampler generates to its population, at every number of steps:
// theory/linear_denoisers/sampling.py. The population has mean 0 here.

import { fitted_hellinger_squared, fitted_wasserstein_squared } from "./fitted_distances.js";
import { fitted_distances, fitted_model } from "./fitted_sampling.js";
import { commuting_hellinger_squared, commuting_kl, commuting_wasserstein_squared } from "./gaussians.js";
import { distinct_values } from "./numerics.js";
import { generated_modes } from "./samplers.js";

/**
 * Fields of theory.SamplerQuality: numbers for one n_steps, arrays for several. n_steps may be
 * Infinity. With n_train the model is the one fitted on n points, and distances are expectations.
 * `quick` leaves out those that are slow then, hellinger_squared and wasserstein_squared.
 */
export function sampler_quality(
  eigenvalues, n_steps, sampler = "ddim", schedule = "linear", n_train = null, start = "standard",
  quick = false,
) {
  const distances = n_train === null
    ? population_quality(eigenvalues, sampler, schedule, start)
    : points_quality(eigenvalues, sampler, schedule, n_train, start, quick);
  if (typeof n_steps === "number") return distances(n_steps);
  const rows = Array.from(n_steps, distances);
  const names = rows.length ? Object.keys(rows[0]) : [];
  return Object.fromEntries(names.map((name) => [name, Float64Array.from(rows, (row) => row[name])]));
}

function points_quality(eigenvalues, sampler, schedule, n_train, start, quick) {
  const model = fitted_model(eigenvalues, n_train);
  return (steps) => {
    const how = [model, sampler, schedule, steps, start];
    const found = fitted_distances(...how);
    if (quick) return found;
    const hellinger_squared = fitted_hellinger_squared(...how);
    return { ...found, hellinger_squared, wasserstein_squared: fitted_wasserstein_squared(...how) };
  };
}

/** The distances of the population's own denoisers. */
function population_quality(eigenvalues, sampler, schedule, start) {
  const { values, counts } = distinct_values(eigenvalues);
  const modes = { re: values, im: new Float64Array(values.length) };
  const generated = (steps) => generated_modes(sampler, schedule, steps, modes, start).variance.re;
  const limit = generated(Infinity);
  return (steps) => {
    const law = generated(steps);
    return {
      kl: commuting_kl(law, values, counts),
      hellinger_squared: commuting_hellinger_squared(law, values, counts),
      wasserstein_squared: commuting_wasserstein_squared(law, values, counts),
      discretization_squared: commuting_wasserstein_squared(law, limit, counts),
    };
  };
}
