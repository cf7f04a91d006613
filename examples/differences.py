"""Where results differ from the published scripts, number by number: see docs/reproduction.md.

Each error is put into our own arithmetic, one at a time, on the same draws:

    python examples/differences.py
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from ornstein import Gaussian, delta
from ornstein.covariances import Covariance
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.gaussians import hellinger_squared
from ornstein.processes import OneStepNoising

DIM, ORIGINALS, DRAWS = 100, 10_000, 100
population = Gaussian.isotropic(DIM, mean=10.0)
process = OneStepNoising()


def main() -> None:
    """Print one table."""
    print(
        "  n   P(Delta>0)   with B^T B   sign differs   self-terms/rest   float32 sign right"
        "   ln det   Hellinger^2 (published: 1)"
    )
    for n in (75, 100, 125, 150, 200, 400):
        rng = np.random.default_rng(n)
        rows = np.array([draw(n, rng) for _ in range(DRAWS)])
        ours, swapped, ratio, single, log_det, hellinger = rows.T
        print(
            f"{n:4d} {np.mean(ours > 0):12.2f} {np.mean(swapped > 0):12.2f} "
            f"{np.mean(ours != swapped):14.2f}   e^{np.mean(ratio):<14.1f} "
            f"{np.mean(single == ours):19.2f} {log_det.mean():8.1f} {hellinger.mean():13.6f}"
        )


def draw(n: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Signs of Delta: ours, with the covariance transposed, and in float32 with its self-terms."""
    train = population.sample(n, rng)
    statistics = PairStatistics.empty(DIM)
    statistics.absorb(train, process.noised(train, rng))
    fit = fit_pairs(statistics, process)
    result = delta(fit.generated_law, train, population, n_original=ORIGINALS)

    # The published covariance has B^T B in place of B B^T: the same eigenvalues, other axes.
    variance = process.signal**2 * statistics.clean_variance + process.noise_variance
    factor = np.sqrt(variance) * fit.coefficients.T
    transposed = Gaussian(fit.generated_law.mean, Covariance.from_factor(factor))
    swapped = delta(transposed, train, population, n_original=ORIGINALS)

    # Both sets have the same self-terms. Added in float32, as published, they leave their rounding.
    log_self = -0.5 * DIM * np.log(4 * np.pi)
    pairs_t, cross_t, pairs_o, cross_o = np.exp(np.array(result.log_terms) - log_self)
    own = np.float32(1.0)
    single = (own + np.float32(pairs_t) - np.float32(2 * cross_t)) - (
        own + np.float32(pairs_o) - np.float32(2 * cross_o)
    )
    ratio = log_self - result.log_abs
    return (
        result.sign,
        swapped.sign,
        ratio,
        float(np.sign(single)),
        fit.generated_law.covariance.log_det,
        hellinger_squared(fit.generated_law, population),
    )


if __name__ == "__main__":
    with threadpool_limits(1):  # small matrices: one thread is fastest
        main()
