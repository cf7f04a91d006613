// Least squares, and functions of an eigenvalue as sums of simple fractions:
// theory/numerics/rational_fits.py.

const FEWEST_POLES = 6;
const POLES_PER_DECADE = 2.5;
const FIT_POINTS = 400;
const NEGLIGIBLE_POLE = 1e-8;
const JACOBI_SWEEPS = 40;

/**
 * Least squares by singular values (one-sided Jacobi rotations): `columns` are arrays, singular
 * values below `cut` times the largest are left out.
 */
export function least_squares(columns, goal, cut) {
  const count = columns.length;
  const U = columns.map((column) => Float64Array.from(column));
  const V = columns.map((_, i) => Float64Array.from({ length: count }, (__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < JACOBI_SWEEPS; sweep++) {
    let turned = false;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        let [a, b, c] = [0, 0, 0];
        for (let k = 0; k < goal.length; k++) {
          a += U[i][k] * U[i][k];
          b += U[j][k] * U[j][k];
          c += U[i][k] * U[j][k];
        }
        if (Math.abs(c) <= 1e-16 * Math.sqrt(a * b)) continue;
        turned = true;
        const zeta = (b - a) / (2 * c);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cosine = 1 / Math.sqrt(1 + t * t);
        rotate_pair(U[i], U[j], cosine, cosine * t);
        rotate_pair(V[i], V[j], cosine, cosine * t);
      }
    }
    if (!turned) break;
  }
  const squares = U.map((column) => column.reduce((sum, value) => sum + value * value, 0));
  const largest = Math.max(...squares);
  const x = new Float64Array(count);
  U.forEach((column, i) => {
    if (!(squares[i] > cut * cut * largest)) return;
    let part = 0;
    for (let k = 0; k < goal.length; k++) part += column[k] * goal[k];
    for (let j = 0; j < count; j++) x[j] += (V[i][j] * part) / squares[i];
  });
  return x;
}

function rotate_pair(a, b, cosine, sine) {
  for (let k = 0; k < a.length; k++) {
    const value = a[k];
    a[k] = cosine * value - sine * b[k];
    b[k] = sine * value + cosine * b[k];
  }
}

function geometric_points(low, high, count) {
  return Float64Array.from({ length: count }, (_, k) => low * (high / low) ** (k / (count - 1)));
}

/**
 * f(x) = constant + linear x + sum_j coefficients_j x / (x + poles_j), in relative error on
 * [low, high]; `values_of(x)` takes and gives arrays.
 */
export function fit_rational(values_of, low, high, constant = 0) {
  const x = geometric_points(low / 1.2, high * 1.2, FIT_POINTS);
  const values = values_of(x);
  const count = Math.floor(FEWEST_POLES + POLES_PER_DECADE * Math.log10(high / low));
  let poles = geometric_points(low / 2, high * 2, count);
  for (;;) {
    const basis = [x.map((v, k) => v / values[k])];
    for (const pole of poles) basis.push(x.map((v, k) => v / (v + pole) / values[k]));
    const sizes = basis.map((column) => Math.sqrt(column.reduce((sum, v) => sum + v * v, 0)));
    const goal = values.map((value) => 1 - constant / value);
    const scaled = least_squares(basis.map((column, i) => column.map((v) => v / sizes[i])), goal, 1e-11);
    const largest = Math.max(...scaled.map(Math.abs));
    // Poles without weight would be divided by.
    const used = Array.from(poles, (_, j) => Math.abs(scaled[j + 1]) > NEGLIGIBLE_POLE * largest);
    if (used.every(Boolean)) {
      const coefficients = poles.map((_, j) => scaled[j + 1] / sizes[j + 1]);
      return { constant, linear: scaled[0] / sizes[0], coefficients, poles };
    }
    poles = poles.filter((_, j) => used[j]);
  }
}

/** Value and slope of a fitted function. */
export function rational_value(fitted, x) {
  let value = fitted.constant + fitted.linear * x;
  let slope = fitted.linear;
  fitted.poles.forEach((pole, j) => {
    const share = 1 / (x + pole);
    value += fitted.coefficients[j] * x * share;
    slope += fitted.coefficients[j] * pole * share * share;
  });
  return [value, slope];
}

/** Coefficients on the same poles of a bounded function with f(0) = 0. */
export function on_same_poles(fitted, values_of, low, high) {
  const x = geometric_points(low, high, FIT_POINTS);
  const basis = Array.from(fitted.poles, (pole) => x.map((v) => v / (v + pole)));
  return least_squares(basis, values_of(x), 1e-10);
}
