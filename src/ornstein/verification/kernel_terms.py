r"""Sections 3, 3.1: the terms of Delta for originals, averaged over them, and its sign.

A replicate draws N originals of ``N(m, sigma^2 I)`` and sums the kernels of the two terms,
``A'(O) = N^{-2} sum_{i != j} N(x_i - x_j; 0, 2 eps^2 I)`` and
``B(O) = N^{-1} sum_i N(x_i; mu, S + eps^2 I)`` with ``eps = sigma N^{-1/d}``, for a fixed generated
law ``N(mu, S)``. ``E A'`` and ``E B`` are exact. Both are given in units of the self-terms
``(4 pi sigma^2)^{-d/2}``, which cancel in Delta.

For the one-step model, a replicate fits n points and takes ``B`` of the points and of ``N = 1000``
originals (averaged over them); ``E B`` is over training sets. Its closed form replaces the variance
of the generator by the population's: a relative fluctuation of variance ``2/(n d)``, which enters
with the power ``d/2``, an error of order ``d/n``.

``P(Delta > 0)`` is the share of training sets with a positive Delta, originals averaged over. Its
theory leaves out O(1/d) of logarithms.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math
from functools import partial

import numpy as np

from ornstein import theory
from ornstein.denoisers.one_step import OneStepDenoiser
from ornstein.gaussians import Gaussian
from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross,
    log_cross_expected,
    log_pairs_expected,
)
from ornstein.memorization.delta import delta
from ornstein.verification.checks import Allowance, Check, Experiment, Setting
from ornstein.verification.one_step import NOISING

SOURCE = "this project"
_ORIGINALS = 1000


def generated_moments(dim: int, std: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and coordinate variances of the generated law."""
    return np.full(dim, 0.2 * std), std**2 * np.linspace(0.3, 1.2, dim)


def simulate_originals(
    rng: np.random.Generator, *, dim: int, n_original: int, std: float
) -> dict[str, float]:
    """``A'`` and ``B`` of one set of originals."""
    mean, variances = generated_moments(dim, std)
    points = std * rng.standard_normal((n_original, dim))
    eps2 = (std * n_original ** (-1.0 / dim)) ** 2
    squares = np.square(points).sum(axis=1)
    separation = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0.0)
    kernels = np.exp(-separation / (4 * eps2))
    np.fill_diagonal(kernels, 0.0)
    pairs = kernels.sum() / n_original**2 / (4 * math.pi * eps2) ** (dim / 2)
    widths = variances + eps2
    heights = np.exp(-0.5 * (np.square(points - mean) / widths).sum(axis=1))
    cross = heights.mean() / np.sqrt(np.prod(2 * math.pi * widths))
    unit = (4 * math.pi * std**2) ** (dim / 2)
    return {"pairs": pairs * unit, "cross": cross * unit}


ORIGINALS = Experiment(
    name="kernel terms of originals",
    simulate=simulate_originals,
    fast=Setting({"dim": 6, "n_original": 100, "std": 1.5}, replicates=2000),
    full=Setting({"dim": 8, "n_original": 300, "std": 1.5}, replicates=8000),
)


def predict_pairs(dim: int, n_original: int, std: float) -> float:
    """``E A'(O)``, in units of the self-terms."""
    population = Gaussian.isotropic(dim, std=std)
    log = log_pairs_expected(population, n_original, bandwidth(std, n_original, dim))
    return math.exp(log + 0.5 * dim * math.log(4 * math.pi * std**2))


def predict_cross(dim: int, n_original: int, std: float) -> float:
    """``E B(O)``, in units of the self-terms."""
    mean, variances = generated_moments(dim, std)
    population, law = Gaussian.isotropic(dim, std=std), Gaussian(mean, variances)
    log = log_cross_expected(law, population, bandwidth(std, n_original, dim))
    return math.exp(log + 0.5 * dim * math.log(4 * math.pi * std**2))


