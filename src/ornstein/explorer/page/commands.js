// The command and the Python that give the numbers of each panel.

import { ODE_SAMPLERS } from "./controls.js";
import { short_text } from "./number_texts.js";
import { spectrum_name } from "./spectra.js";
import { training_size } from "./state.js";

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

export function sampler_schedule(state) {
  return ODE_SAMPLERS.includes(state.sampler) ? state.grid : state.schedule;
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
  membership: (state) => ({
    command: `ornstein predict membership ${population(state)} --n-train ${training_size(state)}`,
    python: python(state, `print(theory.most_revealing_noise(values, ${training_size(state)}))`),
  }),
};
