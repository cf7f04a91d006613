"""Tables and figures of a study of trained networks."""

from __future__ import annotations

__all__ = ["tables", "figures", "samples_figure", "heading"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from ornstein.reports.figures import BLUE, GREEN, GREY, VERMILION, style
from ornstein.reports.grids import image_sheets
from ornstein.reports.tables import (
    Column,
    format_table,
    interval,
    number,
    paragraph,
    with_error,
)
from ornstein.studies.neural.unet import component_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ornstein.studies.neural.summary import NeuralSummary
    from ornstein.studies.neural.unet import Samples, UNetSummary

    Rows = Sequence[Mapping[str, Any]]

_PANEL_COLUMNS = 4
_LOGARITHMIC_FROM = 30.0


def tables(summary: UNetSummary) -> str:
    """Return tables, with heading and notes.

    The last row of the first three is over all sizes.
    """
    rows, overall = summary.rows, summary.overall
    several = len(rows) > 1
    lines = [*rows, {"train_size": "all", **overall}] if several else list(rows)
    sizes = Column("n", [str(line["train_size"]) for line in lines])
    blocks = [
        heading(summary),
        "Squared L2 distances per coordinate (mean ± standard error over runs)",
        format_table(
            [
                sizes,
                Column("runs", [str(line["simulations"]) for line in lines]),
                _measured("original-generated", lines, "distance_original"),
                _measured("train-generated", lines, "distance_train"),
                _measured("Delta", lines, "delta"),
            ]
        ),
        "P(Delta > 0) with its Wilson 95% interval; size of Delta in full dimension",
        format_table(
            [
                sizes,
                _share("per coordinate", lines, "delta"),
                _share("full dimension", lines, "full_delta"),
                Column("ln |Delta|", _plain(lines, "full_delta_log_abs_mean")),
            ]
        ),
        "Memorized fraction, losses of the last epoch, seconds a run",
        format_table(
            [
                sizes,
                _measured("memorized", lines, "memorized"),
                Column("baseline", _plain(lines, "baseline_mean", 3)),
                Column("loss", _plain(lines, "train_loss_mean")),
                Column("valid.", _plain(lines, "validation_loss_mean")),
                Column("train, s", _plain(lines, "train_seconds", 3)),
                Column("sample, s", _plain(lines, "sample_seconds", 3)),
            ]
        ),
    ]
    if summary.has_fits:
        blocks += [
            "Gaussian fit to the generated points against the population's",
            format_table(
                [
                    Column("n", [str(row["train_size"]) for row in rows]),
                    _measured("KL, nats", rows, "kl"),
                    _measured("linear", rows, "kl_linear"),
                    _measured("W2^2", rows, "wasserstein2"),
                    _measured("linear", rows, "wasserstein2_linear"),
                ]
            ),
        ]
    if summary.components:
        blocks += [
            "Components of the mixture among the generated points, beside the truth",
            _components(summary),
        ]
    if several:
        low, high = overall["delta_positive_low"], overall["delta_positive_high"]
        blocks.append(
            "Net over all sizes: average Delta "
            f"{with_error(overall['delta_mean'], overall['delta_se'])},\n"
            f"P(Delta > 0) = {overall['delta_positive']:.3f} [{low:.3f}, {high:.3f}]"
        )
    blocks += [paragraph(note) for note in summary.notes]
    return "\n\n".join(blocks)


def _components(summary: UNetSummary) -> str:
    """A line per training size and component: weight, mean and deviation, measured and true."""
    count = len(summary.components)
    lines = [(row, index) for row in summary.rows for index in range(count)]
    columns = [
        Column("n", [str(row["train_size"]) if index == 0 else "" for row, index in lines]),
        Column("component", [str(index + 1) for _, index in lines]),
    ]
    for place, name in enumerate(("weight", "mean", "std")):
        measured = [
            with_error(*(row[f"{component_metric(i, name)}_{part}"] for part in ("mean", "se")))
            for row, i in lines
        ]
        truth = [number(summary.components[i][place], 3) for _, i in lines]
        columns += [Column(name, measured), Column("truth", truth)]
    return format_table(columns)


def heading(summary: NeuralSummary, *, how_sampled: bool = True) -> str:
    """Say what was studied: network and data, training, and sampling if that is one way."""
    options = summary.options
    form = " x ".join(map(str, summary.shape))
    name = "U-Net" if options.model == "unet" else "MLP"
    width = "" if options.width is None else f" of width {options.width:g}"
    if options.training_steps is None:
        steps = sorted({*summary.optimiser_steps.values()})
        span = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
        length = f"{options.epochs} epochs ({span} optimiser steps)"
    else:
        length = f"{options.training_steps} steps"
    lines = (
        f"{name}{width} on {summary.source}, {form}",
        (
            f"trained {length} in batches of {options.batch_size}, T = {options.diffusion_steps}, "
            f"predicting {options.prediction}"
        ),
        (
            f"{options.generated} generated by {options.sampler} in {options.chosen_steps} steps "
            f"from the {options.start} start, seed {options.seed}"
        ),
    )
    return "\n".join(paragraph(line, "") for line in lines[: 3 if how_sampled else 2])


def figures(summary: UNetSummary) -> dict[str, Any]:
    """The main figure, and images if there are any: ``figure``, ``samples.png``."""
    found: dict[str, Any] = {"figure": _figure(summary)}
    if summary.samples:
        found["samples.png"] = samples_figure(summary.samples)
    return found


def _figure(summary: UNetSummary) -> Figure:
    """Distances, P(Delta > 0), memorized fraction and losses, or KL and Wasserstein, against n."""
    rows = summary.rows
    sizes = np.array([row["train_size"] for row in rows], dtype=float)
    with style():
        shape = (2, 3) if summary.has_fits else (2, 2)
        figure = Figure(figsize=(3.1 * shape[1] + 0.6, 5.4), layout="constrained")
        axes = figure.subplots(*shape, sharex=True).ravel()
        _series(axes[0], sizes, rows, "distance_original", "original-generated", BLUE, "o")
        _series(axes[0], sizes, rows, "distance_train", "train-generated", VERMILION, "s")
        axes[0].set_title("squared L2 distance per coordinate")
        _shares(axes[1], sizes, rows)
        _series(axes[2], sizes, rows, "memorized", "generated", VERMILION, "s")
        _series(axes[2], sizes, rows, "baseline", "held out (baseline)", GREY, "^", "--")
        axes[2].set_ylim(-0.03, 1.03)
        axes[2].set_title("memorized fraction")
        _series(axes[3], sizes, rows, "train_loss", "training", BLUE, "o")
        _series(axes[3], sizes, rows, "validation_loss", "validation", GREEN, "D")
        axes[3].set_title("loss, last epoch")
        if summary.has_fits:
            unit = 1 / (summary.dim * summary.std**2)
            panels = [
                (axes[4], "kl", "KL of Gaussian fit / d  [nats]", 1 / summary.dim),
                (axes[5], "wasserstein2", r"$W_2^2 / (d\,\sigma^2)$ of Gaussian fit", unit),
            ]
            for axis, name, title, factor in panels:
                _series(axis, sizes, rows, name, "network", BLUE, "o", unit=factor)
                label = "linear, exact"
                _series(axis, sizes, rows, f"{name}_linear", label, "black", "", unit=factor)
                axis.set_title(title)
                _logarithmic(axis)
        for axis in axes:
            if axis.get_legend_handles_labels()[0]:
                axis.legend(edgecolor="none", framealpha=0.85).set_zorder(5)
            else:
                axis.text(0.5, 0.5, "no values", ha="center", transform=axis.transAxes)
                axis.set_axis_off()
        for axis in axes[-shape[1] :]:
            axis.set_xlabel("training size n")
        if sizes.max() > _LOGARITHMIC_FROM * sizes.min():
            axes[0].set_xscale("log")
            axes[0].xaxis.set_major_formatter("{x:g}")
    return figure


def samples_figure(samples: Sequence[Samples], count: int = 3) -> Figure:
    """Generated images beside the nearest training images, for up to `count` sizes.

    A model that copies shows its first panel twice.
    """
    chosen = [samples[i] for i in sorted({*np.linspace(0, len(samples) - 1, count).astype(int)})]
    low = min(float(sets.train.min()) for sets in chosen)
    high = max(float(sets.train.max()) for sets in chosen)
    rows = [
        {
            "generated": sets.generated,
            "nearest training image": sets.nearest,
            "training": sets.train,
        }
        for sets in chosen
    ]
    labels = [f"n = {sets.train_size}" for sets in chosen]
    return image_sheets(rows, (low, high), columns=_PANEL_COLUMNS, labels=labels)


def _measured(title: str, lines: Rows, name: str) -> Column:
    cells = [with_error(line[f"{name}_mean"], line[f"{name}_se"]) for line in lines]
    return Column(title, cells)


def _plain(lines: Rows, name: str, digits: int = 4) -> list[str]:
    return [number(line[name], digits) for line in lines]


def _share(title: str, lines: Rows, name: str) -> Column:
    parts = (f"{name}_positive", f"{name}_positive_low", f"{name}_positive_high")
    return Column(title, [interval(*(line[part] for part in parts)) for line in lines])


def _series(
    axis: Axes,
    sizes: np.ndarray,
    rows: Rows,
    name: str,
    label: str,
    colour: str,
    marker: str,
    dash: str = "-",
    unit: float = 1.0,
) -> None:
    """Means with standard errors; nothing if there are none."""
    mean, error = (
        unit * np.array([row[f"{name}_{part}"] for row in rows]) for part in ("mean", "se")
    )
    finite = np.isfinite(mean)
    if not finite.any():
        return
    axis.errorbar(
        sizes[finite],
        mean[finite],
        yerr=np.nan_to_num(error[finite]),
        fmt=f"{marker}{dash}",
        ms=4,
        lw=1.0,
        color=colour,
        label=label,
        zorder=3,
    )


def _shares(axis: Axes, sizes: np.ndarray, rows: Rows) -> None:
    # Drawn a little apart, so that error bars do not hide each other.
    if sizes.max() > _LOGARITHMIC_FROM * sizes.min():
        step = 0.02 * sizes
    else:
        step = np.full(sizes.size, 0.008 * (float(np.ptp(sizes)) or 1.0))
    series = [("delta", "per coordinate", BLUE, "o"), ("full_delta", "full dimension", GREEN, "D")]
    for side, (name, label, colour, marker) in zip((-1, 1), series, strict=True):
        fraction, low, high = (
            np.array([row[f"{name}_positive{part}"] for row in rows])
            for part in ("", "_low", "_high")
        )
        spread = np.maximum([fraction - low, high - fraction], 0)
        axis.errorbar(
            sizes + side * step,
            fraction,
            yerr=spread,
            fmt=marker,
            ms=4,
            lw=1.0,
            color=colour,
            label=label,
            zorder=3,
        )
    axis.axhline(0.5, color=GREY, lw=0.8, ls=":")
    axis.set_ylim(-0.03, 1.03)
    axis.set_title(r"$P(\Delta > 0)$, Wilson 95% interval")


def _logarithmic(axis: Axes) -> None:
    """A logarithmic scale, unless a correction left a value at or below 0."""
    values = [y for line in axis.get_lines() for y in np.asarray(line.get_ydata(), dtype=float)]
    if values and min(values) > 0 and math.isfinite(max(values)):
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axis.yaxis.set_minor_formatter("{x:g}")
