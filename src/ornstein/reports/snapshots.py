"""Tables and figure of training dynamics."""

from __future__ import annotations

__all__ = ["tables", "figures"]

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from ornstein.reports.figures import GREY, style
from ornstein.reports.tables import Column, format_table, number, paragraph, with_error
from ornstein.reports.unet import heading
from ornstein.studies.neural.snapshots import HALF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.neural.snapshots import SnapshotSummary, Window

    Rows = Sequence[Mapping[str, Any]]

_MARKERS = "osD^vP*X"
_COLUMNS = 7


def tables(summary: SnapshotSummary) -> str:
    """Return what was seen at each step, and when networks generalize and memorize."""
    rows, windows = summary.rows, summary.windows
    blocks = [heading(summary)]
    for title, name, digits in (
        ("Memorized fraction", "memorized_mean", 3),
        ("Delta per coordinate", "delta_mean", 3),
        ("Test loss", "loss_test_mean", 4),
        ("Training loss", "loss_train_mean", 4),
    ):
        blocks += [f"{title}, by optimiser step and n", _by_step(rows, name, digits)]
    blocks += ["The window between the best step and memorization", _window_table(windows)]
    slope, error = summary.exponent
    if math.isfinite(slope):
        power = with_error(slope, error)
        blocks.append(f"tau_mem grows like n to the {power} (least squares in logarithms)")
    blocks += [paragraph(note) for note in summary.notes]
    return "\n\n".join(blocks)


def figures(summary: SnapshotSummary) -> dict[str, Any]:
    """Memorized fraction, losses and Delta against steps, and memorized against steps / n."""
    rows = summary.rows
    sizes = list(dict.fromkeys(row["train_size"] for row in rows))
    shades = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, max(len(sizes), 1)))
    times = {window.train_size: window.memorization_step for window in summary.windows}
    with style():
        figure = Figure(figsize=(7.2, 5.6), layout="constrained")
        axes = figure.subplots(2, 2)
        for index, (size, shade) in enumerate(zip(sizes, shades, strict=True)):
            here = [row for row in rows if row["train_size"] == size]
            steps = np.array([row["step"] for row in here], dtype=float)
            trained_on = summary.trained_on[size]
            look: Any = {
                "color": shade,
                "marker": _MARKERS[index % len(_MARKERS)],
                "ms": 3.5,
                "lw": 1.0,
            }
            _curve(axes[0, 0], steps, here, "memorized", label=f"n = {size}", **look)
            _curve(axes[0, 1], steps / trained_on, here, "memorized", **look)
            _curve(axes[1, 0], steps, here, "loss_test", **look)
            _curve(axes[1, 0], steps, here, "loss_train", **{**look, "marker": "", "ls": "--"})
            _curve(axes[1, 1], steps, here, "delta", **look)
            if math.isfinite(times.get(size, math.nan)):
                axes[0, 0].plot(times[size], HALF, "|", color=shade, ms=12, mew=1.5, zorder=4)
        for axis in axes.ravel():
            axis.set_xscale("log")
        for axis in axes[0]:
            axis.set_ylim(-0.03, 1.03)
            axis.axhline(HALF, color=GREY, lw=0.8, ls=":")
        axes[0, 0].set_title(r"memorized fraction ($|$: $\tau_{mem}$)")
        axes[0, 1].set_title("memorized fraction, steps in units of n")
        axes[1, 0].set_title("loss: test (points), training (dashed)")
        axes[1, 1].set_title(r"$\Delta$ per coordinate")
        axes[1, 1].axhline(0.0, color=GREY, lw=0.8, ls=":")
        axes[0, 1].set_xlabel("optimiser steps / n trained on")
        for axis in (axes[0, 0], *axes[1]):
            axis.set_xlabel("optimiser steps")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    return {"figure": figure}


def _curve(axis: Axes, x: np.ndarray, rows: Rows, name: str, **look: Any) -> None:
    mean, error = (np.array([row[f"{name}_{part}"] for row in rows]) for part in ("mean", "se"))
    axis.errorbar(x, mean, yerr=np.nan_to_num(error), elinewidth=0.8, zorder=3, **look)


def _by_step(rows: Rows, name: str, digits: int) -> str:
    """A row per step, a column per size; further columns below if they are many."""
    sizes = list(dict.fromkeys(row["train_size"] for row in rows))
    steps = sorted({row["step"] for row in rows})
    values = {(row["train_size"], row["step"]): row[name] for row in rows}
    parts = []
    for first in range(0, len(sizes), _COLUMNS):
        columns = [Column("step", [str(step) for step in steps])]
        columns += [
            Column(f"n = {size}", [number(values[size, step], digits) for step in steps])
            for size in sizes[first : first + _COLUMNS]
        ]
        parts.append(format_table(columns))
    return "\n\n".join(parts)


def _window_table(windows: Sequence[Window]) -> str:
    def interval(window: Window) -> str:
        if not math.isfinite(window.memorization_step_low):
            return ""
        low, high = window.memorization_step_low, window.memorization_step_high
        return f"{number(low, 3)} to {number(high, 3)}"

    return format_table(
        [
            Column("n", [str(w.train_size) for w in windows]),
            Column("best step", [str(w.best_step) for w in windows]),
            Column("test loss there", [number(w.best_loss) for w in windows]),
            Column("tau_mem", [number(w.memorization_step, 3) for w in windows]),
            Column("± 1 s.e.", [interval(w) for w in windows]),
            Column("runs that memorize", [str(w.memorized) for w in windows]),
        ]
    )
