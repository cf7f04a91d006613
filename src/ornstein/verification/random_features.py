r"""Section 10: learning curves of a random-feature score, against ridge regression.

A replicate draws p random features ``F = tanh(W y / sqrt d)``, n points with m noise draws each,
``y = e^{-t} x + sqrt(Delta) z``, and minimises

    (1/(d n m)) sum_ij |a F_ij + z_ij|^2 + lam |a|^2 / d

over the d x p matrix a. L_train is the minimum; L_test is the mean of ``|a F + z|^2 / d`` over
:data:`_FRESH` fresh pairs.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math
from functools import partial

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "George, Veiga, Macris, 2502.00336"
_FRESH = 1000


def simulate_random_features(
    rng: np.random.Generator,
    *,
    dim: int,
    feature_ratio: float,
    sample_ratio: float,
    draws: int,
    time: float,
    ridge: float,
) -> dict[str, float]:
    """Losses of one fitted score, per dimension."""
    features, n_train = round(feature_ratio * dim), round(sample_ratio * dim)
    W = rng.standard_normal((features, dim)) / math.sqrt(dim)
    x = np.repeat(rng.standard_normal((n_train, dim)), draws, axis=0)
    F, z = _noised_features(rng, x, W, time)
    rows = n_train * draws
    gram = F.T @ F / rows + ridge * np.eye(features)
    a = -np.linalg.solve(gram, F.T @ z / rows)
    train = np.square(F @ a + z).mean() + ridge * np.square(a).sum() / dim
    F, z = _noised_features(rng, rng.standard_normal((_FRESH, dim)), W, time)
    return {"train": train, "test": np.square(F @ a + z).mean()}


def _noised_features(
    rng: np.random.Generator, x: np.ndarray, W: np.ndarray, time: float
) -> tuple[np.ndarray, np.ndarray]:
    z = rng.standard_normal(x.shape)
    y = math.exp(-time) * x + math.sqrt(-math.expm1(-2 * time)) * z
    return np.tanh(y @ W.T), z


def _experiment(
    name: str, feature_ratio: float, sample_ratio: float, draws: int, time: float, ridge: float
) -> Experiment:
    shared = {
        "feature_ratio": feature_ratio,
        "sample_ratio": sample_ratio,
        "draws": draws,
        "time": time,
        "ridge": ridge,
    }
    return Experiment(
        name,
        simulate_random_features,
        fast=Setting({"dim": 50, **shared}, replicates=150),
        full=Setting({"dim": 200, **shared}, replicates=200),
    )


NARROW = _experiment("random features, fewer than points", 0.5, 8.0, 1, 0.1, 1e-3)
SEVERAL = _experiment("random features, several noise draws", 2.0, 4.0, 2, 0.2, 1e-2)


def predict_loss(
    which: str,
    *,
    feature_ratio: float,
    sample_ratio: float,
    draws: int,
    time: float,
    ridge: float,
    **_: float,
) -> float:
    """Train or test loss, in the limit of large d."""
    losses = theory.random_feature_losses(feature_ratio, sample_ratio, time, ridge, draws)
    return float(getattr(losses, which))


def _checks(side: str, experiment: Experiment, coefficient: float) -> tuple[Check, Check]:
    limit = Allowance.per_dimension(coefficient, "next order of the proportional limit")
    return (
        Check(
            "10",
            f"train loss, {side}",
            SOURCE,
            experiment,
            "train",
            partial(predict_loss, "train"),
            limit,
        ),
        Check(
            "10",
            f"test loss, {side}",
            SOURCE,
            experiment,
            "test",
            partial(predict_loss, "test"),
            limit,
        ),
    )


CHECKS = (*_checks("m = 1", NARROW, 0.1), *_checks("m = 2", SEVERAL, 0.4))
