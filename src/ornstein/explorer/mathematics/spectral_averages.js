// Averages of functions of a sample covariance: theory/random_matrices/spectral_averages.py, whose
// docstring derives it.

import { positive_modes, renormalized_noise } from "./membership.js";
import { decreasing_root, leggauss } from "./numerics.js";

const PANEL_ORDER = 12;
const MASS_TOLERANCE = 1e-8;
const MOST_HALVINGS = 40;
const CUT_GROWTH = 16;
const DEEPEST_CUT = 4;
const LEAST_PLACE = 1e-15;

/**
 * Nodes on the spectrum of the sample covariance of n points with known mean.
 *
 * nodes: eigenvalues x > 0; density: Float64Array a node, rho_k(x) dx of each distinct eigenvalue
 * > 0 of the population; atoms: weight of the eigenvalue 0 in each; phase; values, counts: of the
 * population; curve: [-kappa_0, distances to the ends of the support].
 */
export function spectral_averages(eigenvalues, n_train) {
  const modes = positive_modes(eigenvalues);
  const origin = -renormalized_noise(eigenvalues, 0, n_train);
  const population = {
    values: modes.values,
    weights: modes.counts.map((count) => count / n_train),
    origin,
  };
  population.masses = population.weights.map((w, k) => w * modes.values[k] ** 2);
  const panels = first_panels(population);
  const averages = { nodes: [], density: [], phase: [] };
  for (const panel of panels) refine_panel(panel, nodes_on_panel(panel, population), population, averages, 0);
  const length = panels[panels.length - 1].right - origin;
  return {
    ...averages,
    nodes: Float64Array.from(averages.nodes),
    phase: Float64Array.from(averages.phase),
    atoms: modes.values.map((value) => -origin / (value - origin)),
    values: modes.values,
    counts: modes.counts,
    rank: modes.rank,
    curve: [origin, Math.max(panels[0].left - origin, LEAST_PLACE * length), length],
  };
}

/** Halve a panel until its mass is known. */
function refine_panel(panel, found, population, averages, depth) {
  const { left, right, starts, ends } = panel;
  const middle = left + (starts === ends ? 0.5 : starts ? 0.25 : 0.75) * (right - left);
  const halves = [
    { left, right: middle, starts, ends: false },
    { left: middle, right, starts: false, ends },
  ];
  const finer = halves.map((half) => nodes_on_panel(half, population));
  let change = 0;
  for (let k = 0; k < population.values.length; k++) {
    const mass = (nodes) => nodes.density.reduce((sum, row) => sum + row[k], 0);
    change = Math.max(change, Math.abs(mass(finer[0]) + mass(finer[1]) - mass(found)));
  }
  if (change <= MASS_TOLERANCE || depth === MOST_HALVINGS - 1) {
    averages.nodes.push(...found.nodes);
    averages.density.push(...found.density);
    averages.phase.push(...found.phase);
    return;
  }
  halves.forEach((half, j) => refine_panel(half, finer[j], population, averages, depth + 1));
}

function nodes_on_panel(panel, population) {
  const { values, weights, masses, origin } = population;
  const rule = leggauss(PANEL_ORDER);
  const width = panel.right - panel.left;
  const found = { nodes: [], density: [], phase: [] };
  for (let j = 0; j < PANEL_ORDER; j++) {
    const t = 0.5 * (rule.nodes[j] + 1);
    const dt = 0.5 * rule.weights[j];
    // v is like a square root at an edge of the support.
    let [place, step] = [t, dt];
    if (panel.starts && panel.ends) {
      place = Math.sin(0.5 * Math.PI * t) ** 2;
      step = 0.5 * Math.PI * Math.sin(Math.PI * t) * dt;
    } else if (panel.starts) [place, step] = [t * t, 2 * t * dt];
    else if (panel.ends) [place, step] = [t * (2 - t), 2 * (1 - t) * dt];
    const u = panel.left + width * place;
    const du = width * step;
    const v2 = height_squared(values, masses, u);
    const v = Math.sqrt(v2);
    let [P, Q, sum] = [0, 0, 0];
    for (let k = 0; k < values.length; k++) {
      const gap = values[k] - u;
      const size = gap * gap + v2;
      const part = masses[k] / size;
      P += part / size;
      Q += (part * gap) / size;
      sum += part / (values[k] - origin);
    }
    // z'(w) = 2 v^2 P - 2 i v Q on the curve, and dx = |z'|^2 / Re z' du: nothing cancels.
    const dx = (2 * v2 * P + (2 * Q * Q) / P) * du;
    const x = ((u - origin) ** 2 + v2) * sum;
    const weight = (v * dx) / (Math.PI * x);
    found.nodes.push(x);
    found.density.push(values.map((value) => (value * weight) / ((value - u) ** 2 + v2)));
    found.phase.push((-Math.atan2(Q, v * P) * dx) / (2 * Math.PI));
  }
  return found;
}

