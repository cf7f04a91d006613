// The modes of a population and what noising makes of them:
// theory/one_step_model/noised_modes.py.
//
// Many distinct eigenvalues are replaced by few nodes with the same sums. These are sums of
// functions analytic in ln lambda within pi/3 of the real line, so that N nodes of a Gauss rule on
// an interval of length L have a relative error near r^(-2N), r = c + sqrt(1 + c^2), c = 2 pi/(3 L).

import { distinct_values, dot, symmetric_tridiagonal } from "./numerics.js";

const FEW_MODES = 24;
const NODE_NATS = 32; // the error of the nodes is e^-32
const LONGEST_INTERVAL = 5;
const LANCZOS_BREAKDOWN = 1e-12;

/** Distinct eigenvalues in units of their mean, in ascending order, with their multiplicities. */
export function noised_modes(eigenvalues, time, noise_scale) {
  const noise = noise_scale * -Math.expm1(-2 * time);
  let scale = 0;
  for (const value of eigenvalues) scale += value;
  scale /= eigenvalues.length;
  let { values, counts } = distinct_values(Float64Array.from(eigenvalues, (v) => v / scale));
  const zeros = values[0] === 0 ? counts[0] : 0;
  const rank = eigenvalues.length - zeros;
  if (noise === 0 && zeros) {
    values = values.slice(1);
    counts = counts.slice(1);
  }
  const columns = noise === 0 ? rank : eigenvalues.length;
  const modes = { noise: noise / scale, scale, dim: eigenvalues.length, columns, rank };
  return with_eigenvalues(modes, values, counts);
}

function with_eigenvalues(modes, eigenvalue, weight) {
  const { noise } = modes;
  const signal_fraction = eigenvalue.map((v) => (v > 0 ? v / (v + noise) : 0));
  return {
    ...modes,
    eigenvalue,
    weight,
    support: weight.map((w, k) => (eigenvalue[k] > 0 ? w : 0)),
    start_variance: 1 + noise,
    signal_fraction,
    residual: signal_fraction.map((v) => noise * v),
  };
}

/** The same sums over the spectrum from fewer nodes, if there are many distinct eigenvalues. */
export function condensed(modes) {
  if (modes.eigenvalue.length <= FEW_MODES) return modes;
  const zeros = modes.eigenvalue[0] === 0 ? 1 : 0;
  const logs = Array.from(modes.eigenvalue.slice(zeros), Math.log);
  const weight = Array.from(modes.weight.slice(zeros));
  const range = logs[logs.length - 1] - logs[0];
  const intervals = Math.max(Math.ceil(range / LONGEST_INTERVAL), 1);
  const length = range / intervals;
  const c = (2 * Math.PI) / (3 * Math.max(length, 1e-3));
  const count = Math.ceil(NODE_NATS / (2 * Math.log(c + Math.sqrt(1 + c * c))));
  const values = zeros ? [0] : [];
  const weights = zeros ? [modes.weight[0]] : [];
  let first = 0;
  for (let part = 1; part <= intervals; part++) {
    let end = first;
    const edge = part === intervals ? Infinity : logs[0] + part * length;
    while (end < logs.length && logs[end] < edge) end += 1;
    const [nodes, shares] = discrete_gauss_rule(logs.slice(first, end), weight.slice(first, end), count);
    values.push(...nodes.map(Math.exp));
    weights.push(...shares);
    first = end;
  }
  if (values.length >= modes.eigenvalue.length) return modes;
  return with_eigenvalues(modes, Float64Array.from(values), Float64Array.from(weights));
}

/** Nodes and weights with the first 2 `count` moments of a discrete measure, by Lanczos' method. */
function discrete_gauss_rule(points, weight, count) {
  if (points.length <= count) return [points, weight];
  const centre = (points[points.length - 1] + points[0]) / 2;
  const half = (points[points.length - 1] - points[0]) / 2;
  const x = points.map((v) => (v - centre) / half);
  const total = weight.reduce((sum, w) => sum + w, 0);
  const basis = [weight.map((w) => Math.sqrt(w / total))];
  const diagonal = [];
  const beside = [];
  for (let k = 0; k < count; k++) {
    const step = basis[k].map((v, i) => x[i] * v);
    diagonal.push(dot(basis[k], step));
    // Orthogonal to all before: the recurrence alone loses that to rounding.
    for (let round = 0; round < 2; round++) {
      for (const vector of basis) {
        const part = dot(vector, step);
        for (let i = 0; i < step.length; i++) step[i] -= part * vector[i];
      }
    }
    const size = Math.sqrt(dot(step, step));
    beside.push(size);
    if (size < LANCZOS_BREAKDOWN) break;
    basis.push(step.map((v) => v / size));
  }
  const { values, first_row } = symmetric_tridiagonal(diagonal, beside.slice(0, diagonal.length - 1));
  return [
    Array.from(values, (v) => centre + half * v),
    Array.from(first_row, (v) => total * v * v),
  ];
}

/** K = diag(D) + diag(R)^{1/2} N S^{-1/2} diag(T)^{1/2} with weights w = lambda^power. */
export function linear_map(modes, dof, power = 0) {
  const weight = modes.eigenvalue.map((v) => (v > 0 ? v ** power : 1) * modes.start_variance);
  const residual = weight.map((w, k) => w * modes.residual[k]);
  const inverse = modes.eigenvalue.map((v) => 1 / (v + modes.noise));
  return {
    signal: weight.map((w, k) => w * modes.signal_fraction[k] ** 2),
    residual,
    inverse,
    noisy: residual.map((r, k) => r * inverse[k]),
    weight: modes.weight,
    support: modes.support,
    dof,
    columns: modes.columns,
    rows: modes.rank,
    silent: !residual.some((r) => r !== 0),
  };
}
