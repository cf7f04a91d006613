"""Tables and figure of samplers with a trained network, beside the exact linear curves."""

from __future__ import annotations

__all__ = ["tables", "figures"]

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ornstein.reports.figures import style
from ornstein.reports.tables import WIDTH, Column, format_table, number, paragraph, with_error
from ornstein.reports.unet import heading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.neural.steps import NeuralStepsSummary

    Rows = Sequence[Mapping[str, Any]]

    Cells = Callable[[Mapping[str, Any]], str]

_MARKERS = "osD^vP*X"


def tables(summary: NeuralStepsSummary) -> str:
    """Return, per training size, distances and memorized fraction by number of steps."""
    options, rows = summary.options, summary.rows
    blocks = [heading(summary, how_sampled=False)]
    start = f"\n{options.generated} generated from the {options.start} start, seed {options.seed}"
    blocks[0] += start
    for size in summary.options.train_sizes:
        here = [row for row in rows if row["train_size"] == size]
        if not here:
            continue
        runs, baseline = here[0]["simulations"], number(here[0]["baseline_mean"], 3)
        title = f"n = {size}, {runs} runs"
        compared = {"kl": "KL, nats", "wasserstein2": "W2^2"}
        if not any(math.isfinite(row["kl_mean"]) for row in here):
            del compared["kl"]
        for name, label in compared.items():
            pair = {"": _mean(name), "linear": _mean(f"{name}_linear")}
            blocks += [f"{title}: {label}, network and linear", _by_steps(summary, here, pair)]
        blocks += [
            f"{title}: memorized fraction (baseline {baseline}) and P(Delta > 0) [95%]",
            _by_steps(summary, here, {"mem.": _mean("memorized"), "P": _share}),
        ]
    return "\n\n".join([*blocks, *(paragraph(note) for note in summary.notes)])


def figures(summary: NeuralStepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and memorized fraction against S: a column per sampler, a curve per n."""
    rows, samplers = summary.rows, summary.options.samplers
    sizes = [n for n in summary.options.train_sizes if any(row["train_size"] == n for row in rows)]
    shades = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, max(len(sizes), 1)))
    panels = [
        ("kl", "KL / d  [nats]", 1 / summary.dim),
        ("wasserstein2", r"$W_2^2 / (d\,\sigma^2)$", 1 / (summary.dim * summary.std**2)),
        ("memorized", "memorized fraction", 1.0),
    ]
    with style():
        width = max(4.8, 1.2 + 1.9 * len(samplers))
        figure = Figure(figsize=(width, 6.4), layout="constrained")
        axes = figure.subplots(3, len(samplers), sharex=True, sharey="row", squeeze=False)
        for line, (name, label, unit) in zip(axes, panels, strict=True):
            line[0].set_ylabel(label)
            for axis, sampler in zip(line, samplers, strict=True):
                for index, (size, shade) in enumerate(zip(sizes, shades, strict=True)):
                    here = [
                        row
                        for row in rows
                        if row["train_size"] == size and row["sampler"] == sampler
                    ]
                    marker = _MARKERS[index % len(_MARKERS)]
                    _curve(axis, here, name, unit, color=shade, marker=marker, ms=3.5)
                    if name != "memorized":
                        _curve(axis, here, f"{name}_linear", unit, color=shade, ls="--")
            if name == "memorized":
                line[0].set_ylim(-0.03, 1.03)
            else:
                line[0].set_yscale("log")
        for axis, sampler in zip(axes[0], samplers, strict=True):
            axis.set_title(sampler)
        for axis in axes[-1]:
            axis.set_xscale("log")
            axis.xaxis.set_minor_locator(NullLocator())
            axis.set_xticks(summary.all_steps, [str(steps) for steps in summary.all_steps])
            axis.tick_params(axis="x", labelsize=7)
            axis.set_xlabel("number of steps S")
        handles = [
            Line2D([], [], color=shade, marker=_MARKERS[i % len(_MARKERS)], ms=4, label=f"n = {n}")
            for i, (n, shade) in enumerate(zip(sizes, shades, strict=True))
        ]
        handles.append(Line2D([], [], color="black", ls="--", label="linear, exact"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return {"figure": figure}


def _curve(axis: Axes, rows: Rows, name: str, unit: float, **look: Any) -> None:
    steps = np.array([row["steps"] for row in rows], dtype=float)
    mean, error = (
        unit * np.array([row[f"{name}_{part}"] for row in rows]) for part in ("mean", "se")
    )
    finite = np.isfinite(mean)
    if finite.any():
        spread = np.nan_to_num(error[finite])
        axis.errorbar(steps[finite], mean[finite], yerr=spread, lw=1.0, elinewidth=0.8, **look)


def _by_steps(
    summary: NeuralStepsSummary,
    rows: Rows,
    columns: Mapping[str, Callable[[Mapping[str, Any]], str]],
) -> str:
    """A row per S; for each sampler these columns, by title; as many samplers a table as fit."""
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
    steps = Column("S", [str(steps) for steps in summary.all_steps])
    tables: list[str] = []
    for count in range(len(groups), 0, -1):
        chunks = (groups[first : first + count] for first in range(0, len(groups), count))
        tables = [format_table([steps, *chain.from_iterable(chunk)]) for chunk in chunks]
        if all(len(line) <= WIDTH for table in tables for line in table.splitlines()):
            break
    return "\n\n".join(tables)


def _mean(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: with_error(row[f"{name}_mean"], row[f"{name}_se"])


def _share(row: Mapping[str, Any]) -> str:
    low, high = row["delta_positive_low"], row["delta_positive_high"]
    return f"{row['delta_positive']:.2f} [{low:.2f}, {high:.2f}]"
