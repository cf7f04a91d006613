r"""Sections 1.1 and 1.2: what the one-step denoiser generates, on both sides of its threshold.

A replicate draws n points of ``N(m, sigma^2 I_d)``, fits
:class:`~ornstein.denoisers.one_step.OneStepDenoiser`, and measures its generated law
``N(mu_G, Sigma_G)``. Three regimes: above the threshold ``n* = d / rho2``; between d and n*, where
the smallest singular values reach 0; and ``n < d``, where the law is singular. The mean term is not
returned by itself: it is what the closed forms of KL, trace and log-determinant leave,

    |mu_G - m|^2 / sigma^2 = 2 KL - tr + d + ln det.

The log-determinant is exact at every size: in 4 dimensions it is measured without any allowance, of
maps that are fitted by least squares, at the population's input variance.

Hellinger^2 is measured where it is not yet 1: with little noise above the threshold, in few
dimensions below it. What is expanded in 1/d there is the logarithm of the affinity, so that the
allowance of Hellinger^2 is a part of ``1 - Hellinger^2``.
"""

from __future__ import annotations

__all__ = ["CHECKS", "NOISING"]

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ornstein import theory
from ornstein.denoisers.one_step import OneStepDenoiser
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "Halder, 2411.17807; this project"
NOISING = {"time": 0.7, "noise_scale": 3.0, "std": 1.5}
"""Not the defaults, so that every parameter counts: rho2 = 0.499, n* = 2.005 d."""

_AT_ONCE = 100


MEASURES: dict[str, Callable[[Gaussian, Gaussian], float]] = {
    "kl": kl_divergence,
    "trace": lambda law, population: law.covariance.trace / population.covariance.trace,
    "log_det": lambda law, population: law.covariance.log_det - population.covariance.log_det,
    "mean": lambda law, population: np.square(law.mean - population.mean).sum() / population.std**2,
    "hellinger": hellinger_squared,
    "wasserstein": wasserstein_squared,
}


def simulate_generated_law(
    rng: np.random.Generator,
    measured: tuple[str, ...],
    *,
    dim: int,
    n_train: int,
    time: float,
    noise_scale: float,
    std: float,
) -> dict[str, float]:
    """Distances of one generated law to its population, or their parts: those in `measured`."""
    population = Gaussian.isotropic(dim, mean=3.0, std=std)
    model = OneStepDenoiser(time, noise_scale, random_state=rng)
    law = model.fit(population.sample(n_train, rng)).generated_law_
    return {name: float(MEASURES[name](law, population)) for name in measured}


def simulate_few_dimensions(
    rng: np.random.Generator,
    *,
    dim: int,
    n_train: int,
    time: float,
    noise_scale: float,
    std: float,
) -> dict[str, float]:
    """The log-determinant of many fitted maps, by least squares, at the population's variance."""
    signal, variance = np.exp(-time), -noise_scale * np.exp(-2 * time) * np.expm1(-2 * time)
    x = std * rng.standard_normal((_AT_ONCE, n_train, dim))
    y = signal * x + np.sqrt(variance) * rng.standard_normal(x.shape)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    transposed = np.swapaxes(y, 1, 2)
    fitted = np.linalg.slogdet(transposed @ x)[1] - np.linalg.slogdet(transposed @ y)[1]
    start = dim * np.log(1 / std**2 * (signal**2 * std**2 + variance))
    return {"log_det": float(start + 2 * fitted.mean())}


def _measuring(*names: str) -> Callable[..., dict[str, float]]:
    return partial(simulate_generated_law, measured=names)


def _experiment(
    name: str, points_per_dimension: float, fast: int, full: int, measured: tuple[str, ...]
) -> Experiment:
    def setting(dim: int, replicates: int) -> Setting:
        n_train = round(points_per_dimension * dim)
        return Setting({"dim": dim, "n_train": n_train, **NOISING}, replicates)

    return Experiment(name, _measuring(*measured), setting(40, fast), setting(100, full))


