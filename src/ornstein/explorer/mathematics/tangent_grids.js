// Grids of noise levels made for a spectrum: diffusion/grids.py.

/** Noises sqrt(variance) tan(theta_i), theta equally spaced: the best for one variance. */
export function tangent_noises(n_steps, variance = 1, smallest = 0, largest = 80) {
  const root = Math.sqrt(variance);
  // Angles from the far end: those near pi/2 keep their digits.
  const top = Math.atan2(root, largest);
  const bottom = Math.atan2(root, smallest);
  const noises = Float64Array.from({ length: n_steps + 1 }, (_, k) => {
    return root / Math.tan(top + ((bottom - top) * k) / n_steps);
  });
  noises[0] = largest;
  noises[n_steps] = smallest;
  return noises;
}
