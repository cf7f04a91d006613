"""The sheet of ``ornstein data --plot``: spectrum, values, marginals, and images.

Above: the spectra of all sets over the rank of the eigenvalue; the distribution of all values; and
the marginals, medians and quantiles of each coordinate. Below, where there are images: some of each
set, and the nearest pairs of the first, one above the other, with their distance in units of the
distance to the fifth nearest where they are nearly equal.
"""

from __future__ import annotations

__all__ = ["data_sheet"]

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ornstein.data.contents import ArrayContents, TableContents
from ornstein.reports.axes import count_axis, plain_axis, value_axis
from ornstein.reports.figures import BLUE, GREEN, GREY, VERMILION, caption, style
from ornstein.reports.grids import coloured, tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ornstein.data.profiles import Profile

    Array = NDArray[np.float64]

_COLOURS = (BLUE, VERMILION, GREEN, "black", GREY)
_DASHES: Any = ("-", (0, (5, 2)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1)), "-")
_QUANTILES = (5, 25, 50, 75, 95)
_NAMED = 12  # coordinates of which a name is written
_SHOWN, _COLUMNS, _PAIRS = 32, 16, 8
_FLOOR = 1e-12  # of the largest eigenvalue, below which rounding is drawn
_BINS = 60
_BEYOND = 1e150  # values that data cannot have are not drawn


def data_sheet(profiles: Sequence[Profile]) -> Figure:
    """Draw a sheet of one set or several.

    Parameters
    ----------
    profiles : sequence of Profile

    Returns
    -------
    Figure
    """
    pictures = [profile for profile in profiles if _is_drawable(profile)]
    rows = len(pictures) + bool(pictures and _pairs(pictures[0]))
    with style():
        figure = Figure(figsize=(9.6, 3.1 + 1.35 * rows), layout="constrained")
        ratios = [2.4, *[1.0] * rows]
        grid = figure.add_gridspec(1 + rows, 3, height_ratios=ratios)
        above = [figure.add_subplot(grid[0, column]) for column in range(3)]
        _draw_spectra(above[0], profiles)
        _draw_values(above[1], profiles)
        _draw_marginals(above[2], profiles[0])
        for row, profile in enumerate(pictures, start=1):
            _draw_images(figure.add_subplot(grid[row, :]), profile)
        if rows > len(pictures):
            _draw_pairs(figure.add_subplot(grid[-1, :]), pictures[0])
        if len(profiles) > 1:
            handles, labels = above[0].get_legend_handles_labels()
            above[1].legend(handles, labels, frameon=False, loc="upper right")
        parts = [
            f"{profile.name}: {profile.survey.n_rows} points, d = {profile.survey.dim}"
            for profile in profiles
        ]
        caption(figure, ["; ".join(parts)])
    return figure


def _draw_spectra(axis: Axes, profiles: Sequence[Profile]) -> None:
    longest = 2
    for profile, colour, dashes in zip(profiles, _COLOURS, _DASHES, strict=False):
        values = profile.survey.spectrum
        values = values[values > _FLOOR * values.max(initial=0.0)]
        if not values.size:
            continue
        marker = "o" if values.size == 1 else None
        ranks = np.arange(1, len(values) + 1)
        axis.plot(ranks, values, color=colour, ls=dashes, lw=1.4, marker=marker, label=profile.name)
        longest = max(longest, len(values))
    count_axis(axis, [1, longest], most=5)
    value_axis(axis)
    axis.set(xlabel="rank of the eigenvalue", ylabel=f"variance, squared {_unit(profiles)}")
    axis.set_title("spectrum")


def _draw_values(axis: Axes, profiles: Sequence[Profile]) -> None:
    samples = [profile.sample[np.abs(profile.sample) < _BEYOND] for profile in profiles]
    filled = [values for values in samples if values.size]
    if filled:
        low, high = min(v.min() for v in filled), max(v.max() for v in filled)
        edges = np.linspace(low, high, _BINS + 1)
        if high - low < _BINS and all(profile.survey.whole for profile in profiles):
            edges = np.arange(low - 0.5, high + 1.0)
        if len(edges) < 2 or not (np.diff(edges) > 0).all():
            pad = max(1.0, 1e-3 * abs(low))
            edges = np.array([low - pad, low + pad])
        for values, colour, dashes in zip(samples, _COLOURS, _DASHES, strict=False):
            if values.size:
                share = 100 * np.histogram(values, edges)[0] / values.size
                axis.stairs(share, edges, color=colour, ls=dashes, lw=1.2)
    axis.set_ylim(bottom=0)
    axis.set(xlabel=f"value of a coordinate, {_unit(profiles)}", ylabel="share of all values, %")
    axis.set_title("values")


