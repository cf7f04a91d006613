r"""Points on a line as few point masses, for sums of Gaussian kernels.

A set of ``N`` numbers is a measure ``sum_i delta(x - x_i)``. Where many of them are close, fewer
masses give the same kernel sums, to rounding.

*Equal numbers* become one mass (`distinct`): pixels of an image take few values.

*Clusters*, more than 36 different values within one kernel width ``w``, become 18 masses at
Chebyshev nodes (`compressed`). A kernel ``exp(-(x - y)^2 / 2 w^2)``, as a function of ``x`` on an
interval of length ``<= w``, is within ``2 (1/4)^q / q! max |f^(q)| < 2.2 (1/4)^q / sqrt(q!)``,
4e-19 for ``q = 18``, of its interpolant through ``q`` Chebyshev nodes ``x_m``. So

    sum_i c_i f(x_i) = sum_m W_m f(x_m),    W_m = (2/q) sum'_k T_k(t_m) sum_i c_i T_k(t_i)

(``t`` in [-1, 1] on the interval; the term ``k = 0`` of the primed sum is halved). Then no window
of ``r`` kernel widths holds more than ``36 (r + 1)`` masses, whatever the data.

Positions are pairs ``anchor + offset``, the anchor one of the numbers: differences of anchors that
are close are exact, so nothing is lost far from the origin.

References
----------
Trefethen, "Approximation Theory and Approximation Practice", 2013 (Chebyshev interpolation).
"""

from __future__ import annotations

__all__ = ["PointMasses", "distinct", "compressed"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_NODES = 18
_CLUSTER = 2 * _NODES  # fewer values cost less than their nodes


@dataclass(frozen=True, repr=False, eq=False)
class PointMasses:
    """Rows of masses on a line, positions ascending in each row.

    Rows are as long as the longest, and one longer: they end with anchors ``inf``, mass 0.

    Attributes
    ----------
    anchors : ndarray of shape (n_rows, length)
    offsets : ndarray of shape (n_rows, length), or None
        Positions are ``anchors + offsets``; None stands for zeros.
    masses : ndarray of shape (n_rows, length), or None
        None stands for ones, and rows of equal length.
    """

    anchors: Array
    offsets: Array | None = None
    masses: Array | None = None

    @property
    def positions(self) -> Array:
        """``anchors + offsets``, rounded."""
        return self.anchors if self.offsets is None else self.anchors + self.offsets


def distinct(values: Array) -> PointMasses:
    """Masses of the numbers in each row of `values`, shape (n_rows, n), equal ones together."""
    rows, n = values.shape
    ordered = np.sort(values, axis=1)
    new = np.ones((rows, n), dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    if new.all():
        return PointMasses(np.pad(ordered, ((0, 0), (0, 1)), constant_values=np.inf))
    starts = np.flatnonzero(new)
    counts = np.diff(starts, append=new.size).astype(np.float64)
    row = starts // n
    anchors = _in_rows(ordered.ravel()[starts], row, rows, np.inf)
    return PointMasses(anchors, masses=_in_rows(counts, row, rows, 0.0))


def compressed(points: PointMasses, widths: Array) -> PointMasses:
    """Replace clusters by masses at Chebyshev nodes.

    Parameters
    ----------
    points : PointMasses
        As :func:`distinct` returns them.
    widths : ndarray of shape (n_rows,)
        Kernel width of each row, > 0, in the unit of the positions.
    """
    rows, length = points.anchors.shape
    with np.errstate(invalid="ignore"):  # inf - inf, at the end of rows
        reach = points.anchors[:, _CLUSTER:] - points.anchors[:, :-_CLUSTER]
        if not (reach <= widths[:, None]).any():
            return points
    inside = np.flatnonzero(np.isfinite(points.anchors))
    x, row = points.anchors.ravel()[inside], inside // length
    box = np.floor((x - points.anchors[row, 0]) / widths[row])
    new = np.ones(x.size, dtype=bool)
    new[1:] = (box[1:] != box[:-1]) | (row[1:] != row[:-1])
    starts = np.flatnonzero(new)
    sizes = np.diff(starts, append=x.size)
    spans = x[starts + sizes - 1] - x[starts]
    # Numbers of more than 2^53 widths share a box by rounding: the span decides.
    clustered = (sizes > _CLUSTER) & (spans <= widths[row[starts]])
    if not clustered.any():
        return points
    masses = np.ones(x.size) if points.masses is None else points.masses.ravel()[inside]
    kept = np.repeat(~clustered, sizes)
    nodes, weights = _nodes(x[~kept], masses[~kept], sizes[clustered], spans[clustered])

    counts = np.where(clustered, _NODES, sizes)
    first = np.cumsum(counts) - counts
    into = (first[clustered][:, None] + np.arange(_NODES)).ravel()
    stay = np.repeat(first - starts, sizes)[kept] + np.flatnonzero(kept)
    anchors, offsets, new_masses = (
        np.empty(counts.sum()),
        np.zeros(counts.sum()),
        np.empty(counts.sum()),
    )
    anchors[stay], new_masses[stay] = x[kept], masses[kept]
    anchors[into] = np.repeat(x[starts[clustered]], _NODES)
    offsets[into], new_masses[into] = nodes.ravel(), weights.ravel()
    new_row = np.repeat(row[starts], counts)
    return PointMasses(
        _in_rows(anchors, new_row, rows, np.inf),
        _in_rows(offsets, new_row, rows, 0.0),
        _in_rows(new_masses, new_row, rows, 0.0),
    )


def _nodes(x: Array, masses: Array, sizes: Index, spans: Array) -> tuple[Array, Array]:
    """Offsets of the nodes from the first of each run, and their masses, both (n_runs, q).

    `x` holds the runs one after the other, `sizes` numbers in each, over `spans`.
    """
    starts = np.cumsum(sizes) - sizes
    t = 2 * (x - np.repeat(x[starts], sizes)) / np.repeat(spans, sizes) - 1
    moments = np.empty((_NODES, sizes.size))
    before, now = t, np.ones_like(t)  # T_{-1} = T_1
    for k in range(_NODES):
        moments[k] = np.add.reduceat(masses * now, starts)
        before, now = now, 2 * t * now - before
    moments[0] /= 2
    angles = (np.arange(_NODES)[::-1] + 0.5) * (np.pi / _NODES)
    polynomials = np.cos(np.outer(angles, np.arange(_NODES)))
    weights = (2 / _NODES) * polynomials @ moments
    return np.outer(spans, 0.5 + 0.5 * np.cos(angles)), weights.T


def _in_rows(values: Array, row: Index, rows: int, fill: float) -> Array:
    """Values row by row, `row` ascending, as a rectangle one longer than the longest row."""
    lengths = np.bincount(row, minlength=rows)
    column = np.arange(values.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    filled = np.full((rows, lengths.max() + 1), fill)
    filled[row, column] = values
    return filled
