// Roots, quadrature and small linear systems. Matrices are Float64Array, row by row.

const ROOT_STEPS = 200;
const ROOT_RESOLUTION = 4 * Number.EPSILON;

/**
 * Root y > 0 of a function that decreases with ln y, in [lower, upper].
 *
 * `value_and_slope(y)` gives [g, dg/d ln y]. Newton's method in ln y, with bisection where it
 * leaves the bracket or does not halve its step.
 */
export function decreasing_root(value_and_slope, lower, upper) {
  let low = lower;
  let high = upper;
  let y = Math.sqrt(low) * Math.sqrt(high);
  let previous = Infinity;
  if (!(high > low * (1 + ROOT_RESOLUTION))) return y;
  for (let k = 0; k < ROOT_STEPS; k++) {
    const [value, slope] = value_and_slope(y);
    if (value > 0) low = y;
    else high = y;
    const step = slope < 0 ? -value / slope : 1e3;
    if (Math.abs(step) <= ROOT_RESOLUTION) return y;
    const proposal = y * Math.exp(Math.min(step, 1 + Math.log(high / y)));
    const newton = proposal > low && proposal < high && Math.abs(step) < 0.5 * previous;
    y = newton ? proposal : Math.sqrt(low) * Math.sqrt(high);
    previous = newton ? Math.abs(step) : Infinity;
    if (!(high > low * (1 + ROOT_RESOLUTION))) break;
  }
  return y;
}

/** Root of an increasing function of y in [1e-300, 1], however small, by bisection in ln y. */
export function increasing_root(excess) {
  let low = Math.log(1e-300);
  let high = 0;
  while (high - low > 1e-3) {
    const middle = 0.5 * (low + high);
    if (excess(Math.exp(middle)) > 0) high = middle;
    else low = middle;
  }
  let left = Math.exp(low);
  let right = Math.exp(high);
  while (right - left > 2e-16 * right) {
    const middle = 0.5 * (left + right);
    if (middle <= left || middle >= right) break;
    if (excess(middle) > 0) right = middle;
    else left = middle;
  }
  return 0.5 * (left + right);
}

const legendre_rules = new Map();

/** Nodes and weights of Gauss and Legendre on [-1, 1]. */
export function leggauss(order) {
  if (legendre_rules.has(order)) return legendre_rules.get(order);
  const nodes = new Float64Array(order);
  const weights = new Float64Array(order);
  for (let i = 0; i < order; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (order + 0.5));
    let slope = 1;
    for (let k = 0; k < 100; k++) {
      let before = 1;
      let here = x;
      for (let j = 2; j <= order; j++) {
        [before, here] = [here, ((2 * j - 1) * x * here - (j - 1) * before) / j];
      }
      slope = (order * (x * here - before)) / (x * x - 1);
      const step = here / slope;
      x -= step;
      if (Math.abs(step) < 1e-16) break;
    }
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  const rule = { nodes, weights };
  legendre_rules.set(order, rule);
  return rule;
}

/**
 * Solve a x = b in place for `columns` right-hand sides; a is n by n, b n by columns.
 *
 * Gauss' method with row pivots. Returns ln |det a|; a is overwritten, as b is by x.
 */
export function solve_in_place(a, b, n, columns) {
  let log_det = 0;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    let largest = Math.abs(a[k * n + k]);
    for (let i = k + 1; i < n; i++) {
      const size = Math.abs(a[i * n + k]);
      if (size > largest) {
        largest = size;
        pivot = i;
      }
    }
    if (pivot !== k) {
      for (let j = k; j < n; j++) {
        const kept = a[k * n + j];
        a[k * n + j] = a[pivot * n + j];
        a[pivot * n + j] = kept;
      }
      for (let j = 0; j < columns; j++) {
        const kept = b[k * columns + j];
        b[k * columns + j] = b[pivot * columns + j];
        b[pivot * columns + j] = kept;
      }
    }
    const top = a[k * n + k];
    log_det += Math.log(Math.abs(top));
    const inverse = 1 / top;
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] * inverse;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
      for (let j = 0; j < columns; j++) b[i * columns + j] -= factor * b[k * columns + j];
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    const inverse = 1 / a[k * n + k];
    for (let c = 0; c < columns; c++) {
      let value = b[k * columns + c];
      for (let j = k + 1; j < n; j++) value -= a[k * n + j] * b[j * columns + c];
      b[k * columns + c] = value * inverse;
    }
  }
  return log_det;
}

/** Inverse of an n by n matrix. */
export function inverse_matrix(a, n) {
  const b = new Float64Array(n * n);
  for (let i = 0; i < n; i++) b[i * n + i] = 1;
  solve_in_place(Float64Array.from(a), b, n, n);
  return b;
}

/** Distinct values of an array in ascending order, how often each occurs, and where they went. */
export function distinct_values(values) {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const found = [];
  const counts = [];
  const inverse = new Int32Array(values.length);
  for (const i of order) {
    if (!found.length || values[i] !== found[found.length - 1]) {
      found.push(values[i]);
      counts.push(0);
    }
    counts[counts.length - 1] += 1;
    inverse[i] = found.length - 1;
  }
  return { values: Float64Array.from(found), counts: Float64Array.from(counts), inverse };
}

export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** A function of numbers that remembers its last answers; `size` of them. */
export function remembered(compute, size) {
  const known = new Map();
  return (...parameters) => {
    const key = parameters.join(",");
    let value = known.get(key);
    if (value === undefined) {
      value = compute(...parameters);
      if (known.size >= size) known.delete(known.keys().next().value);
      known.set(key, value);
    }
    return value;
  };
}

/**
 * Eigenvalues of a symmetric tridiagonal matrix, ascending, and the first components of its
 * eigenvectors, by QL steps with implicit shifts (Golub and Welsch).
 */
export function symmetric_tridiagonal(diagonal, beside) {
  const n = diagonal.length;
  const d = Float64Array.from(diagonal);
  const e = new Float64Array(n);
  e.set(beside);
  const row = new Float64Array(n);
  row[0] = 1;
  for (let l = 0; l < n; l++) {
    for (let round = 0; round < 100; round++) {
      let m = l;
      while (m < n - 1) {
        const size = Math.abs(d[m]) + Math.abs(d[m + 1]);
        if (Math.abs(e[m]) <= Number.EPSILON * size) break;
        m += 1;
      }
      if (m === l) break;
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      let r = Math.hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i];
        const b = c * e[i];
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        const kept = row[i + 1];
        row[i + 1] = s * row[i] + c * kept;
        row[i] = c * row[i] - s * kept;
      }
      if (r === 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  const order = Array.from(d, (_, k) => k).sort((a, b) => d[a] - d[b]);
  return {
    values: Float64Array.from(order, (k) => d[k]),
    first_row: Float64Array.from(order, (k) => row[k]),
  };
}
