r"""Which generated points are copies of training points: a list with a bounded false share.

A copy has a large positive contrast s (:mod:`ornstein.memorization.contrasts`), and nothing has a
large negative one for a reason. If a point that is no copy has ``s > 0`` with odds ``a : b``, the
number of s below -t tells how many above t are there by chance:

    t = min{ t : max((a/b) (1 + #{s <= -t}), r(t)) / #{s >= t} <= q },   listed: all with s >= t,

which is the knockoff filter, or selective sequential testing, of Barber and Candes, with two
additions.

**One coin for each point of the pool.** Generated points that share their nearest point share the
sign of s: a generator that has collapsed to one place has all its signs alike. So a point of the
pool (with groups: a whole group) counts once, with the largest ``|s|`` of the generated points to
which it is the nearest. Without that, 0.01 N(0, I) is called a copier in 45% of training sets
(d = 64, n = 1000), with it in none.

**The simplest model's share.** A Gaussian fitted to T, which copies nothing, depends on T all the
same, and its signs are no fair coins (n = 100, d = 64: 83% are positive). ``r(t)`` is the number of
points above t that such Gaussians give on average, scaled to the number of generated points.

At least ``(a/b)/q`` training points have to be copied, or none can be listed: with nine times as
many held-out as training points two are enough at q = 0.1, with a ninth of them it takes 90.
**Exact copies**, at distance 0, are a list of their own that rests on no hypothesis.

References
----------
Barber, Candes, "Controlling the false discovery rate via knockoffs", 2015, theorem 3. The contrast
and both additions are this project's.
"""

from __future__ import annotations

__all__ = [
    "Copy",
    "CopyList",
    "Reference",
    "unit_contrasts",
    "mirror_threshold",
    "list_copies",
    "exact_copies",
    "first_rows",
]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.memorization.contrasts import Contrasts
    from ornstein.memorization.pool import Pool

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_ROUNDING = 1e-9  # of the quotients that are compared with q


class Copy(NamedTuple):
    """Row of a generated point and of the training point nearest to it; distance and contrast."""

    generated: int
    train: int
    distance: float
    contrast: float


class CopyList(NamedTuple):
    """The list of copies, and what comes nearest to being on it."""

    copies: tuple[Copy, ...]
    """Largest contrast first."""
    suspects: tuple[Copy, ...]
    """Of all generated points those with the largest contrast, listed or not."""
    threshold: float
    """Least contrast on the list; NaN if it is empty."""
    units: int
    """Training points, or groups, that were copied."""
    least: int
    """Fewer copied training points (or groups) than this cannot be listed."""


class Reference(NamedTuple):
    """Contrasts above 0 of points of the pool under a model that copies nothing, ascending.

    ``weight`` is the number of generated points over that of the model's points.
    """

    contrasts: Array
    weight: float

    def beyond(self, thresholds: Array) -> Any:
        """Expected number of contrasts at or above each threshold."""
        below = self.contrasts.searchsorted(thresholds, side="left")
        return self.weight * (self.contrasts.size - below)


_NO_REFERENCE = Reference(np.zeros(0), 1.0)


def unit_contrasts(contrasts: Contrasts, pool: Pool) -> Array:
    """Of each point of the pool (or group) the largest contrast, in absolute value.

    Of those of the generated points to which it is the nearest; points nearest to none are left
    out, and contrasts of 0.
    """
    unit = np.empty(len(pool.values), dtype=np.intp)
    unit[pool.held_out] = pool.held_out_groups
    unit[pool.train] = pool.train_groups
    told = np.flatnonzero(contrasts.contrast != 0)
    order = told[np.argsort(-np.abs(contrasts.contrast[told]), kind="stable")]
    _, first = np.unique(unit[contrasts.nearest[order]], return_index=True)
    return contrasts.contrast[order[first]]


