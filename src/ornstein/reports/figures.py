"""Figures for a paper: black and white first, colours that the colour-blind can tell apart.

Colours are those of Okabe and Ito; every series also has its own marker or line style, so that a
figure survives a grey printer.
"""

from __future__ import annotations

__all__ = ["linear_figure", "save_figure", "style"]

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from ornstein.studies.linear.study import LinearStudy

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"

_STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "ornstein",
}


def style() -> Any:
    """Context in which all figures of the package are drawn."""
    return mpl.rc_context(_STYLE)


def save_figure(figure: Figure, *paths: Path) -> None:
    """Write a figure to each of `paths`; the ending decides the format."""
    with style():
        for path in paths:
            # Without a date, the same study writes the same file.
            metadata: Any = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=150, metadata=metadata)


def linear_figure(study: LinearStudy, rows: Sequence[Mapping[str, float | int]]) -> Figure:
    """KL, Hellinger, Wasserstein and P(Delta > 0) against n/d, on their theory curves."""
    sizes = np.array([row["train_size"] for row in rows], dtype=float)
    approximate = study.theory_is_approximate
    with style():
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True).ravel()
        panels = [
            ("kl", "KL(generated || population) / d  [nats]", 1 / study.dim, True),
            ("hellinger2", "squared Hellinger distance", 1.0, False),
            ("wasserstein2", r"$W_2^2 / (d\,\sigma^2)$", 1 / (study.dim * study.std**2), True),
        ]
        curves = _theory_curves(study, sizes)
        for axis, (name, label, unit, logarithmic) in zip(axes, panels, strict=False):
            mean, error = (
                unit * np.array([row[f"{name}_{part}"] for row in rows]) for part in ("mean", "se")
            )
            finite = np.isfinite(mean)
            axis.errorbar(
                sizes[finite] / study.dim,
                mean[finite],
                yerr=np.nan_to_num(error[finite]),
                fmt="o",
                ms=4,
                color=BLUE,
                label="simulation ± s.e.",
                zorder=3,
            )
            if name in curves:
                grid, values = curves[name]
                axis.plot(
                    grid / study.dim,
                    unit * values,
                    "--" if approximate else "-",
                    color="black",
                    lw=1.2,
                    label="theory (isotropic approximation)" if approximate else "theory",
                )
            if logarithmic and finite.any():
                axis.set_yscale("log")
            if not finite.any():
                axis.text(0.5, 0.5, "infinite or unknown", ha="center", transform=axis.transAxes)
            axis.set_title(label)
        _probability(axes[3], sizes / study.dim, rows)
        for axis in axes:
            _landmarks(axis, study)
        for axis in axes[2:]:
            axis.set_xlabel("training size / dimension,  n / d")
        axes[0].set_xscale("log")
        axes[0].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes[0].xaxis.set_major_formatter("{x:g}")
        axes[0].xaxis.set_minor_formatter(NullFormatter())
        axes[1].legend(frameon=False)
    return figure


def _theory_curves(
    study: LinearStudy, sizes: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Theory on a fine grid of sizes; a gap where it is infinite."""
    if not study.theory(int(sizes[0])):
        return {}
    low, high = max(2.0, 0.9 * sizes.min()), 1.1 * sizes.max()
    grid = np.unique(np.geomspace(low, high, 160).round().astype(int))
    values = [study.theory(int(n)) for n in grid]
    curves = {}
    for name in values[0]:
        column = np.array([value[name] for value in values])
        curves[name] = (grid.astype(float), np.where(np.isfinite(column), column, math.nan))
    return curves


def _probability(axis: Axes, x: np.ndarray, rows: Sequence[Mapping[str, float | int]]) -> None:
    fraction, low, high = (
        np.array([row[f"delta_positive{part}"] for row in rows]) for part in ("", "_low", "_high")
    )
    spread = np.maximum([fraction - low, high - fraction], 0)
    axis.errorbar(x, fraction, yerr=spread, fmt="s", ms=4, color=VERMILION, zorder=3)
    axis.axhline(0.5, color=GREY, lw=0.8, ls=":")
    axis.set_ylim(-0.03, 1.03)
    axis.set_title(r"$P(\Delta > 0)$, Wilson 95% interval")


def _landmarks(axis: Axes, study: LinearStudy) -> None:
    """Mark n = d and n = n*."""
    marks = ((1.0, "n = d", (4, 2), "right"), (study.threshold / study.dim, "n*", (1, 1.5), "left"))
    for x, text, dashes, side in marks:
        axis.axvline(x, color=GREY, lw=0.9, dashes=dashes, zorder=1)
        axis.text(
            x,
            0.01,
            f" {text} ",
            color=GREY,
            fontsize=7,
            rotation=90,
            va="bottom",
            ha=side,
            transform=axis.get_xaxis_transform(),
        )
