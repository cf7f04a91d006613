r"""Section 14: members of a training set, told from others by their residuals.

Population ``N(0, Sigma)``, Sigma a power law of mean 1. A replicate draws n points, takes their
denoiser ``D = C (C + s^2)^{-1}``, and draws :data:`_FRESH` times as many fresh points. The
residuals ``|x - D x|^2`` of both give the means, the share of pairs in which the member's is
smaller, and the share of members below the residual that a tenth of the fresh ones is below.

*Most revealing noise.* The AUC of a batch of sets is averaged at many noises; measured is the
largest of the averages. (Where it lies cannot be measured: the AUC at noises ten times smaller is
less by 0.001.)

*Points for an AUC.* The AUC of a batch of sets is measured at 3/4 and 4/3 of a number of points. Of
a given AUC the number is interpolated: ``ln n`` is nearly linear in ``ln Phi^{-1}(AUC)``.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial

import numpy as np
from scipy.special import ndtri

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "this project"
RATE = 0.1
_BATCH, _FRESH = 20, 4
_NOISES = np.geomspace(1e-4, 3.0, 16)


def spectrum(dim: int) -> np.ndarray:
    """Eigenvalues ``1/k`` of mean 1."""
    values = 1.0 / np.arange(1, dim + 1)
    return values / values.mean()


def residuals(
    rng: np.random.Generator, dim: int, n_train: int, noise_variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of members and of the others, shape (noises, points)."""
    spread = np.sqrt(spectrum(dim))
    members = spread * rng.standard_normal((n_train, dim))
    others = spread * rng.standard_normal((_FRESH * n_train, dim))
    values, vectors = np.linalg.eigh(members.T @ members / n_train)
    left = noise_variances[:, None] / (np.maximum(values, 0.0) + noise_variances[:, None])
    return left**2 @ np.square(members @ vectors).T, left**2 @ np.square(others @ vectors).T


def area(members: np.ndarray, others: np.ndarray) -> float:
    """Share of pairs in which the member's number is smaller."""
    return float(np.searchsorted(np.sort(members), others).mean() / members.size)


def simulate_attack(
    rng: np.random.Generator, *, dim: int, n_train: int, noise_variance: float
) -> dict[str, float]:
    """Residuals under one denoiser, and how well they tell."""
    (members,), (others,) = residuals(rng, dim, n_train, np.array([noise_variance]))
    threshold = np.quantile(others, RATE)
    return {
        "ratio": float(members.mean() / others.mean()),
        "member": float(members.mean()),
        "other": float(others.mean()),
        "auc": area(members, others),
        "power": float((members < threshold).mean()),
    }


def simulate_noise(rng: np.random.Generator, *, dim: int, n_train: int) -> dict[str, float]:
    """Largest AUC over noises, of a batch of sets."""
    areas = [
        [area(*pair) for pair in zip(*residuals(rng, dim, n_train, _NOISES), strict=True)]
        for _ in range(_BATCH)
    ]
    return {"auc": float(np.mean(areas, axis=0).max())}


def simulate_points(
    rng: np.random.Generator, *, dim: int, noise_variance: float, auc: float, guess: int
) -> dict[str, float]:
    """Number of points at which a batch of sets has the AUC, by interpolation; relative to d."""
    counts = np.round(guess * np.array([0.75, 4 / 3])).astype(int)
    scores = []
    for count in counts.tolist():
        areas = [
            area(members, others)
            for _ in range(_BATCH)
            for (members,), (others,) in [residuals(rng, dim, count, np.array([noise_variance]))]
        ]
        scores.append(np.log(ndtri(np.mean(areas))))
    logs = np.log(counts)
    share = (np.log(ndtri(auc)) - scores[0]) / (scores[1] - scores[0])
    return {"points": float(np.exp(logs[0] + share * (logs[1] - logs[0])) / dim)}


ATTACK = Experiment(
    "attack on a linear denoiser",
    simulate_attack,
    fast=Setting({"dim": 40, "n_train": 160, "noise_variance": 0.3}, replicates=500),
    full=Setting({"dim": 80, "n_train": 320, "noise_variance": 0.3}, replicates=800),
)
NOISE = Experiment(
    "attack at many noises",
    simulate_noise,
    fast=Setting({"dim": 20, "n_train": 160}, replicates=20),
    full=Setting({"dim": 30, "n_train": 240}, replicates=100),
)
POINTS = Experiment(
    "attack at many numbers of points",
    simulate_points,
    fast=Setting({"dim": 20, "noise_variance": 0.2, "auc": 0.7, "guess": 110}, replicates=20),
    full=Setting({"dim": 30, "noise_variance": 0.2, "auc": 0.7, "guess": 210}, replicates=100),
)


def predict(which: str, *, dim: int, n_train: int, noise_variance: float) -> float:
    """A field of the closed form."""
    return float(getattr(theory.membership(spectrum(dim), noise_variance, n_train), which))


def predict_power(*, dim: int, n_train: int, noise_variance: float) -> float:
    """Share of members found at the false-positive rate."""
    return float(theory.membership(spectrum(dim), noise_variance, n_train).power(RATE))


def predict_noise(*, dim: int, n_train: int) -> float:
    """Largest AUC over noises."""
    return theory.most_revealing_noise(spectrum(dim), n_train)[1]


def predict_points(*, dim: int, noise_variance: float, auc: float, **_: float) -> float:
    """Number of points of an AUC, relative to d."""
    return theory.points_for_auc(spectrum(dim), noise_variance, auc) / dim


LIMIT = Allowance.per_dimension(1.0, "next order of the limit of large d")
SLOPE = Allowance.per_dimension(2.0, "next order of the limit of large d")
SKEW = Allowance(
    "0.5/d",
    "logarithms of residuals are taken for normal; next order in 1/d",
    lambda _, *, dim, **__: 0.5 / dim,
)
TAIL = Allowance(
    "2.5/d",
    "logarithms of residuals are taken for normal, also in their tail",
    lambda _, *, dim, **__: 2.5 / dim,
)

CHECKS = (
    *(
        Check("14", name, SOURCE, ATTACK, key, partial(predict, field), allowance)
        for name, key, field, allowance in (
            ("residuals' ratio", "ratio", "ratio", LIMIT),
            ("member's residual", "member", "member_mean", LIMIT),
            ("other's residual", "other", "non_member_mean", LIMIT),
            ("AUC of the attack", "auc", "auc", SKEW),
        )
    ),
    Check("14", "power at 10 %", SOURCE, ATTACK, "power", predict_power, TAIL),
    Check("14", "AUC, worst noise", SOURCE, NOISE, "auc", predict_noise, SKEW),
    Check("14", "n/d for AUC 0.7", SOURCE, POINTS, "points", predict_points, SLOPE),
)
