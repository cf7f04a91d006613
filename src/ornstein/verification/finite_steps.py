r"""Section 12: samplers of S steps with the denoisers of n points, and the best S.

A replicate draws n points of ``N(m, Sigma)``, ``Sigma`` a power law, takes their mean and their
covariance C, and follows mean and variance of each eigenvector of C through the sampler as its
paper prints it, from ``N(0, I)`` (``N(0, (1 + s^2) I)`` for Heun). The generated law is the
Gaussian with these, and its distances to the population are computed from the two covariances.

*Best number of steps.* A replicate averages the KL of Heun's method over :data:`_BATCH` training
sets, at every S from 5 to 40; measured is the vertex of a parabola in ``ln S`` through the numbers
around the least one, and the least KL itself.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ornstein import theory
from ornstein.diffusion.schedules import BetaSchedule, KarrasSchedule
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

if TYPE_CHECKING:
    Modes = tuple[np.ndarray, np.ndarray]

SOURCE = "this project"
BETAS = (0.01, 0.4)
NOISES = (0.02, 20.0)
_BATCH = 200
_COUNTS = np.arange(5, 41)


def spectrum(dim: int) -> np.ndarray:
    """Eigenvalues ``k^{-1/2}``."""
    return np.arange(1, dim + 1) ** -0.5


def centre(dim: int) -> np.ndarray:
    """Population mean, 1/2 in every coordinate."""
    return np.full(dim, 0.5)


def ancestral(eigenvalues: np.ndarray, mean: np.ndarray, steps: int, kind: str) -> Modes:
    """Generated mean and variance of modes by DDPM (``small``, ``large``) or DDIM."""
    betas = np.linspace(*BETAS, steps)
    alpha_bars = np.cumprod(1 - betas)
    m, v = np.zeros(eigenvalues.shape), np.ones(eigenvalues.shape)
    for k in range(steps - 1, -1, -1):
        beta, alpha_bar = betas[k], alpha_bars[k]
        before = alpha_bars[k - 1] if k else 1.0
        weight = eigenvalues / (eigenvalues + 1 / alpha_bar - 1)
        # Clean point mean + weight (x / sqrt(alpha_bar) - mean): factor and constant in x.
        factor, constant = weight / np.sqrt(alpha_bar), (1 - weight) * mean
        noise = np.sqrt(1 - alpha_bar)
        slope, shift = (1 - np.sqrt(alpha_bar) * factor) / noise, -np.sqrt(alpha_bar) * constant
        if kind == "ddim":
            a = np.sqrt(before) * factor + np.sqrt(1 - before) * slope
            b = np.sqrt(before) * constant + np.sqrt(1 - before) * shift / noise
            spread = 0.0
        else:
            a = (1 - beta / noise * slope) / np.sqrt(1 - beta)
            b = -beta / noise * (shift / noise) / np.sqrt(1 - beta)
            small = (1 - before) / (1 - alpha_bar) * beta
            spread = (small if kind == "small" else beta) if k else 0.0
        m, v = a * m + b, a**2 * v + spread
    return m, v


def heun(
    eigenvalues: np.ndarray, mean: np.ndarray, steps: int, ends: tuple[float, float] = NOISES
) -> Modes:
    """Generated mean and variance of modes by Heun's method, the last step Euler's."""
    smallest, largest = ends
    ramp = np.arange(steps) / (steps - 1)
    noises = (largest ** (1 / 7) + ramp * (smallest ** (1 / 7) - largest ** (1 / 7))) ** 7
    deviation = np.ones(eigenvalues.shape)
    for s, s_next in zip(noises, [*noises[1:], 0.0], strict=True):
        slope = s / (eigenvalues + s**2)
        moved = 1 + (s_next - s) * slope
        if s_next > 0:
            slope = (slope + moved * s_next / (eigenvalues + s_next**2)) / 2
        deviation = deviation * (1 + (s_next - s) * slope)
    # Of y - mean the start has -mean, with the variance 1 + s^2.
    return mean - deviation * mean, deviation**2 * (1 + largest**2)


SAMPLERS = {
    "DDPM small": partial(ancestral, kind="small"),
    "DDPM large": partial(ancestral, kind="large"),
    "DDIM": partial(ancestral, kind="ddim"),
    "Heun": heun,
}
NAMES = {"DDPM small": "ddpm", "DDPM large": "ddpm:large", "DDIM": "ddim", "Heun": "heun"}


DISTANCES = {
    "kl": kl_divergence,
    "hellinger": hellinger_squared,
    "wasserstein": wasserstein_squared,
}


def simulate_samplers(
    rng: np.random.Generator,
    measured: dict[str, tuple[str, ...]],
    *,
    dim: int,
    n_train: int,
    steps: int,
) -> dict[str, float]:
    """Distances of what samplers generate with the denoisers of one training set, by sampler."""
    population = Gaussian(centre(dim), spectrum(dim))
    points = population.sample(n_train, rng)
    mean = points.mean(axis=0)
    C = (points - mean).T @ (points - mean) / n_train
    values, vectors = np.linalg.eigh(C)
    # Directions without data have no variance, whatever rounding leaves there.
    values[: max(dim - n_train + 1, 0)] = 0.0
    found = {}
    for name, distances in measured.items():
        m, v = SAMPLERS[name](values, vectors.T @ mean, steps)
        law = Gaussian.from_factor(vectors @ m, (vectors * np.sqrt(v))[:, v > 0])
        for distance in distances:
            found[f"{distance} {name}"] = DISTANCES[distance](law, population)
    return found


def simulate_best(rng: np.random.Generator, *, dim: int, n_train: int) -> dict[str, float]:
    """Number of steps of the least mean KL of Heun's method, and that KL."""
    variances = spectrum(dim)
    points = np.sqrt(variances) * rng.standard_normal((_BATCH, n_train, dim))
    means = points.mean(axis=1)
    centred = points - means[:, None]
    values, vectors = np.linalg.eigh(np.swapaxes(centred, 1, 2) @ centred / n_train)
    # Of Sigma^-1 in the eigenvectors of C: its diagonal, and what a mean has in it.
    inverse = (vectors**2 / variances[:, None]).sum(axis=1)
    along = np.einsum("bij,bi->bj", vectors, means)
    kl = []
    for count in _COUNTS:
        m, v = heun(values, along, int(count))
        moved = np.einsum("bij,bj->bi", vectors, m)
        log_ratio = np.log(v).sum(axis=1) - np.log(variances).sum()
        shift = (moved**2 / variances).sum(axis=1)
        kl.append(((v * inverse).sum(axis=1) - dim - log_ratio + shift).mean() / 2)
    best = min(max(int(np.argmin(kl)), 2), len(kl) - 3)
    near = slice(best - 2, best + 3)
    curve = np.polynomial.Polynomial.fit(np.log(_COUNTS[near]), kl[near], 2)
    vertex = float(curve.deriv().roots()[0])
    return {"steps": float(np.exp(vertex)), "kl": float(curve(vertex))}


