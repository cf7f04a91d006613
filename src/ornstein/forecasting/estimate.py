"""What a data set says of its population: spectrum and tail factors, and how well.

Data are taken in units of the root of their mean coordinate variance, coordinates that never vary
left out. The error of every prediction is that of the grouped jackknife: the estimate and the
prediction are made again without each of ten random tenths of the rows.
"""

from __future__ import annotations

__all__ = [
    "Estimate",
    "Standardized",
    "standardize",
    "estimates",
    "GROUPS",
    "jackknife",
    "half_width",
]

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from ornstein.forecasting.row_sizes import Fluctuations, RowSizes, fourth_moments
from ornstein.forecasting.spectrum import population_spectrum, reproduced
from ornstein.theory.linear_denoisers.subset_losses import SubsetLosses, centred_subset_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GROUPS = 10
_ROUNDING = 1e-12
_ROWS, _WORK, _DRAWS, _SHOWN = 20_000, 2e9, (4, 20), 2_000
_ROW_WORK, _ROW_TOLERANCE = 4e7, 1e-6
"""Up to N dim^2 of so much the points are used: seconds for a whole forecast."""


@dataclass(frozen=True, eq=False)
class Standardized:
    """Points in units of the root of their mean coordinate variance."""

    points: Array
    """Shape (n_points, dim), centred; without coordinates that never vary."""
    unit: float
    """That root, in data units."""
    constant: int
    """Coordinates that never vary."""


def standardize(points: Array) -> Standardized:
    """Centre the points, leave out coordinates that never vary, and scale.

    Raises
    ------
    ValueError
        If no coordinate varies.
    """
    varies = np.ptp(points, axis=0) > 0
    if not varies.any():
        raise ValueError(
            f"data hold {len(points)} equal points: expected some variance, give other data"
        )
    kept = points[:, varies] - points[:, varies].mean(axis=0)
    largest = np.abs(kept).max()
    unit = float(
        largest * np.sqrt(np.square(kept / largest).sum() / (len(kept) - 1) / kept.shape[1])
    )
    return Standardized(kept / unit, unit, int((~varies).sum()))


@dataclass(frozen=True, eq=False)
class Estimate:
    """Spectrum and tail factors of the population, from its points."""

    count: int
    """N."""
    sample: Array
    """Eigenvalues of the sample covariance, descending, of shape (dim,)."""
    fluctuations: Fluctuations
    squares: Array
    """Squared scores of some rows in the principal components, each of mean 1: (rows, rank)."""
    points: Array | None = None
    """The points themselves, centred, of shape (N, dim); None where they are not used."""
    most: int = 0
    """Largest training size that is forecast from the points themselves."""
    like: Estimate | None = None
    """Of all the data, where this is of a part: whether a Gaussian is refuted is asked of all."""

    def takes_rows(self, n: int) -> bool:
        """Whether what n points lose is forecast from the points themselves."""
        return self.points is not None and n <= self.most

    def row_losses(self, n: int, noise_variance: float) -> SubsetLosses:
        """Losses of n of these points, summed over dimensions; train and test are asked apart."""
        key = n, noise_variance
        if key not in self._row_losses:
            assert self.points is not None
            self._row_losses[key] = centred_subset_losses(
                self.points, noise_variance, n, _ROW_TOLERANCE
            )
        return self._row_losses[key]

    @cached_property
    def population(self) -> Array:
        """Eigenvalues of the population covariance, descending, of shape (dim,)."""
        return population_spectrum(self.sample, self.count - 1, self.rows("distance"))

    @property
    def residual(self) -> float:
        """How far theory of that population is from the sample's spectrum, in eigenvalues."""
        return reproduced(self.population, self.sample, self.count - 1, self.rows("distance"))

    def rows(self, quantity: str | float) -> RowSizes:
        """The law of row sizes that a quantity sees."""
        return RowSizes.of(self.factor(quantity))

    def factor(self, quantity: str | float) -> float:
        """The tail factor that is used for a quantity."""
        if quantity not in self._factors:
            if self.like is None:
                found = self.fluctuations.used_factor(quantity)
            elif self.like.factor(quantity) == 1.0:
                found = 1.0
            else:
                found = max(self.fluctuations.tail_factor(quantity)[0], 1.0)
            self._factors[quantity] = found
        return self._factors[quantity]

    @cached_property
    def _row_losses(self) -> dict[tuple[int, float], SubsetLosses]:
        """Those that were asked for before."""
        return {}

    @cached_property
    def _factors(self) -> dict[str | float, float]:
        """Tail factors that were asked for before."""
        return {}


