r"""Section 6: the best linear denoiser of n points, against its renormalised noise.

Population ``N(0, Sigma)``, ``Sigma`` with eigenvalues ``k^{-1/2}``. From n points with sample
covariance C the denoiser is ``D(y) = y - s^2 (C + s^2)^{-1} y``.

*Mean and variance.* A replicate fits :data:`_BATCH` training sets and denoises one point ``y``;
``u^T D(y)`` along ``u = y / |y|``, where both terms of the variance count, has a mean and a
variance over the batch.

*Losses.* A replicate fits one training set and measures, with ``R = s^2 (C + s^2)^{-1}``,
``L_test = tr[Sigma R^2 + s^2 (1 - R)^2] / d`` and the same with C for ``L_train``: the exact
average over points and noise. The n inner products of the points have the eigenvalues of C, but for
zeros, and kappa is one over the mean of ``1/(x + s^2)`` over them; a derivative with respect to
``s^2`` makes ``kappa' = kappa^2`` times the mean of ``1/(x + s^2)^2``.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "Wang, Zavatone-Veth, Pehlevan, 2602.02908"
REASON = "next order of the deterministic equivalent"
_BATCH = 40


def spectrum(dim: int) -> np.ndarray:
    """Eigenvalues of the population, a power law."""
    return np.arange(1, dim + 1) ** -0.5


def query(dim: int, noise_variance: float) -> np.ndarray:
    """A noisy point of typical size, with alternating signs."""
    return np.sqrt(spectrum(dim) + noise_variance) * (-1.0) ** np.arange(dim)


def simulate_denoised_point(
    rng: np.random.Generator, *, dim: int, n_train: int, noise_variance: float
) -> dict[str, float]:
    """Mean and variance over a batch of training sets."""
    points = np.sqrt(spectrum(dim)) * rng.standard_normal((_BATCH, n_train, dim))
    C = points.swapaxes(1, 2) @ points / n_train
    y = query(dim, noise_variance)
    filtered = np.linalg.solve(C + noise_variance * np.eye(dim), y[None, :, None])[..., 0]
    along = (y - noise_variance * filtered) @ y / np.linalg.norm(y)
    return {"mean": along.mean(), "variance": along.var(ddof=1)}


def simulate_losses(
    rng: np.random.Generator, *, dim: int, n_train: int, noise_variance: float
) -> dict[str, float]:
    """Losses of one fitted denoiser, per dimension."""
    variances = spectrum(dim)
    points = np.sqrt(variances) * rng.standard_normal((n_train, dim))
    C = points.T @ points / n_train
    R = noise_variance * np.linalg.inv(C + noise_variance * np.eye(dim))
    squared = R @ R
    kept = noise_variance * np.square(np.eye(dim) - R).sum()
    # Means of 1/(x + s^2) and of its square over the n eigenvalues x, in units of s^2.
    first = (np.trace(R) + n_train - dim) / n_train
    second = (np.trace(squared) + n_train - dim) / n_train
    return {
        "kappa": noise_variance / first,
        "slope": second / first**2,
        "train": ((C * squared).sum() + kept) / dim,
        "test": (variances @ np.diag(squared) + kept) / dim,
    }


DENOISED_POINT = Experiment(
    name="a point denoised by many training sets",
    simulate=simulate_denoised_point,
    fast=Setting({"dim": 30, "n_train": 45, "noise_variance": 0.1}, replicates=800),
    full=Setting({"dim": 90, "n_train": 135, "noise_variance": 0.1}, replicates=3000),
)
LOSSES = Experiment(
    name="losses of the linear denoiser",
    simulate=simulate_losses,
    fast=Setting({"dim": 60, "n_train": 40, "noise_variance": 0.1}, replicates=1000),
    full=Setting({"dim": 240, "n_train": 160, "noise_variance": 0.1}, replicates=1500),
)


def predict_mean(dim: int, n_train: int, noise_variance: float) -> float:
    """``E u^T D(y)``."""
    y, basis = query(dim, noise_variance), (spectrum(dim), np.eye(dim))
    denoised = theory.denoiser_mean(y, 0.0, basis, noise_variance, n_train)
    return float(denoised @ y / np.linalg.norm(y))


def predict_variance(dim: int, n_train: int, noise_variance: float) -> float:
    """``Var u^T D(y)``."""
    y, basis = query(dim, noise_variance), (spectrum(dim), np.eye(dim))
    u = y / np.linalg.norm(y)
    return float(theory.denoiser_variance(y, u, 0.0, basis, noise_variance, n_train))


def predict_loss(which: str, *, dim: int, n_train: int, noise_variance: float) -> float:
    """Train or test loss, per dimension."""
    losses = theory.denoising_losses(spectrum(dim), noise_variance, n_train)
    return float(getattr(losses, which))


def predict_kappa(dim: int, n_train: int, noise_variance: float) -> float:
    """Renormalised noise."""
    return float(theory.renormalized_noise(spectrum(dim), noise_variance, n_train))


def predict_slope(dim: int, n_train: int, noise_variance: float) -> float:
    """Its derivative with respect to ``s^2``."""
    return float(theory.renormalized_noise_derivative(spectrum(dim), noise_variance, n_train))


CHECKS = (
    Check(
        "6",
        "renormalised noise",
        SOURCE,
        LOSSES,
        "kappa",
        predict_kappa,
        Allowance.per_point(0.5, REASON),
    ),
    Check(
        "6",
        "d kappa / d s^2",
        SOURCE,
        LOSSES,
        "slope",
        predict_slope,
        Allowance.per_point(0.2, REASON),
    ),
    Check(
        "6",
        "mean of D(y)",
        SOURCE,
        DENOISED_POINT,
        "mean",
        predict_mean,
        Allowance.per_point(0.5, REASON),
    ),
    Check(
        "6",
        "variance of D(y)",
        SOURCE,
        DENOISED_POINT,
        "variance",
        predict_variance,
        Allowance.per_point(1.0, REASON),
    ),
    Check(
        "6",
        "train loss",
        SOURCE,
        LOSSES,
        "train",
        partial(predict_loss, "train"),
        Allowance.per_point(0.5, REASON),
    ),
    Check(
        "6",
        "test loss",
        SOURCE,
        LOSSES,
        "test",
        partial(predict_loss, "test"),
        Allowance.per_point(0.5, REASON),
    ),
)
