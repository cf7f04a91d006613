"""What a figure shows, as numbers and words: curves over one axis, or a map of two parameters.

Nothing is drawn here: `ornstein.reports.curves` draws a `Chart`, `ornstein.reports.maps` a
`MapChart`. A curve covers the range of the values that were asked for (`sweep`), on a grid fine
enough to look smooth, finer still around its landmarks, where results diverge or change their law.
One value alone has no range: the curve then goes from a quarter of it to four times it.
"""

from __future__ import annotations

__all__ = ["Curve", "Mark", "Chart", "MapChart", "sweep", "density"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ornstein.theory.phase import PhaseMap

    Array = NDArray[np.float64]

_FINE = 400
# As many values are marked on a curve, at most, before they hide it.
_FEW = 12
_WIDEN, _NARROW = 4.0, 1.5
_PEAK, _TAIL = 6.0, 15.0
_UNKNOWN = 0.01, 100.0


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve of a figure, and points on it that are marked."""

    label: str
    x: Array
    """Ascending, of shape (points,)."""
    y: Array
    """Of the same shape; infinite where the figure is to say so, NaN for a gap."""
    marked_x: Sequence[float] | Array = ()
    marked_y: Sequence[float] | Array = ()


@dataclass(frozen=True)
class Mark:
    """A landmark: a value of the horizontal axis with a name."""

    label: str
    x: float


@dataclass(frozen=True, eq=False)
class Chart:
    """Curves over one axis."""

    x_label: str
    """With its unit, where it has one."""
    y_label: str
    curves: Sequence[Curve]
    marks: Sequence[Mark] = ()
    logarithmic: bool = False
    """The horizontal axis."""
    logarithmic_y: bool | None = None
    """By default where the curves span decades."""
    marked: str = "values of the table"
    """What the marked points are."""
    whole: bool = False
    """The horizontal axis has whole numbers only."""
    bottom: float | None = None
    """Where the vertical axis begins; by default below the lowest value."""


@dataclass(frozen=True, eq=False)
class MapChart:
    """A result over two parameters."""

    phase: PhaseMap
    x_label: str
    y_label: str
    label: str
    """Of the values, with their unit."""
    signed: bool = False
    """Values lie between -1 and 1, and their sign matters."""


def sweep(
    values: ArrayLike,
    function: Callable[[Array], Mapping[str, Any]],
    *,
    x_label: str,
    y_label: str,
    marks: Sequence[Mark] = (),
    logarithmic: bool = True,
    least: float | None = None,
) -> Chart:
    """Curves over the range of `values`, which are marked where they are few.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        What was asked for. On a logarithmic axis those that are not above 0 have no place.
    function : callable
        Of an array, returns the curves by their labels, each of the shape of that array.
    x_label, y_label, marks, logarithmic
        As in `Chart`.
    least : float, optional
        The values are whole numbers of at least this.

    Examples
    --------
    >>> chart = sweep([9, 1], lambda n: {"double": 2 * n}, x_label="n", y_label="y", least=1)
    >>> chart.curves[0].x, chart.curves[0].marked_y
    (array([1., 2., 3., 4., 5., 6., 7., 8., 9.]), array([18.,  2.]))
    """
    import numpy as np

    asked = np.unique(np.asarray(values, dtype=np.float64))
    asked = asked[np.isfinite(asked) & ((asked > 0) | (not logarithmic))]
    low, high = (asked[0], asked[-1]) if asked.size else _UNKNOWN
    if logarithmic and high < _NARROW * low:
        low, high = low / _WIDEN, high * _WIDEN
    elif low == high:
        low, high = min(low, 0.0), max(2.0 * high, 1.0)
    grid = (np.geomspace if logarithmic else np.linspace)(low, high, _FINE)
    steps = np.geomspace(1e-3, 0.3, 40)
    near = [mark.x * (1.0 + side * steps) for mark in marks for side in (-1, 1)]
    grid = np.concatenate([grid, asked, *near])
    grid = grid[(grid >= low) & (grid <= high)]
    if least is not None:
        grid = np.maximum(np.round(grid), least)
    grid = np.unique(grid)
    given = np.asarray(values, dtype=np.float64)
    shown = given[np.isin(given, asked)] if asked.size <= _FEW else asked[:0]
    points = function(shown) if shown.size else {}
    curves = tuple(
        Curve(label, grid, np.asarray(y), shown, np.asarray(points.get(label, ())))
        for label, y in function(grid).items()
    )
    return Chart(x_label, y_label, curves, marks, logarithmic, whole=least is not None)


def density(
    low: float, high: float, values: ArrayLike, function: Callable[[Array], Any], x_label: str
) -> Chart:
    """A density over its support; nothing is drawn in gaps and beyond the edges.

    Both axes are logarithmic if the density has a peak or a tail that a linear axis would not
    show; from the first percent of its mass on, where its support begins at 0.

    Parameters
    ----------
    low, high : float
        Edges of the support.
    values : array-like of shape (n_values,)
        Where it was asked for.
    function : callable
        The density at an array of positions > 0.
    x_label : str
        As in `Chart`.
    """
    import numpy as np

    start = max(low, 1e-6 * high)
    rough = np.geomspace(start, high, _FINE)
    heights = np.asarray(function(rough), dtype=np.float64)
    mass = np.append(0.0, np.cumsum(0.5 * np.diff(rough) * (heights[1:] + heights[:-1])))
    first, middle = np.searchsorted(mass, [0.01 * mass[-1], 0.5 * mass[-1]])
    tall = heights[rough >= 1e-4 * high].max() > _PEAK * heights[middle]
    logarithmic = bool(tall or high > _TAIL * rough[middle])
    if logarithmic:
        grid = np.geomspace(low if low > 0 else rough[first], high, 3 * _FINE)
    else:
        # Dense at both edges, where the density has the slope of a square root.
        grid = start + (high - start) * (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 3 * _FINE)))
    grid[-1] = high
    y = np.array(function(grid), dtype=np.float64)
    # At an edge it is 0, of which rounding of the edge leaves a root.
    y[(grid == low) | (grid == high)] = 0.0
    # Between two zeros lies a gap in the support.
    zero = y == 0
    y[zero & np.append(True, zero[:-1]) & np.append(zero[1:], True)] = np.nan
    asked = np.asarray(values, dtype=np.float64)
    shown = asked[(asked >= grid[0]) & (asked <= high)]
    shown = shown if shown.size <= _FEW else shown[:0]
    marked = np.asarray(function(shown)) if shown.size else shown
    curve = Curve("density", grid, y, shown, marked)
    # On a logarithmic axis the edges would take all of the height.
    bottom = float(np.percentile(y[y > 0], 2)) / 3 if logarithmic else None
    return Chart(
        x_label,
        "density",
        (curve,),
        logarithmic=logarithmic,
        logarithmic_y=logarithmic,
        bottom=bottom,
    )
