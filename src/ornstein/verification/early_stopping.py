r"""Section 8: when to stop training a linear denoiser of n points.

A replicate draws n isotropic points in d dimensions, ``n < d``, and trains a d x d weight matrix
from ``W = Q I`` by gradient descent, in steps of training time h, on the loss of the n points with
all noise draws. Losses are averaged over points and noise exactly, as in section 6. Measured are
both at one time, and the time of the smallest test loss (the vertex of a parabola through three
steps).
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "Wang, Zavatone-Veth, Pehlevan, 2602.02908"


def simulate_training(
    rng: np.random.Generator,
    *,
    dim: int,
    n_train: int,
    train_time: float,
    noise_variance: float,
    init: float,
    step: float,
) -> dict[str, float]:
    """Losses at a time, per dimension, and when the test loss was smallest."""
    points = rng.standard_normal((n_train, dim))
    C = points.T @ points / n_train
    drive = C + noise_variance * np.eye(dim)
    W = init * np.eye(dim)
    train, test = [], []
    for _ in range(round(train_time / step) + 1):
        missing = np.eye(dim) - W
        noise = noise_variance * np.square(W).sum()
        train.append((((C @ missing) * missing).sum() + noise) / dim)
        test.append((np.square(missing).sum() + noise) / dim)
        W = W - 2 * step * (W @ drive - C)
    best = min(max(int(np.argmin(test)), 1), len(test) - 2)
    left, lowest, right = test[best - 1 : best + 2]
    vertex = (left - right) / (2 * (left - 2 * lowest + right))
    return {"train": train[-1], "test": test[-1], "best_time": step * (best + vertex)}


SHARED = {"train_time": 0.8, "noise_variance": 0.25, "init": 1.0}
EARLY_STOPPING = Experiment(
    name="a linear denoiser trained on few points",
    simulate=simulate_training,
    fast=Setting({"dim": 40, "n_train": 20, **SHARED, "step": 0.004}, replicates=300),
    full=Setting({"dim": 120, "n_train": 60, **SHARED, "step": 0.002}, replicates=400),
)


def predict_loss(
    which: str,
    *,
    dim: int,
    n_train: int,
    train_time: float,
    noise_variance: float,
    init: float,
    **_: float,
) -> float:
    """Loss in the limit of large d."""
    losses = theory.early_stopping_losses(train_time, dim / n_train, noise_variance, init)
    return float(getattr(losses, which))


def predict_best_time(
    dim: int, n_train: int, noise_variance: float, init: float, **_: float
) -> float:
    """Time of the smallest test loss, in the limit of large d."""
    return float(theory.early_stopping_minimum(dim / n_train, noise_variance, init).time)


LIMIT = Allowance.per_dimension(0.1, "next order of the limit of large d")
BEST_TIME = Allowance(
    "0.1/d + h of the prediction",
    "next order of the limit of large d; descent in steps h",
    lambda predicted, *, dim, step, **_: predicted * (0.1 / dim + step),
)

CHECKS = (
    Check(
        "8",
        "stopped, train loss",
        SOURCE,
        EARLY_STOPPING,
        "train",
        partial(predict_loss, "train"),
        LIMIT,
    ),
    Check(
        "8",
        "stopped, test loss",
        SOURCE,
        EARLY_STOPPING,
        "test",
        partial(predict_loss, "test"),
        LIMIT,
    ),
    Check(
        "8",
        "best stopping time",
        SOURCE,
        EARLY_STOPPING,
        "best_time",
        predict_best_time,
        BEST_TIME,
    ),
)
