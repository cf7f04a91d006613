"""Tables and figure of the steps study."""

from __future__ import annotations

__all__ = ["tables", "figures"]

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from ornstein.reports.figures import style
from ornstein.reports.tables import Column, format_table, number, paragraph, with_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.steps.summary import StepsSummary

    Rows = Sequence[Mapping[str, Any]]

_MARKERS = "osD^vP*X"
_QUESTION = "Is a finite number of steps better than infinitely many? Best S, and its excess"


def tables(summary: StepsSummary) -> str:
    """Return the summary of a steps study: per training size, then what to make of it."""
    rows = summary.rows
    blocks = [heading(summary)]
    blocks += [
        "Infinite data: KL(generated || population) at S steps, nats, exact",
        _by_steps(summary, rows, math.inf, "kl_mean", last=("order", summary.orders)),
    ]
    for size in summary.options.train_sizes:
        here = [row for row in rows if row["train_size"] == size]
        if not here:
            continue
        finite = all(math.isfinite(row["kl_mean"]) for row in here)
        name, title = ("kl", "KL, nats") if finite else ("wasserstein2", "W2^2")
        errors = _largest(summary, here, f"{name}_se")
        floor = summary.theory["kl_floor"].get(size) if finite else None
        theory = "" if floor is None else f"; theory at S = inf: {number(floor)}"
        blocks += [
            f"n = {size}, {here[0]['simulations']} runs: {title}{theory}",
            _by_steps(summary, rows, size, f"{name}_mean", last=("s.e. <", errors)),
            f"n = {size}: P(Delta > 0)",
            _by_steps(summary, rows, size, "delta_positive", last=("95% ±", _half_widths(here))),
        ]
    blocks += [_QUESTION, _verdicts(summary)]
    blocks += [paragraph(note) for note in summary.notes]
    return "\n\n".join(blocks)


def heading(summary: StepsSummary) -> str:
    """Say what was studied, in three lines."""
    config = summary.options
    shape = "" if config.population == "isotropic" else f", variances k^-{config.exponent:g}"
    length = f"T = {config.diffusion_steps}" if config.diffusion_steps else "T = S"
    return (
        f"Samplers with a linear denoiser on N({config.mean:g}, {config.std:g}^2) in "
        f"d = {summary.options.dim}{shape}\n"
        f"schedules: {config.schedule} (DDPM, DDIM), {config.ode_schedule} (Euler, Heun), "
        f"{length}, {config.start} start\n"
        f"ridge {config.ridge:g}, {config.originals} originals (expected), seed {config.seed}"
    )