/** v^2 with sum masses / ((lambda - u)^2 + v^2) = 1, or 0. */
export function height_squared(values, masses, u) {
  let [nearest, total, lower, upper] = [Infinity, 0, -Infinity, 0];
  for (let k = 0; k < values.length; k++) {
    const square = (values[k] - u) ** 2;
    nearest = Math.min(nearest, square);
    total += masses[k] / square;
    lower = Math.max(lower, masses[k] - square);
    upper += masses[k];
  }
  if (!(total > 1)) return 0;
  // No term of the sum may exceed 1, and the whole is above total / (1 + v^2 / nearest).
  lower = Math.max(lower, nearest > 0 ? nearest * (total - 1) : 0, 1e-300);
  return decreasing_root(
    (v2) => {
      let [whole, bend] = [0, 0];
      for (let k = 0; k < values.length; k++) {
        const size = (values[k] - u) ** 2 + v2;
        const part = masses[k] / size;
        whole += part;
        bend += part / size;
      }
      return [Math.log(whole), (-v2 * bend) / whole];
    },
    lower,
    Math.max(upper, lower),
  );
}

/** Intervals of the support in u, cut at dips of S and in proportion to the distance from x = 0. */
function first_panels({ values, masses, origin }) {
  const count = values.length;
  const reach = values[count - 1] - values[0] + Math.sqrt(masses.reduce((sum, m) => sum + m, 0));
  const starts = [support_edge(values, masses, -1, values[0], reach)];
  const ends = [];
  const cuts = [];
  for (let k = 0; k + 1 < count; k++) {
    const valley = values[k] + least_place(values, masses, k) * (values[k + 1] - values[k]);
    let depth = 0;
    for (let j = 0; j < count; j++) depth += masses[j] / (values[j] - valley) ** 2;
    if (depth < 1) {
      ends.push(support_edge(values, masses, 1, values[k], valley - values[k]));
      starts.push(support_edge(values, masses, -1, values[k + 1], values[k + 1] - valley));
    } else if (depth < DEEPEST_CUT) cuts.push(valley);
  }
  ends.push(support_edge(values, masses, 1, values[count - 1], reach));
  const length = ends[ends.length - 1] - origin;
  for (
    let place = Math.max(starts[0] - origin, LEAST_PLACE * length) * CUT_GROWTH;
    place < length;
    place *= CUT_GROWTH
  ) cuts.push(origin + place);
  const panels = [];
  starts.forEach((start, j) => {
    const inside = cuts.filter((cut) => cut > start && cut < ends[j]).sort((a, b) => a - b);
    const edges = [start, ...inside, ends[j]];
    for (let i = 0; i + 1 < edges.length; i++) {
      panels.push({
        left: edges[i], right: edges[i + 1], starts: i === 0, ends: i === edges.length - 2,
      });
    }
  });
  return panels;
}

/** Where S is least between two eigenvalues, as a fraction of their distance. */
function least_place(values, masses, k) {
  let [low, high] = [0, 1];
  for (let step = 0; step < 30; step++) {
    const middle = 0.5 * (low + high);
    const place = values[k] + middle * (values[k + 1] - values[k]);
    let sum = 0;
    for (let j = 0; j < values.length; j++) {
      const gap = values[j] - place;
      sum += masses[j] / (gap * gap * gap);
    }
    if (sum > 0) high = middle;
    else low = middle;
  }
  return 0.5 * (low + high);
}

