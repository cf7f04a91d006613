r"""Section 19: learning curves of one data set.

*Subsets.* A replicate is a data set of N points whose covariance (divided by N - 1) is exactly a
given one: Gaussian points, centred and whitened. It draws n of them without replacement, and
measures W_2^2 from ``N(xbar, C)`` of these to mean and covariance of all, over the total variance,
with more and with fewer points than dimensions.

*Points for a target.* A replicate draws N points, estimates the spectrum of their population, and
asks how many points of *that* population have a W_2^2 of the target. Predicted is the number for
the true spectrum; so what is checked is the estimate of the spectrum, while section 6 and the
subsets check the curve.

*Losses of rows of any shape.* One data set, the same in every replicate: two kinds of rows with
variances in other directions, with lengths that differ. A replicate draws n of them without
replacement, fits the linear denoiser, and measures its losses on these and on the others.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ornstein import theory
from ornstein.forecasting.predictions import fitted_distance
from ornstein.forecasting.row_sizes import RowSizes
from ornstein.forecasting.spectrum import population_spectrum
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "this project"
EQUAL = RowSizes.of(1.0)
TARGET = 0.05


def spectrum(dim: int) -> np.ndarray:
    """Eigenvalues ``1/k``, the largest first."""
    return 1.0 / np.arange(1, dim + 1)


def simulate_subset(
    rng: np.random.Generator, *, dim: int, n_train: int, n_points: int
) -> dict[str, float]:
    """Distance of a subset of one data set to all of it."""
    points = rng.standard_normal((n_points, dim))
    white, _ = np.linalg.qr(points - points.mean(axis=0))
    values = spectrum(dim)
    chosen = white[rng.permutation(n_points)[:n_train]] * np.sqrt((n_points - 1) * values)
    mean = chosen.mean(axis=0)
    centred = (chosen - mean) / math.sqrt(n_train - 1)
    # C = X^T X, so that (Sigma^{1/2} C Sigma^{1/2})^{1/2} has the singular values of X Sigma^{1/2}.
    shared = np.linalg.svd(centred * np.sqrt(values), compute_uv=False).sum()
    total = values.sum()
    found = mean @ mean + np.square(centred).sum() + total - 2.0 * shared
    return {"distance": float(found / total)}


def simulate_target(rng: np.random.Generator, *, dim: int, n_points: int) -> dict[str, float]:
    """Points that the estimated spectrum needs, over those that N points are."""
    points = rng.standard_normal((n_points, dim)) * np.sqrt(spectrum(dim))
    sample = np.asarray(np.linalg.eigvalsh(np.cov(points.T))[::-1], dtype=np.float64)
    found = population_spectrum(sample, n_points - 1.0, EQUAL)
    return {"needed": points_needed(found) / n_points}


def points_needed(values: np.ndarray) -> float:
    """Points, not rounded, at which W_2^2 over the total variance is the target."""
    low, high = math.log(3.0), math.log(1e5)
    found: Any = brentq(lambda x: fitted_distance(values, math.exp(x), EQUAL) - TARGET, low, high)
    return math.exp(found)


def uneven_points(dim: int, n_points: int) -> np.ndarray:
    """Rows of two kinds, of log-normal lengths: no Gaussian law, and no scaled one."""
    rng = np.random.default_rng(19)
    values = spectrum(dim)
    deviations = np.where(np.arange(n_points)[:, None] % 2, values, values[::-1]) ** 0.5
    lengths = np.exp(0.6 * rng.standard_normal((n_points, 1)))
    return deviations * lengths * rng.standard_normal((n_points, dim))


def simulate_uneven(
    rng: np.random.Generator, *, dim: int, n_train: int, n_points: int, noise_variance: float
) -> dict[str, float]:
    """Losses of one fit on a random subset of the same points, per dimension."""
    points = rng.permutation(uneven_points(dim, n_points))
    drawn, left = points[:n_train], points[n_train:]
    mean, C = drawn.mean(axis=0), np.cov(drawn.T)
    W = np.linalg.solve(C + noise_variance * np.eye(dim), C)
    passed = noise_variance * np.square(W).sum()
    train, test = (
        (np.square((rows - mean) @ (np.eye(dim) - W)).sum(axis=1).mean() + passed) / dim
        for rows in (drawn, left)
    )
    return {"train": float(train), "test": float(test)}


MANY = Experiment(
    "many points of a finite population",
    simulate_subset,
    fast=Setting({"dim": 16, "n_train": 32, "n_points": 64}, replicates=600),
    full=Setting({"dim": 32, "n_train": 64, "n_points": 128}, replicates=1500),
)
FEW = Experiment(
    "few points of a finite population",
    simulate_subset,
    fast=Setting({"dim": 24, "n_train": 16, "n_points": 48}, replicates=600),
    full=Setting({"dim": 48, "n_train": 32, "n_points": 96}, replicates=1500),
)
UNEVEN = Experiment(
    "losses of subsets of uneven rows",
    simulate_uneven,
    fast=Setting(
        {"dim": 20, "n_train": 30, "n_points": 120, "noise_variance": 0.05}, replicates=1000
    ),
    full=Setting(
        {"dim": 60, "n_train": 90, "n_points": 360, "noise_variance": 0.05}, replicates=2000
    ),
)
ESTIMATED = Experiment(
    "points needed by an estimated spectrum",
    simulate_target,
    fast=Setting({"dim": 20, "n_points": 80}, replicates=60),
    full=Setting({"dim": 40, "n_points": 160}, replicates=200),
)


def predict_subset(*, dim: int, n_train: int, n_points: int) -> float:
    """``E W_2^2 / tr Sigma`` of a subset."""
    return fitted_distance(spectrum(dim), n_train, EQUAL, n_points)


def predict_needed(*, dim: int, n_points: int) -> float:
    """The points that the true spectrum needs, over N."""
    return points_needed(spectrum(dim)) / n_points


def predict_uneven(
    which: str, *, dim: int, n_train: int, n_points: int, noise_variance: float
) -> float:
    """Train or test loss, per dimension."""
    losses = theory.subset_losses(uneven_points(dim, n_points), noise_variance, n_train)
    return float(getattr(losses, which))


NEXT = Allowance.per_dimension(0.2, "next order of the limit of large d")
BIAS = Allowance.per_dimension(0.3, "bias of the estimated spectrum")
LEVERAGES = Allowance.per_dimension(0.5, "fluctuation of leverages from subset to subset")
CHECKS = (
    Check("19", "W2^2, subset, n > d", SOURCE, MANY, "distance", predict_subset, NEXT),
    Check("19", "W2^2, subset, n < d", SOURCE, FEW, "distance", predict_subset, NEXT),
    *(
        Check(
            "19",
            f"{which} loss, uneven",
            SOURCE,
            UNEVEN,
            which,
            partial(predict_uneven, which),
            LEVERAGES,
        )
        for which in ("train", "test")
    ),
    Check("19", "points needed", SOURCE, ESTIMATED, "needed", predict_needed, BIAS),
)
