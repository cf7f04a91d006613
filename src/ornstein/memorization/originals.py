r"""The originals that a Delta compares with, and the scale they give.

Fresh points, or a population with a number N of points to expect of it. Bandwidths and units are
in terms of their standard deviation: in full dimension the root of the mean coordinate variance.
Whether a coordinate is constant is decided by its extremes, since the rounded variance of a
constant 0.1 is not 0.
"""

from __future__ import annotations

__all__ = ["fresh_points", "expected_count", "as_scale", "scale_of"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.kernels.by_coordinate import coordinate_units
from ornstein.validation import as_count, as_points, as_positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def fresh_points(originals: Any, n_original: int | None, dim: int, *, two: bool) -> Array:
    """Validate points, of which a scale needs `two`."""
    fresh = as_points(originals, "originals", dim=dim)
    if n_original is not None and n_original != len(fresh):
        raise ValueError(
            f"n_original is {n_original} and originals has {len(fresh)} points: "
            "leave n_original out"
        )
    if two and len(fresh) < 2:
        raise ValueError("one original has no variance: give std, the scale of the data")
    return fresh


def expected_count(population: Any, n_original: int | None, dim: int) -> int:
    """Number of points to expect of a population of dimension `dim`."""
    if population.dim != dim:
        raise ValueError(f"originals have dimension {population.dim}, the other sets {dim}")
    count = n_original if n_original is not None else getattr(population, "n_original", None)
    if count is None:
        raise ValueError("originals is a population: give n_original, how many points to expect")
    return as_count(count, "n_original")


def as_scale(std: float) -> float:
    """Validate a data scale."""
    if std == 0:
        raise ValueError("the originals are all equal: Delta needs data of some variance")
    return float(as_positive(std, "std"))


def scale_of(points: Array) -> float:
    """Root of the mean coordinate variance of at least 2 points."""
    return as_scale(math.sqrt(np.square(coordinate_units(points)).mean()))
