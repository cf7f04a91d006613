// The live simulation, off the page's thread: single draws at once, replicates in between.
//
// Each replicate of a size has a seed of its own, so that the same address shows the same numbers.
// Sizes take turns, the size that is shown first.

import {
  delta_sign, distances_to_population, draw_points, generated_law, perfect_law,
} from "./one_step_draw.js";
import { RandomNumbers } from "./random_numbers.js";

const SHOWN = 24; // images of a kind
const PAUSE_MS = 120; // between two reports

/** One training set: relative singular values, and points of all kinds for the images. */
export function draw_once({ eigenvalues, time, noise_scale, n, seed }) {
  const random = new RandomNumbers(seed, n, 0);
  const d = eigenvalues.length;
  const train = draw_points(eigenvalues, n, random);
  const law = generated_law(train, n, d, time, noise_scale, random);
  const found = distances_to_population(law, eigenvalues);
  const generated = new Float64Array(SHOWN * d);
  for (let i = 0; i < SHOWN; i++) {
    const z = random.normals(d);
    for (let j = 0; j < d; j++) {
      let sum = law.mean[j];
      for (let k = 0; k < d; k++) sum += law.factor[j * d + k] * z[k];
      generated[i * d + j] = sum;
    }
  }
  return {
    ...found,
    train: train.slice(0, Math.min(n, SHOWN) * d),
    generated,
    fresh: draw_points(eigenvalues, SHOWN, random),
  };
}

/** Distances and signs of Delta of one replicate of a training size. */
export function replicate({ eigenvalues, time, noise_scale, seed }, n, index) {
  const random = new RandomNumbers(seed, n, index + 1);
  const train = draw_points(eigenvalues, n, random);
  const law = generated_law(train, n, eigenvalues.length, time, noise_scale, random);
  const { kl, wasserstein_squared, hellinger_squared } = distances_to_population(law, eigenvalues);
  return {
    kl,
    wasserstein_squared,
    hellinger_squared,
    delta: delta_sign(law, train, n, eigenvalues) > 0,
    perfect: delta_sign(perfect_law(eigenvalues), train, n, eigenvalues) > 0,
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
      try {
        found.push({ n, ...replicate(task, n, index) });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error; // singular to rounding: left out
      }
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
      try {
        post({ kind: "draw", key: message.key, draw: draw_once(message) });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        post({ kind: "draw", key: message.key, draw: null });
      }
    } else if (message.kind === "replicates") {
      task = message;
      schedule();
    } else {
      task = null;
    }
  };
}
