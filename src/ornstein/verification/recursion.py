r"""Section 15: models that are trained on their own samples.

*Gaussian generator.* A replicate starts at ``N(0, I)`` and for each generation draws n points of
the last one and takes their mean and covariance; measured is KL to the start. With fresh points,
the mean is known and a number of the n points are drawn from the start instead; measured are
``tr S^2 / d`` and ``(tr S)^2 / d^2``.

*Perfect score, stopped.* One coordinate, of two classes at ``+-m``. Each generation's training law
is, point by point, fresh with probability a, or else a point of the last generation's training law
noised to OU time delta, which is what a perfect score generates when it is stopped there. Measured
is the mean square of the last generation.

*One-step model.* A replicate fits :class:`~ornstein.denoisers.one_step.OneStepDenoiser` on n points
of ``N(0, I)`` and takes the trace of what it generates, on both sides of ``n = 2 d + 2``; and so on
for three generations, of which the last has its mean variance, its effective rank
``(tr Sigma)^2 / (d tr Sigma^2)``, and KL to ``N(0, I)`` measured.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial

import numpy as np

from ornstein import theory
from ornstein.denoisers.one_step import OneStepDenoiser
from ornstein.gaussians import Gaussian, kl_divergence
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

GENERATOR = "2402.07712; this project"
SCORE = "2606.13796; this project"
OWN = "this project"
_DRAWS = 20_000


def simulate_generator(
    rng: np.random.Generator, *, dim: int, n_train: int, generations: int
) -> dict[str, float]:
    """KL to the population after some generations, with known and with fitted mean."""
    found = {}
    for name, fitted in (("known", False), ("fitted", True)):
        mean, root, log_det = np.zeros(dim), np.eye(dim), 0.0
        for _ in range(generations):
            points = mean + rng.standard_normal((n_train, dim)) @ root.T
            mean = points.mean(axis=0) if fitted else mean
            S = (points - mean).T @ (points - mean) / (n_train - fitted)
            root = np.linalg.cholesky(S)
            log_det = 2 * np.log(np.diag(root)).sum()
        found[name] = float((np.square(root).sum() - dim - log_det + mean @ mean) / 2)
    return found


def simulate_fresh(
    rng: np.random.Generator, *, dim: int, n_train: int, generations: int, fresh: int
) -> dict[str, float]:
    """Second moments of the covariance, some of the points fresh in each generation."""
    root = S = np.eye(dim)
    for _ in range(generations):
        points = rng.standard_normal((n_train, dim))
        points[fresh:] = points[fresh:] @ root.T
        S = points.T @ points / n_train
        root = np.linalg.cholesky(S)
    return {"square": float(np.square(S).sum() / dim), "trace": float((np.trace(S) / dim) ** 2)}


def simulate_score(
    rng: np.random.Generator, *, time: float, generations: int, share: float, mean_norm: float
) -> dict[str, float]:
    """Mean square of the training law of a generation."""

    def population() -> np.ndarray:
        return rng.choice([-mean_norm, mean_norm], _DRAWS) + 0.5 * rng.standard_normal(_DRAWS)

    x = population()
    for _ in range(generations):
        noise = np.sqrt(-np.expm1(-2 * time)) * rng.standard_normal(_DRAWS)
        x = np.where(rng.random(_DRAWS) < share, population(), np.exp(-time) * x + noise)
    return {"square": float(np.square(x).mean())}


def simulate_one_step(
    rng: np.random.Generator, *, dim: int, n_train: int, time: float, noise_scale: float
) -> dict[str, float]:
    """Trace over dimension of what a one-step model of unit data generates."""
    points = Gaussian.isotropic(dim).sample(n_train, rng)
    law = OneStepDenoiser(time, noise_scale, random_state=rng).fit(points).generated_law_
    return {"trace": law.covariance.trace / dim}


def simulate_generations(
    rng: np.random.Generator, *, dim: int, n_train: int, time: float, noise_scale: float
) -> dict[str, float]:
    """Mean variance, effective rank and KL of the third generation of one-step models."""
    law = Gaussian.isotropic(dim)
    for _ in range(3):
        model = OneStepDenoiser(time, noise_scale * law.covariance.trace / dim, random_state=rng)
        law = model.fit(law.sample(n_train, rng)).generated_law_
    eigenvalues = law.covariance.eigenvalues
    total = float(eigenvalues.sum())
    rank = total**2 / float(np.square(eigenvalues).sum())
    kl = kl_divergence(law, Gaussian.isotropic(dim))
    return {"mean": total / dim, "rank": rank / dim, "kl": kl}


REFITTED = Experiment(
    "Gaussians fitted to samples of each other",
    simulate_generator,
    fast=Setting({"dim": 6, "n_train": 24, "generations": 5}, replicates=1500),
    full=Setting({"dim": 8, "n_train": 40, "generations": 10}, replicates=2500),
)
FRESH = Experiment(
    "Gaussians fitted to samples and fresh points",
    simulate_fresh,
    fast=Setting({"dim": 6, "n_train": 20, "generations": 6, "fresh": 5}, replicates=2000),
    full=Setting({"dim": 8, "n_train": 40, "generations": 10, "fresh": 10}, replicates=3000),
)
STOPPED = Experiment(
    "perfect scores of stopped samples",
    simulate_score,
    fast=Setting({"time": 0.2, "generations": 4, "share": 0.3, "mean_norm": 2.0}, replicates=100),
    full=Setting({"time": 0.2, "generations": 8, "share": 0.3, "mean_norm": 2.0}, replicates=200),
)
FEWER = Experiment(
    "first generation of one-step models, few points",
    simulate_one_step,
    fast=Setting({"dim": 16, "n_train": 27, "time": 0.7, "noise_scale": 1.5}, replicates=1200),
    full=Setting({"dim": 32, "n_train": 54, "time": 0.7, "noise_scale": 1.5}, replicates=1500),
)
MORE = Experiment(
    "first generation of one-step models, many points",
    simulate_one_step,
    fast=Setting({"dim": 16, "n_train": 60, "time": 0.7, "noise_scale": 1.5}, replicates=400),
    full=Setting({"dim": 32, "n_train": 120, "time": 0.7, "noise_scale": 1.5}, replicates=800),
)


GENERATIONS = Experiment(
    "three generations of one-step models",
    simulate_generations,
    fast=Setting({"dim": 24, "n_train": 72, "time": 0.7, "noise_scale": 1.5}, replicates=200),
    full=Setting({"dim": 48, "n_train": 144, "time": 0.7, "noise_scale": 1.5}, replicates=300),
)


def predict_kl(fitted: bool, *, dim: int, n_train: int, generations: int) -> float:
    """``E KL(generation || population)``."""
    return float(theory.recursive_kl(dim, n_train, generations, fitted_mean=fitted))


def predict_moment(which: str, *, dim: int, n_train: int, generations: int, fresh: int) -> float:
    """A second moment of the covariance."""
    found = theory.recursive_variance(dim, n_train, generations, fresh / n_train)
    return float(getattr(found, which))


def predict_score(*, time: float, generations: int, share: float, mean_norm: float) -> float:
    """Second moment of the training law."""
    second = mean_norm**2 + 0.25
    return float(theory.recursive_score_variance([second], time, generations, share)[0])


def predict_trace(*, dim: int, n_train: int, time: float, noise_scale: float) -> float:
    """Factor on the trace."""
    return float(theory.recursive_one_step_trace(dim, n_train, time, noise_scale))


def predict_generation(which: str, *, dim: int, n_train: int, **noising: float) -> float:
    """Mean variance, effective rank over dimension, or KL, of the third generation."""
    if which == "kl":
        return float(theory.recursive_one_step(dim, n_train, 3, **noising).kl[-1])
    found = theory.recursive_one_step_spectrum(np.ones(dim), n_train, 3, **noising)[-1]
    rank = found.sum() ** 2 / np.square(found).sum() / dim
    return float(found.mean() if which == "mean" else rank)


PLUG_IN = Allowance.per_point(0.5, "the start has the variance of the training points")

CHECKS = (
    Check("15", "KL, known mean", GENERATOR, REFITTED, "known", partial(predict_kl, False)),
    Check("15", "KL, fitted mean", GENERATOR, REFITTED, "fitted", partial(predict_kl, True)),
    Check("15", "tr S^2, fresh", GENERATOR, FRESH, "square", partial(predict_moment, "square")),
    Check(
        "15",
        "(tr S)^2, fresh",
        GENERATOR,
        FRESH,
        "trace",
        partial(predict_moment, "trace_square"),
    ),
    Check("15", "stopped score", SCORE, STOPPED, "square", predict_score),
    Check("15", "one-step, n < 2d+2", OWN, FEWER, "trace", predict_trace, PLUG_IN),
    Check("15", "one-step, n > 2d+2", OWN, MORE, "trace", predict_trace, PLUG_IN),
    *(
        Check(
            "15",
            f"{name}, generation 3",
            OWN,
            GENERATIONS,
            key,
            partial(predict_generation, key),
            Allowance.per_dimension(2.0, "quantiles for eigenvalues, in three generations"),
        )
        for name, key in (("mean", "mean"), ("rank", "rank"), ("KL", "kl"))
    ),
)
