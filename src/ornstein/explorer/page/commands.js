// The command and the Python that give the numbers of each panel.

import { short_text } from "./number_texts.js";
import { tangent_variance } from "./sampling_steps.js";
import { population_eigenvalues, spectrum_name } from "./spectra.js";
import { ODE_SAMPLERS, training_size } from "./state.js";

/** Options of the population: dimension, spectrum, scale. */
function population(state) {
  if (state.spectrum === "isotropic") return `--dim ${state.d}`;
  const dim = state.spectrum === "list" ? "" : `--dim ${state.d} `;
  return `${dim}--spectrum ${spectrum_name(state)} --std 1`;
}

function noising(state) {
  return `--time ${short_text(state.T)} --noise-scale ${short_text(state.noise)}`;
}

/** Lines of Python that define `values`, the eigenvalues. */
function values_lines(state) {
  if (state.spectrum === "isotropic") {
    return ["import numpy as np", `values = np.ones(${state.d})`];
  }
  const name = spectrum_name(state);
  const dim = state.spectrum === "list" ? "" : `, ${state.d}`;
  return [
    "from ornstein.data.spectra import read_spectrum",
    `values = read_spectrum("${name}"${dim})`,
    "values = values / values.mean()",
  ];
}

const python = (state, ...lines) => [
  "from ornstein import theory", ...values_lines(state), ...lines,
].join("\n");

/** Name of the schedule of the chosen sampler, as `--schedule` takes it. */
export function sampler_schedule(state) {
  if (!ODE_SAMPLERS.includes(state.sampler)) return state.schedule;
  if (state.grid !== "tangent") return state.grid;
  return `tangent:${tangent_variance(population_eigenvalues(state))}`;
}

const aspect = (state) => `${state.d / (training_size(state) - 1)}`;
const signal = (state) => `${1 / (1 + state.noise * -Math.expm1(-2 * state.T))}`;

/** {command, python} by panel. */
export const COPIES = {
  distances: (state) => ({
    command: `ornstein predict one-step ${population(state)} --n-train ${training_size(state)} ${noising(state)}`,
    python: state.spectrum === "isotropic"
      ? ["from ornstein import theory",
        `print(theory.one_step(${state.d}, ${training_size(state)}, time=${short_text(state.T)}, noise_scale=${short_text(state.noise)}))`].join("\n")
      : python(state, `print(theory.one_step_anisotropic(values, ${training_size(state)}, time=${short_text(state.T)}, noise_scale=${short_text(state.noise)}))`),
  }),
  simulation: (state) => ({
    command: `ornstein linear ${population(state)} --mean 0 --train-sizes ${training_size(state)} ${noising(state)} --simulations 100`,
  }),
  spectrum: (state) => (state.spectrum === "isotropic"
    ? {
      command: `ornstein predict spectrum --aspect-ratio ${aspect(state)} --signal-fraction ${signal(state)}`,
      python: ["import numpy as np", "from ornstein import theory",
        `print(theory.one_step_support(${aspect(state)}, ${signal(state)}))`,
        `print(theory.one_step_spectrum(np.linspace(0.05, 2, 40), ${aspect(state)}, ${signal(state)}))`].join("\n"),
    }
    : {
      command: `ornstein predict spectrum ${population(state)} --n-train ${training_size(state)} ${noising(state)}`,
      python: python(state,
        `print(theory.one_step_anisotropic_support(values, ${training_size(state)}, ${short_text(state.T)}, ${short_text(state.noise)}))`),
    }),
  samples: (state) => ({
    python: [
      "import numpy as np", "from ornstein import Gaussian, OneStepDenoiser", ...values_lines(state),
      "population = Gaussian(np.zeros(values.size), values)",
      `train = population.sample(${training_size(state)}, rng=${state.seed})`,
      `model = OneStepDenoiser(time=${short_text(state.T)}, noise_scale=${short_text(state.noise)}, random_state=${state.seed}).fit(train)`,
      "print(model.sample(9).shape, model.generated_law_.covariance.trace / values.sum())",
    ].join("\n"),
  }),
  steps: (state) => ({
    command: `ornstein predict best-steps ${population(state)} --points-per-dimension ${training_size(state) / state.d} --samplers ${state.sampler} ${ODE_SAMPLERS.includes(state.sampler) ? "--ode-schedule" : "--schedule"} ${sampler_schedule(state)}`,
    python: python(state,
      `print(theory.sampler_quality(values, ${state.S}, "${state.sampler}", "${sampler_schedule(state)}", n_train=${training_size(state)}).kl)`,
      `print(theory.best_steps(values, ${training_size(state)}, "${state.sampler}", "${sampler_schedule(state)}"))`),
  }),
  membership: (state) => ({
    command: `ornstein predict membership ${population(state)} --n-train ${training_size(state)}`,
    python: python(state, `print(theory.most_revealing_noise(values, ${training_size(state)}))`),
  }),
};
