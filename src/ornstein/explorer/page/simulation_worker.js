// The live simulation, off the page's thread: single draws at once, replicates in between.
//
// Each replicate of a size has a seed of its own, so that the same address shows the same numbers.
// Sizes take turns, the size that is shown first.

import {
  bandwidth, log_cross, log_cross_expected, log_pairs, log_pairs_expected,
} from "../mathematics/delta.js";
import {
  fresh_points, generated_points, simulate_one_step, simulated_distances, simulated_singular_values,
} from "../mathematics/simulation.js";

const SHOWN = 24; // images of a kind
const PAUSE_MS = 120; // between two reports
const ORIGINALS = 10000;
// Pairs of exp(-13) of the larger terms in the mean decide no sign but once in 1000 draws.
const NEGLIGIBLE = 13;
const SEEDS_APART = 100003; // between the replicates of one seed and those of the next

/** One training set: relative singular values, and points of all kinds for the images. */
export function draw_once({ eigenvalues, time, noise_scale, n, seed }) {
  const d = eigenvalues.length;
  const fit = simulate_one_step(eigenvalues, n, time, noise_scale, seed);
  return {
    singular_values: Array.from(simulated_singular_values(fit, eigenvalues)),
    train: fit.train.slice(0, Math.min(n, SHOWN) * d),
    generated: generated_points(fit, SHOWN, seed),
    fresh: fresh_points(eigenvalues, SHOWN, seed),
  };
}

/** Distances and signs of Delta of one replicate of a training size. */
export function replicate({ eigenvalues, time, noise_scale, seed }, n, index) {
  const own = (seed + 1) * SEEDS_APART + index;
  const fit = simulate_one_step(eigenvalues, n, time, noise_scale, own);
  return { ...simulated_distances(fit, eigenvalues), ...delta_signs(fit, eigenvalues) };
}

/** Whether Delta > 0, of the fit and of a model that generates the population. */
function delta_signs(fit, eigenvalues) {
  const d = eigenvalues.length;
  const { train, n_train } = fit;
  const std = Math.sqrt(eigenvalues.reduce((sum, value) => sum + value, 0) / d);
  const [near, far] = [n_train, ORIGINALS].map((N) => bandwidth(std, N, d));
  const pairs_originals = log_pairs_expected(eigenvalues, ORIGINALS, far);
  const usual_pairs = log_pairs_expected(eigenvalues, n_train, near);
  let pairs = null;
  const is_positive = ({ mean, covariance }) => {
    const seen = log_cross(mean, covariance, train, near);
    const fresh = log_cross_expected(mean, covariance, eigenvalues, far);
    const top = Math.max(seen, fresh);
    // By Markov's inequality the pairs hardly ever exceed their mean by such a factor.
    if (usual_pairs >= top - NEGLIGIBLE) pairs ??= log_pairs(train, d, near);
    const weights = [[pairs ?? usual_pairs, 1], [seen, -2], [pairs_originals, -1], [fresh, 2]];
    return weights.reduce((sum, [log, factor]) => sum + factor * Math.exp(log - top), 0) > 0;
  };
  const population = new Float64Array(d * d);
  for (let k = 0; k < d; k++) population[k * d + k] = eigenvalues[k];
  return {
    delta: is_positive(fit),
    perfect: is_positive({ mean: new Float64Array(d), covariance: population }),
  };
}

/** Answer messages of the page with `post`; `later(f)` lets other messages in before f. */
export function simulation_server(post, later) {
  let task = null;
  let waiting = false;

  function work() {
    waiting = false;
    const end = performance.now() + PAUSE_MS;
    const found = [];
    while (task?.queue.length && performance.now() < end) {
      const { n, index } = task.queue.shift();
      found.push({ n, index, ...replicate(task, n, index) });
    }
    if (found.length) post({ kind: "replicates", key: task.key, found });
    if (task?.queue.length) schedule();
  }

  function schedule() {
    if (!waiting) {
      waiting = true;
      later(work);
    }
  }

  return (message) => {
    if (message.kind === "draw") {
      post({ kind: "draw", key: message.key, draw: draw_once(message) });
    } else if (message.kind === "replicates") {
      task = message;
      schedule();
    } else {
      task = null;
    }
  };
}
