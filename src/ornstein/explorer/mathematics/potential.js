// Logarithmic potential, nuclear norm and affinity of the isotropic one-step model:
// theory/one_step_model/potential.py.

import {
  GINIBRE_CONSTANT,
  one_step_log_det,
  threshold_correction,
  threshold_distance,
} from "./log_determinant.js";
import { leggauss } from "./numerics.js";
import { expit, xlogy } from "./special_functions.js";
import { entropy_gap, log_det_deficit, log_det_variance } from "./wishart.js";

const LEAST_REST = 1e-17;
const TINY_T = 1e-9; // stands for t = 0+
const SQUARE_SKEWNESS = -0.04351681685;

/** Sizes and fractions; `gap` is what 1 - g has to be for E ln det W to be exact. */
export function one_step_setting(d, n, signal, noise) {
  const q = Math.min(d, n - 1);
  const N = Math.max(d, n - 1);
  const g = q / N;
  const leading = (q * entropy_gap(g)) / g;
  const gap = Math.min(Math.max(Math.exp(2 * (leading - log_det_deficit(q, N))), 1e-300), 1);
  return { q, N, g, e: (d - q) / q, rho2: signal, a: noise, gap };
}

/** Mean of tr Sigma_G^{1/2} / sigma. */
export function mean_nuclear_norm(setting) {
  const { nodes, weights } = leggauss(64);
  let sum = 0;
  for (let i = 0; i < nodes.length; i++) {
    // y = tan(phi / 2) maps the half line to (0, pi) and its two ends alike.
    const y = Math.tan((Math.PI * (nodes[i] + 1)) / 4);
    const square = y * y;
    const excess = isotropic_potential(square, setting) - setting.q * Math.log1p(square);
    sum += weights[i] * excess * (1 + square);
  }
  return setting.q + sum / 4;
}

/** Log-affinity, the second cumulant in it, and that for many singular values. */
export function affinity_cumulants(d, n, signal, noise, log_det = null) {
  const points = Math.max(n, d + 1);
  const setting = one_step_setting(d, points, signal, noise);
  const b = 1 + noise / (2 * points);
  const t = (1 + 1 / (2 * points)) / b;
  const state = isotropic_state(t, setting);
  const origin = isotropic_state(TINY_T, setting);
  const mean_log_det = log_det === null ? one_step_log_det(d, points, signal, noise) : log_det;
  // What the mean of the law costs, and what its covariance does.
  const shift = 0.5 * d * (Math.log(b) + Math.log1p((t - 1) / 2));
  let excess = 0.5 * (isotropic_potential(t, setting) - d * Math.log1p(t)) - 0.25 * mean_log_det;
  excess = Math.max(excess, 0);
  let spread = isotropic_log_det_variance(d, points, setting) / 16;
  spread += isotropic_covariance(state, state, setting) / 4;
  spread -= isotropic_covariance(origin, state, setting) / 4;
  spread += 2 * SQUARE_SKEWNESS * square_share(d, points, signal);
  const found = isotropic_few(excess, spread, d, points - 1 - d);
  return [Math.min(found / 2 - excess, 0) - shift, found, spread];
}

/** Second cumulant where few singular values make all of it. */
function isotropic_few(excess, spread, d, more) {
  const root = Math.sqrt(d);
  if (more === 0) return (0.7 * (1 - 0.3 / root) * excess) / (1 + 0.5 * excess);
  const linear = (more === 1 ? 0.22 + 0.2 / root : 0.15 + 0.25 / root) * excess;
  if (d <= 2) return linear;
  // Both are bounds; near where they meet neither is reached.
  const ratio = spread > 1e-9 * linear ? linear / spread : 1e9;
  return linear * (1 + Math.min(ratio, 1e9) ** 6) ** (-1 / 6);
}

function isotropic_log_det_variance(d, n, setting) {
  const { rho2, a } = setting;
  const correction = threshold_correction(d, n, rho2);
  const square = log_det_variance(d, d) - 2 * Math.log(d) + 4 * GINIBRE_CONSTANT;
  const gap = setting.g < 1 ? 1 - setting.g : setting.gap;
  const g = 1 - gap;
  let wishart = 0;
  if (g > rho2) {
    const inside = ((g - rho2 * rho2) * gap) / (g * (rho2 < 1 ? a : 1) ** 2);
    wishart = -2 * Math.log(Math.max(inside, 1e-300));
  }
  return -4 * correction + wishart + square * square_share(d, n, rho2);
}

