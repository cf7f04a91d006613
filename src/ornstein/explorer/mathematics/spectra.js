// Population spectra, with the names and the normalisation of the command line's --spectrum.

/** All eigenvalues 1. */
export function isotropic(dim) {
  return new Float64Array(dim).fill(1);
}

/** k^-exponent for k = 1 .. dim. */
export function power_law(dim, exponent) {
  return Float64Array.from({ length: dim }, (_, k) => (k + 1) ** -exponent);
}

/** The first `count` eigenvalues `high`, the others `low`. */
export function two_level(dim, count, high, low) {
  return Float64Array.from({ length: dim }, (_, k) => (k < count ? high : low));
}

/**
 * Eigenvalues from `isotropic`, `power-law:A` or a list of numbers.
 *
 * A list is separated by commas as on the command line; spaces and line breaks, as a spreadsheet
 * gives them, do as well. Throws a RangeError that says what was given and what is expected.
 */
export function read_spectrum(text, dim = 100) {
  const name = String(text).trim();
  const [kind, exponent] = name.split(/:(.*)/s);
  if (name === "isotropic") return isotropic(dim);
  if (kind === "power-law" && exponent !== undefined) {
    const power = exponent.trim() === "" ? NaN : Number(exponent);
    if (Number.isFinite(power) && -power * Math.log(dim) < Math.log(1e300)) {
      return power_law(dim, power);
    }
  } else {
    const parts = name.replace(/^[[\]() ]+|[[\]() ]+$/g, "").split(/[,;\s]+/).filter(Boolean);
    const values = Float64Array.from(parts, Number);
    if (values.length && !values.some(Number.isNaN)) {
      if (values.every((v) => Number.isFinite(v) && v >= 0) && values.some((v) => v > 0)) {
        return values;
      }
      throw new RangeError("spectrum: expected numbers >= 0, not all of them 0");
    }
  }
  throw new RangeError(
    `spectrum: given ${name.slice(0, 60) || "nothing"}, expected isotropic, power-law:EXPONENT or ` +
      "a list of numbers",
  );
}

/** Mean of an array. */
export function mean_value(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