def _draw_marginals(axis: Axes, profile: Profile) -> None:
    """Quantiles of each coordinate of the first set."""
    fine = profile.sample[(np.abs(profile.sample) < _BEYOND).all(axis=1)]
    if not len(fine):
        axis.set_axis_off()
        return
    quantiles = np.percentile(fine, _QUANTILES, axis=0)
    few = fine.shape[1] <= _NAMED
    places = np.arange(fine.shape[1])
    for ends in quantiles[[0, 4]]:
        axis.plot(places, ends, ls="none")  # so that the axis reaches them
    if few:
        axis.vlines(places, quantiles[0], quantiles[4], color=BLUE, lw=1.0)
        axis.vlines(places, quantiles[1], quantiles[3], color=BLUE, lw=5.0, alpha=0.5)
        axis.plot(places, quantiles[2], "o", color="black", ms=3)
        names = profile.coordinates or [str(place) for place in places]
        axis.set_xticks(places, [_short(name) for name in names], rotation=90, fontsize=7)
        axis.set_xlim(-0.5, len(places) - 0.5)
    else:
        axis.fill_between(places, quantiles[0], quantiles[4], color=BLUE, alpha=0.2, lw=0)
        axis.fill_between(places, quantiles[1], quantiles[3], color=BLUE, alpha=0.4, lw=0)
        axis.plot(places, quantiles[2], color="black", lw=0.9)
        axis.set_xlim(0, len(places) - 1)
        axis.set_xlabel("coordinate")
    plain_axis(axis)
    axis.set_ylabel(_unit([profile]))
    axis.set_title(f"median, 25-75% and 5-95% of {profile.name}", fontsize=8)


def _unit(profiles: Sequence[Profile]) -> str:
    """Of coordinates: that of the data, unless a geometry was fitted to them."""
    contents = profiles[0].contents
    mixed = isinstance(contents, TableContents) and not contents.is_numeric
    return "scaled units" if mixed else "data units"


def _short(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"


def _is_drawable(profile: Profile) -> bool:
    contents = profile.contents
    return (
        isinstance(contents, ArrayContents)
        and contents.kind == "images"
        and contents.shape[0] in {1, 3}
        and not profile.survey.bad_rows
    )


def _draw_images(axis: Axes, profile: Profile) -> None:
    n = profile.survey.n_rows
    rows = np.unique(np.linspace(0, n - 1, min(_SHOWN, n)).astype(int))
    _show(axis, profile, _pictures(profile, rows), min(_COLUMNS, len(rows)))
    axis.set_title(f"{profile.name}: {len(rows)} of {n} images, in their order")


def _pairs(profile: Profile) -> list[tuple[int, int, str]]:
    """Rows of the nearest pairs, and what is written above each."""
    near = profile.near
    if near is None:
        return []
    if len(near.pairs):
        rows = zip(near.pairs[:_PAIRS], near.ratios[:_PAIRS], strict=True)
        return [(int(i), int(j), f"{i}\n{j}\n{ratio:.2g}") for (i, j), ratio in rows]
    seen: dict[frozenset[int], tuple[int, int, str]] = {}
    for i, j, ratio in near.nearest:
        seen.setdefault(frozenset((i, j)), (i, j, f"{i}\n{j}\n{ratio:.2g}"))
    return list(seen.values())[:_PAIRS]


def _draw_pairs(axis: Axes, profile: Profile) -> None:
    pairs = _pairs(profile)
    rows = [i for i, _, _ in pairs] + [j for _, j, _ in pairs]
    pictures = _pictures(profile, np.asarray(rows))
    _show(axis, profile, pictures, len(pairs))
    near = profile.near
    kind = (
        "nearly equal rows" if near is not None and len(near.pairs) else "nearest rows of a sample"
    )
    axis.set_title(
        f"{profile.name}: {kind}, their numbers, and their distance over that to the fifth nearest"
    )
    width = pictures.shape[-1] + 1
    axis.set_xticks(
        [width * place + width / 2 for place in range(len(pairs))],
        [text for _, _, text in pairs],
        fontsize=7,
    )


def _pictures(profile: Profile, rows: Any) -> Array:
    assert isinstance(profile.contents, ArrayContents)
    return profile.points.rows(rows).reshape(-1, *profile.contents.shape)


def _show(axis: Axes, profile: Profile, pictures: Array, columns: int) -> None:
    low, high = float(np.nanmin(profile.survey.low)), float(np.nanmax(profile.survey.high))
    sheet = tile(pictures, columns)
    axis.imshow(coloured(sheet, low, high), interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.grid(visible=False)
