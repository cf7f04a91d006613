"""All checks of ``ornstein verify`` in one figure: how far each is from failing."""

from __future__ import annotations

__all__ = ["verification_figure"]

import math
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ornstein.reports.axes import set_ticks
from ornstein.reports.figures import BLUE, GREY, VERMILION, caption, style

if TYPE_CHECKING:
    from ornstein.verification.running import Verification

_MOST = 3.0  # thresholds, beyond which a mark stands at the edge


def verification_figure(result: Verification) -> Figure | None:
    """Draw z over its threshold, check by check, in the order of the table; None without any.

    Checks within their allowance stand at 0; those far beyond the threshold at the edge, as
    triangles.
    """
    rows = [row for row in result.rows if math.isfinite(row.z_beyond_allowance)]
    if not rows:
        return None
    ratio = np.array([row.z_beyond_allowance / row.threshold for row in rows])
    place = np.arange(1, len(rows) + 1)
    passed = np.array([row.passed for row in rows])
    with style():
        figure = Figure(figsize=(7.2, 2.8), layout="constrained")
        axis = figure.subplots()
        axis.plot(place[passed], ratio[passed], "o", color=BLUE, ms=3.5, label="holds")
        near, far = ~passed & (abs(ratio) <= _MOST), ~passed & (abs(ratio) > _MOST)
        axis.plot(place[near], ratio[near], "s", color=VERMILION, ms=4.5, label="fails")
        edge = np.clip(ratio, -_MOST, _MOST)
        for sign, marker in ((1, "^"), (-1, "v")):
            beyond = far & (np.sign(ratio) == sign)
            if beyond.any():
                label = f"fails, beyond {sign * _MOST:g}"
                axis.plot(place[beyond], edge[beyond], marker, color=VERMILION, ms=6, label=label)
        for level in (-1, 1):
            axis.axhline(level, color=GREY, lw=0.9, ls="--", zorder=1)
        first = 0.5
        for section, group in groupby(rows, key=lambda row: row.section):
            width = len(list(group))
            axis.axvline(first, color="#dddddd", lw=0.8, zorder=0)
            if width > 0.02 * len(rows):
                middle = first + width / 2
                axis.annotate(
                    section.split()[0][:8],
                    (middle, 1.0),
                    xycoords=("data", "axes fraction"),
                    ha="center",
                    va="bottom",
                    fontsize=6.5,
                    color=GREY,
                )
            first += width
        axis.set_xlim(0.5, len(rows) + 0.5)
        axis.set_xlabel("check, in the order of the table; numbers above: sections")
        axis.set_ylabel("z / z that fails")
        axis.grid(visible=False)
        most = min(max(1.3, 1.1 * float(abs(edge).max())), 1.1 * _MOST)
        axis.set_ylim(-most, most)
        set_ticks(axis.yaxis, np.arange(-math.floor(most), math.floor(most) + 1.0))
        if not passed.all():
            figure.legend(loc="outside lower center", ncols=4, frameon=False)
        size = "fast settings" if result.fast else "default settings"
        caption(
            figure, [f"Theory against simulation: {len(rows)} checks", size, f"seed {result.seed}"]
        )
    return figure