def estimates(points: Array, rng: np.random.Generator) -> tuple[Estimate, list[Estimate]]:
    """The estimate of all points, and those without each of ten random parts.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
        Standardized.
    rng : Generator
    """
    n = len(points)
    values, scores = _components(points)
    subset = scores[rng.permutation(n)[:_ROWS]]
    draws = int(np.clip(_WORK / (subset.shape[0] * values.size**2), *_DRAWS))
    gaussian = tuple(
        fourth_moments(_components(rng.standard_normal(subset.shape) * np.sqrt(values))[1])
        for _ in range(draws)
    )
    sample = _padded(values, points.shape[1])
    fluctuations = Fluctuations(values, fourth_moments(subset), gaussian)
    used = points.shape[1] ** 2 * n <= _ROW_WORK
    # As many as every part has, so that a part is treated like the whole.
    most = n - math.ceil(n / GROUPS) if used else 0
    whole = Estimate(
        n,
        sample,
        fluctuations,
        np.square(subset[:_SHOWN]),
        points=points - points.mean(axis=0) if used else None,
        most=most,
    )
    parts = []
    order = rng.permutation(n)
    for start in range(min(GROUPS, n)):
        kept = points[order[np.arange(n) % GROUPS != start]]
        found, of_part = _components(kept, values.size)
        moments = fourth_moments(of_part[:_ROWS])
        size = min(found.size, values.size)
        fewer = tuple(each[:size, :size] for each in gaussian)
        fluctuations = Fluctuations(found[:size], moments[:size, :size], fewer)
        sample = _padded(found, points.shape[1])
        squares = np.square(of_part[:_SHOWN, :size])
        rows = kept - kept.mean(axis=0) if used else None
        part = Estimate(
            len(kept), sample, fluctuations, squares, points=rows, most=most, like=whole
        )
        parts.append(part)
    return whole, parts


def jackknife(whole: float, parts: Sequence[float]) -> float:
    """Standard error of a value from those without each part; NaN if one is not finite.

    Examples
    --------
    >>> jackknife(2.0, [1.0, 2.0, 3.0])
    1.1547...
    """
    values = np.asarray(parts, dtype=np.float64)
    if not (math.isfinite(whole) and np.isfinite(values).all()):
        return math.nan
    return float(np.sqrt((values.size - 1) / values.size * np.square(values - values.mean()).sum()))


def half_width(error: float, level: float = 0.95, parts: int = GROUPS) -> float:
    """Half of an interval from a jackknife error, by Student's law."""
    return float(stdtrit(parts - 1, 0.5 + level / 2.0)) * error


def _components(points: Array, most: int | None = None) -> tuple[Array, Array]:
    """Eigenvalues of the sample covariance above rounding, descending, and whitened scores."""
    centred = points - points.mean(axis=0)
    dof = len(centred) - 1
    if dof < centred.shape[1]:
        left, singular, _ = np.linalg.svd(centred, full_matrices=False)
        values, scores = singular**2 / dof, left * math.sqrt(dof)
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred / dof)
        values, vectors = values[::-1], vectors[:, ::-1]
        scores = centred @ vectors / np.sqrt(np.maximum(values, 1e-300))
    kept = values > _ROUNDING * values[0]
    return values[kept][:most], scores[:, kept][:, :most]


def _padded(values: Array, dim: int) -> Array:
    return np.append(values, np.zeros(dim - values.size))
