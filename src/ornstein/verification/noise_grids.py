r"""Section 13: Euler's method on the grid of noise levels that is made for a spectrum.

*One variance.* The grid is ``s_i = sqrt(lambda) tan(theta_i)``, theta evenly spaced; Euler's method
runs on draws, and their variance is measured in units of that of the population noised by the last
level. The closed form is ``cos(Theta/S)^{2S}``, taken from the levels of the grid of least KL.

*Two variances.* The grid is found here by brute force: a simplex search over the levels between
both ends for the least KL, which is a sum over modes of the product of the factors of the steps.
Measured is the KL of draws on it, without bias.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import cache
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma

from ornstein import theory
from ornstein.verification.checks import Check, Experiment, Setting

SOURCE = "Sun et al., 2601.13602; this project"
VARIANCES = np.array([1.0, 0.04])
ENDS = 0.02, 20.0
_DRAWS = 4000


def euler(rng: np.random.Generator, noises: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Draws of the noised population, taken through the levels; shape (draws, modes)."""
    y = np.sqrt(variances + noises[0] ** 2) * rng.standard_normal((_DRAWS, variances.size))
    for s, s_next in pairwise(noises):
        denoised = variances / (variances + s**2) * y
        y = y + (s_next - s) * (y - denoised) / s
    return y


def simulate_tangent(
    rng: np.random.Generator, *, eigenvalue: float, steps: int, noise_min: float, noise_max: float
) -> dict[str, float]:
    """Generated variance on the tangent grid, over that of the noised population."""
    scale = np.sqrt(eigenvalue)
    theta = np.linspace(np.arctan(noise_max / scale), np.arctan(noise_min / scale), steps + 1)
    y = euler(rng, scale * np.tan(theta), np.array([eigenvalue]))
    return {"variance": float(y.var(ddof=1) / (eigenvalue + noise_min**2))}


@cache
def brute_force_grid(steps: int) -> np.ndarray:
    """The levels of least KL for the two variances."""
    low, high = ENDS

    def levels(logs: np.ndarray) -> np.ndarray:
        return np.concatenate([[high], np.exp(logs), [low]])

    def kl(logs: np.ndarray) -> float:
        noises, total = levels(logs), 0.0
        for variance in VARIANCES:
            kept = 1.0
            for s, s_next in pairwise(noises):
                spread = np.sqrt((variance + s**2) * (variance + s_next**2))
                kept *= (variance + s * s_next) / spread
            total += (kept**2 - 1 - 2 * np.log(kept)) / 2 if kept > 0 else np.inf
        return total

    start = np.log(np.geomspace(high, low, steps + 1))[1:-1]
    options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 20_000, "maxfev": 20_000}
    return levels(minimize(kl, start, method="Nelder-Mead", options=options).x)


def simulate_spectrum(rng: np.random.Generator, *, steps: int) -> dict[str, float]:
    """KL to the noised population on the grid of the two variances, total, without bias."""
    y = euler(rng, brute_force_grid(steps), VARIANCES)
    ratio = np.square(y).mean(axis=0) / (VARIANCES + ENDS[0] ** 2)
    log_ratio = np.log(ratio) - (digamma(_DRAWS / 2) - np.log(_DRAWS / 2))
    return {"kl": float((ratio - 1 - log_ratio).sum() / 2)}


RANGE = {"noise_min": 0.02, "noise_max": 20.0}
TANGENT = Experiment(
    "Euler's method on the tangent grid",
    simulate_tangent,
    fast=Setting({"steps": 6, "eigenvalue": 1.7, **RANGE}, replicates=300),
    full=Setting({"steps": 12, "eigenvalue": 1.7, **RANGE}, replicates=2000),
)
SPECTRUM = Experiment(
    "Euler's method on the grid of two variances",
    simulate_spectrum,
    fast=Setting({"steps": 4}, replicates=200),
    full=Setting({"steps": 6}, replicates=1000),
)


def log_kept(noises: np.ndarray, variance: float) -> float:
    """Logarithm of the standard deviation over that of the noised population."""
    s, after = noises[:-1], noises[1:]
    spread = np.sqrt((variance + s**2) * (variance + after**2))
    return float(np.log((variance + s * after) / spread).sum())


def predict_variance(*, steps: int, eigenvalue: float, noise_min: float, noise_max: float) -> float:
    """``cos(Theta/S)^{2S}``, on the levels of the grid."""
    noises = theory.tangent_grid([eigenvalue], steps, noise_min, noise_max)
    return float(np.exp(2 * log_kept(noises, eigenvalue)))


def predict_kl(*, steps: int) -> float:
    """Least KL over grids."""
    noises = theory.tangent_grid(VARIANCES, steps, *ENDS)
    logs = np.array([log_kept(noises, variance) for variance in VARIANCES])
    return float((np.expm1(2 * logs) - 2 * logs).sum() / 2)


CHECKS = (
    Check("13", "variance, tangent", SOURCE, TANGENT, "variance", predict_variance),
    Check("13", "least KL of a grid", SOURCE, SPECTRUM, "kl", predict_kl),
)