FINITE = ("trace", "wasserstein")  # of singular laws too
REGULAR = ("kl", "log_det", *FINITE)
ABOVE = _experiment("one-step model above its threshold", 4, 2000, 4000, (*REGULAR, "mean"))
BELOW = _experiment("one-step model below its threshold", 1.4, 2000, 4000, REGULAR)
FEW = _experiment("one-step model of few points", 0.6, 1000, 4000, FINITE)
FEW_DIMENSIONS = Experiment(
    "one-step model in few dimensions",
    _measuring("hellinger"),
    fast=Setting({"dim": 8, "n_train": 14, **NOISING}, replicates=6000),
    full=Setting({"dim": 16, "n_train": 28, **NOISING}, replicates=40_000),
)
EXACT = Experiment(
    "maps fitted by least squares in few dimensions",
    simulate_few_dimensions,
    fast=Setting({"dim": 4, "n_train": 7, **NOISING}, replicates=200),
    full=Setting({"dim": 4, "n_train": 7, **NOISING}, replicates=2000),
)
LITTLE_NOISE = Experiment(
    "one-step model with little noise",
    _measuring("hellinger"),
    fast=Setting({"dim": 30, "n_train": 120, **NOISING, "noise_scale": 1.0}, replicates=600),
    full=Setting({"dim": 60, "n_train": 240, **NOISING, "noise_scale": 1.0}, replicates=3000),
)


def predict_kl(**parameters: float) -> float:
    """``E KL(generated || population)``, total."""
    return theory.one_step(**parameters).kl


def predict_trace(**parameters: float) -> float:
    """``E tr Sigma_G / (d sigma^2)``."""
    return theory.one_step(**parameters).trace


def predict_log_det(**parameters: float) -> float:
    """``E ln det(Sigma_G / sigma^2)``."""
    return theory.one_step(**parameters).log_det


def predict_mean(**parameters: float) -> float:
    """``E |mu_G - m|^2 / sigma^2``."""
    found, dim = theory.one_step(**parameters), parameters["dim"]
    return 2 * found.kl - dim * (found.trace - 1) + found.log_det


def predict_hellinger(**parameters: float) -> float:
    """``1 - E int sqrt(p q)``."""
    return theory.one_step(**parameters).hellinger_squared


def predict_wasserstein(**parameters: float) -> float:
    """``E W_2^2``."""
    return theory.one_step(**parameters).wasserstein_squared


PLUG_IN = Allowance.per_point(0.3, "the generator's variance is that of the training points")
EXPANSION = Allowance.per_dimension(0.2, "order left out of the expansion in 1/d, n > n*")
THRESHOLD = Allowance.per_dimension(0.3, "order left out of the expansion in 1/d, n < n*")
AFFINITY = Allowance(
    "0.1/d of 1 - prediction",
    "order left out of the expansion of ln(1 - Hellinger^2) in 1/d, n < n*",
    lambda predicted, *, dim, **_: 0.1 * abs(1 - predicted) / dim,
)

CHECKS = (
    Check("1.1", "KL, n > n*", SOURCE, ABOVE, "kl", predict_kl, EXPANSION),
    Check("1.1", "trace, n > n*", SOURCE, ABOVE, "trace", predict_trace, PLUG_IN),
    Check("1.1", "ln det, n > n*", SOURCE, ABOVE, "log_det", predict_log_det, EXPANSION),
    Check("1.1", "mean term, n > n*", SOURCE, ABOVE, "mean", predict_mean, PLUG_IN),
    Check(
        "1.1",
        "Hellinger^2, n > n*",
        SOURCE,
        LITTLE_NOISE,
        "hellinger",
        predict_hellinger,
        EXPANSION,
    ),
    Check("1.1", "W2^2, n > n*", SOURCE, ABOVE, "wasserstein", predict_wasserstein, EXPANSION),
    Check("1.1", "trace, n < d", SOURCE, FEW, "trace", predict_trace, PLUG_IN),
    Check("1.1", "W2^2, n < d", SOURCE, FEW, "wasserstein", predict_wasserstein, EXPANSION),
    Check("1.2", "KL, d < n < n*", SOURCE, BELOW, "kl", predict_kl, THRESHOLD),
    Check("1.2", "ln det, d < n < n*", SOURCE, BELOW, "log_det", predict_log_det, THRESHOLD),
    Check("1.2", "ln det, d = 4", SOURCE, EXACT, "log_det", predict_log_det),
    Check("1.2", "trace, d < n < n*", SOURCE, BELOW, "trace", predict_trace, PLUG_IN),
    Check(
        "1.2",
        "Hellinger^2, d<n<n*",
        SOURCE,
        FEW_DIMENSIONS,
        "hellinger",
        predict_hellinger,
        AFFINITY,
    ),
    Check("1.2", "W2^2, d < n < n*", SOURCE, BELOW, "wasserstein", predict_wasserstein, THRESHOLD),
)
