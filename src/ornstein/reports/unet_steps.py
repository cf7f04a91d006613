"""Tables and figure of samplers with a trained network, beside the exact linear curves."""

from __future__ import annotations

__all__ = ["tables", "figures"]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ornstein.reports.axes import count_axis, set_ticks, share_axis, value_axis
from ornstein.reports.figures import Look, caption, legend_below, looks, style
from ornstein.reports.networks import barely_trained, heading, said
from ornstein.reports.series import column, entries, means
from ornstein.reports.tables import (
    Column,
    counted,
    format_groups,
    joined,
    legend,
    listed,
    number,
    paragraph,
    with_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.neural.steps import NeuralStepsSummary

    Row = Mapping[str, Any]

_MEANINGS = {
    "S": "number of sampling steps",
    "KL": "of the Gaussian fit from the population's, in nats",
    "W2^2": "squared 2-Wasserstein distance of the two",
    "linear": "exact, of the best linear denoiser, same images and sampler",
    "mem.": "share much nearer to one training image than to others",
    "baseline": "the same of held-out images",
    "P(Delta > 0)": "share of runs closer to fresh data, Wilson 95% interval",
    "perfect model": "P(Delta > 0) of a model that generates the population",
}
_TENTH = 0.1
_ERRORS = 2.0


class _Panel(NamedTuple):
    name: str
    label: str
    unit: float


def tables(summary: NeuralStepsSummary) -> str:
    """Return distances and memorized fraction by number of steps, an answer, and notes."""
    found: list[str] = []
    for size in _sizes(summary):
        found += _of_size(summary, size)
    blocks = [
        heading(summary, how_sampled=False),
        *found,
        legend(_MEANINGS, "\n".join(found)),
        *([paragraph(answer(summary), "")] if summary.rows else []),
        *(paragraph(note) for note in summary.notes),
    ]
    return "\n\n".join(blocks)


def answer(summary: NeuralStepsSummary) -> str:
    """Return one sentence: how many steps are enough, for which sampler and n."""
    most = summary.all_steps[-1]
    if len(summary.all_steps) == 1:
        return f"Answer: with one number of steps, S = {most}, nothing can be said of how many do."
    # Samplers of one number of steps and the same sizes are named together.
    found: dict[tuple[int, tuple[int, ...]], list[str]] = {}
    for sampler in summary.options.samplers:
        of_steps: dict[int, list[int]] = {}
        for size in _sizes(summary):
            enough = _enough([row for row in _rows(summary, size) if row["sampler"] == sampler])
            of_steps.setdefault(enough, []).append(size)
        for steps, sizes in of_steps.items():
            found.setdefault((steps, tuple(sizes)), []).append(sampler)
    enough_for = [
        f"{'no fewer than ' if steps == most else ''}S = {steps} for {joined(samplers)} at n = "
        f"{listed(sizes)}"
        for (steps, sizes), samplers in found.items()
    ]
    parts = [
        barely_trained(summary),
        (
            f"enough steps by W2^2 are {joined(enough_for)} (within a tenth, or 2 standard errors, "
            f"of S = {most})"
        ),
    ]
    return f"Answer: {'; '.join(filter(None, parts))}."


def _enough(rows: Sequence[Row]) -> int:
    """Least S from which on the excess over the most steps is a tenth or 2 s.e., of one sampler."""
    ordered = sorted(rows, key=lambda row: row["steps"])
    slack = _TENTH * max(ordered[-1]["wasserstein2_mean"], 0.0)
    enough = ordered[-1]["steps"]
    for row in reversed(ordered[:-1]):
        error = row["wasserstein2_excess_se"]
        margin = _ERRORS * error if math.isfinite(error) else 0.0
        if row["wasserstein2_excess"] > max(slack, margin):
            break
        enough = row["steps"]
    return enough


def _sizes(summary: NeuralStepsSummary) -> list[int]:
    """Training sizes that have rows, as they were asked for."""
    there = {row["train_size"] for row in summary.rows}
    return [size for size in summary.options.train_sizes if size in there]


def _rows(summary: NeuralStepsSummary, size: int) -> list[Row]:
    return [row for row in summary.rows if row["train_size"] == size]


def _of_size(summary: NeuralStepsSummary, size: int) -> list[str]:
    """Titles and tables of one training size."""
    here = _rows(summary, size)
    title = f"n = {size}, {counted(here[0]['simulations'], 'run')}"
    baseline = with_error(here[0]["baseline_mean"], here[0]["baseline_se"])
    found = []
    for name, label in (("kl", "KL, nats"), ("wasserstein2", "W2^2")):
        if any(math.isfinite(row[f"{name}_mean"]) for row in here):
            pair = {"": _mean(name), "linear": _mean(f"{name}_linear")}
            found += [f"{title}: {label}, network and linear", _by_steps(summary, here, pair)]
    known = [row["delta_perfect"] for row in here if "delta_perfect" in row]
    perfect = f"; perfect model: {known[0]:.3f}" if known else ""
    return [
        *found,
        paragraph(f"{title}: memorized fraction (baseline {baseline})", ""),
        _by_steps(summary, here, {"mem.": _mean("memorized")}),
        f"{title}: P(Delta > 0) with its 95% interval{perfect}",
        _by_steps(summary, here, {"": _share}),
    ]


def _by_steps(
    summary: NeuralStepsSummary, rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]]
) -> str:
    """A line per S; for each sampler these columns, by title."""
    values = {(row["sampler"], row["steps"]): row for row in rows}
    groups = []
    for sampler in summary.options.samplers:
        here = [values[sampler, steps] for steps in summary.all_steps]
        groups.append(
            [
                Column(f"{sampler} {title}".strip() if index == 0 else title, list(map(cell, here)))
                for index, (title, cell) in enumerate(columns.items())
            ]
        )
    return format_groups([Column("S", [str(steps) for steps in summary.all_steps])], groups)


