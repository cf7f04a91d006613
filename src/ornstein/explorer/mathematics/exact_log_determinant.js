// Mean log-determinant of the one-step generated covariance at every size:
// theory/one_step_model/exact_log_determinant.py, whose docstring derives it.
//
// A curve in x = ln(rho2 / (1 - rho2)) for each (d, m), by Chebyshev collocation; curves are kept.

import { inverse_matrix, remembered, solve_in_place } from "./numerics.js";
import { beta_constant, beta_weight, betainc, expit } from "./special_functions.js";
import { log_det_deficit } from "./wishart.js";

const COLLOCATION = 16;
const SERIES_TERMS = 40;
const NEGLIGIBLE_NATS = 25;
const REACH_ABOVE = 45;
const NO_DIFFERENCE = 1e-15;
const SMOOTH_NATS = 1;

/** E ln det(Sigma_G / sigma^2) in nats; m = n - 1 - d >= 0, `noise` = 1 - signal. */
export function exact_log_det(dim, excess, signal, noise) {
  if (!(noise > 0) || excess <= 0) return 0;
  const curve = log_det_curve(dim, excess);
  const x = Math.log(signal) - Math.log(noise);
  const { edges } = curve;
  const first = edges[0];
  const last = edges[edges.length - 1];
  if (x < first) {
    const before = Math.min(signal, expit(first));
    return curve.start + excess * (dim === 1 ? before : -Math.log1p(-before));
  }
  if (x > last) {
    if (excess > 1) {
      const tau = ((noise / signal) * dim) / (excess - 1);
      return dim * Math.log1p(-noise) + Math.log1p(-tau);
    }
    return -noise * (curve.end + (dim / 2) * (1 - Math.log(noise) - last));
  }
  return interpolate(curve, x);
}

function interpolate(curve, x) {
  const { edges, values } = curve;
  const { points } = chebyshev_rule();
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle] < x) low = middle;
    else high = middle - 1;
  }
  const left = edges[low];
  const right = edges[low + 1];
  const place = (2 * x - left - right) / (right - left);
  const offset = low * (COLLOCATION + 1);
  let above = 0;
  let below = 0;
  for (let j = 0; j <= COLLOCATION; j++) {
    const gap = place - points[j];
    if (gap === 0) return values[offset + j];
    let weight = j % 2 ? -1 : 1;
    if (j === 0 || j === COLLOCATION) weight /= 2;
    above += (weight / gap) * values[offset + j];
    below += weight / gap;
  }
  return above / below;
}

/** Chebyshev points of [-1, 1], the matrix of the derivative, and that of the integral. */
const chebyshev_rule = remembered(() => {
  const size = COLLOCATION + 1;
  const points = Float64Array.from({ length: size }, (_, j) => -Math.cos((Math.PI * j) / COLLOCATION));
  const derivative = new Float64Array(size * size);
  const sign = (j) => (j % 2 ? -1 : 1) * (j === 0 || j === COLLOCATION ? 2 : 1);
  for (let i = 0; i < size; i++) {
    let row = 0;
    for (let j = 0; j < size; j++) {
      const gap = i === j ? 1 : points[i] - points[j];
      derivative[i * size + j] = sign(i) / sign(j) / gap;
      row += derivative[i * size + j];
    }
    derivative[i * size + i] -= row;
  }
  const inner = new Float64Array(COLLOCATION * COLLOCATION);
  for (let i = 0; i < COLLOCATION; i++) {
    for (let j = 0; j < COLLOCATION; j++) {
      inner[i * COLLOCATION + j] = derivative[(i + 1) * size + j + 1];
    }
  }
  return { points, derivative, inner, integral: inverse_matrix(inner, COLLOCATION) };
}, 1);

