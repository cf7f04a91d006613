"""Tables and figure of training dynamics."""

from __future__ import annotations

__all__ = ["tables", "document", "figures"]

import math
from typing import TYPE_CHECKING, Any

from ornstein.reports.axes import count_axis, plain_axis, share_axis
from ornstein.reports.documents import Document, Section, Table, document_text, table
from ornstein.reports.figures import (
    GREY,
    VERMILION,
    Look,
    caption,
    legend_below,
    legend_key,
    new_figure,
    size_entries,
    size_looks,
    style,
)
from ornstein.reports.networks import barely_trained, said, subject
from ornstein.reports.series import column, means, sizes_of, where
from ornstein.reports.tables import (
    Column,
    counted,
    joined,
    listed,
    measured,
    number,
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
    "tau_mem": f"step from which on the memorized fraction is at least {HALF:g}",
    "± 1 s.e.": "one standard error of its geometric mean over runs, both ways",
    "memorize": "runs that get there; without all of them there is no tau_mem",
}
_RING: Any = {"marker": "o", "ms": 9, "mfc": "none", "mec": VERMILION, "mew": 1.2, "ls": ""}
_MARK: Any = {"marker": "|", "ms": 13, "mew": 1.8, "ls": ""}


def tables(summary: SnapshotSummary) -> str:
    """Return what was seen at each step, the window, what columns mean, an answer, and notes."""
    return document_text(document(summary))


def document(summary: SnapshotSummary) -> Document:
    """Return what `tables` prints, before it is text."""
    found = [
        _by_step(summary, where(summary.rows, train_size=size)) for size in sizes_of(summary.rows)
    ]
    if summary.windows:
        found.append(_window_table(summary))
    return Document(
        subject=subject(summary),
        sections=[Section(found, _MEANINGS)],
        answer=answer(summary) if summary.rows else "",
        notes=summary.notes,
    )


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
    place = f"at n = {window.train_size}"
    if math.isnan(end):
        return (
            f"from step {start} on {place} ({window.memorized} of {counted(runs, 'run')} memorize "
            f"by step {last})"
        )
    if end <= start:
        return (
            f"at no step {place} (they memorize at {number(end, 3)}, before the best step {start})"
        )
    return f"from step {start} to {number(end, 3)} {place}"


def _runs(summary: SnapshotSummary, size: int) -> int:
    return where(summary.rows, train_size=size)[0]["simulations"]


def _title(summary: SnapshotSummary, row: Row) -> str:
    size, runs = row["train_size"], counted(row["simulations"], "run")
    baseline = with_error(row["baseline_mean"], row["baseline_se"])
    return f"n = {size} ({summary.trained_on[size]} trained on), {runs}; baseline {baseline}"


def _by_step(summary: SnapshotSummary, rows: Sequence[Row]) -> Table:
    """A line for each step."""
    groups = [
        [measured(title, rows, name)]
        for title, name in (
            ("memorized", "memorized"),
            ("Delta", "delta"),
            ("test loss", "loss_test"),
            ("training loss", "loss_train"),
        )
    ]
    keys = [Column("step", [str(row["step"]) for row in rows])]
    return Table(_title(summary, rows[0]), keys, [groups])


def _window_table(summary: SnapshotSummary) -> Table:
    rows = [
        (
            str(window.train_size),
            str(window.best_step),
            number(window.best_loss),
            number(window.memorization_step, 3),
            _interval(window),
            f"{window.memorized} of {_runs(summary, window.train_size)}",
        )
        for window in summary.windows
    ]
    titles = ("n", "best step", "test loss there", "tau_mem", "± 1 s.e.", "memorize")
    columns = [Column(*each) for each in zip(titles, zip(*rows, strict=True), strict=True)]
    return table("The window between the best step and memorization", columns)


def _interval(window: Window) -> str:
    if not math.isfinite(window.memorization_step_low):
        return ""
    low, high = window.memorization_step_low, window.memorization_step_high
    return f"{number(low, 3)} to {number(high, 3)}"


def figures(summary: SnapshotSummary) -> dict[str, Any]:
    """Memorized fraction, losses and Delta against steps, and memorized against steps / n."""
    chosen = size_looks(sizes_of(summary.rows))
    steps = column(summary.rows, "step")
    images = [summary.trained_on[row["train_size"]] for row in summary.rows]
    with style():
        figure = new_figure(7.2, 6.0)
        memorized, scaled, losses, delta = figure.subplots(2, 2).ravel()
        for axis in (memorized, losses, delta):
            count_axis(axis, steps, most=5)
            axis.set_xlabel("optimiser steps")
        count_axis(scaled, steps / images, most=5)
        scaled.set_xlabel("optimiser steps / images trained on")
        for size, look in chosen.items():
            here = where(summary.rows, train_size=size)
            own = column(here, "step")
            means(memorized, own, here, "memorized", **look.points)
            means(scaled, own / summary.trained_on[size], here, "memorized", **look.points)
            means(losses, own, here, "loss_test", **look.points)
            means(losses, own, here, "loss_train", color=look.colour, fmt="--")
            means(delta, own, here, "delta", **look.points)
            baseline = here[0]["baseline_mean"]
            memorized.axhline(baseline, color=look.colour, lw=0.9, ls=":", zorder=2)
        _landmarks(memorized, losses, summary, chosen)
        for axis in (memorized, scaled):
            share_axis(axis, half=True)
        for axis in (losses, delta):
            plain_axis(axis)
        delta.axhline(0.0, color=GREY, lw=0.8, ls=":", zorder=1)
        memorized.set_title("memorized fraction")
        scaled.set_title("memorized fraction, steps in units of n")
        losses.set_title("loss on held-out images")
        delta.set_title(r"$\Delta$ per coordinate")
        legend_below(figure, size_entries(chosen) | _keys(summary))
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


def _keys(summary: SnapshotSummary) -> dict[str, Any]:
    keys = {
        "training loss": legend_key("--"),
        "held-out baseline": legend_key(":", 0.9),
        "best step": legend_key(**_RING),
    }
    if any(math.isfinite(window.memorization_step) for window in summary.windows):
        keys[r"$\tau_{mem}$"] = legend_key(**{**_MARK, "ms": 9})
    return keys
