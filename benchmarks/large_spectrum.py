"""One-step model on a spectrum of 2000 eigenvalues: theory against a few draws."""

from __future__ import annotations

__all__ = ["run"]

import numpy as np

from ornstein import OneStepDenoiser, theory
from ornstein.gaussians import Gaussian, kl_divergence, wasserstein_squared

_DIM, _SETS, _SIZES = 2000, 4, (1000, 4000)


def run() -> None:
    """Print the table of this file: means of training sets, and z of theory."""
    values = 1 / np.arange(1.0, _DIM + 1)
    values /= values.mean()
    population = Gaussian(np.zeros(_DIM), values)
    print(f"## Variances 1/k in d = {_DIM}: theory and {_SETS} training sets\n")
    print("| n | measure | theory | mean ± s.e. | z |\n|---|---|---|---|---|")
    for n in _SIZES:
        rng, rows = np.random.default_rng(n), []
        for _ in range(_SETS):
            law = OneStepDenoiser(random_state=rng).fit(population.sample(n, rng)).generated_law_
            rows.append(
                (
                    law.covariance.trace / values.sum(),
                    wasserstein_squared(law, population),
                    kl_divergence(law, population) if n > _DIM else np.inf,
                )
            )
        found = theory.one_step_anisotropic(values, n, fitted_variance=True)
        predicted = (found.trace, found.wasserstein_squared, found.kl)
        for name, one, many in zip(
            ("trace", "W2^2", "KL"), predicted, zip(*rows, strict=True), strict=True
        ):
            if np.isfinite(one):
                mean, error = np.mean(many), np.std(many, ddof=1) / np.sqrt(_SETS)
                print(
                    f"| {n} | {name} | {float(one):.6g} | {mean:.6g} ± {error:.2g} | "
                    f"{(mean - float(one)) / error:+.1f} |",
                    flush=True,
                )
    print()