/** How far ln det behaves like that of a square matrix: 1 far below n*, 0 above. */
function square_share(d, n, rho2) {
  const delta = Math.min(Math.max(threshold_distance(d, n, rho2), -100), 100);
  return expit(0.5 - delta);
}

function isotropic_potential(t, s) {
  // Without noise the singular values are 1.
  if (!(s.a > 0)) return s.q * Math.log1p(t);
  const state = isotropic_state(t, s);
  let leading = Math.log(state.kappa / state.y) + s.e * Math.log(state.p);
  const rest = rest_of(s.g, state.y);
  leading += (xlogy(1 - s.g, 1 - s.g) - xlogy(1 - s.g, rest)) / s.g;
  let next = Math.log(stability(state, state, s, 1 - s.gap));
  next += Math.log(rest_of(1 - s.gap, state.y * state.y)) - Math.log(s.gap);
  return s.q * leading + next / 2;
}

function isotropic_covariance(one, two, s) {
  if (!(s.a > 0)) return 0;
  const g = s.g < 1 ? s.g : 1 - s.gap;
  const wishart =
    (rest_of(g, one.y * two.y) / rest_of(g, one.y)) * (rest_of(g, 1) / rest_of(g, two.y));
  return -2 * Math.log(stability(one, two, s, g) * wishart);
}

/** 1 - g y, at least the rounding error of y. */
function rest_of(g, y) {
  return Math.max(1 - g + g * (1 - y), LEAST_REST);
}

/** Deterministic equivalent at one t. */
function isotropic_state(t, s) {
  const X = s.e > 0 ? transform_wide(t, s.g, s.rho2) : transform_square(t, s.g, s.rho2);
  // p solves a quadratic; r = 1/p is its root that stays finite.
  const A = 1 - s.g * X * t;
  const B = s.g * X * s.rho2;
  const total = A + B + s.a * s.g * X;
  const r = (2 * A) / (total + Math.sqrt(Math.max(total * total - 4 * A * B, 0)));
  const kappa = t / r + s.rho2;
  const y = X * (t + s.rho2 * r);
  const z = ((s.g * s.a) / kappa) * (1 + s.e - (s.rho2 * y) / kappa);
  return { t, p: 1 / r, kappa, y, b: kappa * z * r };
}

/** L'(t)/q for nu >= d, by the cubic. */
function transform_square(t, g, rho2) {
  const a = 1 - rho2;
  const sigma = Math.sqrt(t);
  let root = sigma + Math.sqrt(a * g);
  // The cubic is convex right of its root, and positive here: Newton falls onto it.
  for (let k = 0; k < 60; k++) {
    const quadratic = root * root - g * sigma * root + (1 - g) * rho2;
    const value = (root - sigma) * quadratic - a * g * root;
    const slope = quadratic + (root - sigma) * (2 * root - g * sigma) - a * g;
    const step = slope > 0 ? value / slope : 0;
    root -= step;
    if (Math.abs(step) <= 1e-14 * root) break;
  }
  return root / (sigma * (root * root + rho2));
}

/** L'(t)/q for nu < d, by the quadratic. */
function transform_wide(t, c, rho2) {
  const missing = 1 - c;
  const noise = 4 * (1 - rho2) * c * (2 - c);
  const root = Math.sqrt(t);
  const outer = (1 + t) / root;
  const apart = Math.abs(1 - t) / root;
  const inner = Math.sqrt((missing * outer) ** 2 + noise);
  // t X(t) + X(1/t) / t = 1: the smaller of the two is a sum, the larger what it leaves.
  const spread = Math.max(inner + missing * apart, 1e-300);
  let small = 2 / (outer + apart) + (2 * missing * missing + noise / 2) / spread;
  small /= outer + inner;
  return (t < 1 ? small : 1 - small) / t;
}

/** S = (1 - P)^2 - Q1 Q2. */
function stability(one, two, s, g) {
  const yy = one.y * two.y;
  const J = yy / rest_of(g, yy);
  const both = one.kappa * two.kappa;
  const P = ((s.a * s.rho2 * s.g) / both) * J;
  const E0 = J / rest_of(g, one.y) / rest_of(g, two.y);
  const Q2 = ((s.a * one.p * two.p * s.g * s.g) / both) * E0;
  let Q1 = one.t * two.t * J * (1 + g - g * (one.y + two.y));
  Q1 += (one.t * two.b + two.t * one.b) * J + one.b * two.b * E0;
  Q1 = s.a * (Q1 / both + s.e / (one.p * two.p));
  return Math.max((1 - P) ** 2 - Q1 * Q2, TINY_T);
}
