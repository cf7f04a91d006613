// Eigenvalues of the population covariance, by name, scaled to mean variance 1.
//
// The names are those of `--spectrum`; `--std 1` scales them in the same way.

/** The name that `--spectrum` takes. */
export function spectrum_name(state) {
  if (state.spectrum === "power-law") return `power-law:${state.exponent}`;
  if (state.spectrum === "two-level") return `two-level:${state.ratio}:${state.share}`;
  if (state.spectrum === "list") return state.list.join(",");
  return "isotropic";
}

/** As the command reads them, before they are scaled. */
export function named_eigenvalues(state) {
  const { spectrum, d } = state;
  if (spectrum === "list") return Float64Array.from(state.list);
  const values = new Float64Array(d).fill(1);
  if (spectrum === "power-law") {
    for (let k = 0; k < d; k++) values[k] = (k + 1) ** -state.exponent;
  } else if (spectrum === "two-level") {
    values.fill(state.ratio, 0, large_modes(d, state.share));
  }
  return values;
}

/** How many of d eigenvalues are the large ones: at least one, and not all. */
export function large_modes(d, share) {
  return Math.min(Math.max(Math.round(share * d), 1), Math.max(d - 1, 1));
}

/** Scaled to mean 1, in the given order. */
export function population_eigenvalues(state) {
  const values = named_eigenvalues(state);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value / mean);
}

/** Numbers of a pasted list; throws an Error that says what was expected. */
export function read_list(text, most) {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== "");
  const values = parts.map(Number);
  const wrong = parts.find((_, index) => !(Number.isFinite(values[index]) && values[index] > 0));
  if (wrong !== undefined) throw new Error(`given "${wrong}", expected numbers above 0`);
  if (values.length < 2 || values.length > most) {
    throw new Error(`given ${values.length} numbers, expected 2 to ${most}`);
  }
  if (Math.max(...values) > 1e4 * Math.min(...values)) {
    throw new Error("the largest is more than 10000 times the smallest, expected less");
  }
  return values.sort((a, b) => b - a);
}
