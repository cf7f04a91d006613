"""Series of a figure: means and shares of the rows of a summary, with their errors."""

from __future__ import annotations

__all__ = [
    "Panel",
    "distance_panels",
    "sampler_axes",
    "column",
    "sizes_of",
    "where",
    "means",
    "shares",
    "perfect_model",
    "entries",
]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Panel(NamedTuple):
    """A value of the rows, and its axis."""

    name: str
    label: str
    unit: float = 1.0
    """Factor of all values."""


def distance_panels(dim: int, std: float) -> list[Panel]:
    """KL and squared Wasserstein distance, a coordinate."""
    return [
        Panel("kl", "KL / d  [nats]", 1 / dim),
        Panel("wasserstein2", r"$W_2^2 / (d\,\sigma^2)$", 1 / (dim * std**2)),
    ]


def sampler_axes(
    figure: Figure, panels: Sequence[Panel], titles: Sequence[str], x_label: str, **label: Any
) -> Any:
    """Return labelled axes, shape (panels, samplers): a row shares its vertical axis."""
    axes = figure.subplots(len(panels), len(titles), sharex=True, sharey="row", squeeze=False)
    for line, panel in zip(axes, panels, strict=True):
        line[0].set_ylabel(panel.label)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis in axes[-1]:
        axis.set_xlabel(x_label, **label)
    return axes


def sizes_of(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Training sizes of the rows, without that of infinite data."""
    return [n for n in dict.fromkeys(row["train_size"] for row in rows) if math.isfinite(n)]


def where(rows: Sequence[Mapping[str, Any]], **values: Any) -> list[Mapping[str, Any]]:
    """Rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def column(rows: Sequence[Mapping[str, Any]], name: str) -> Array:
    """One column of the rows, as numbers."""
    return np.array([row[name] for row in rows], dtype=float)


def means(
    axis: Axes,
    x: Array,
    rows: Sequence[Mapping[str, Any]],
    name: str,
    unit: float = 1.0,
    **look: Any,
) -> bool:
    """Draw the finite means of a value with their standard errors.

    Parameters
    ----------
    axis : Axes
    x : ndarray of shape (n_rows,)
    rows : sequence of mappings
        With ``NAME_mean`` and ``NAME_se``.
    name : str
    unit : float
        Factor of all values.
    **look
        Of the points, as for ``Axes.errorbar``.

    Returns
    -------
    bool
        Whether there was anything to draw.
    """
    mean, error = unit * column(rows, f"{name}_mean"), unit * column(rows, f"{name}_se")
    finite = np.isfinite(mean)
    if finite.any():
        spread = np.nan_to_num(error[finite])
        style: dict[str, Any] = {"ms": 4, "lw": 1.0, "elinewidth": 0.9, "zorder": 3, **look}
        axis.errorbar(x[finite], mean[finite], yerr=spread, **style)
    return bool(finite.any())


def shares(axis: Axes, x: Array, rows: Sequence[Mapping[str, Any]], name: str, **look: Any) -> None:
    """Draw shares with their intervals, of ``NAME_positive``, ``..._low`` and ``..._high``."""
    share, low, high = (column(rows, f"{name}_positive{end}") for end in ("", "_low", "_high"))
    # Rounding may leave an end within 1e-17 of the share on its other side.
    spread = np.maximum([share - low, high - share], 0)
    style: dict[str, Any] = {"ms": 4, "lw": 1.0, "elinewidth": 0.9, "zorder": 3, **look}
    axis.errorbar(x, share, yerr=spread, **style)


def perfect_model(axis: Axes, theory: Mapping[str, Any], unit: float = 1.0) -> None:
    """Draw P(Delta > 0) of a model that generates the population, where theory has it.

    Parameters
    ----------
    axis : Axes
    theory : mapping
        Of a summary; ``perfect_delta`` has the arrays ``train_size`` and ``share``, and may have
        the ends ``low`` and ``high`` of their intervals.
    unit : float
        Of the horizontal axis, in training points.
    """
    known = theory.get("perfect_delta")
    if known is not None:
        x = np.asarray(known["train_size"], dtype=float) / unit
        look: dict[str, Any] = {"color": "black", "zorder": 2}
        axis.plot(x, known["share"], "-.", lw=1.2, label="perfect model", **look)
        if "low" in known:
            axis.fill_between(x, known["low"], known["high"], alpha=0.12, lw=0, **look)
        if len(x) == 1:
            axis.plot(x, known["share"], "_", ms=9, **look)


def entries(axes: Iterable[Axes]) -> dict[str, Any]:
    """Handles of all labelled series of some axes, by label, each once."""
    found: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return found
