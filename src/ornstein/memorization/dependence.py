r"""Do generated points lie nearer to the training set than to fresh points, beyond chance?

``c(x)`` is the number of generated points whose nearest point of the pool is x. With n training and
m held-out points, and means ``c_T`` and ``c_H`` of c over them,

    f = c_T / (c_T + c_H),

the share of generated points nearer to the training set, were both sets of one size; for n = m it
is that share itself. Under the hypothesis that labels are exchangeable, f is near 1/2.

**p-value.** Relabel n points of the pool at random as training points, and count how often f is as
large as it was: of B relabellings ``p = (1 + #{f_b >= f}) / (B + 1)``, valid at any n, m and B
(Phipson, Smyth 2010). It needs the counts alone, no distance again: the number of relabelled points
with each count is multivariate hypergeometric. With groups whole groups are relabelled, and c and
the number of points are summed over each. The sizes stay as they are, so that sets of unequal size
need no subsampling.

**Hubs.** In many dimensions some points are nearest to very many. The *effective number* of units
``(sum c)^2 / sum c^2`` says of how many independent trials f is the share; Wilson's interval is
taken with it.

**Equal rows** share what falls to their value, so that the order of rows plays no part.

References
----------
Phipson, Smyth, "Permutation p-values should never be zero", 2010. Radovanovic, Nanopoulos,
Ivanovic, "Hubs in space", 2010. The statistic f is this project's.
"""

from __future__ import annotations

__all__ = ["Dependence", "dependence", "train_share", "unit_counts", "UnitCounts"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from ornstein.intervals import wilson_interval
from ornstein.validation import as_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.memorization.contrasts import Contrasts
    from ornstein.memorization.pool import Pool

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_DIGITS = 9  # of a count, to which equal ones are told
_Z80 = float(ndtri(0.8))
_BATCH = 2**22  # relabelled numbers held at a time


class UnitCounts(NamedTuple):
    """Of each unit (row or group): neighbours, rows, and whether it is one of training."""

    neighbours: Array
    sizes: Array
    train: NDArray[np.bool_]


class Dependence(NamedTuple):
    """Share nearer to the training set, with its 95% interval and p-value under exchangeability."""

    share: float
    """f: 1/2 is expected if the generated points do not depend on the training set."""
    low: float
    high: float
    p_value: float
    """Of a share this large or larger."""
    effective_number: float
    """Of units that the generated points are nearest to."""
    units: int
    """Rows, or groups, that were relabelled."""
    largest_share: float
    """Of generated points that have one and the same unit nearest."""
    detectable: float
    """Share that is found with probability 0.8: what chance exceeds at the level, and 0.84 of the
    standard deviation that chance has."""


def dependence(
    contrasts: Contrasts,
    pool: Pool,
    rng: np.random.Generator,
    permutations: int = 9999,
    alpha: float = 0.05,
) -> Dependence:
    """Share of generated points nearer to the training set, and its permutation p-value.

    Parameters
    ----------
    contrasts : Contrasts
        Of the generated points with respect to all training and all held-out values.
    pool : Pool
    rng : Generator
        Draws the relabellings.
    permutations : int
        How many; no p-value is below ``1/(permutations + 1)``.
    alpha : float
        Level, for the share that is found with probability 0.8.

    Raises
    ------
    ValueError
        If `permutations` is below 1.
    """
    count = as_count(permutations, "permutations")
    units = unit_counts(contrasts, pool)
    share = train_share(units)
    effective = float(units.neighbours.sum() ** 2 / np.square(units.neighbours).sum())
    drawn = _relabelled(units, count, rng)
    reached = int((drawn >= share - 1e-12).sum())
    detectable = float(np.quantile(drawn, 1 - alpha) + _Z80 * drawn.std())
    return Dependence(
        share,
        *wilson_interval(share * effective, effective),
        (1 + reached) / (1 + count),
        effective,
        units.train.size,
        float(units.neighbours.max() / units.neighbours.sum()),
        min(detectable, 1.0),
    )


def unit_counts(contrasts: Contrasts, pool: Pool) -> UnitCounts:
    """Count for each row, or for each group, of how many generated points it is the nearest."""
    values = np.concatenate([pool.train, pool.held_out])
    rows = np.bincount(values, minlength=len(pool.values))
    falls = np.bincount(contrasts.nearest, minlength=len(pool.values)) / rows.astype(np.float64)
    counts, sizes = falls[values], np.ones(values.size)
    train = np.arange(values.size) < pool.train.size
    if pool.grouped:
        groups = np.concatenate([pool.train_groups, pool.held_out_groups])
        _, unit = np.unique(groups, return_inverse=True)
        counts = np.bincount(unit, counts).astype(np.float64)
        sizes = np.bincount(unit).astype(np.float64)
        train = np.bincount(unit, train) > 0  # no group has rows of both sets
    return UnitCounts(counts, sizes, train)


def train_share(units: UnitCounts) -> float:
    """``f = c_T / (c_T + c_H)``.

    Examples
    --------
    >>> counts = UnitCounts(np.array([3.0, 1.0, 2.0]), np.ones(3), np.array([True, True, False]))
    >>> train_share(counts)  # 2 for a training point, 2 for a held-out point
    0.5
    """
    near, rows = units.neighbours[units.train].sum(), units.sizes[units.train].sum()
    return float(_share(near, rows, units.neighbours.sum(), units.sizes.sum()))


def _share(near: Array, rows: Array, all_near: float, all_rows: float) -> Array:
    mean_train = near / rows
    return mean_train / (mean_train + (all_near - near) / (all_rows - rows))


def _relabelled(units: UnitCounts, draws: int, rng: np.random.Generator) -> Array:
    """Shares f after random units, as many as before, were called training units."""
    pairs = np.column_stack([np.round(units.neighbours, _DIGITS), units.sizes])
    kinds, members = np.unique(pairs, axis=0, return_counts=True)
    near, rows = np.empty(draws), np.empty(draws)
    step = max(1, _BATCH // members.size)
    for start in range(0, draws, step):
        part = slice(start, min(start + step, draws))
        taken = rng.multivariate_hypergeometric(
            members, int(units.train.sum()), size=part.stop - part.start, method="marginals"
        )
        near[part], rows[part] = (taken @ kinds).T
    return _share(near, rows, units.neighbours.sum(), units.sizes.sum())
