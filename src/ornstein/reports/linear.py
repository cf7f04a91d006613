"""Tables and figure of a linear study."""

from __future__ import annotations

__all__ = ["tables", "figures"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ornstein.reports.figures import (
    BLUE,
    GREY,
    VERMILION,
    count_axis,
    landmark,
    style,
    value_axis,
)
from ornstein.reports.tables import (
    Column,
    format_table,
    interval,
    legend,
    number,
    paragraph,
    with_error,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.linear.summary import LinearSummary

    Row = Mapping[str, Any]

_SHOWN = 12
_MEANINGS = {
    "KL": "KL(generated || population), in nats",
    "Wasserstein^2": "squared 2-Wasserstein distance, in squared data units",
    "Hellinger^2": "squared Hellinger distance, between 0 and 1",
    "tr Sigma_G/(d s^2)": "trace of the generated covariance over that of the population",
    "theory": "what is expected of it in closed form",
}
_POINT_MEANINGS = {
    "ln L2^2": "log squared L2 distance of the generated law to a kernel density of the points",
    "ln |Delta|": "log size of the difference of the two, mean over runs",
    "P(Delta > 0)": "share of runs in which the law is closer to the originals than to its "
    "training set, with its Wilson 95% interval",
}


def tables(summary: LinearSummary) -> str:
    """Return heading, three tables, what their columns mean, an answer, and notes."""
    rows = _shown(summary)
    theory = "theory~" if summary.is_approximate else "theory"

    def compared(heading: str, name: str) -> list[Column]:
        return [
            Column(heading, [_measured(summary, row, name) for row in rows]),
            Column(theory, [_predicted(row, name) for row in rows]),
        ]

    sizes = Column("n", [str(row["train_size"]) for row in rows])
    first = [
        sizes,
        Column("runs", [str(row["simulations"]) for row in rows]),
        *compared("KL, nats", "kl"),
        *compared("Wasserstein^2", "wasserstein2"),
    ]
    second = [
        sizes,
        *compared("Hellinger^2", "hellinger2"),
        *compared("tr Sigma_G/(d s^2)", "trace"),
    ]
    third = [
        sizes,
        Column("ln L2^2 original", [number(row["log_l2_original_mean"], 6) for row in rows]),
        Column("ln L2^2 train", [number(row["log_l2_train_mean"], 6) for row in rows]),
        Column("ln |Delta|", [number(row["delta_log_abs_mean"], 6) for row in rows]),
        Column("P(Delta > 0) [95%]", [_probability(row) for row in rows]),
    ]
    blocks = [
        heading(summary),
        "Generated law against the population (mean ± standard error over runs)",
        format_table(first),
        format_table(second),
        legend(_MEANINGS),
        "Generated law against points: squared L2 distances to originals and training set",
        format_table(third),
        legend(_POINT_MEANINGS),
        *([paragraph(answer(summary), "")] if summary.rows else []),
        *(paragraph(note) for note in summary.notes),
    ]
    if len(rows) < len(summary.rows):
        blocks.append(
            f"  {len(rows)} of {len(summary.rows)} training sizes are shown; "
            "summary.csv and --json have all."
        )
    return "\n\n".join(blocks)


def heading(summary: LinearSummary) -> str:
    """Say what was studied, in two lines."""
    options = summary.options
    if options.data is not None:
        what = f"{summary.source}, d = {summary.dim}, std {number(summary.std)}"
        originals = "the rest as originals"
    else:
        what = f"{summary.source} in d = {summary.dim}"
        originals = f"{options.originals} originals ({options.original_mode})"
    return (
        f"One-step linear denoiser on {what}\n"
        f"T = {options.time:g}, noise scale {options.noise_scale:g}, {originals}, "
        f"seed {options.seed}; n* = {summary.threshold:.1f}"
    )


def answer(summary: LinearSummary) -> str:
    """Return one sentence: how far the law is from the population, and where Delta turns."""
    rows = summary.rows
    finite = [row for row in rows if math.isfinite(row["kl_mean"])]
    if finite:
        first, last = finite[0], finite[-1]
        parts = [
            f"KL to the population is {number(last['kl_mean'], 3)} nats at n = {last['train_size']}"
        ]
        if last is not first:
            parts[0] += (
                f", after {_number_or_median(summary, first, 'kl')} at n = {first['train_size']}"
            )
    else:
        parts = ["KL to the population is infinite at every n"]
    turned = _turn(rows)
    if turned is None:
        parts.append("at no n is Delta > 0 in more than half of the runs from there on")
    else:
        parts.append(
            f"from n = {turned} ({turned / summary.dim:.2g} d) on, Delta > 0 in more than half of "
            "the runs (95% interval above 1/2): the law is closer to fresh data than to its "
            "training set"
        )
    return f"Answer: {'; '.join(parts)}."


def _turn(rows: Sequence[Row]) -> int | None:
    """Least size from which on all intervals of P(Delta > 0) lie above 1/2."""
    above = [row["delta_positive_low"] > 0.5 for row in rows]
    if not above or not above[-1]:
        return None
    first = len(above) - above[::-1].index(False) if False in above else 0
    return int(rows[first]["train_size"])


def _shown(summary: LinearSummary) -> Sequence[Row]:
    """All rows, or those of some sizes equal in ratio, with the ones next to d and n*."""
    rows = summary.rows
    if len(rows) <= _SHOWN:
        return rows
    sizes = np.array([row["train_size"] for row in rows], dtype=float)
    wanted = [summary.dim, summary.threshold, *np.geomspace(sizes[0], sizes[-1], 3 * _SHOWN)]
    chosen = {0, len(rows) - 1}
    # The landmarks first, then sizes in the order of a bisection, so that any cut is even.
    order = sorted(range(2, len(wanted)), key=lambda i: _bisection_rank(i - 2, len(wanted) - 2))
    for index in [0, 1, *order]:
        if len(chosen) == _SHOWN:
            break
        chosen.add(int(np.abs(np.log(sizes / wanted[index])).argmin()))
    return [rows[index] for index in sorted(chosen)]


def _bisection_rank(index: int, count: int) -> float:
    """Van der Corput's sequence: neighbours in rank are far apart on the axis."""
    fraction, scale, left = 0.0, 0.5, index
    while left:
        fraction += scale * (left % 2)
        left //= 2
        scale /= 2
    return fraction * count


def _is_heavy_tailed(summary: LinearSummary, row: Row) -> bool:
    """Whether the expectation is infinite, so that a mean over runs says little."""
    return abs(row["train_size"] - 1 - summary.dim) <= 1


def _measured(summary: LinearSummary, row: Row, name: str) -> str:
    mean, error = row[f"{name}_mean"], row[f"{name}_se"]
    if name != "hellinger2" and math.isfinite(mean) and _is_heavy_tailed(summary, row):
        return f"median {number(row[f'{name}_median'])}"
    return with_error(mean, error)


def _number_or_median(summary: LinearSummary, row: Row, name: str) -> str:
    if _is_heavy_tailed(summary, row):
        return f"a median of {number(row[f'{name}_median'], 3)}"
    return number(row[f"{name}_mean"], 3)


def _predicted(row: Row, name: str) -> str:
    return with_error(row[f"{name}_mean"], row[f"{name}_se"], row[f"{name}_theory"])


def _probability(row: Row) -> str:
    return interval(row["delta_positive"], row["delta_positive_low"], row["delta_positive_high"])


def figures(summary: LinearSummary) -> dict[str, Any]:
    """KL, Hellinger, Wasserstein and P(Delta > 0) against n/d, on their theory curves."""
    sizes = np.array([row["train_size"] for row in summary.rows], dtype=float)
    with style():
        figure = Figure(figsize=(7.2, 5.8), layout="constrained")
        figure.suptitle(_caption(summary), fontsize=8)
        axes = figure.subplots(2, 2, sharex=True).ravel()
        panels = [
            ("kl", "KL(generated || population) / d  [nats]", 1 / summary.dim, True),
            ("hellinger2", "squared Hellinger distance", 1.0, False),
            ("wasserstein2", r"$W_2^2 / (d\,\sigma^2)$", 1 / (summary.dim * summary.std**2), True),
        ]
        for axis, (name, label, unit, logarithmic) in zip(axes, panels, strict=False):
            _panel(axis, summary, name, unit)
            axis.set_title(label)
            if logarithmic:
                value_axis(axis)
        _probability_panel(axes[3], summary)
        count_axis(axes[0], sizes / summary.dim)
        for axis in axes:
            landmark(axis, 1.0, "n = d", (4, 2), "right")
            landmark(axis, summary.threshold / summary.dim, "n*", (1, 1.5), "left")
        for axis in axes[2:]:
            axis.set_xlabel("training size / dimension,  n / d")
        handles, labels = axes[2].get_legend_handles_labels()
        if not handles:
            handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return {"figure": figure}


def _caption(summary: LinearSummary) -> str:
    options = summary.options
    return (
        f"One-step denoiser on {summary.source}, d = {summary.dim}, T = {options.time:g}, "
        f"noise scale {options.noise_scale:g}, seed {options.seed}"
    )


def _panel(axis: Axes, summary: LinearSummary, name: str, unit: float) -> None:
    """Simulation with its errors, on the curve of theory."""
    rows = summary.rows
    x = np.array([row["train_size"] for row in rows], dtype=float) / summary.dim
    mean, error = (
        unit * np.array([row[f"{name}_{part}"] for row in rows], dtype=float)
        for part in ("mean", "se")
    )
    finite = np.isfinite(mean)
    if not finite.any():
        text = "infinite" if np.isposinf(mean).any() else "no closed form"
        axis.text(0.5, 0.5, text, ha="center", transform=axis.transAxes)
        axis.set_yticks([])
        return
    spread = np.nan_to_num(error[finite])
    label = "simulation ± s.e."
    axis.errorbar(
        x[finite], mean[finite], yerr=spread, fmt="o", ms=4, color=BLUE, label=label, zorder=3
    )
    if summary.theory:
        curve = np.where(np.isfinite(summary.theory[name]), summary.theory[name], math.nan)
        axis.plot(
            summary.theory["train_size"] / summary.dim,
            unit * curve,
            "--" if summary.is_approximate else "-",
            color="black",
            lw=1.2,
            label="theory (isotropic approximation)" if summary.is_approximate else "theory",
        )


def _probability_panel(axis: Axes, summary: LinearSummary) -> None:
    rows = summary.rows
    x = np.array([row["train_size"] for row in rows], dtype=float) / summary.dim
    fraction, low, high = (
        np.array([row[f"delta_positive{part}"] for row in rows]) for part in ("", "_low", "_high")
    )
    spread = np.maximum([fraction - low, high - fraction], 0)
    axis.errorbar(x, fraction, yerr=spread, fmt="s", ms=4, color=VERMILION, zorder=3)
    axis.axhline(0.5, color=GREY, lw=0.8, ls=":")
    axis.set_ylim(-0.03, 1.03)
    axis.set_title(r"$P(\Delta > 0)$, Wilson 95% interval")
