r"""Of pairs of two samples, how many have the smaller value in the first: from ranks.

In the pooled sample an entry's rank is the number of entries that it is not below, so that

    #{ (i, j): a_i < b_j } = sum_j rank(b_j) - m (m + 1)/2,          m entries b,

ties counting half where equal values share their mean rank. Over ``n m`` that is the area under the
curve of power against false-positive rate, of a test that calls small values members; the count of
pairs is the Mann-Whitney statistic.

References
----------
Mann, Whitney, "On a test of whether one of two random variables is stochastically larger than the
other", 1947.
"""

from __future__ import annotations

__all__ = ["pairs_below", "shares_below"]

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def pairs_below(first: Array, second: Array) -> float:
    """Share of pairs in which the entry of `first` is smaller, ties half; NaN if any entry is.

    Parameters
    ----------
    first, second : ndarray of shape (n,), (m,)

    Examples
    --------
    >>> pairs_below(np.array([1.0, 4.0, 2.0]), np.array([3.0, 2.0]))  # 3 pairs and a tie
    0.583333
    """
    n, m = len(first), len(second)
    ranks = rankdata(np.concatenate([first, second]))[n:].sum()
    return float((ranks - m * (m + 1) / 2) / (n * m))


def shares_below(first: Array, second: Array) -> Array:
    """Of each entry of `first` the share of `second` that it is below, ties half; shape (n,).

    Examples
    --------
    >>> shares_below(np.array([1.0, 4.0, 2.0]), np.array([3.0, 2.0]))
    array([1.  , 0.  , 0.75])
    """
    ranks = rankdata(np.concatenate([first, second]))[: len(first)]
    return 1 - (ranks - rankdata(first)) / len(second)