def mirror_threshold(
    contrasts: Array, fdr: float, odds: float = 1.0, reference: Reference = _NO_REFERENCE
) -> float:
    """Least threshold of contrasts with an estimated false share of at most `fdr`; NaN without.

    Parameters
    ----------
    contrasts : ndarray of shape (n,)
    fdr : float
    odds : float
        ``a/b`` of a positive contrast against a negative one, where nothing is copied.
    reference : Reference, optional

    Examples
    --------
    >>> mirror_threshold(np.array([3.0, 2.0, 1.5, 1.0, -0.5, 0.4]), fdr=0.25)
    1.0
    """
    ascending = np.sort(contrasts)
    levels = ascending[ascending.searchsorted(0.0, side="right") :]
    above = contrasts.size - ascending.searchsorted(levels, side="left")
    chance = odds * (1 + ascending.searchsorted(-levels, side="right"))
    chance = np.maximum(chance, reference.beyond(levels))
    (fine,) = (chance <= fdr * above * (1 + _ROUNDING)).nonzero()
    return float(levels[fine[0]]) if fine.size else math.nan


def list_copies(
    contrasts: Contrasts,
    pool: Pool,
    fdr: float,
    odds: float = 1.0,
    reference: Reference = _NO_REFERENCE,
    *,
    n_suspects: int = 20,
) -> CopyList:
    """List the copies among generated points, of which a share `fdr` at most is expected false.

    Parameters
    ----------
    contrasts : Contrasts
        Of the generated points, with respect to blocks of equal size.
    pool : Pool
    fdr : float
        False discovery rate, of the training points (or groups) listed as copied.
    odds : float
        Of the blocks.
    reference : Reference, optional
        What a model that copies nothing gives.
    n_suspects : int
        How many of the largest contrasts to return.
    """
    threshold = mirror_threshold(unit_contrasts(contrasts, pool), fdr, odds, reference)
    rows = first_rows(pool)
    order = np.lexsort((contrasts.train_distance, -contrasts.contrast))
    listed = order[contrasts.contrast[order] >= threshold]
    group = np.empty(len(pool.values), dtype=np.intp)
    group[pool.train] = pool.train_groups
    return CopyList(
        tuple(_copy(g, contrasts, rows) for g in listed),
        tuple(_copy(g, contrasts, rows) for g in order[:n_suspects]),
        threshold,
        np.unique(group[contrasts.train[listed]]).size,
        max(1, math.ceil(odds / fdr - _ROUNDING)),
    )


def exact_copies(
    generated: Array, contrasts: Contrasts, pool: Pool, rounding: float = 0.0
) -> tuple[Copy, ...]:
    """Generated points that equal a training point, in the order in which they were generated.

    Parameters
    ----------
    generated : ndarray of shape (n_generated, dim)
    contrasts : Contrasts
        With respect to all training and held-out values.
    pool : Pool
    rounding : float
        Relative difference of a coordinate that is the file format's rounding: 6e-8 if one of the
        sets was stored in float32.
    """
    equal = contrasts.train_distance == 0
    scale = np.abs(pool.values).max() * math.sqrt(pool.values.shape[1])
    for g in np.flatnonzero(~equal & (contrasts.train_distance <= rounding * scale)):
        point = pool.values[contrasts.train[g]]
        equal[g] = (np.abs(generated[g] - point) <= rounding * np.abs(point)).all()
    rows = first_rows(pool)
    return tuple(_copy(g, contrasts, rows) for g in np.flatnonzero(equal))


def first_rows(pool: Pool) -> Index:
    """Of each value the first training row that has it; -1 without one."""
    rows = np.full(len(pool.values), -1)
    rows[pool.train[::-1]] = pool.train_rows[::-1]
    return rows


def _copy(g: Any, contrasts: Contrasts, rows: Index) -> Copy:
    distance, contrast = contrasts.train_distance[g], contrasts.contrast[g]
    return Copy(int(g), int(rows[contrasts.train[g]]), float(distance), float(contrast))