def _mean(name: str) -> Callable[[Row], str]:
    return lambda row: with_error(row[f"{name}_mean"], row[f"{name}_se"])


def _share(row: Row) -> str:
    low, high = row["delta_positive_low"], row["delta_positive_high"]
    return f"{row['delta_positive']:.2f} [{low:.2f}, {high:.2f}]"


def figures(summary: NeuralStepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and memorized fraction against S: a column per sampler, a curve per n."""
    samplers, sizes = summary.options.samplers, _sizes(summary)
    chosen = dict(zip(sizes, looks(len(sizes)), strict=True))
    panels, missing = _panels(summary)
    with style():
        width, height = max(5.2, 1.0 + 2.0 * len(samplers)), 1.0 + 1.9 * len(panels)
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(len(panels), len(samplers), sharex=True, sharey="row", squeeze=False)
        count_axis(axes[0, 0], summary.all_steps)
        set_ticks(axes[0, 0].xaxis, _apart(summary.all_steps))
        for line, panel in zip(axes, panels, strict=True):
            line[0].set_ylabel(panel.label)
            for axis, sampler in zip(line, samplers, strict=True):
                for size, look in chosen.items():
                    here = [row for row in _rows(summary, size) if row["sampler"] == sampler]
                    _draw(axis, panel, here, look)
            if panel.name == "memorized":
                share_axis(line[0])
            else:
                value_axis(line, most=5)
        for axis, sampler in zip(axes[0], samplers, strict=True):
            axis.set_title(sampler)
        for axis in axes[-1]:
            axis.set_xlabel("sampling steps S")
        legend_below(figure, _legend(summary, chosen, list(axes.flat)))
        caption(figure, said(summary), missing)
    return {"figure": figure}


def _panels(summary: NeuralStepsSummary) -> tuple[list[_Panel], str]:
    """Panels, and why curves are missing."""
    panels = [
        _Panel("kl", "KL / d  [nats]", 1 / summary.dim),
        _Panel("wasserstein2", r"$W_2^2 / (d\,\sigma^2)$", 1 / (summary.dim * summary.std**2)),
        _Panel("memorized", "memorized fraction", 1.0),
    ]
    if not np.isfinite(column(summary.rows, "kl_mean")).any():
        return panels[1:], "not drawn: KL (constant pixels: no network generates exactly those)"
    endless = [
        size
        for size in _sizes(summary)
        if any(math.isinf(row["kl_linear_mean"]) for row in _rows(summary, size))
    ]
    if not endless:
        return panels, ""
    return panels, f"not drawn: KL of the linear denoiser at n = {listed(endless)} (infinite)"


def _apart(steps: Sequence[int]) -> list[int]:
    """Those of the numbers of steps whose labels have a place on the axis, the last one first."""
    least = max((steps[-1] / steps[0]) ** (1 / 6), 1.15)
    chosen = [steps[-1]]
    for value in reversed(steps):
        if value * least <= chosen[-1]:
            chosen.append(value)
    return chosen


def _draw(axis: Axes, panel: _Panel, rows: Sequence[Row], look: Look) -> None:
    """The network with its errors, and the linear curve or the baseline."""
    steps = column(rows, "steps")
    drawn: Any = {"color": look.colour, "marker": look.marker, "ms": look.size}
    means(axis, steps, rows, panel.name, panel.unit, **drawn)
    if panel.name == "memorized":
        axis.axhline(rows[0]["baseline_mean"], color=look.colour, ls=":", lw=0.9, zorder=2)
    else:
        means(axis, steps, rows, f"{panel.name}_linear", panel.unit, color=look.colour, fmt="--")


def _legend(
    summary: NeuralStepsSummary, chosen: Mapping[int, Look], axes: Sequence[Axes]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size, look in chosen.items():
        label = f"n = {size} ({number(size / summary.dim, 2)} d)"
        style: Any = {"color": look.colour, "marker": look.marker, "ms": 4, "lw": 1.0}
        found[label] = Line2D([], [], **style)
    found["linear, exact"] = Line2D([], [], color="black", ls="--", lw=1.0)
    found["held-out baseline"] = Line2D([], [], color="black", ls=":", lw=0.9)
    return found | entries(axes)
