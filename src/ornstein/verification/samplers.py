r"""Section 4: what samplers generate in S steps, against real draws.

Population ``N(m, diag(lambda))``, its best denoiser ``D = m + lambda/(lambda + s^2) (y - m)``.
A replicate starts :data:`_DRAWS` points at ``N(0, I)`` (``N(0, (1 + s^2) I)`` for Heun), runs the
sampler on them, and estimates KL(generated || population) from the mean and the variance of each
coordinate: what N draws leave out on average is known for Gaussians (``E ln`` of a chi-square), and
is added, so that the estimate has no bias.

The samplers are written here as their papers print them: DDPM from the predicted noise, DDIM from
the predicted clean point, Heun for ``dy/ds = (y - D)/s``.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma

from ornstein import theory
from ornstein.diffusion.samplers import DDIM, DDPM, Heun
from ornstein.diffusion.schedules import BetaSchedule, KarrasSchedule
from ornstein.verification.checks import Check, Experiment, Setting

if TYPE_CHECKING:
    from ornstein.diffusion.samplers import Sampler

EIGENVALUES = np.array([[2.0], [0.5], [0.1]])
MEAN = np.array([[1.0], [-0.5], [2.0]])
BETAS = (0.01, 0.5)
NOISES = (0.02, 20.0)
_DRAWS = 4000


def standard_normal(rng: np.random.Generator) -> np.ndarray:
    """Draws, one in a column: arrays are fast along their long axis."""
    return np.ascontiguousarray(rng.standard_normal((_DRAWS, EIGENVALUES.size)).T)


def denoise(y: np.ndarray, noise: float) -> np.ndarray:
    """Posterior mean of the clean point behind ``y = x_0 + s z``."""
    return MEAN + EIGENVALUES / (EIGENVALUES + noise**2) * (y - MEAN)


def simulate_ancestral(rng: np.random.Generator, *, steps: int, variance: str) -> dict[str, float]:
    """DDPM with all of its diffusion steps."""
    betas = np.linspace(*BETAS, steps)
    alpha_bars = np.cumprod(1 - betas)
    x = standard_normal(rng)
    for k in range(steps - 1, -1, -1):
        beta, alpha_bar = betas[k], alpha_bars[k]
        before = alpha_bars[k - 1] if k else 1.0
        noise = np.sqrt(1 / alpha_bar - 1)
        predicted = (x / np.sqrt(alpha_bar) - denoise(x / np.sqrt(alpha_bar), noise)) / noise
        x = (x - beta / np.sqrt(1 - alpha_bar) * predicted) / np.sqrt(1 - beta)
        if k:
            spread = (1 - before) / (1 - alpha_bar) * beta if variance == "small" else beta
            x += np.sqrt(spread) * standard_normal(rng)
    return {"kl": estimated_kl(x)}


def simulate_implicit(rng: np.random.Generator, *, steps: int, eta: float) -> dict[str, float]:
    """DDIM with all of its diffusion steps."""
    alpha_bars = np.cumprod(1 - np.linspace(*BETAS, steps))
    x = standard_normal(rng)
    for k in range(steps - 1, -1, -1):
        alpha_bar, before = alpha_bars[k], alpha_bars[k - 1] if k else 1.0
        clean = denoise(x / np.sqrt(alpha_bar), np.sqrt(1 / alpha_bar - 1))
        predicted = (x - np.sqrt(alpha_bar) * clean) / np.sqrt(1 - alpha_bar)
        spread = eta**2 * (1 - before) / (1 - alpha_bar) * (1 - alpha_bar / before)
        x = np.sqrt(before) * clean + np.sqrt(1 - before - spread) * predicted
        if spread > 0:
            x += np.sqrt(spread) * standard_normal(rng)
    return {"kl": estimated_kl(x)}


def simulate_heun(rng: np.random.Generator, *, steps: int) -> dict[str, float]:
    """Heun's method on Karras' noises, the last step Euler's."""
    smallest, largest = NOISES
    ramp = np.arange(steps) / (steps - 1)
    noises = (largest ** (1 / 7) + ramp * (smallest ** (1 / 7) - largest ** (1 / 7))) ** 7
    y = np.sqrt(1 + largest**2) * standard_normal(rng)
    for s, s_next in zip(noises, [*noises[1:], 0.0], strict=True):
        slope = (y - denoise(y, s)) / s
        moved = y + (s_next - s) * slope
        if s_next > 0:
            slope = (slope + (moved - denoise(moved, s_next)) / s_next) / 2
        y = y + (s_next - s) * slope
    return {"kl": estimated_kl(y)}


def estimated_kl(x: np.ndarray) -> float:
    """Unbiased estimate of KL(law of the columns || population), a diagonal Gaussian's, nats."""
    draws = x.shape[1]
    ratio = x.var(axis=1, ddof=1, keepdims=True) / EIGENVALUES
    free = draws - 1
    log_ratio = np.log(ratio) - (digamma(free / 2) - np.log(free / 2))
    shift = np.square(x.mean(axis=1, keepdims=True) - MEAN) / EIGENVALUES - ratio / draws
    return float((ratio - 1 - log_ratio + shift).sum() / 2)


def predict_kl(sampler: Sampler, *, steps: int, **_: object) -> float:
    """KL(generated || population) after `steps` steps."""
    if isinstance(sampler, Heun):
        schedule = KarrasSchedule(*NOISES)
    else:
        schedule = BetaSchedule("linear", steps, *BETAS)
    quality = theory.sampler_quality(
        EIGENVALUES.ravel(), steps, sampler, schedule, mean=MEAN.ravel()
    )
    return float(quality.kl)


DDPM_SMALL = Experiment(
    "DDPM, small variance",
    partial(simulate_ancestral, variance="small"),
    fast=Setting({"steps": 10}, replicates=200),
    full=Setting({"steps": 20}, replicates=2000),
)
DDPM_LARGE = Experiment(
    "DDPM, large variance",
    partial(simulate_ancestral, variance="large"),
    fast=Setting({"steps": 10}, replicates=200),
    full=Setting({"steps": 20}, replicates=2000),
)
DDIM_ODE = Experiment(
    "DDIM",
    partial(simulate_implicit, eta=0.0),
    fast=Setting({"steps": 10}, replicates=200),
    full=Setting({"steps": 20}, replicates=2000),
)
DDIM_HALF = Experiment(
    "DDIM with half of the noise",
    partial(simulate_implicit, eta=0.5),
    fast=Setting({"steps": 10}, replicates=200),
    full=Setting({"steps": 20}, replicates=2000),
)
HEUN = Experiment(
    "Heun's method",
    simulate_heun,
    fast=Setting({"steps": 8}, replicates=200),
    full=Setting({"steps": 12}, replicates=2000),
)

CHECKS = tuple(
    Check("4", f"KL, {name}", source, experiment, "kl", partial(predict_kl, sampler))
    for name, source, experiment, sampler in (
        ("DDPM small", "Ho, Jain, Abbeel, 2006.11239", DDPM_SMALL, DDPM("small")),
        ("DDPM large", "Ho, Jain, Abbeel, 2006.11239", DDPM_LARGE, DDPM("large")),
        ("DDIM", "Song, Meng, Ermon, 2010.02502", DDIM_ODE, DDIM()),
        ("DDIM, eta = 1/2", "Song, Meng, Ermon, 2010.02502", DDIM_HALF, DDIM(0.5)),
        ("Heun", "Karras et al., 2206.00364", HEUN, Heun()),
    )
)