# ---- the one-step model


def simulate_one_step(
    rng: np.random.Generator, *, dim: int, n_train: int, time: float, noise_scale: float, std: float
) -> dict[str, float]:
    """``B`` of one training set and of the originals."""
    population = Gaussian.isotropic(dim, mean=3.0, std=std)
    train = population.sample(n_train, rng)
    law = OneStepDenoiser(time, noise_scale, random_state=rng).fit(train).generated_law_
    unit = 0.5 * dim * math.log(4 * math.pi * std**2)
    seen = log_cross(law, train, bandwidth(std, n_train, dim))
    fresh = log_cross_expected(law, population, bandwidth(std, _ORIGINALS, dim))
    return {"train": math.exp(unit + seen), "originals": math.exp(unit + fresh)}


ONE_STEP = Experiment(
    name="kernel terms of the one-step model",
    simulate=simulate_one_step,
    fast=Setting({"dim": 8, "n_train": 64, **NOISING}, replicates=3000),
    full=Setting({"dim": 12, "n_train": 192, **NOISING}, replicates=15_000),
)


def predict_one_step(
    which: str, *, dim: int, n_train: int, time: float, noise_scale: float, std: float
) -> float:
    """``E B`` over training sets, in units of the self-terms."""
    terms = theory.expected_delta(dim, n_train, _ORIGINALS, time, noise_scale, std).log_terms
    unit = 0.5 * dim * math.log(4 * math.pi * std**2)
    return math.exp(unit + float(getattr(terms, which)))


GENERATOR = Allowance(
    "0.2 d/n of the prediction",
    "the generator's variance is that of the training points, to the power d/2",
    lambda predicted, *, dim, n_train, **_: 0.2 * predicted * dim / n_train,
)

# ---- how often Delta is positive

_MANY_ORIGINALS = 10_000


def simulate_sign(
    rng: np.random.Generator, *, dim: int, n_train: int, time: float, noise_scale: float, std: float
) -> dict[str, float]:
    """Whether Delta is positive for one training set."""
    population = Gaussian.isotropic(dim, mean=3.0, std=std)
    train = population.sample(n_train, rng)
    law = OneStepDenoiser(time, noise_scale, random_state=rng).fit(train).generated_law_
    found = delta(law, train, population, n_original=_MANY_ORIGINALS)
    return {"positive": float(found.sign > 0)}


SIGN = Experiment(
    name="sign of Delta of the one-step model",
    simulate=simulate_sign,
    fast=Setting({"dim": 16, "n_train": 26, **NOISING}, replicates=1000),
    full=Setting({"dim": 100, "n_train": 350, **NOISING}, replicates=1500),
)


def predict_sign(*, dim: int, n_train: int, time: float, noise_scale: float, std: float) -> float:
    """``P(Delta > 0)``."""
    return theory.delta_positive_probability(dim, n_train, _MANY_ORIGINALS, time, noise_scale, std)


LOGARITHMS = Allowance(
    "0.02 + 0.2/d",
    "O(1/d) of logarithms is left out",
    lambda _, *, dim, **__: 0.02 + 0.2 / dim,
)

CHECKS = (
    Check("3", "E A'(originals)", SOURCE, ORIGINALS, "pairs", predict_pairs),
    Check("3", "E B(originals)", SOURCE, ORIGINALS, "cross", predict_cross),
    Check(
        "3",
        "E B(T), one-step",
        SOURCE,
        ONE_STEP,
        "train",
        partial(predict_one_step, "cross_train"),
        GENERATOR,
    ),
    Check(
        "3",
        "E B(O), one-step",
        SOURCE,
        ONE_STEP,
        "originals",
        partial(predict_one_step, "cross_originals"),
        GENERATOR,
    ),
    Check("3.1", "P(Delta > 0)", SOURCE, SIGN, "positive", predict_sign, LOGARITHMS),
)