MANY = Experiment(
    "samplers of S steps, many points",
    partial(
        simulate_samplers,
        measured={
            "DDPM small": ("kl",),
            "DDPM large": ("kl",),
            "DDIM": ("kl", "wasserstein"),
            "Heun": ("kl", "hellinger"),
        },
    ),
    fast=Setting({"steps": 8, "dim": 16, "n_train": 48}, replicates=400),
    full=Setting({"steps": 8, "dim": 32, "n_train": 96}, replicates=600),
)
FEW = Experiment(
    "samplers of S steps, few points",
    partial(simulate_samplers, measured={"DDIM": ("wasserstein",)}),
    fast=Setting({"steps": 8, "dim": 20, "n_train": 11}, replicates=300),
    full=Setting({"steps": 8, "dim": 40, "n_train": 21}, replicates=400),
)
BEST = Experiment(
    "numbers of steps of Heun's method",
    simulate_best,
    fast=Setting({"dim": 8, "n_train": 32}, replicates=25),
    full=Setting({"dim": 12, "n_train": 48}, replicates=100),
)


def _schedule(name: str, steps: int | None) -> BetaSchedule | KarrasSchedule:
    return KarrasSchedule(*NOISES) if name == "Heun" else BetaSchedule("linear", steps, *BETAS)


def predict(which: str, name: str, *, dim: int, n_train: int, steps: int) -> float:
    """A distance of what a sampler generates."""
    quality = theory.sampler_quality(
        spectrum(dim),
        steps,
        NAMES[name],
        _schedule(name, steps),
        mean=centre(dim),
        n_train=n_train,
    )
    return float(getattr(quality, which))


def predict_best(which: str, *, dim: int, n_train: int) -> float:
    """Number of steps of least KL, or that KL."""
    found = theory.best_steps(spectrum(dim), n_train, "heun", _schedule("Heun", None))
    return float(getattr(found, which))


EXPANSION = Allowance.per_dimension(0.3, "order left out of the expansion in 1/d")
WHOLE = Allowance(
    "1/2 + 4/d of a step",
    "a number of steps is whole; next order in 1/d",
    lambda _, *, dim, **__: 0.5 + 4 / dim,
)

CHECKS: tuple[Check, ...] = (
    *(
        Check(
            "12",
            f"KL at n, {name}",
            SOURCE,
            MANY,
            f"kl {name}",
            partial(predict, "kl", name),
            EXPANSION,
        )
        for name in SAMPLERS
    ),
    Check(
        "12",
        "Hellinger^2, Heun",
        SOURCE,
        MANY,
        "hellinger Heun",
        partial(predict, "hellinger_squared", "Heun"),
        EXPANSION,
    ),
    Check(
        "12",
        "W2^2, DDIM, n > d",
        SOURCE,
        MANY,
        "wasserstein DDIM",
        partial(predict, "wasserstein_squared", "DDIM"),
        EXPANSION,
    ),
    Check(
        "12",
        "W2^2, DDIM, n < d",
        SOURCE,
        FEW,
        "wasserstein DDIM",
        partial(predict, "wasserstein_squared", "DDIM"),
        EXPANSION,
    ),
    Check("12", "best S, Heun", SOURCE, BEST, "steps", partial(predict_best, "steps"), WHOLE),
    Check("12", "KL at best S", SOURCE, BEST, "kl", partial(predict_best, "kl"), EXPANSION),
)
