"""Tables and figure of training dynamics."""

from __future__ import annotations

__all__ = ["tables", "figures"]

import math
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ornstein.reports.axes import count_axis, plain_axis, share_axis
from ornstein.reports.figures import GREY, VERMILION, Look, caption, legend_below, looks, style
from ornstein.reports.networks import barely_trained, heading, said
from ornstein.reports.series import column, means
from ornstein.reports.tables import (
    Column,
    counted,
    format_groups,
    format_table,
    joined,
    legend,
    listed,
    number,
    paragraph,
    with_error,
)
from ornstein.studies.neural.snapshots import HALF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.neural.snapshots import SnapshotSummary, Window

    Row = Mapping[str, Any]

_MEANINGS = {
    "step": "of the optimiser",
    "memorized": "share much nearer to one training image than to others",
    "baseline": "the same of held-out images",
    "Delta": "per coordinate; > 0: closer to fresh data than to training",
    "test loss": "training objective on held-out images",
    "training loss": "the same on training images, at the same noises",
    "best step": "where the mean test loss is least, of the steps looked at",
    "tau_mem": f"step at which the memorized fraction passes {HALF:g} for good",
    "± 1 s.e.": "one standard error of its geometric mean over runs, both ways",
    "memorize": "runs that get there; without all of them there is no tau_mem",
}
_RING: Any = {"marker": "o", "ms": 9, "mfc": "none", "mec": VERMILION, "mew": 1.2, "ls": ""}
_MARK: Any = {"marker": "|", "ms": 13, "mew": 1.8, "ls": ""}


def tables(summary: SnapshotSummary) -> str:
    """Return what was seen at each step, the window, what columns mean, an answer, and notes."""
    found: list[str] = []
    for size in _sizes(summary):
        found += [_title(summary, size), _by_step(_rows(summary, size))]
    if summary.windows:
        found += [
            "The window between the best step and memorization",
            _window_table(summary),
        ]
    blocks = [
        heading(summary),
        *found,
        legend(_MEANINGS, "\n".join(found)),
        *([paragraph(answer(summary), "")] if summary.rows else []),
        *(paragraph(note) for note in summary.notes),
    ]
    return "\n\n".join(blocks)


def answer(summary: SnapshotSummary) -> str:
    """Return one sentence: between which steps networks generalize and do not memorize."""
    windows = summary.windows
    # Of many sizes, those that bound what was seen.
    shown = windows if len(windows) <= 3 else [windows[0], windows[-1]]
    last = max(row["step"] for row in summary.rows)
    spans = [
        _span(window, _runs(summary, window.train_size), last)
        for window in shown
        if window.best_step < last
    ]
    slope, error = summary.exponent
    growth = f"tau_mem grows like n to the {with_error(slope, error)}"
    falling = [window.train_size for window in windows if window.best_step == last]
    parts = [
        barely_trained(summary),
        f"networks generalize and do not memorize {joined(spans)}" if spans else "",
        growth if math.isfinite(slope) else "",
        f"at n = {listed(falling)} the test loss is still falling at step {last}: raise "
        "--training-steps"
        if falling
        else "",
    ]
    return f"Answer: {'; '.join(filter(None, parts))}."


def _span(window: Window, runs: int, last: int) -> str:
    """Between which steps, at one size."""
    start, end = window.best_step, window.memorization_step
    where = f"at n = {window.train_size}"
    if math.isnan(end):
        return (
            f"from step {start} on {where} ({window.memorized} of {counted(runs, 'run')} memorize "
            f"by step {last})"
        )
    if end <= start:
        return (
            f"at no step {where} (they memorize at {number(end, 3)}, before the best step {start})"
        )
    return f"from step {start} to {number(end, 3)} {where}"


def _sizes(summary: SnapshotSummary) -> list[int]:
    return list(dict.fromkeys(row["train_size"] for row in summary.rows))


def _rows(summary: SnapshotSummary, size: int) -> list[Row]:
    return [row for row in summary.rows if row["train_size"] == size]


def _runs(summary: SnapshotSummary, size: int) -> int:
    return _rows(summary, size)[0]["simulations"]


def _title(summary: SnapshotSummary, size: int) -> str:
    row = _rows(summary, size)[0]
    baseline = with_error(row["baseline_mean"], row["baseline_se"])
    runs = counted(row["simulations"], "run")
    return f"n = {size} ({summary.trained_on[size]} trained on), {runs}; baseline {baseline}"


