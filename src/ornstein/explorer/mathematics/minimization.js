// The least value of a smooth function.

const LEAST_SLOPE = 1e-4; // of Armijo's condition
const LEAST_TURN = 0.9; // of Wolfe's
const LINE_STEPS = 40;

/**
 * BFGS (Nocedal, Wright, "Numerical optimization", 2006, section 6.1) with a bisecting line search.
 *
 * `value_and_slopes(x)` gives [value, slopes]. It ends where a step no longer lowers the value.
 */
export function least_point(value_and_slopes, start, most_steps = 400) {
  const n = start.length;
  let x = Float64Array.from(start);
  let [value, slopes] = value_and_slopes(x);
  let inverse = null; // of the Hessian
  for (let step = 0; step < most_steps; step++) {
    const direction = new Float64Array(n);
    let downhill = 0;
    for (let i = 0; i < n; i++) {
      let sum = slopes[i];
      if (inverse) {
        sum = 0;
        for (let j = 0; j < n; j++) sum += inverse[i * n + j] * slopes[j];
      }
      direction[i] = -sum;
      downhill -= slopes[i] * sum;
    }
    if (!(downhill < 0)) return { x, value };
    const found = line_search(value_and_slopes, x, value, direction, downhill);
    if (!found || !(found.value < value - 1e-16 * Math.abs(value))) return { x, value };
    const moved = found.x.map((v, i) => v - x[i]);
    const turned = found.slopes.map((v, i) => v - slopes[i]);
    inverse = updated_inverse(inverse, moved, turned, n);
    ({ x, value, slopes } = found);
  }
  return { x, value };
}

function line_search(value_and_slopes, x, value, direction, downhill) {
  let [low, high, length] = [0, Infinity, 1];
  let best = null;
  for (let k = 0; k < LINE_STEPS; k++) {
    const place = x.map((v, i) => v + length * direction[i]);
    const [there, slopes] = value_and_slopes(place);
    let slope = 0;
    for (let i = 0; i < slopes.length; i++) slope += slopes[i] * direction[i];
    if (there < value && (!best || there < best.value)) best = { x: place, value: there, slopes };
    if (!(there <= value + LEAST_SLOPE * length * downhill)) high = length;
    else if (slope < LEAST_TURN * downhill) low = length;
    else return { x: place, value: there, slopes };
    length = high === Infinity ? 2 * low : 0.5 * (low + high);
  }
  return best;
}

function updated_inverse(inverse, moved, turned, n) {
  let [product, size] = [0, 0];
  for (let i = 0; i < n; i++) {
    product += moved[i] * turned[i];
    size += turned[i] * turned[i];
  }
  let before = inverse;
  if (!before) {
    before = new Float64Array(n * n);
    for (let i = 0; i < n; i++) before[i * n + i] = size > 0 ? Math.abs(product) / size : 1;
  }
  if (!(product > 1e-14 * size * 1e-6)) return before;
  const mapped = new Float64Array(n);
  let whole = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) mapped[i] += before[i * n + j] * turned[j];
    whole += mapped[i] * turned[i];
  }
  const factor = (1 + whole / product) / product;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      before[i * n + j] +=
        factor * moved[i] * moved[j] - (mapped[i] * moved[j] + moved[i] * mapped[j]) / product;
    }
  }
  return before;
}

/** Where a function of one variable is least within bounds: by thirds of the golden section. */
export function least_between(value, low, high, tolerance = 1e-9) {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [left, right] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [at_left, at_right] = [value(left), value(right)];
  while (b - a > tolerance * (high - low)) {
    if (at_left <= at_right) {
      [b, right, at_right] = [right, left, at_left];
      left = b - ratio * (b - a);
      at_left = value(left);
    } else {
      [a, left, at_left] = [left, right, at_right];
      right = a + ratio * (b - a);
      at_right = value(right);
    }
  }
  return 0.5 * (a + b);
}
