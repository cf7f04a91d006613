r"""Section 2: the closed forms of :mod:`ornstein.gaussians` against Monte Carlo integration.

For two laws ``p, q`` with full covariances that do not commute, a replicate draws points of both
and averages

    KL = E_p ln(p/q),    Hellinger^2 = 1 - E_p sqrt(q/p),    int (p-q)^2 = E_p (p-q) - E_q (p-q),

densities and draws being made here, from solves and a Cholesky factor. ``W_2^2`` is the mean cost
``|x - T(x)|^2`` of the map ``T(x) = m_q + A (x - m_p)`` with the one positive ``A`` that carries p
to q, ``A P A = Q``: the gradient of a convex function, so that no coupling is cheaper (Brenier).
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math

import numpy as np

from ornstein.gaussians import (
    Gaussian,
    hellinger_squared,
    kl_divergence,
    log_l2_squared,
    wasserstein_squared,
)
from ornstein.verification.checks import Check, Experiment, Setting

SOURCE = "Pardo 2006; Olkin, Pukelsheim 1982"


def moments(dim: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Mean and covariance of p and of q: chains of correlation 0.6 and -0.3."""
    steps = np.abs(np.subtract.outer(np.arange(dim), np.arange(dim)))
    scales = np.linspace(0.8, 1.4, dim)
    P = 0.6**steps
    Q = (-0.3) ** steps * np.multiply.outer(scales, scales)
    return (np.zeros(dim), P), (np.linspace(-0.5, 0.7, dim), Q)


def simulate_distances(rng: np.random.Generator, *, dim: int, draws: int) -> dict[str, float]:
    """Averages over `draws` points of each law."""
    (mean_p, P), (mean_q, Q) = moments(dim)
    x = mean_p + rng.standard_normal((draws, dim)) @ np.linalg.cholesky(P).T
    y = mean_q + rng.standard_normal((draws, dim)) @ np.linalg.cholesky(Q).T
    p_x, q_x = log_density(x, mean_p, P), log_density(x, mean_q, Q)
    p_y, q_y = log_density(y, mean_p, P), log_density(y, mean_q, Q)
    # A = P^{-1/2} (P^{1/2} Q P^{1/2})^{1/2} P^{-1/2}
    root = positive_power(P, 0.5)
    inverse_root = positive_power(P, -0.5)
    A = inverse_root @ positive_power(root @ Q @ root, 0.5) @ inverse_root
    moved = mean_q + (x - mean_p) @ A
    return {
        "kl": (p_x - q_x).mean(),
        "hellinger": 1.0 - np.exp((q_x - p_x) / 2).mean(),
        "l2": (np.exp(p_x) - np.exp(q_x)).mean() - (np.exp(p_y) - np.exp(q_y)).mean(),
        "wasserstein": np.square(x - moved).sum(axis=1).mean(),
    }


def log_density(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Log density of ``N(mean, covariance)`` at the rows of `x`."""
    centred = x - mean
    distance = (centred * np.linalg.solve(covariance, centred.T).T).sum(axis=1)
    return -0.5 * (distance + np.linalg.slogdet(2 * np.pi * covariance)[1])


def positive_power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """Power of a symmetric positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


DISTANCES = Experiment(
    name="distances between two Gaussians",
    simulate=simulate_distances,
    fast=Setting({"dim": 3, "draws": 5000}, replicates=200),
    full=Setting({"dim": 5, "draws": 20_000}, replicates=400),
)


def laws(dim: int) -> tuple[Gaussian, Gaussian]:
    """The two laws, for the closed forms."""
    p, q = moments(dim)
    return Gaussian(*p), Gaussian(*q)


CHECKS = (
    Check("2", "KL", SOURCE, DISTANCES, "kl", lambda dim, **_: kl_divergence(*laws(dim))),
    Check(
        "2",
        "Hellinger^2",
        SOURCE,
        DISTANCES,
        "hellinger",
        lambda dim, **_: hellinger_squared(*laws(dim)),
    ),
    Check(
        "2",
        "Wasserstein^2",
        SOURCE,
        DISTANCES,
        "wasserstein",
        lambda dim, **_: wasserstein_squared(*laws(dim)),
    ),
    Check(
        "2",
        "int (p - q)^2",
        SOURCE,
        DISTANCES,
        "l2",
        lambda dim, **_: math.exp(log_l2_squared(*laws(dim))),
    ),
)