def figures(summary: StepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and P(Delta > 0) against S: a column per sampler, a curve per n."""
    rows, samplers, orders = summary.rows, summary.options.samplers, summary.orders
    sizes = [n for n in summary.options.train_sizes if any(row["train_size"] == n for row in rows)]
    panels = [
        ("kl_mean", "KL / d  [nats]", 1 / summary.options.dim),
        (
            "wasserstein2_mean",
            r"$W_2^2 / (d\,\sigma^2)$",
            1 / (summary.options.dim * summary.options.std**2),
        ),
        ("delta_positive", r"$P(\Delta > 0)$, Wilson 95%", 1.0),
    ]
    best = {
        (name, o.sampler, o.train_size): o.steps
        for name in ("kl", "wasserstein2")
        for o in summary.optima[name]
        if o.better
    }
    with style():
        width = max(4.8, 1.2 + 1.55 * len(samplers))
        figure = Figure(figsize=(width, 5.6), layout="constrained")
        axes = figure.subplots(3, len(samplers), sharex=True, sharey="row", squeeze=False)
        for line, (metric, label, unit) in zip(axes, panels, strict=True):
            line[0].set_ylabel(label)
            for axis, sampler in zip(line, samplers, strict=True):
                for size, look in [*zip(sizes, _looks(len(sizes)), strict=True), (math.inf, None)]:
                    values = _curve(summary, rows, sampler, size, metric)
                    if values is None:
                        continue
                    key = (metric.removesuffix("_mean"), sampler, size)
                    _draw(axis, summary, unit * values, look, best.get(key))
                    if metric == "delta_positive" and look is not None:
                        ends = [
                            _curve(summary, rows, sampler, size, f"{metric}_{end}")
                            for end in ("low", "high")
                        ]
                        x = _positions(summary)
                        axis.fill_between(x, *ends, color=look[0], alpha=0.15, lw=0, zorder=1)
            if metric != "delta_positive":
                line[0].set_yscale("log")
                _limit_range(line[0], rows, metric, unit)
            else:
                line[0].set_ylim(-0.04, 1.04)
        for axis, sampler in zip(axes[0], samplers, strict=True):
            axis.set_title(f"{sampler}\norder {orders[sampler]:.2f}")
        for axis in axes[-1]:
            _count_axis(axis, summary)
        axes[-1, len(samplers) // 2].set_xlabel("number of sampling steps S")
        figure.legend(
            handles=_legend(summary, sizes),
            loc="outside lower center",
            ncols=4,
            frameon=False,
        )
    return {"figure": figure}


def _by_steps(
    summary: StepsSummary,
    rows: Rows,
    size: float,
    metric: str,
    last: tuple[str, Mapping[str, float]],
) -> str:
    """Table of one metric: a row for each S and a last one, a column for each sampler."""
    table = {(row["sampler"], row["steps"]): row for row in rows if row["train_size"] == size}
    columns = [Column("S", [f"{steps:g}" for steps in summary.all_steps] + [last[0]])]
    digits = 3 if metric == "delta_positive" else 4
    for sampler in summary.options.samplers:
        cells = [number(table[sampler, steps][metric], digits) for steps in summary.all_steps]
        columns.append(Column(sampler, [*cells, number(last[1][sampler], 2 + (size == math.inf))]))
    return format_table(columns)


def _largest(summary: StepsSummary, here: Rows, metric: str) -> dict[str, float]:
    """Largest standard error of each sampler, rounded up to two digits."""
    found = {}
    for sampler in summary.options.samplers:
        value = max(row[metric] for row in here if row["sampler"] == sampler)
        unit = 10.0 ** (math.floor(math.log10(value)) - 1) if value > 0 else 1.0
        found[sampler] = math.ceil(value / unit) * unit if math.isfinite(value) else math.nan
    return found


def _half_widths(here: Rows) -> dict[str, float]:
    """Widest Wilson interval of each sampler, halved."""
    widest: dict[str, float] = {}
    for row in here:
        half = (row["delta_positive_high"] - row["delta_positive_low"]) / 2
        widest[row["sampler"]] = max(half, widest.get(row["sampler"], 0.0))
    return widest


def _verdicts(summary: StepsSummary) -> str:
    rows = summary.rows
    found = {
        (o.train_size, o.sampler, name): o
        for name in ("kl", "wasserstein2")
        for o in summary.optima[name]
    }
    keys = list(dict.fromkeys((row["train_size"], row["sampler"]) for row in rows))
    columns = [
        Column("n", [f"{size:g}" for size, _ in keys]),
        Column("sampler", [sampler for _, sampler in keys]),
    ]
    for name, title in (("kl", "KL"), ("wasserstein2", "W2^2")):
        best, gains = [], []
        for key in keys:
            o = found.get((*key, name))
            best.append("" if o is None else f"{o.steps if o.better else math.inf:g}")
            gains.append(with_error(o.excess, o.excess_se) if o is not None and o.better else "")
        columns += [Column(f"S: {title}", best), Column("excess", gains)]
    return format_table(columns)


def _looks(count: int) -> list[tuple[Any, str]]:
    """Colour and marker of each training size, from dark to light."""
    shades = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, max(count, 1)))
    return [(shade, _MARKERS[index % len(_MARKERS)]) for index, shade in enumerate(shades)]


def _curve(
    summary: StepsSummary, rows: Rows, sampler: str, size: float, metric: str
) -> np.ndarray | None:
    """Values at all S; NaN where infinite; None if there are none."""
    table = {
        row["steps"]: row[metric]
        for row in rows
        if row["sampler"] == sampler and row["train_size"] == size
    }
    values = np.array([table[steps] for steps in summary.all_steps], dtype=float)
    values[~np.isfinite(values)] = np.nan
    return None if np.isnan(values).all() else values


def _draw(
    axis: Axes, summary: StepsSummary, values: np.ndarray, look: Any, best: int | None
) -> None:
    x = _positions(summary)
    if look is None:
        axis.plot(x[:-1], values[:-1], "--", color="black", lw=1.0, zorder=2)
        return
    colour, marker = look
    axis.plot(x[:-1], values[:-1], color=colour, marker=marker, ms=3, lw=1.0, zorder=3)
    axis.plot(x[-2:], values[-2:], ":", color=colour, lw=1.0, zorder=3)
    axis.plot(x[-1:], values[-1:], color=colour, marker=marker, ms=3, zorder=3)
    if best is not None:
        index = summary.all_steps.index(best)
        axis.plot(x[index], values[index], "o", ms=8, mfc="none", mec="#D55E00", mew=1.2, zorder=4)


def _positions(summary: StepsSummary) -> np.ndarray:
    """Places on the axis; infinity stands a factor 5 right of the largest S."""
    finite = np.array(summary.all_steps[:-1], dtype=float)
    return np.append(finite, 5 * finite[-1])


def _count_axis(axis: Axes, summary: StepsSummary) -> None:
    axis.set_xscale("log")
    x = _positions(summary)
    powers = [10.0**k for k in range(10) if x[0] <= 10.0**k <= x[-2]]
    if len(powers) < 2:
        powers = [x[0], x[-2]]
    axis.xaxis.set_major_locator(FixedLocator([*powers, x[-1]]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticklabels([*(f"{power:g}" for power in powers), "∞"])


def _limit_range(axis: Axes, rows: Rows, metric: str, unit: float) -> None:
    """Leave the population's curve where finite n no longer care for it."""
    measured = [
        row[metric] for row in rows if row["train_size"] != math.inf and 0 < row[metric] < math.inf
    ]
    if measured:
        axis.set_ylim(unit * min(measured) / 30, 1.5 * unit * max(measured))


def _legend(summary: StepsSummary, sizes: Sequence[int]) -> list[Any]:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            ms=4,
            lw=1.0,
            label=f"n = {n / summary.options.dim:g} d",
        )
        for n, (colour, marker) in zip(sizes, _looks(len(sizes)), strict=True)
    ]
    handles.append(Line2D([], [], color="black", ls="--", lw=1.0, label="infinite data, exact"))
    ring = Line2D([], [], ls="", marker="o", ms=8, mfc="none", mec="#D55E00", mew=1.2)
    ring.set_label(r"finite S better than $\infty$ (4 s.e.)")
    return [*handles, ring]
