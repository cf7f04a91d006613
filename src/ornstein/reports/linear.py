"""Tables and figure of a linear study."""

from __future__ import annotations

__all__ = ["tables", "document", "heading", "answer", "figures"]

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.reports.axes import (
    count_axis,
    landmark,
    level,
    plain_axis,
    share_axis,
    value_axis,
)
from ornstein.reports.figures import (
    BLUE,
    VERMILION,
    caption,
    legend_below,
    new_figure,
    points,
    style,
)
from ornstein.reports.linear_tables import (
    answer,
    compared_rows,
    document,
    heading,
    is_heavy_tailed,
    tables,
    threshold_text,
)
from ornstein.reports.series import (
    column,
    distance_panels,
    entries,
    means,
    perfect_model,
    shares,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.linear.summary import LinearSummary

    Row = Mapping[str, Any]


class _Panel(NamedTuple):
    """What a panel of the figure shows."""

    name: str
    title: str
    words: str
    """What a caption calls it."""


_PANELS = (
    _Panel("kl", "KL(generated || population) / d  [nats]", "KL"),
    _Panel("hellinger2", "squared Hellinger distance", "Hellinger^2"),
    _Panel("wasserstein2", r"$W_2^2 / (d\,\sigma^2)$", "Wasserstein^2"),
    _Panel("trace", r"$\mathrm{tr}\,\Sigma_G / (d\,\sigma^2)$", "trace"),
)
# A squared Hellinger distance above it at every n shows no difference.
_COARSE, _BETWEEN = 1.04, 8
_CERTAIN = 0.999


def figures(summary: LinearSummary) -> dict[str, Any]:
    """Up to three distances, and P(Delta > 0), against n/d, on their theory curves."""
    panels, missing = _panels(summary)
    compared = compared_rows(summary.rows)
    if not compared:
        missing.append("P(Delta > 0) (not measured)")
    sizes = column(summary.rows, "train_size") / summary.dim
    marks = (1.0, summary.threshold / summary.dim)
    with style():
        count = len(panels) + bool(compared)
        shape = (2, 2) if count == 4 else (1, count)
        figure = new_figure(3.6 * shape[1], 2.9 * shape[0])
        axes = figure.subplots(*shape, sharex=True, squeeze=False).ravel()
        count_axis(axes[0], sizes, marks)
        for axis, panel in zip(axes, panels, strict=False):
            _draw(axis, summary, panel.name)
            axis.set_title(panel.title, pad=points(12))
        if compared:
            _draw_shares(axes[-1], summary, compared)
        if panels and panels[0].name == "kl" and "kl_infinite_data" in summary.theory:
            level(axes[0], summary.theory["kl_infinite_data"] / summary.dim, "n → ∞")
        for axis in axes:
            landmark(axis, marks[0], "n = d", (4, 2), "left")
            landmark(axis, marks[1], "n*", (1, 1.5), "right")
        for axis in axes[-shape[1] :]:
            axis.set_xlabel("training size / dimension,  n / d")
        legend_below(figure, entries(axes))
        said = f"not drawn: {' and '.join(missing)}" if missing else ""
        caption(figure, _said(summary), said)
    return {"figure": figure}


def _said(summary: LinearSummary) -> list[str]:
    options = summary.options
    return [
        f"One-step denoiser on {summary.source}",
        "" if options.has_spectrum else f"d = {summary.dim}",
        f"T = {options.time:g}",
        f"noise scale {options.noise_scale:g}",
        f"n* = {threshold_text(summary)}",
        f"seed {options.seed}",
    ]


def _panels(summary: LinearSummary) -> tuple[list[_Panel], list[str]]:
    """The first three panels that have something to show, and why others have not."""
    chosen, missing = [], []
    for panel in _PANELS:
        mean = column(summary.rows, f"{panel.name}_mean")
        if np.isnan(mean).all():
            missing.append(f"{panel.words} (no closed form)")
        elif not np.isfinite(mean).any():
            missing.append(f"{panel.words} (infinite)")
        elif panel.name == "hellinger2" and mean.min() > _CERTAIN:
            missing.append(f"{panel.words} (above {_CERTAIN})")
        else:
            chosen.append(panel)
    return chosen[:3], missing


def _draw(axis: Axes, summary: LinearSummary, name: str) -> None:
    """Simulation with its errors, on the curve of theory."""
    units = {panel.name: panel.unit for panel in distance_panels(summary.dim, summary.std)}
    unit = units.get(name, 1.0)
    bounded = name == "hellinger2"
    heavy = [row for row in summary.rows if is_heavy_tailed(summary, row) and not bounded]
    rows = [row for row in summary.rows if row not in heavy]
    x = column(rows, "train_size") / summary.dim
    # A point on the edge of the panel, as a Hellinger distance of 1 is, is seen whole.
    look: dict[str, Any] = {"fmt": "o", "color": BLUE, "clip_on": not bounded}
    means(axis, x, rows, name, unit, label="simulation, mean ± s.e.", **look)
    if np.isfinite(medians := unit * column(heavy, f"{name}_median")).any():
        x = column(heavy, "train_size") / summary.dim
        label = "simulation, median (infinite mean)"
        axis.plot(x, medians, "o", ms=5, mfc="white", mec=BLUE, label=label, zorder=3)
    curve = np.asarray(summary.theory.get(name, ()), dtype=float)
    if np.isfinite(curve).any():
        sizes = np.asarray(summary.theory["train_size"], dtype=float)
        values = unit * np.where(np.isfinite(curve), curve, math.nan)
        sizes, values = _between_whole_sizes(sizes, values)
        axis.plot(sizes / summary.dim, values, "-", color="black", lw=1.2, label="theory")
    if bounded:
        plain_axis(axis, highest=1.0)
    else:
        value_axis(axis)


def _between_whole_sizes(sizes: Any, values: Any) -> tuple[Any, Any]:
    """A curve through values at n and n + 1 where these are seen apart, as at small n.

    There is no n between them: monotone cubics in the logarithm of n, for the eye.
    """
    from scipy.interpolate import PchipInterpolator

    known = np.flatnonzero(np.isfinite(values))
    x, y = [sizes], [values]
    for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        if run.size < 3:
            continue
        curve = PchipInterpolator(np.log(sizes[run]), values[run])
        for left, right in pairwise(sizes[run].tolist()):
            if left + 1 == right > _COARSE * left:
                between = np.geomspace(left, right, _BETWEEN + 2)[1:-1]
                x.append(between)
                y.append(curve(np.log(between)))
    places, found = np.concatenate(x), np.concatenate(y)
    order = np.argsort(places, kind="stable")
    return places[order], found[order]


def _draw_shares(axis: Axes, summary: LinearSummary, rows: Sequence[Row]) -> None:
    x = column(rows, "train_size") / summary.dim
    shares(axis, x, rows, "delta", fmt="s", color=VERMILION, label="share of runs")
    perfect_model(axis, summary.theory, summary.dim)
    if "delta_positive" in summary.theory:
        known = summary.theory["delta_positive"]
        at = np.asarray(known["train_size"]) / summary.dim
        axis.plot(at, known["share"], "-", color="black", lw=1.2, label="theory", zorder=2)
    share_axis(axis)
    axis.set_title(r"$P(\Delta > 0)$, Wilson 95% interval", pad=points(12))
