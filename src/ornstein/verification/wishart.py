r"""Section 5: divergences of the Gaussian with the empirical covariance from its population.

A replicate draws n points of ``N(0, Sigma)``, ``Sigma`` with eigenvalues ``1/k``, and takes the
divergences of ``N(0, C)``, ``C = (1/n) sum_i x_i x_i^T``, from traces and log-determinants. The
closed forms are exact, and do not depend on Sigma.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Check, Experiment, Setting

SOURCE = "Merger, Goldt, 2505.24769"


def simulate_empirical_gaussian(
    rng: np.random.Generator, *, dim: int, n_train: int
) -> dict[str, float]:
    """Both divergences for one training set, total, in nats."""
    variances = 1.0 / np.arange(1, dim + 1)
    points = np.sqrt(variances) * rng.standard_normal((n_train, dim))
    C = points.T @ points / n_train
    log_det_ratio = np.linalg.slogdet(C)[1] - np.log(variances).sum()
    forward = np.trace(C / variances) - dim - log_det_ratio
    backward = (variances * np.diag(np.linalg.inv(C))).sum() - dim + log_det_ratio
    return {"generated_population": forward / 2, "population_generated": backward / 2}


EMPIRICAL_GAUSSIAN = Experiment(
    name="Gaussian with the empirical covariance",
    simulate=simulate_empirical_gaussian,
    fast=Setting({"dim": 20, "n_train": 50}, replicates=6000),
    full=Setting({"dim": 60, "n_train": 150}, replicates=20_000),
)


def predict_generated_population(dim: int, n_train: int) -> float:
    """``E KL(generated || population)``."""
    return float(theory.wishart_kl(dim, n_train).generated_population)


def predict_population_generated(dim: int, n_train: int) -> float:
    """``E KL(population || generated)``."""
    return float(theory.wishart_kl(dim, n_train).population_generated)


CHECKS = (
    Check(
        "5",
        "KL(gen || pop)",
        SOURCE,
        EMPIRICAL_GAUSSIAN,
        "generated_population",
        predict_generated_population,
    ),
    Check(
        "5",
        "KL(pop || gen)",
        SOURCE,
        EMPIRICAL_GAUSSIAN,
        "population_generated",
        predict_population_generated,
    ),
)
