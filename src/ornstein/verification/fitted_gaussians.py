r"""Section 18: points of a fitted Gaussian, nearer to its training set than to fresh points.

A replicate draws n training and n held-out points of ``N(0, Sigma)``, and points of the Gaussian
with mean and covariance of the training points; measured is the share of those whose nearest point
is a training point.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import numpy as np
from scipy.spatial.distance import cdist

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

_DRAWN = 100


def spectrum(dim: int, decay: float) -> np.ndarray:
    """Eigenvalues ``k^-decay``."""
    return np.arange(1.0, dim + 1) ** -decay


def simulate(rng: np.random.Generator, *, dim: int, n_train: int, decay: float) -> dict[str, float]:
    """Share of drawn points that are nearer to the training set."""
    spread = np.sqrt(spectrum(dim, decay))
    train, fresh = spread * rng.standard_normal((2, n_train, dim))
    covariance = np.cov(train, rowvar=False)
    drawn = rng.multivariate_normal(train.mean(axis=0), covariance, _DRAWN)
    nearer = cdist(drawn, train).min(axis=1) < cdist(drawn, fresh).min(axis=1)
    return {"share": float(nearer.mean())}


def predict(*, dim: int, n_train: int, decay: float) -> float:
    """The closed form."""
    return theory.fitted_gaussian_share(spectrum(dim, decay), n_train)


EQUAL = Experiment(
    "fitted Gaussian, equal eigenvalues",
    simulate,
    fast=Setting({"dim": 40, "n_train": 60, "decay": 0.0}, replicates=300),
    full=Setting({"dim": 64, "n_train": 100, "decay": 0.0}, replicates=1500),
)
DECAYING = Experiment(
    "fitted Gaussian, power law",
    simulate,
    fast=Setting({"dim": 40, "n_train": 100, "decay": 1.0}, replicates=300),
    full=Setting({"dim": 64, "n_train": 200, "decay": 1.0}, replicates=1000),
)
ORDER = Allowance(
    "0.64/d",
    "saddle point, and training points that are independent to first order",
    lambda *_, dim, **__: 0.64 / dim,
)

CHECKS = (
    Check("18", "share, fitted", "this project", EQUAL, "share", predict, ORDER),
    Check("18", "share, power law", "this project", DECAYING, "share", predict, ORDER),
)
