"""Tables and figure of samplers with a trained network, beside the exact linear curves."""

from __future__ import annotations

__all__ = ["tables", "document", "figures", "figure_by_sampler"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.reports.axes import count_axis, set_ticks, share_axis, value_axis
from ornstein.reports.documents import Document, Section, Table, document_text
from ornstein.reports.figures import (
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
from ornstein.reports.series import (
    Panel,
    column,
    distance_panels,
    entries,
    means,
    sampler_axes,
    sizes_of,
    where,
)
from ornstein.reports.tables import (
    Column,
    counted,
    joined,
    listed,
    measured,
    with_error,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ornstein.studies.neural.steps import NeuralStepsSummary
    from ornstein.studies.steps.empirical import EmpiricalStepsSummary

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


def tables(summary: NeuralStepsSummary) -> str:
    """Return distances and memorized fraction by number of steps, an answer, and notes."""
    return document_text(document(summary))


def document(summary: NeuralStepsSummary) -> Document:
    """Return what `tables` prints, before it is text."""
    found: list[Table] = []
    for size in sizes_of(summary.rows):
        found += _of_size(summary, size)
    return Document(
        subject=subject(summary, how_sampled=False),
        sections=[Section(found, _MEANINGS)],
        answer=answer(summary) if summary.rows else "",
        notes=summary.notes,
    )


def answer(summary: NeuralStepsSummary) -> str:
    """Return one sentence: how many steps are enough, for which sampler and n."""
    most = summary.all_steps[-1]
    if len(summary.all_steps) == 1:
        return f"Answer: with one number of steps, S = {most}, nothing can be said of how many do."
    # Samplers of one number of steps and the same sizes are named together.
    found: dict[tuple[int, tuple[int, ...]], list[str]] = {}
    for sampler in summary.options.samplers:
        of_steps: dict[int, list[int]] = {}
        for size in sizes_of(summary.rows):
            enough = _enough(where(summary.rows, train_size=size, sampler=sampler))
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


def _of_size(summary: NeuralStepsSummary, size: int) -> list[Table]:
    """Titles and tables of one training size."""
    here = where(summary.rows, train_size=size)
    title = f"n = {size}, {counted(here[0]['simulations'], 'run')}"
    baseline = with_error(here[0]["baseline_mean"], here[0]["baseline_se"])
    found = []
    for name, label in (("kl", "KL, nats"), ("wasserstein2", "W2^2")):
        if any(math.isfinite(row[f"{name}_mean"]) for row in here):
            pair = {"": name, "linear": f"{name}_linear"}
            heading = f"{title}: {label}, network and linear"
            found.append(_by_steps(summary, heading, here, pair))
    known = [row["delta_perfect"] for row in here if "delta_perfect" in row]
    perfect = f"; perfect model: {known[0]:.3f}" if known else ""
    fraction = f"{title}: memorized fraction (baseline {baseline})"
    signs = f"{title}: P(Delta > 0) with its 95% interval{perfect}"
    return [
        *found,
        _by_steps(summary, fraction, here, {"mem.": "memorized"}),
        _by_steps(summary, signs, here, {"": "delta_positive"}),
    ]


def _by_steps(
    summary: NeuralStepsSummary, heading: str, rows: Sequence[Row], names: Mapping[str, str]
) -> Table:
    """A line per S; for each sampler a column for each of `names`, by title."""
    groups = []
    for sampler in summary.options.samplers:
        here = where(rows, sampler=sampler)
        (title, name), *others = names.items()
        first = _column(f"{sampler} {title}".strip(), here, name)
        groups.append([first, *(_column(title, here, name) for title, name in others)])
    keys = [Column("S", [str(steps) for steps in summary.all_steps])]
    return Table(heading, keys, [groups])


def _column(title: str, rows: Sequence[Row], name: str) -> Column:
    if name != "delta_positive":
        return measured(title, rows, name)
    ends = [(row[name], row[f"{name}_low"], row[f"{name}_high"]) for row in rows]
    return Column(title, [f"{share:.2f} [{low:.2f}, {high:.2f}]" for share, low, high in ends])


def figures(summary: NeuralStepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and memorized fraction against S."""
    return {"figure": figure_by_sampler(summary, said(summary))}


def figure_by_sampler(
    summary: NeuralStepsSummary | EmpiricalStepsSummary, studied: Sequence[str]
) -> Figure:
    """KL, Wasserstein and memorized fraction against S: a column per sampler, a curve per n.

    Parameters
    ----------
    summary : NeuralStepsSummary or EmpiricalStepsSummary
    studied : sequence of str
        Parts of the caption.
    """
    samplers, chosen = summary.options.samplers, size_looks(sizes_of(summary.rows))
    panels, missing = _panels(summary)
    with style():
        width, height = max(5.2, 1.0 + 2.0 * len(samplers)), 1.0 + 1.9 * len(panels)
        figure = new_figure(width, height)
        axes = sampler_axes(figure, panels, samplers, "sampling steps S")
        count_axis(axes[0, 0], summary.all_steps)
        set_ticks(axes[0, 0].xaxis, _apart(summary.all_steps))
        for line, panel in zip(axes, panels, strict=True):
            for axis, sampler in zip(line, samplers, strict=True):
                for size, look in chosen.items():
                    here = where(summary.rows, train_size=size, sampler=sampler)
                    _draw(axis, panel, here, look)
            if panel.name == "memorized":
                share_axis(line[0])
            else:
                value_axis(line, most=5)
        keys = {"linear, exact": legend_key("--"), "held-out baseline": legend_key(":", 0.9)}
        legend_below(figure, size_entries(chosen, summary.dim) | keys | entries(axes.flat))
        caption(figure, studied, missing)
    return figure


def _panels(summary: NeuralStepsSummary | EmpiricalStepsSummary) -> tuple[list[Panel], str]:
    """Panels, and why curves are missing."""
    panels = [*distance_panels(summary.dim, summary.std), Panel("memorized", "memorized fraction")]
    if not np.isfinite(column(summary.rows, "kl_mean")).any():
        return panels[1:], "not drawn: KL (constant pixels: no network generates exactly those)"
    endless = sizes_of([row for row in summary.rows if math.isinf(row["kl_linear_mean"])])
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


def _draw(axis: Axes, panel: Panel, rows: Sequence[Row], look: Look) -> None:
    """The network with its errors, and the linear curve or the baseline."""
    steps = column(rows, "steps")
    means(axis, steps, rows, panel.name, panel.unit, **look.points)
    if panel.name == "memorized":
        axis.axhline(rows[0]["baseline_mean"], color=look.colour, ls=":", lw=0.9, zorder=2)
    else:
        means(axis, steps, rows, f"{panel.name}_linear", panel.unit, color=look.colour, fmt="--")
