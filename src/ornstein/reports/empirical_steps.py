"""Tables and figure of samplers with the memorizing optimum."""

from __future__ import annotations

__all__ = ["tables", "figures"]

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ornstein.reports.axes import count_axis, value_axis
from ornstein.reports.figures import style
from ornstein.reports.tables import (
    Column,
    format_table,
    legend,
    number,
    paragraph,
    with_error,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.steps.empirical import EmpiricalStepsSummary

    Row = Mapping[str, Any]

_MARKERS = "osD^vP*X"
_MEANINGS = {
    "S": "number of sampling steps",
    "KL": "KL(generated || population) of the Gaussian fit, in nats",
    "W2^2": "squared 2-Wasserstein distance of the Gaussian fit, in squared data units",
    "linear": "the same of the best linear denoiser, exact, mean over the training sets",
    "copied": "memorized fraction: share of generated points whose nearest training point is much "
    "nearer than the second nearest",
    "P": "share of runs with Delta > 0: closer to fresh data than to the training set",
}


def tables(summary: EmpiricalStepsSummary) -> str:
    """Return heading, a table per training size, what its columns mean, an answer, and notes."""
    blocks = [paragraph(_heading(summary), "")]
    for size in summary.options.train_sizes:
        here = [row for row in summary.rows if row["train_size"] == size]
        if not here:
            continue
        baseline = number(here[0]["baseline_mean"], 3)
        runs = here[0]["simulations"]
        blocks += [
            f"n = {size}, {runs} runs (of held-out points copied: {baseline})",
            format_table(
                [
                    Column("sampler", [row["sampler"] for row in here]),
                    Column("S", [str(row["steps"]) for row in here]),
                    Column("KL, nats", [_mean(row, "kl") for row in here]),
                    Column("linear", [number(row["kl_linear_mean"], 3) for row in here]),
                    Column("W2^2", [_mean(row, "wasserstein2") for row in here]),
                    Column("linear", [number(row["wasserstein2_linear_mean"], 3) for row in here]),
                    Column("copied", [_mean(row, "memorized") for row in here]),
                    Column("P", [f"{row['delta_positive']:.2f}" for row in here]),
                ]
            ),
        ]
    blocks.append(legend(_MEANINGS))
    if summary.rows:
        blocks.append(paragraph(answer(summary.rows), ""))
    return "\n\n".join([*blocks, *(paragraph(note) for note in summary.notes)])


def answer(rows: Sequence[Row]) -> str:
    """Return one sentence: from how many steps on each sampler returns training points."""
    parts = []
    for sampler in dict.fromkeys(row["sampler"] for row in rows):
        here = [row for row in rows if row["sampler"] == sampler]
        enough = [
            steps
            for steps in sorted({row["steps"] for row in here})
            if min(row["memorized_mean"] for row in here if row["steps"] == steps) > _MOST
        ]
        parts.append(f"{sampler} {f'from S = {enough[0]}' if enough else 'at no S shown'}")
    return f"Answer: more than {_MOST:.0%} of what is generated are copies: {', '.join(parts)}."


_MOST = 0.95


def _heading(summary: EmpiricalStepsSummary) -> str:
    options = summary.options
    shape = "" if options.population == "isotropic" else f", variances k^-{options.exponent:g}"
    return (
        f"Samplers with the posterior mean of n points of N({options.mean:g}, {options.std:g}^2) "
        f"in d = {summary.dim}{shape}; {options.generated} generated from the {options.start} "
        f"start, seed {options.seed}"
    )


def _mean(row: Row, name: str) -> str:
    return with_error(row[f"{name}_mean"], row[f"{name}_se"])


def figures(summary: EmpiricalStepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and memorized fraction against S: a column per sampler, a curve per n."""
    rows, samplers = summary.rows, summary.options.samplers
    sizes = list(dict.fromkeys(row["train_size"] for row in rows))
    shades = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, max(len(sizes), 1)))
    panels = [
        ("kl", "KL / d  [nats]", 1 / summary.dim),
        ("wasserstein2", r"$W_2^2 / (d\,\sigma^2)$", 1 / (summary.dim * summary.std**2)),
        ("memorized", "memorized fraction", 1.0),
    ]
    with style():
        width = max(4.8, 1.2 + 1.9 * len(samplers))
        figure = Figure(figsize=(width, 6.8), layout="constrained")
        figure.suptitle(paragraph(_heading(summary), ""), fontsize=8)
        axes = figure.subplots(3, len(samplers), sharex=True, sharey="row", squeeze=False)
        for line, (name, label, unit) in zip(axes, panels, strict=True):
            line[0].set_ylabel(label)
            for axis, sampler in zip(line, samplers, strict=True):
                for index, (size, shade) in enumerate(zip(sizes, shades, strict=True)):
                    here = [r for r in rows if (r["train_size"], r["sampler"]) == (size, sampler)]
                    look = {"color": shade, "marker": _MARKERS[index % len(_MARKERS)], "ms": 3.5}
                    _curve(axis, here, name, unit, label=f"n = {size}", **look)
                    if name != "memorized":
                        dashed = {"color": shade, "ls": "--"}
                        _curve(axis, here, f"{name}_linear", unit, **dashed)
            if name == "memorized":
                line[0].set_ylim(-0.03, 1.03)
            else:
                value_axis(line[0])
        for axis, sampler in zip(axes[0], samplers, strict=True):
            axis.set_title(sampler)
        for axis in axes[-1]:
            count_axis(axis, np.array(summary.all_steps, dtype=float))
            axis.set_xlabel("number of steps S")
        handles, _ = axes[0, 0].get_legend_handles_labels()
        handles.append(Line2D([], [], color="black", ls="--", label="linear, exact"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return {"figure": figure}


def _curve(axis: Axes, rows: Sequence[Row], name: str, unit: float, **look: Any) -> None:
    steps = np.array([row["steps"] for row in rows], dtype=float)
    mean, error = (
        unit * np.array([row[f"{name}_{part}"] for row in rows], dtype=float)
        for part in ("mean", "se")
    )
    finite = np.isfinite(mean)
    if finite.any():
        spread = np.nan_to_num(error[finite])
        axis.errorbar(steps[finite], mean[finite], yerr=spread, lw=1.0, elinewidth=0.8, **look)
