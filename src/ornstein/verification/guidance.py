r"""Section 16: guided samples of Gaussian classes, by the reverse ODE.

A replicate draws points at a large noise and takes them down a geometric sequence of noises by
Heun's method with ``D = (1 + g) D_c - g D_u``, the denoisers written as their definitions say: of a
class ``N(delta, lambda_c)`` and a pool ``N(0, lambda_u)``; or of a class ``N(m, sigma^2)`` and the
mixture of it with ``N(-m, sigma^2)``. Measured are mean and variance, and the share of points
beyond the class mean. The error of Heun's method is of the square of its step, h in ``ln s``; what
the finite start leaves out is of the order of ``|delta|/s``.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "2505.19210; this project"
_DRAWS = 4000
_START, _END = 1000.0, 1e-3
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)


def guided(
    rng: np.random.Generator, denoised: Callable[[np.ndarray, float], np.ndarray], step: float
) -> np.ndarray:
    """Points taken from large to small noise by Heun's method."""
    count = round(np.log(_START / _END) / step)
    y = _START * rng.standard_normal(_DRAWS)
    for s, s_next in pairwise(np.geomspace(_START, _END, count + 1)):
        first = (y - denoised(y, s)) / s
        moved = y + (s_next - s) * first
        y = y + (s_next - s) * (first + (moved - denoised(moved, s_next)) / s_next) / 2
    return y


def simulate_linear(
    rng: np.random.Generator,
    *,
    guidance: float,
    class_variance: float,
    pooled_variance: float,
    class_mean: float,
    step: float,
) -> dict[str, float]:
    """Mean and variance of a guided Gaussian class."""

    def denoised(y: np.ndarray, s: float) -> np.ndarray:
        own = class_mean + class_variance / (class_variance + s**2) * (y - class_mean)
        pool = pooled_variance / (pooled_variance + s**2) * y
        return (1 + guidance) * own - guidance * pool

    y = guided(rng, denoised, step)
    return {"mean": float(y.mean()), "variance": float(y.var(ddof=1))}


def simulate_classes(
    rng: np.random.Generator, *, guidance: float, mean_norm: float, std: float, step: float
) -> dict[str, float]:
    """Mean, variance and a share of a guided class, one of two."""

    def denoised(y: np.ndarray, s: float) -> np.ndarray:
        v = std**2 + s**2
        own, other = (mean + std**2 / v * (y - mean) for mean in (mean_norm, -mean_norm))
        odds = 1 / (1 + np.exp(-2 * mean_norm / v * y))
        return (1 + guidance) * own - guidance * (other + odds * (own - other))

    y = guided(rng, denoised, step)
    beyond = float((y > mean_norm).mean())
    return {"mean": float(y.mean()), "variance": float(y.var(ddof=1)), "beyond": beyond}


LINEAR_CLASS = {"class_variance": 0.5, "pooled_variance": 1.3, "class_mean": 1.0}
LINEAR = Experiment(
    "guided Gaussian class",
    simulate_linear,
    fast=Setting({"guidance": 1.5, **LINEAR_CLASS, "step": 0.05}, replicates=50),
    full=Setting({"guidance": 1.5, **LINEAR_CLASS, "step": 0.025}, replicates=200),
)
TWO_CLASSES = {"mean_norm": 1.0, "std": 0.8}
CLASSES = Experiment(
    "guided class, one of two",
    simulate_classes,
    fast=Setting({"guidance": 1.5, **TWO_CLASSES, "step": 0.05}, replicates=50),
    full=Setting({"guidance": 1.5, **TWO_CLASSES, "step": 0.025}, replicates=200),
)


def predict_linear(
    which: str,
    *,
    guidance: float,
    class_variance: float,
    pooled_variance: float,
    class_mean: float,
    **_: float,
) -> float:
    """Mean or variance."""
    found = theory.guided_moments(class_variance, pooled_variance, guidance, class_mean)
    return float(getattr(found, which))


def predict_classes(
    which: str, *, guidance: float, mean_norm: float, std: float, **_: float
) -> float:
    """Mean or variance along m."""
    return float(getattr(theory.guided_class_moments(mean_norm, guidance, std), which))


def predict_beyond(*, guidance: float, mean_norm: float, std: float, **_: float) -> float:
    """Mass of the density beyond the class mean."""
    reach = 8.0 * std + guidance * mean_norm
    y = mean_norm + reach / 2 * (_NODES + 1)
    density = theory.guided_class_density(y, mean_norm, guidance, std)
    return float(reach / 2 * (_WEIGHTS @ density))


RULE = Allowance(
    "h^2 + 0.002 of the prediction",
    "Heun's rule with steps h in ln s; noise 1000 at the start, not infinite",
    lambda predicted, *, step, **_: abs(predicted) * (step**2 + 2e-3),
)

CHECKS = (
    Check("16", "mean, guided", SOURCE, LINEAR, "mean", partial(predict_linear, "mean"), RULE),
    Check(
        "16",
        "variance, guided",
        SOURCE,
        LINEAR,
        "variance",
        partial(predict_linear, "variance"),
        RULE,
    ),
    Check(
        "16", "mean, two classes", SOURCE, CLASSES, "mean", partial(predict_classes, "mean"), RULE
    ),
    Check(
        "16",
        "variance, 2 classes",
        SOURCE,
        CLASSES,
        "variance",
        partial(predict_classes, "variance"),
        RULE,
    ),
    Check("16", "P(beyond m)", SOURCE, CLASSES, "beyond", predict_beyond, RULE),
)
