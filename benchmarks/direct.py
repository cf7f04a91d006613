"""The linear study as one would write it down: the algorithm of the paper, step by step.

One row is noised at a time, the regression is scikit-learn's, kernel sums run over all pairs in
chunks with their differences stored, and every point inverts its matrix. Arithmetic in float64,
with B B^T in the right order; nothing else is improved. This is what `ornstein linear` is timed
against.
"""

from __future__ import annotations

__all__ = ["direct_cell"]

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

Array = NDArray[np.float64]


def direct_cell(
    dim: int,
    n_train: int,
    n_original: int,
    rng: np.random.Generator,
    time: float = 2.0,
    mean: float = 10.0,
    chunk: int = 25,
) -> tuple[float, float]:
    """One simulation at one training size: squared Hellinger distance and e(T) - e(O)."""
    train = mean + rng.standard_normal((n_train, dim))
    originals = mean + rng.standard_normal((n_original, dim))
    shrink, noise = np.exp(-time), np.exp(-time) * np.sqrt(1 - np.exp(-2 * time))
    noised = np.array([shrink * row + noise * rng.standard_normal(dim) for row in train])
    regression = LinearRegression().fit(noised, train)
    B = regression.coef_
    mu = regression.intercept_ + B @ (shrink * train.mean(axis=0))
    variance = shrink**2 * train.var(axis=0, ddof=1).mean() + noise**2
    S = variance * B @ B.T
    difference = _energy(train, mu, S, chunk) - _energy(originals, mu, S, chunk)
    return _hellinger_squared(mu, S, mean), difference


def _energy(points: Array, mu: Array, S: Array, chunk: int) -> float:
    """A - 2 B of a set of points, self-terms included."""
    n, dim = points.shape
    eps2 = n ** (-2.0 / dim)
    pairs = 0.0
    for i in range(0, n, chunk):
        for j in range(0, n, chunk):
            gaps = points[i : i + chunk, None] - points[None, j : j + chunk]
            pairs += np.exp(-(gaps**2).sum(axis=2) / (4 * eps2)).sum()
    pairs *= (4 * np.pi * eps2) ** (-dim / 2) / n**2
    cross = 0.0
    for point in points:
        C = S + eps2 * np.eye(dim)
        gap = point - mu
        cross += np.exp(-0.5 * gap @ np.linalg.inv(C) @ gap) / np.sqrt(np.linalg.det(2 * np.pi * C))
    return float(pairs - 2 * cross / n)


def _hellinger_squared(mu: Array, S: Array, mean: float) -> float:
    dim = len(mu)
    C = (S + np.eye(dim)) / 2
    gap = mu - mean
    # Rounding makes determinants of singular matrices negative.
    affinity = max(np.linalg.det(S), 0.0) ** 0.25 / np.sqrt(np.linalg.det(C))
    return float(1 - affinity * np.exp(-gap @ np.linalg.inv(C) @ gap / 8))
