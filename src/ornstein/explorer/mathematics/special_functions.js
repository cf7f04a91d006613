// Special functions of a real argument, to a few units in the last place.
//
// Gamma functions: Stirling's series from x = 16 on, recurrences below. erf: a series of positive
// terms below 2, a continued fraction above. Incomplete Beta function: the continued fraction of
// DLMF 8.17.22 with the prefactor written by deviances (Loader, "Fast and accurate computation of
// binomial probabilities", 2000), so that large parameters cost no digits.

export const EULER_GAMMA = 0.5772156649015329;
export const LOG_2PI = Math.log(2 * Math.PI);
const SQRT_PI = Math.sqrt(Math.PI);
// Bernoulli numbers B_2, B_4, ..
const BERNOULLI = [
  1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510,
];

export function expit(x) {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

export function xlogy(x, y) {
  return x === 0 ? 0 : x * Math.log(y);
}

/** ln Gamma(x) - [(x - 1/2) ln x - x + ln(2 pi) / 2], for x > 0. */
export function stirling_rest(x) {
  if (x < 16) {
    return log_gamma(x) - ((x - 0.5) * Math.log(x) - x + 0.5 * LOG_2PI);
  }
  const inverse = 1 / (x * x);
  let sum = 0;
  for (let k = BERNOULLI.length - 1; k >= 0; k--) {
    sum = sum * inverse + BERNOULLI[k] / ((2 * k + 2) * (2 * k + 1));
  }
  return sum / x;
}

/** ln Gamma(x), x > 0. */
export function log_gamma(x) {
  let product = 1;
  let log = 0;
  let z = x;
  while (z < 16) {
    product *= z;
    z += 1;
  }
  log = Math.log(product);
  return (z - 0.5) * Math.log(z) - z + 0.5 * LOG_2PI + stirling_rest(z) - log;
}

/** psi(x), x > 0. */
export function digamma(x) {
  let sum = 0;
  let z = x;
  while (z < 16) {
    sum -= 1 / z;
    z += 1;
  }
  const inverse = 1 / (z * z);
  let series = 0;
  for (let k = BERNOULLI.length - 1; k >= 0; k--) {
    series = series * inverse + BERNOULLI[k] / (2 * k + 2);
  }
  return sum + Math.log(z) - 0.5 / z - series * inverse;
}

/** psi'(x), x > 0. */
export function trigamma(x) {
  let sum = 0;
  let z = x;
  while (z < 16) {
    sum += 1 / (z * z);
    z += 1;
  }
  const inverse = 1 / (z * z);
  let series = 0;
  for (let k = BERNOULLI.length - 1; k >= 0; k--) series = series * inverse + BERNOULLI[k];
  return sum + 1 / z + 0.5 * inverse + (series * inverse) / z;
}

/** e^{x^2} erfc(x). */
export function erfcx(x) {
  if (x < 2) return Math.exp(x * x) * erfc(x);
  // Backwards through x + (1/2)/(x + 1/(x + (3/2)/(x + ..))).
  let tail = x;
  for (let k = Math.ceil(10 + 400 / (x * x)); k > 0; k--) tail = x + (0.5 * k) / tail;
  return 1 / (SQRT_PI * tail);
}

export function erf(x) {
  const size = Math.abs(x);
  if (size >= 2) return Math.sign(x) * (1 - Math.exp(-size * size) * erfcx(size));
  let term = x;
  let sum = x;
  for (let k = 1; k < 80; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
    if (Math.abs(term) < 1e-18 * Math.abs(sum)) break;
  }
  return (2 / SQRT_PI) * Math.exp(-x * x) * sum;
}

export function erfc(x) {
  return x < 2 ? 1 - erf(x) : Math.exp(-x * x) * erfcx(x);
}

/** Normal distribution function. */
export function ndtr(x) {
  return 0.5 * erfc(-x / Math.SQRT2);
}

/** Its inverse. */
export function ndtri(p) {
  if (!(p > 0)) return p === 0 ? -Infinity : NaN;
  if (!(p < 1)) return p === 1 ? Infinity : NaN;
  if (p > 0.5) return -ndtri(1 - p);
  // x <= 0, from Mills' ratio; Newton's method in ln p, which is concave there, cannot overshoot.
  let x = -Math.sqrt(Math.max(-2 * Math.log(2 * p), 0));
  for (let k = 0; k < 60; k++) {
    const tail = 0.5 * erfcx(-x / Math.SQRT2);
    const step = (Math.log(tail) - 0.5 * x * x - Math.log(p)) * tail * Math.sqrt(2 * Math.PI);
    x -= step;
    if (Math.abs(step) <= 1e-15 * Math.abs(x) + 1e-16) break;
  }
  return x;
}

/** x ln(x/m) + m - x, without cancellation near x = m. */
export function deviance(x, m) {
  const v = (x - m) / (x + m);
  if (Math.abs(v) > 0.1) return x === 0 ? m : x * Math.log(x / m) + m - x;
  let sum = (x - m) * v;
  let term = 2 * x * v;
  for (let k = 1; k < 60; k++) {
    term *= v * v;
    const more = sum + term / (2 * k + 1);
    if (more === sum) break;
    sum = more;
  }
  return sum;
}

/** What x^a y^b / B(a, b) has in common for all x. */
export function beta_constant(a, b) {
  const rest = stirling_rest(a + b) - stirling_rest(a) - stirling_rest(b);
  return Math.sqrt((a * b) / (2 * Math.PI * (a + b))) * Math.exp(rest);
}

/** x^a y^b / B(a, b), y = 1 - x with digits of its own. */
export function beta_weight(a, b, x, y, constant = beta_constant(a, b)) {
  const n = a + b;
  return constant * Math.exp(-deviance(a, n * x) - deviance(b, n * y));
}

/** Regularised incomplete Beta function I_x(a, b); y = 1 - x. */
export function betainc(a, b, x, y = 1 - x, constant = beta_constant(a, b)) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  if (x * (b + 1) > y * (a + 1)) return 1 - beta_fraction(b, a, y, x, constant);
  return beta_fraction(a, b, x, y, constant);
}

function beta_fraction(a, b, x, y, constant) {
  // Lentz' method on DLMF 8.17.22.
  const weight = beta_weight(a, b, x, y, constant);
  if (weight === 0) return 0;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < 10000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return (weight / a) * h;
}
