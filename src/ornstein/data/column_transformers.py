"""Columns of tables as coordinates: transformers of scikit-learn, loaded only for tables.

A number x becomes ``(x - median) / scale``, scale being the distance of the quartiles over that of
N(0, 1), or the normal quantile of its rank, ``ndtri((below + equal/2) / n)``. Indicators, of a
category or of what is missing, are 0 or :data:`HALF`: two categories are then at distance 1.

Loading scikit-learn takes up to a second, and arrays of points do without it.
"""

from __future__ import annotations

__all__ = ["HALF", "NumberScaler", "times_half"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HALF = 1 / math.sqrt(2)
_GAUSSIAN_RANGE = 1.3489795003921634  # between the quartiles of N(0, 1)


class NumberScaler(TransformerMixin, BaseEstimator):
    """Columns of numbers by median and range, or by ranks; missing ones at the median, and marked.

    Parameters
    ----------
    by : {"robust", "ranks", "none"}
    marked : tuple of int
        Columns that get a coordinate for what is missing.
    """

    def __init__(self, by: str = "robust", marked: tuple[int, ...] = ()) -> None:
        self.by = by
        self.marked = marked

    def fit(self, X: Any, y: Any = None) -> NumberScaler:  # noqa: ARG002 - scikit-learn's contract
        """Learn medians, ranges and ranks."""
        values = np.asarray(X, dtype=np.float64)
        self.median_ = np.nanmedian(values, axis=0)
        low, high = np.nanpercentile(values, [25, 75], axis=0)
        spread = (high - low) / _GAUSSIAN_RANGE
        self.scale_ = np.where(spread > 0, spread, np.nanstd(values, axis=0))
        self.scale_[~(self.scale_ > 0)] = 1.0
        self.sorted_ = [np.sort(column[~np.isnan(column)]) for column in values.T]
        return self

    def transform(self, X: Any) -> Array:
        """Coordinates, of shape (n_rows, n_columns + n_marked)."""
        values = np.asarray(X, dtype=np.float64)
        missing = np.isnan(values)
        filled = np.where(missing, self.median_, values)
        if self.by == "robust":
            made = (filled - self.median_) / self.scale_
        elif self.by == "ranks":
            made = np.column_stack(
                [
                    _normal_rank(column, order)
                    for column, order in zip(filled.T, self.sorted_, strict=True)
                ]
            )
        else:
            made = filled
        return np.column_stack([made, HALF * missing[:, list(self.marked)]])


def times_half(values: Array) -> Array:
    """Indicators 0 and 1 as 0 and :data:`HALF`."""
    return HALF * values


def _normal_rank(values: Array, order: Array) -> Array:
    from scipy.special import ndtri

    n = len(order)
    distinct, first, counts = np.unique(order, return_index=True, return_counts=True)
    share = (first + counts / 2) / n
    # Values beyond all of the first set keep the quantile of its ends.
    return ndtri(np.interp(values, distinct, share))
