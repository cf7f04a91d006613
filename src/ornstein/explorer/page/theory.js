// The theory as the panels ask for it: closed forms for equal eigenvalues, else those of any.

import { one_step } from "../mathematics/one_step.js";

/** Fields of theory.OneStepTheory at a training size. */
export function distances_at(model, n) {
  const { state, d } = model;
  return one_step(d, n, state.T, state.noise);
}