/** Where S falls to 1 on one side of an eigenvalue, within `reach`. */
function support_edge(values, masses, side, centre, reach) {
  let own = 0;
  for (let k = 0; k < values.length; k++) if (values[k] === centre) own += masses[k];
  const distance = decreasing_root(
    (t) => {
      let [whole, bend] = [0, 0];
      for (let k = 0; k < values.length; k++) {
        const gap = side * (values[k] - centre) - t;
        const part = masses[k] / (gap * gap);
        whole += part;
        bend += part / gap;
      }
      return [Math.log(whole), (2 * t * bend) / whole];
    },
    Math.min(Math.sqrt(own), reach),
    reach,
  );
  return centre + side * distance;
}

/** Upper half of a contour around the spectrum: w, dw and z as arrays of real and imaginary parts. */
export function resolvent_contour(averages, n_train) {
  const { values, counts, curve } = averages;
  const [origin, low, high] = curve;
  const half = 0.65 * Math.log(high / low) + 0.8;
  const count = Math.floor(64 + 10 * half);
  const height = 0.65 * Math.PI;
  const names = ["w_r", "w_i", "step_r", "step_i", "z_r", "z_i", "slope_r", "slope_i", "change_r", "change_i"];
  const contour = Object.fromEntries(names.map((name) => [name, new Float64Array(count)]));
  for (let j = 0; j < count; j++) {
    const turn = (Math.PI * (j + 0.5)) / count;
    const size = Math.exp(0.5 * Math.log(high * low) - half * Math.cos(turn));
    const angle = height * Math.sin(turn);
    const away = [size * Math.cos(angle), size * Math.sin(angle)];
    const pace = [(half * Math.sin(turn) * Math.PI) / count, (height * Math.cos(turn) * Math.PI) / count];
    const wr = origin + away[0];
    const wi = away[1];
    // Sums over modes of lambda/(lambda-w), its square, and three of third order.
    let [first_r, first_i, second_r, second_i, third_r, third_i, fourth_r, fourth_i, shift_r, shift_i] =
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let k = 0; k < values.length; k++) {
      const gap = values[k] - wr;
      const below = gap * gap + wi * wi;
      const xr = gap / below;
      const xi = wi / below;
      const weight = counts[k] / n_train;
      const square_r = xr * xr - xi * xi;
      const square_i = 2 * xr * xi;
      const cube_r = square_r * xr - square_i * xi;
      const cube_i = square_r * xi + square_i * xr;
      const value = values[k];
      first_r += weight * value * xr;
      first_i += weight * value * xi;
      second_r += weight * value * value * square_r;
      second_i += weight * value * value * square_i;
      third_r += weight * value * cube_r;
      third_i += weight * value * cube_i;
      fourth_r += weight * value * value * cube_r;
      fourth_i += weight * value * value * cube_i;
      shift_r += weight * square_r;
      shift_i += weight * square_i;
    }
    contour.w_r[j] = wr;
    contour.w_i[j] = wi;
    contour.step_r[j] = away[0] * pace[0] - away[1] * pace[1];
    contour.step_i[j] = away[0] * pace[1] + away[1] * pace[0];
    contour.z_r[j] = wr * (1 - first_r) + wi * first_i;
    contour.z_i[j] = wi * (1 - first_r) - wr * first_i;
    contour.slope_r[j] = 1 - second_r;
    contour.slope_i[j] = -second_i;
    // change = 2 w third - (-2 fourth) w^2 shift / slope
    const w2r = wr * wr - wi * wi;
    const w2i = 2 * wr * wi;
    const sr = w2r * shift_r - w2i * shift_i;
    const si = w2r * shift_i + w2i * shift_r;
    const slope2 = contour.slope_r[j] ** 2 + contour.slope_i[j] ** 2;
    const qr = (sr * contour.slope_r[j] + si * contour.slope_i[j]) / slope2;
    const qi = (si * contour.slope_r[j] - sr * contour.slope_i[j]) / slope2;
    contour.change_r[j] = 2 * (wr * third_r - wi * third_i) + 2 * (fourth_r * qr - fourth_i * qi);
    contour.change_i[j] = 2 * (wr * third_i + wi * third_r) + 2 * (fourth_r * qi + fourth_i * qr);
  }
  return contour;
}
