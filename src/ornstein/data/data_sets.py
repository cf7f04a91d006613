"""Data sets as sources: points without a known law, of which training sets are drawn.

A draw is the beginning of a random order of all points: the training set, and after it what is held
out. Points stand in memory (:class:`DataSet`) or in a file that is read where it is needed
(:class:`~ornstein.data.mapped.MappedDataSet`); the order, and so the draw, is the same.
"""

from __future__ import annotations

__all__ = ["PointSet", "DataSet"]

import hashlib
import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.sources import Draw, Source
from ornstein.gaussians import Gaussian
from ornstein.validation import as_count, as_generator, as_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class PointSet(Source):
    """Base of data sets: a number of points, drawn without replacement."""

    @property
    @abstractmethod
    def n_points(self) -> int:
        """Number of points."""

    def identity(self) -> dict[str, Any]:
        """Name, digest and shape."""
        return {
            "data": self.name,
            "data_sha256": self.digest,
            "data_shape": [self.n_points, *self.shape],
        }

    @property
    def largest_train_size(self) -> int:
        """All points but 2, so that originals are left."""
        return self.n_points - 2

    def order(self, n_train: int, rng: Any) -> NDArray[np.intp]:
        """A random order of all points, the first `n_train` of which are the training set.

        Raises
        ------
        ValueError
            If fewer than 2 points are left.
        """
        n_train = as_count(n_train, "n_train", at_least=2)
        if n_train > self.largest_train_size:
            raise ValueError(
                f"a training set of {n_train} from the {self.n_points} points of {self.name}: "
                f"expected at most {self.largest_train_size}, so that 2 originals are left"
            )
        return as_generator(rng, "DataSet.split").permutation(self.n_points)

    def reference(self) -> Gaussian:
        """The Gaussian with the mean and covariance of all points."""
        return self.moments()

    def describe(self) -> str:
        """Say what it is."""
        return f"data {self.name}"


@dataclass(frozen=True, eq=False)
class DataSet(PointSet):
    """Points without a known law.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
        Finite, at least 3 of them, not all equal.
    name : str
        For tables and figures.
    shape : tuple of int, optional
        Of a point; (dim,) by default.
    notes : tuple of str
        How the data were read.
    """

    points: NDArray[np.float64]
    name: str = "data"
    shape: tuple[int, ...] = ()  # type: ignore[assignment]
    notes: tuple[str, ...] = ()  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", as_points(self.points, self.name, at_least=3))
        if not self.shape:
            object.__setattr__(self, "shape", (self.dim,))
        if not np.ptp(self.points, axis=0).any():
            raise ValueError(
                f"{self.name} holds {len(self.points)} equal points: expected some variance"
            )

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return self.points.shape[1]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of all points, of shape (dim,)."""
        return self.points.mean(axis=0)

    @cached_property
    def std(self) -> float:  # type: ignore[override]
        """Root of the mean coordinate variance over all points (constant coordinates count)."""
        return float(np.sqrt(self.points.var(axis=0, ddof=1).mean()))

    @cached_property
    def digest(self) -> str:  # type: ignore[override]
        """SHA-256 of the points."""
        return hashlib.sha256(np.ascontiguousarray(self.points).tobytes()).hexdigest()

    @property
    def constant_coordinates(self) -> int:
        """Coordinates that are equal in all points."""
        return int((np.ptp(self.points, axis=0) == 0).sum())

    def split(self, n_train: int, rng: Any = None) -> tuple[Array, Array]:
        """Draw a training set without replacement; what is left are the originals.

        Raises
        ------
        ValueError
            If fewer than 2 points are left.
        """
        order = self.order(n_train, rng)
        return self.points[order[:n_train]], self.points[order[n_train:]]

    def draw(self, n: int, rng: Any = None, held_out: int = 0) -> Draw:
        """Draw a training set without replacement; the first of the others are held out."""
        train, rest = self.split(n, rng)
        return Draw(train, rest, rest[:held_out])

    def moments(self) -> Gaussian:
        """The Gaussian with the mean and covariance of all points."""
        return self._moments

    @cached_property
    def _moments(self) -> Gaussian:
        centred = self.points - self.mean
        return Gaussian.from_factor(self.mean, centred.T / math.sqrt(len(centred) - 1))

    def excess_kurtosis(self) -> Array:
        """Excess kurtosis along each principal component that varies; 0 for Gaussian points."""
        covariance = self._moments.covariance
        scores = covariance.split(self.points - self.mean)[0] / np.sqrt(covariance.eigenvalues)
        return np.square(np.square(scores)).mean(axis=0) - 3.0