const log_det_curve = remembered((d, m) => {
  const { points, derivative, inner, integral } = chebyshev_rule();
  const N = COLLOCATION;
  const edges = log_det_panels(d, m);
  const panels = edges.length - 1;
  const constants = source_constants(d, m);
  const values = new Float64Array(panels * (N + 1));
  const totals = new Float64Array(panels);
  const system = new Float64Array(N * N);
  const right = new Float64Array(2 * N);
  const arrays = Array.from({ length: 7 }, () => new Float64Array(N + 1));
  // At the points of a panel: (1-u)/u, -ln u, u, y = 1-u, T, the source, ln of a free T.
  const [odds, logs, u, y, T, source, free] = arrays;
  const slope = new Float64Array(N + 1);
  let D = 0;
  for (let index = 0; index < panels; index++) {
    const left = edges[index];
    const half = (edges[index + 1] - left) / 2;
    T[0] = index ? T[N] : 0;
    for (let j = 0; j <= N; j++) {
      const x = left + half * (points[j] + 1);
      odds[j] = Math.exp(-x);
      logs[j] = Math.log1p(odds[j]);
      u[j] = 1 / (1 + odds[j]);
      y[j] = odds[j] * u[j];
      free[j] = (-d / 2) * logs[j] - ((m - 1) / 2) * (x + logs[j]);
      if (j) source[j] = log_det_source(odds[j], logs[j], u[j], y[j], constants);
    }
    if (Math.abs(free[N] - free[0]) < SMOOTH_NATS) {
      for (let j = 1; j <= N; j++) slope[j] = half * source[j] * Math.exp(free[0] - free[j]);
      for (let i = 0; i < N; i++) {
        let sum = T[0];
        for (let j = 0; j < N; j++) sum += integral[i * N + j] * slope[j + 1];
        T[i + 1] = sum * Math.exp(free[i + 1] - free[0]);
      }
    } else {
      // T changes fast: collocation of its equation.
      for (let i = 0; i < N * N; i++) system[i] = inner[i] / half;
      for (let i = 0; i < N; i++) {
        system[i * N + i] -= (d / 2) * y[i + 1] - ((m - 1) / 2) * u[i + 1];
        right[2 * i] = source[i + 1];
        right[2 * i + 1] = -derivative[(i + 1) * (N + 1)] / half;
      }
      solve_in_place(system, right, N, 2);
      for (let j = 1; j <= N; j++) T[j] = right[2 * j - 2] + right[2 * j - 1] * T[0];
    }
    for (let j = 0; j <= N; j++) {
      D = (m * -Math.expm1(-d * logs[j])) / odds[j] + T[j];
      if (m > 1) {
        // Its terms cancel to D/(m u); at little noise it is that of d ln(rho2) + ln(1 - tau).
        const tau = (odds[j] * d) / (m - 1);
        if (tau < 0.1 && tau * tau * d < NO_DIFFERENCE * m * u[j]) {
          D = d + d / (u[j] * (m - 1) * (1 - Math.min(tau, 0.5)));
        }
      }
      slope[j] = y[j] * D;
    }
    for (let i = 0; i < N; i++) {
      let sum = 0;
      for (let j = 0; j < N; j++) sum += integral[i * N + j] * slope[j + 1];
      values[index * (N + 1) + i + 1] = half * sum;
    }
    totals[index] = values[index * (N + 1) + N];
  }
  // Integrals from each point to infinity.
  let beyond = y[N] * (D + (m === 1 ? d / 2 : 0));
  if (m > 1) {
    // As far as there is a difference, at the last edge there is none.
    beyond = d * logs[N] - Math.log1p((-odds[N] * d) / (m - 1));
  }
  for (let index = panels - 1; index >= 0; index--) {
    for (let j = 0; j <= N; j++) {
      const place = index * (N + 1) + j;
      values[place] -= totals[index] + beyond;
    }
    beyond += totals[index];
  }
  const less = Math.min(d, m);
  const start =
    less * Math.log(less / (d + m)) - log_det_deficit(less, less) + log_det_deficit(less, d + m);
  return { edges, values, start, end: D };
}, 1024);

function softplus(x) {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}

/** Narrow where u^(d/2) (1-u)^((m-1)/2) is. */
function log_det_panels(d, m) {
  const centre = m > 1 ? Math.log(d / (m - 1)) : Math.log(d) + 3;
  const width = Math.min(Math.sqrt(1 / d + 1 / m), 1);
  const log_weight = (x) => (-d / 2) * softplus(-x) - ((m - 1) / 2) * softplus(x);
  let reach = 1;
  while (log_weight(centre) - log_weight(centre - reach) < NEGLIGIBLE_NATS) reach *= 1.5;
  const left = centre - reach;
  const right = centre - Math.min(8 * width, reach / 2);
  const edges = Array.from({ length: 24 }, (_, k) => left + ((right - left) * k) / 23);
  let last = Math.max(centre, Math.log(d), 0) + REACH_ABOVE;
  if (m > 1) {
    // Beyond, there is no difference from d ln(rho2) + ln(1 - tau).
    const silent = Math.log(d / (m - 1)) + 0.5 * Math.log((2 * d) / (NO_DIFFERENCE * m));
    last = Math.min(last, Math.max(silent, Math.log((20 * d) / (m - 1)), centre + 8 * width, 1));
  }
  let step = width;
  while (edges[edges.length - 1] < last) {
    if (edges[edges.length - 1] > centre + 8 * width) step = Math.min(1.2 * step, 1.5);
    edges.push(edges[edges.length - 1] + step);
  }
  return Float64Array.from(edges);
}

function source_constants(d, m) {
  return {
    d,
    m,
    first: (m * d) / 2 - (m * (m - 1)) / 2,
    near: 8 / (d + SERIES_TERMS),
    here: d > 1 && m > 1 ? beta_constant(d - 1, m) : 0,
    last: d > 1 && m > 2 ? beta_constant(d + 1, m - 2) : 0,
  };
}

/** u^(d+1) Q(1-u); odds = y/u, log = -ln u. */
function log_det_source(odds, log, u, y, { d, m, first, near, here, last }) {
  const r = d - 1;
  const head = first * Math.exp(-(d + 1) * log);
  if (r === 0 || m === 1) return head;
  if (near < y) {
    // E C(m+1-J, 2)_+ from the mean number of failures J, J (J-1) below m: incomplete Beta
    // functions at (r, m), (r+1, m-1), (r+2, m-2), each the next and a term.
    const pairs = 0.5 * m * (m + 1);
    const term = beta_weight(r, m, u, y, here) / (r * y);
    const third = m > 2 ? betainc(r + 2, m - 2, u, y, last) : 0;
    const second = m > 2 ? third + (term * (m - 1)) / (odds * (r + 1)) : Math.exp(-(r + 1) * log);
    let parts = pairs * (second + term) - m * r * odds * second;
    parts += 0.5 * r * (r + 1) * odds * odds * third;
    return head + (u * u * (Math.exp(-r * log) * pairs - parts)) / y;
  }
  let term = r;
  let total = 0;
  for (let k = 0; k < Math.min(m - 1, SERIES_TERMS); k++) {
    const more = ((m - k) * (m - k - 1) * term) / 2;
    total += more;
    if (more < 1e-18 * total) break;
    term *= (y * (r + k + 1)) / (k + 2);
  }
  return head - Math.exp(-(d + 1) * log) * total;
}