def _by_step(rows: Sequence[Row]) -> str:
    """A line for each step."""

    def measured(heading: str, name: str) -> list[Column]:
        cells = [with_error(row[f"{name}_mean"], row[f"{name}_se"]) for row in rows]
        return [Column(heading, cells)]

    return format_groups(
        [Column("step", [str(row["step"]) for row in rows])],
        [
            measured("memorized", "memorized"),
            measured("Delta", "delta"),
            measured("test loss", "loss_test"),
            measured("training loss", "loss_train"),
        ],
    )


def _window_table(summary: SnapshotSummary) -> str:
    windows = summary.windows
    runs = [_runs(summary, window.train_size) for window in windows]
    return format_table(
        [
            Column("n", [str(w.train_size) for w in windows]),
            Column("best step", [str(w.best_step) for w in windows]),
            Column("test loss there", [number(w.best_loss) for w in windows]),
            Column("tau_mem", [number(w.memorization_step, 3) for w in windows]),
            Column("± 1 s.e.", [_interval(w) for w in windows]),
            Column(
                "memorize", [f"{w.memorized} of {n}" for w, n in zip(windows, runs, strict=True)]
            ),
        ]
    )


def _interval(window: Window) -> str:
    if not math.isfinite(window.memorization_step_low):
        return ""
    low, high = window.memorization_step_low, window.memorization_step_high
    return f"{number(low, 3)} to {number(high, 3)}"


def figures(summary: SnapshotSummary) -> dict[str, Any]:
    """Memorized fraction, losses and Delta against steps, and memorized against steps / n."""
    sizes = _sizes(summary)
    steps = column(summary.rows, "step")
    images = [summary.trained_on[row["train_size"]] for row in summary.rows]
    with style():
        figure = Figure(figsize=(7.2, 6.0), layout="constrained")
        memorized, scaled, losses, delta = figure.subplots(2, 2).ravel()
        for axis in (memorized, losses, delta):
            count_axis(axis, steps, most=5)
            axis.set_xlabel("optimiser steps")
        count_axis(scaled, steps / images, most=5)
        scaled.set_xlabel("optimiser steps / images trained on")
        for size, look in zip(sizes, looks(len(sizes)), strict=True):
            here = _rows(summary, size)
            own = column(here, "step")
            drawn: Any = {"color": look.colour, "marker": look.marker, "ms": look.size}
            means(memorized, own, here, "memorized", **drawn)
            means(scaled, own / summary.trained_on[size], here, "memorized", **drawn)
            means(losses, own, here, "loss_test", **drawn)
            means(losses, own, here, "loss_train", color=look.colour, fmt="--")
            means(delta, own, here, "delta", **drawn)
            baseline = here[0]["baseline_mean"]
            memorized.axhline(baseline, color=look.colour, lw=0.9, ls=":", zorder=2)
        _landmarks(memorized, losses, summary, dict(zip(sizes, looks(len(sizes)), strict=True)))
        for axis in (memorized, scaled):
            share_axis(axis, half=True)
        for axis in (losses, delta):
            plain_axis(axis)
        delta.axhline(0.0, color=GREY, lw=0.8, ls=":", zorder=1)
        memorized.set_title("memorized fraction")
        scaled.set_title("memorized fraction, steps in units of n")
        losses.set_title("loss on held-out images")
        delta.set_title(r"$\Delta$ per coordinate")
        legend_below(figure, _legend(summary))
        caption(figure, said(summary))
    return {"figure": figure}


def _landmarks(
    memorized: Axes, losses: Axes, summary: SnapshotSummary, chosen: Mapping[int, Look]
) -> None:
    """Mark ``tau_mem`` on the level that it crosses, and the best steps on the test losses."""
    for window in summary.windows:
        losses.plot([window.best_step], [window.best_loss], zorder=4, **_RING)
        if math.isfinite(window.memorization_step):
            colour = chosen[window.train_size].colour
            memorized.plot([window.memorization_step], [HALF], color=colour, zorder=4, **_MARK)


def _legend(summary: SnapshotSummary) -> dict[str, Any]:
    sizes, found = _sizes(summary), {}
    for size, look in zip(sizes, looks(len(sizes)), strict=True):
        style: Any = {"color": look.colour, "marker": look.marker, "ms": 4, "lw": 1.0}
        found[f"n = {size}"] = Line2D([], [], **style)
    found["training loss"] = Line2D([], [], color="black", ls="--", lw=1.0)
    found["held-out baseline"] = Line2D([], [], color="black", ls=":", lw=0.9)
    found["best step"] = Line2D([], [], **_RING)
    if any(math.isfinite(window.memorization_step) for window in summary.windows):
        found[r"$\tau_{mem}$"] = Line2D([], [], color="black", **{**_MARK, "ms": 9})
    return found
