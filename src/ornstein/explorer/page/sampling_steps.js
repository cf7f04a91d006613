// Expected KL against the number of sampling steps, as the panel asks for it.

import { best_steps, fitted_kl, fitted_model } from "../mathematics/fitted_sampling.js";
import { generated_modes } from "../mathematics/samplers.js";
import { GrowingCurve } from "./growing_curve.js";

const MOST = 1000;
const TRIAL_STEPS = 20;
const KARRAS = "karras";

/** Numbers of steps that are drawn, even in ratio. */
const COUNTS = [
  1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 25, 30, 40, 50, 70, 100, 140, 200, 300, 450, 700, MOST,
];

/** Curves of a sampler on its schedule and on Karras' levels, for the model of n points. */
export function steps_curves({ eigenvalues, n, state }, schedule) {
  const model = fitted_model(eigenvalues, n);
  const { sampler } = state;
  const kl_on = (name) => (S) => fitted_kl(model, sampler, name, S);
  const [at, karras_at] = [kl_on(schedule), kl_on(KARRAS)];
  const own = new GrowingCurve(COUNTS, at);
  const karras = schedule === KARRAS ? null : new GrowingCurve(COUNTS, karras_at);
  return {
    own, karras, at, karras_at,
    limit: at(Infinity),
    best: null,
    /** More of the curves; the best number of steps when nothing moves. */
    grow(end, moving) {
      const done = [own, karras].map((curve) => curve === null || curve.grow(end, 5));
      if (!moving && !this.best) this.best = best_steps(eigenvalues, n, sampler, schedule);
      return done.every(Boolean) && this.best !== null;
    },
  };
}

const variances = new Map();

/**
 * The variance whose tangent law is best for Euler's method on this population, to two digits: the
 * least KL with the population's own denoisers, in 20 steps.
 */
export function tangent_variance(eigenvalues) {
  const key = eigenvalues.join();
  if (!variances.has(key)) {
    const [low, high] = [Math.log(Math.min(...eigenvalues)), Math.log(Math.max(...eigenvalues))];
    const trials = Array.from({ length: 33 }, (_, k) =>
      Number(Math.exp(low + ((high - low) * k) / 32).toPrecision(2)));
    const losses = trials.map((variance) => euler_loss(eigenvalues, variance));
    variances.clear();
    variances.set(key, trials[losses.indexOf(Math.min(...losses))]);
  }
  return variances.get(key);
}

function euler_loss(eigenvalues, variance) {
  const re = Float64Array.from(new Set(eigenvalues));
  const complex = { re, im: new Float64Array(re.length) };
  const found = generated_modes("euler", `tangent:${variance}`, TRIAL_STEPS, complex);
  const ratios = new Map(Array.from(re, (value, k) => [value, found.variance.re[k] / value]));
  let loss = 0;
  for (const value of eigenvalues) loss += ratios.get(value) - 1 - Math.log(ratios.get(value));
  return loss;
}
