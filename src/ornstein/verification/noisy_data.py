r"""Section 17: denoisers trained on noisy data; data in a subspace.

*Noisy data.* A replicate draws n points of a power law, adds noise tau to each, and takes the
weight of the clean-data denoiser, ``c C (C + s^2 - tau^2)^{-1} - (c - 1)``, C the covariance of the
noisy points about their known mean. Measured are its entries on the diagonal for two modes, with
more and with fewer points than dimensions.

*Collapse in a subspace.* The experiment of section 9 on a posterior weight, with points that vary
in a few of many directions: noise in the others is the same for all training points and decides
nothing. A replicate follows training points along ``x_1 + s z`` as s grows.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math
from functools import partial

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting
from ornstein.verification.regimes import ONE_NAT
from ornstein.verification.regimes import SOURCE as REGIMES

SOURCE = "this project"
MODES = (1, 4)
_PATHS = 12


def spectrum(dim: int) -> np.ndarray:
    """Eigenvalues ``1/k``."""
    return 1.0 / np.arange(1, dim + 1)


def simulate_weight(
    rng: np.random.Generator, *, dim: int, n_train: int, noise_variance: float, data_noise: float
) -> dict[str, float]:
    """Weights of two modes in the denoiser of one training set."""
    left = noise_variance - data_noise
    clean = np.sqrt(spectrum(dim)) * rng.standard_normal((n_train, dim))
    noisy = clean + math.sqrt(data_noise) * rng.standard_normal((n_train, dim))
    C = noisy.T @ noisy / n_train
    weight = np.diag(np.linalg.solve(C + left * np.eye(dim), C))
    found = noise_variance / left * weight - (noise_variance / left - 1)
    return {f"mode {k}": float(found[k - 1]) for k in MODES}


def simulate_collapse(
    rng: np.random.Generator, *, rank: int, dim: int, n_train: int
) -> dict[str, float]:
    """Median OU time at which the posterior weight of the own point falls through 1/2."""
    points = np.zeros((n_train, dim))
    points[:, :rank] = rng.standard_normal((n_train, rank))
    z = rng.standard_normal((_PATHS, dim))
    squares = np.square(points).sum(axis=1)
    apart = squares[:_PATHS, None] + squares - 2 * points[:_PATHS] @ points.T
    np.fill_diagonal(apart, np.inf)
    along = (z * points[:_PATHS]).sum(axis=1)[:, None] - z @ points.T
    low, high = np.full(_PATHS, -6.0), np.full(_PATHS, 6.0)
    for _ in range(24):
        middle = (low + high) / 2
        s = np.exp(middle)[:, None]
        # Logarithms of the weights of the others, in units of the own one.
        others = apart * (-0.5 / s**2)
        others -= along / s
        with np.errstate(over="ignore"):  # a sum of inf is not below 1
            own = np.exp(others, out=others).sum(axis=1) < 1
        low, high = np.where(own, middle, low), np.where(own, high, middle)
    return {"time": float(np.median(0.5 * np.log1p(np.exp(2 * low))))}


NOISES = {"noise_variance": 0.4, "data_noise": 0.1}
MANY = Experiment(
    "denoisers of many noisy points",
    simulate_weight,
    fast=Setting({"dim": 32, "n_train": 75, **NOISES}, replicates=1000),
    full=Setting({"dim": 64, "n_train": 150, **NOISES}, replicates=1500),
)
FEW = Experiment(
    "denoisers of few noisy points",
    simulate_weight,
    fast=Setting({"dim": 32, "n_train": 24, **NOISES}, replicates=2000),
    full=Setting({"dim": 64, "n_train": 48, **NOISES}, replicates=2000),
)
SUBSPACE = Experiment(
    "own posterior weight in a subspace",
    simulate_collapse,
    fast=Setting({"dim": 96, "rank": 48, "n_train": 1000}, replicates=200),
    full=Setting({"dim": 128, "rank": 64, "n_train": 5000}, replicates=200),
)


def predict_weight(
    mode: int, *, dim: int, n_train: int, noise_variance: float, data_noise: float
) -> float:
    """Mean weight of a mode."""
    found = theory.noisy_data_weight(spectrum(dim), noise_variance, n_train, data_noise)
    return float(found[mode - 1])


def predict_collapse(*, rank: int, dim: int, n_train: int) -> float:
    """Time ``t_C``, from eigenvalues of which most are 0."""
    eigenvalues = np.append(np.ones(rank), np.zeros(dim - rank))
    return float(theory.collapse_time(n_train, eigenvalues))


LOST = Allowance(
    "0.5/n",
    "next order of the limit of many points",
    lambda _, *, n_train, **__: 0.5 / n_train,
)
CHECKS = (
    *(
        Check(
            "17",
            f"noisy mode {k}, {side}",
            SOURCE,
            e,
            f"mode {k}",
            partial(predict_weight, k),
            LOST,
        )
        for side, e in (("n > d", MANY), ("n < d", FEW))
        for k in MODES
    ),
    Check("17", "collapse, subspace", REGIMES, SUBSPACE, "time", predict_collapse, ONE_NAT),
)
