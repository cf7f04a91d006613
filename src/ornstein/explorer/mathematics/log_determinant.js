// The threshold n* of the one-step model and the universal function h that joins its two sides:
// theory/one_step_model/log_determinant.py.

import { exact_log_det } from "./exact_log_determinant.js";
import { leggauss, remembered } from "./numerics.js";
import { EULER_GAMMA, erf, erfc, erfcx } from "./special_functions.js";

export const GINIBRE_CONSTANT = (1 - EULER_GAMMA - Math.LN2) / 2;
/** Beyond this distance the series of h is used. */
export const THRESHOLD_FAR = 12;
const TABLE_PANELS = 24;
const TABLE_ORDER = 16;

/** h(delta), in nats. */
export function threshold_function(delta) {
  if (delta > THRESHOLD_FAR) return Math.log(delta) + threshold_tail(1 / (delta * delta));
  const place = ((Math.max(delta, -THRESHOLD_FAR) + THRESHOLD_FAR) / (2 * THRESHOLD_FAR)) * TABLE_PANELS;
  const panel = Math.min(Math.floor(place), TABLE_PANELS - 1);
  const { points, values } = threshold_panel(panel);
  const x = 2 * (place - panel) - 1;
  let above = 0;
  let below = 0;
  for (let j = 0; j <= TABLE_ORDER; j++) {
    const gap = x - points[j];
    if (gap === 0) return values[j];
    const weight = ((j % 2 ? -1 : 1) * (j === 0 || j === TABLE_ORDER ? 0.5 : 1)) / gap;
    above += weight * values[j];
    below += weight;
  }
  return above / below;
}

/** h at the Chebyshev points of one of the equal panels of [-12, 12]. */
const threshold_panel = remembered((panel) => {
  const count = TABLE_ORDER + 1;
  const points = Float64Array.from({ length: count }, (_, j) => -Math.cos((Math.PI * j) / TABLE_ORDER));
  const width = (2 * THRESHOLD_FAR) / TABLE_PANELS;
  const left = -THRESHOLD_FAR + width * panel;
  return { points, values: points.map((x) => threshold_integral(left + 0.5 * width * (x + 1))) };
}, TABLE_PANELS);

/** h inside |delta| <= 12, by quadrature. */
export function threshold_integral(delta) {
  const { nodes, weights } = leggauss(60);
  const xi = delta / 2;
  // The integrand of Y, cut at e^-25; the two signs of s are scaled apart against overflow.
  const upper = Math.max(xi, -4.9);
  let integral = 0;
  for (let i = 0; i < nodes.length; i++) {
    const s = -5 + ((upper + 5) * (nodes[i] + 1)) / 2;
    const size = Math.abs(s);
    let value;
    if (s > 0) {
      const decay = Math.exp(Math.min(s * s - upper * upper, 0));
      value = erfc(-Math.SQRT2 * s) * (erfcx(size) - decay * erfcx(Math.max(upper, 0)));
    } else {
      // erf(upper) - erf(s), both as complements where both are near -1.
      const rise = upper < 0 ? erfc(-upper) - erfc(-s) : erf(upper) - erf(s);
      value = Math.exp(-s * s) * erfcx(Math.SQRT2 * size) * rise;
    }
    integral += weights[i] * value;
  }
  integral *= (upper + 5) / 2;
  const edge =
    (xi * xi + 0.25) * erfc(Math.SQRT2 * xi) - (xi * Math.exp(-2 * xi * xi)) / Math.sqrt(2 * Math.PI);
  const low = Math.min(xi, 0);
  return (Math.sqrt(Math.PI) / 2) * integral + edge - 2 * low * low - (EULER_GAMMA + Math.LN2) / 2;
}

/** h(delta) - ln delta for large delta, from delta^-2. */
export function threshold_tail(inverse_square) {
  return -inverse_square * (1 + 3 * inverse_square + 20 * inverse_square * inverse_square);
}

function tau_of(d, nu, rho2) {
  const room = Math.max(nu - d - 1, 0);
  const share = room > 0 ? d / room : 0;
  return [Math.min((1 - rho2) / rho2, 1e290) * share, room];
}

/** Distance delta to n*, in widths of the window around it. */
export function threshold_distance(d, n, rho2) {
  if (rho2 === 1) return Infinity;
  const nu = n - 1;
  const [tau, room] = tau_of(d, nu, rho2);
  if (!(room > 0)) return -Infinity;
  const g = d / nu;
  if (g < rho2) {
    const above = Math.sqrt(d * Math.max(1 - g, 0));
    if (tau >= 1) return above * (1 - tau);
    return tau > 0 ? (above * (1 - tau)) / tau : Infinity;
  }
  return Math.sqrt(d * Math.max(1 - (rho2 * rho2) / g, 0)) * (1 - tau);
}

/** The O(1) term of the mean log-determinant; its variance is near -4 times it. */
export function threshold_correction(d, n, rho2) {
  if (rho2 === 1) return 0;
  const nu = n - 1;
  const g = d / nu;
  const [ratio, room] = tau_of(d, nu, rho2);
  const tau = room > 0 ? Math.min(ratio, 1) : 1;
  const delta = threshold_distance(d, n, rho2);
  if (g < rho2) {
    if (delta > THRESHOLD_FAR) return Math.log1p(-tau) + threshold_tail(1 / (delta * delta));
    return threshold_function(delta) - Math.log(d * (1 - g)) / 2 + Math.log(tau);
  }
  return threshold_function(delta) - Math.log(d * (1 - (rho2 * rho2) / Math.max(g, rho2))) / 2;
}

/** Mean of ln det(Sigma_G / sigma^2), total nats; -Infinity for n - 1 < d. */
export function one_step_log_det(dim, n_train, signal_fraction, noise = 1 - signal_fraction) {
  const excess = n_train - 1 - dim;
  return excess < 0 ? -Infinity : exact_log_det(dim, excess, signal_fraction, noise);
}
