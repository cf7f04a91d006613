"""The learning curve of the linear models, measured on subsets of the data.

A replicate draws n of the N points without replacement and fits on them; what is left is fresh.
Replicates are independent, given the data (two halves of the data would have the same distance to
all of them, and count as one). Distances are to the Gaussian with mean and covariance of all N
points; losses and the attack's AUC are measured on points that were left out; two models for the
consistency are fitted on two disjoint subsets.
"""

from __future__ import annotations

__all__ = ["Measured", "measure", "fitted_distance", "Reference"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.forecasting.predictions import NOISES
from ornstein.memorization.rank_sums import pairs_below
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.forecasting.predictions import OneStepProcess

    Array = NDArray[np.float64]


class Measured(NamedTuple):
    """Values of the replicates at one n, by name; NaN where one could not be measured."""

    n: int
    values: Mapping[str, Array]

    def mean(self, name: str) -> float:
        """Mean over replicates."""
        return float(self.values[name].mean())

    def error(self, name: str) -> float:
        """Its standard error; NaN for one replicate."""
        values = self.values[name]
        if values.size < 2:
            return math.nan
        return float(values.std(ddof=1) / math.sqrt(values.size))


def measure(
    points: Array,
    sizes: Sequence[int],
    process: OneStepProcess,
    attacked: Mapping[int, float],
    replicates: int,
    rng: np.random.Generator,
    progress: bool | None = None,
) -> list[Measured]:
    """Fit the linear models on subsets.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
        Standardized.
    sizes : sequence of int
        Training sizes n, at most N - 2.
    process : OneStepProcess
    attacked : mapping of int to float
        Noise level of the attack at each n.
    replicates : int
    rng : Generator
    progress : bool, optional
        Show a bar on stderr; None: if that is a terminal.
    """
    reference = Reference(points)
    found = []
    with progress_bar(len(sizes) * replicates, "fit", progress, label="learning curve") as bar:
        for n in sizes:
            rows: list[dict[str, float]] = []
            for _ in range(replicates):
                order = rng.permutation(len(points))
                rows.append(_replicate(reference, order, n, process, attacked[n], rng))
                bar.update()
            found.append(
                Measured(n, {name: np.array([row[name] for row in rows]) for name in rows[0]})
            )
    return found


def fitted_distance(reference: Reference, mean: Array, covariance: Array) -> float:
    """``W_2^2 / tr Sigma`` of a Gaussian, in the axes of the reference, to the reference."""
    root = reference.root
    product = root[:, None] * covariance * root
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0.0)).sum()
    total = reference.trace
    return float((np.trace(covariance) + total - 2.0 * shared + mean @ mean) / total)


class Reference:
    """All points in their principal components, with their variances."""

    def __init__(self, points: Array) -> None:
        centred = points - points.mean(axis=0)
        covariance = centred.T @ centred / (len(centred) - 1)
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0.0)
        self.scores, self.vectors = centred @ vectors, vectors
        self.root, self.trace = np.sqrt(values), float(values.sum())


def _replicate(
    reference: Reference,
    order: NDArray[np.int64],
    n: int,
    process: OneStepProcess,
    attacked: float,
    rng: np.random.Generator,
) -> dict[str, float]:
    seen, fresh = reference.scores[order[:n]], reference.scores[order[n:]]
    mean, total = seen.mean(axis=0), reference.trace
    covariance = _covariance(seen)
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 0.0)
    found = {"w2": fitted_distance(reference, mean, covariance)}
    found["one_step_w2"] = _one_step(reference, seen, process, rng)
    squares = [np.square((part - mean) @ vectors) for part in (seen, fresh)]
    for noise in NOISES:
        weight = values / (values + noise**2)
        passed = noise**2 * np.square(weight).sum()
        for name, part in zip(("train_loss", "test_loss"), squares, strict=True):
            left = (part.mean(axis=0) * np.square(1.0 - weight)).sum()
            found[f"{name}_{noise:g}"] = float((left + passed) / total)
    lost = np.square(attacked**2 / (values + attacked**2))
    found["auc"] = pairs_below(squares[0] @ lost, squares[1] @ lost)
    found["consistency"] = math.nan
    if 2 * n <= len(order):
        other = _covariance(fresh[:n])
        apart = np.square(_root(covariance) - _root(other)).sum()
        found["consistency"] = 1.0 - float(apart) / (2.0 * total)
    return found


def _one_step(
    reference: Reference, seen: Array, process: OneStepProcess, rng: np.random.Generator
) -> float:
    noising = OneStepNoising(process.time, process.noise_scale)
    statistics = PairStatistics.empty(seen.shape[1])
    statistics.absorb(seen, noising.noised(seen, rng))
    law = fit_pairs(statistics, noising).generated_law
    return fitted_distance(reference, law.mean, law.covariance.dense())


def _covariance(points: Array) -> Array:
    centred = points - points.mean(axis=0)
    return centred.T @ centred / (len(centred) - 1)


def _root(covariance: Array) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
