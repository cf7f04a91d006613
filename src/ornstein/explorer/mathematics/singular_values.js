// The spectrum of the isotropic one-step model for large d and n:
// theory/one_step_model/singular_values.py, whose docstring derives it.

import { increasing_root } from "./numerics.js";

const POLISHING_STEPS = 4;

/**
 * Density of the non-zero singular values s of Sigma_G^{1/2} / sigma, at each of `points`.
 *
 * `aspect_ratio` is dim / (n_train - 1). The mass is 1: values that are 0 are not in it.
 */
export function one_step_spectrum(points, aspect_ratio, signal_fraction) {
  const density = aspect_ratio <= 1 ? many_points_density : few_points_density;
  const support = one_step_support(aspect_ratio, signal_fraction);
  if (typeof points === "number") return density(points, aspect_ratio, signal_fraction, support);
  return Float64Array.from(points, (s) => density(s, aspect_ratio, signal_fraction, support));
}

/** [low, high] edges of its support; low is 0 for rho2 <= g <= 1, high infinite for g = 1. */
export function one_step_support(aspect_ratio, signal_fraction) {
  const g = aspect_ratio;
  const rho2 = signal_fraction;
  if (g === 1) return [0, Infinity];
  if (g > 1) {
    const c = 1 / g;
    const half = Math.asinh(Math.sqrt(c * (2 - c) * (1 - rho2)) / ((g - 1) / g));
    return [Math.exp(-half), Math.exp(half)];
  }
  return [lower_edge(g, rho2), upper_edge(g, rho2)];
}

function edge_sizes(y, g, rho2) {
  const b = (2 * Math.sqrt(1 - rho2) * g) / (1 - g);
  const B = (b * (1 + y)) / (2 * Math.sqrt(y));
  return [B, Math.sqrt(B * B + 4 * rho2)];
}

function lower_edge(g, rho2) {
  if (g >= rho2) return 0;
  const a = 1 - rho2;
  const spare = 1 - g;
  const y = increasing_root((value) => {
    const [B, R] = edge_sizes(value, g, rho2);
    const curved = 3 * rho2 - ((2 * rho2) / (B + R)) ** 2;
    const slope = rho2 + ((2 + value) * a * g) / spare + (spare / g) * curved;
    return value * slope - (rho2 - g) / spare;
  });
  const [B, R] = edge_sizes(y, g, rho2);
  // s = w (2 w + b e^{-t}) / R there: no difference, however small it is.
  const w = (2 * rho2) / (B + R);
  const b = (2 * Math.sqrt(a) * g) / spare;
  return (w * (2 * w + b * Math.sqrt(y))) / R;
}

function upper_edge(g, rho2) {
  const y = increasing_root((value) => {
    const [B, R] = edge_sizes(value, g, rho2);
    return 2 * (1 - g) * value - (1 - value) * (1 + B / R) * g;
  });
  const [B, R] = edge_sizes(y, g, rho2);
  return (B + R) / 2 + Math.sqrt((1 - rho2) * y);
}

/** The cubic of g <= 1. */
function many_points_density(s, g, rho2, [low, high]) {
  if (!(s >= low && s <= high)) return 0;
  const a = 1 - rho2;
  const rho = Math.sqrt(rho2);
  let real = s; // z = w - s
  let imaginary = Math.sqrt(a);
  if (g === 1) real = 0;
  else {
    // z^3 + e z^2 + p z + q: one real root, and the pair z^2 + B z + C that is left.
    const e = (2 - g) * s;
    const q = a * g * s;
    const near = (1 - g) * (s - rho) * (s + rho) + a * g;
    const p = s < rho / 2 ? g - rho2 + (1 - g) * s * s : near;
    const root = real_cubic_root(e, p, q);
    const C = root < 0 ? -q / root : p;
    const B = -e * root < Math.abs(p) ? e + root : (C - p) / (root < 0 ? root : 1);
    const height = C - (B * B) / 4;
    if (!(height > 0)) return 0;
    real = -B / 2;
    imaginary = Math.sqrt(height);
  }
  // G = (s + z) / gap, gap = s^2 - rho2 + z (2 s + z).
  const gap_real = (s - rho) * (s + rho) + 2 * s * real + real * real - imaginary * imaginary;
  const gap_imaginary = 2 * imaginary * (s + real);
  const size = gap_real * gap_real + gap_imaginary * gap_imaginary;
  if (!(size > 0)) return 0;
  return ((-2 / Math.PI) * (imaginary * gap_real - (s + real) * gap_imaginary)) / size;
}

/** Real root <= 0 of z^3 + e z^2 + p z + q, q >= 0, where the others are a pair. */
function real_cubic_root(e, p, q) {
  if (!(q > 0)) return 0;
  const shift = e / 3;
  const u = p - e * shift;
  const v = 2 * shift ** 3 - shift * p + q;
  const root = Math.sqrt(Math.max((v / 2) ** 2 + (u / 3) ** 3, 0));
  const larger = Math.cbrt(v > 0 ? -v / 2 - root : -v / 2 + root);
  const other = larger !== 0 ? -u / 3 / larger : 0;
  let z = Math.min(larger + other - shift, 0);
  // Cardano's sum cancels where the root is small: Newton's method gives it all its digits.
  for (let k = 0; k < POLISHING_STEPS; k++) {
    const slope = p + z * (2 * e + 3 * z);
    const value = q + z * (p + z * (e + z));
    z = Math.min(z - (slope !== 0 ? value / slope : 0), 0);
  }
  return z;
}

/** The quadratic of g > 1, symmetric under s -> 1/s. */
function few_points_density(s, g, rho2, [low, high]) {
  if (!(s >= low && s <= high)) return 0;
  const c = 1 / g;
  const total = s + 1 / s;
  const gap = ((s - 1) * (s + 1)) / s;
  const noise = 4 * c * (1 - rho2);
  const room = Math.max((2 - c) * noise - (((g - 1) / g) * gap) ** 2, 0);
  return (total * Math.sqrt(room)) / (Math.PI * s * (c * gap * gap + noise));
}
