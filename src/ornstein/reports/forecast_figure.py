"""The learning curves of a forecast: theory for new points, subsets measured, and their theory."""

from __future__ import annotations

__all__ = ["forecast_figure"]

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import NullFormatter

from ornstein.reports.curves import round_numbers, tick_text
from ornstein.reports.figures import BLUE, GREY, VERMILION, caption, legend_below, new_figure, style
from ornstein.reports.forecast_sentences import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ornstein.forecasting.report import ForecastReport

_PANELS = (
    ("w2", "$W_2^2$ / variance, linear diffusion", True),
    ("one_step_w2", "$W_2^2$ / variance, one-step", True),
    ("consistency", "1 - consistency", True),
    ("auc", "AUC of membership", False),
)
_NOISE, _TICKS = "0.3", 4


def forecast_figure(report: ForecastReport) -> Figure:
    """Six panels over n: distances, consistency, losses, AUC; and the spectrum."""
    with style():
        figure = new_figure(8.4, 5.2)
        axes: Any = figure.subplots(2, 3)
        places = (axes[0, 0], axes[0, 1], axes[0, 2], axes[1, 1])
        for axis, (name, label, logarithmic) in zip(places, _PANELS, strict=True):
            _curve(axis, report, name)
            axis.set_ylabel(label)
            if logarithmic:
                axis.set_yscale("log")
        losses = axes[1, 0]
        _curve(losses, report, f"test_loss_{_NOISE}")
        _curve(losses, report, f"train_loss_{_NOISE}", colour=GREY, suffix=", training points")
        losses.axhline(
            report.best_losses[float(_NOISE)], color="black", lw=0.8, ls=":", label="least loss"
        )
        losses.set_ylabel(f"loss / variance at noise {_NOISE}")
        curves = [*places, losses]
        for axis in curves:
            axis.set_xscale("log")
            axis.axvline(report.sizes.points, color="#333333", lw=0.8, ls="--", label="your data")
            axis.set_xlabel("training points n")
            _few_ticks(axis)
        _spectrum(axes[1, 2], report)
        caption(figure, [headline(report)])
        entries: dict[str, Any] = {}
        for axis in (*curves, axes[1, 2]):
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
                entries.setdefault(label, handle)
        legend_below(figure, entries)
    return figure


def _curve(
    axis: Axes, report: ForecastReport, name: str, colour: str = BLUE, suffix: str = ""
) -> None:
    below = name == "consistency"
    n = np.array([point.n for point in report.curve], dtype=float)
    y = np.array([point.values[name] for point in report.curve])
    error = np.nan_to_num([point.errors[name] for point in report.curve])
    y = np.where(np.isfinite(y), 1.0 - y if below else y, np.nan)
    axis.plot(n, y, color=colour, lw=1.6, label=f"theory{suffix or ', new points'}")
    axis.fill_between(n, y - 2 * error, y + 2 * error, color=colour, alpha=0.2, lw=0)
    found = [each for each in report.compared if each.quantity == name]
    sizes = [each.n for each in found]
    measured = np.array([each.measured for each in found])
    theory = np.array([each.predicted for each in found])
    theory = np.where(np.isfinite(theory), theory, np.nan)
    if name in {"w2", "one_step_w2"}:  # others are the same for subsets and new points
        axis.plot(sizes, theory, color=VERMILION, lw=1.2, ls="--", label="theory, subsets of data")
    axis.errorbar(
        sizes,
        1.0 - measured if below else measured,
        yerr=np.nan_to_num([each.measured_error for each in found]),
        ls="",
        marker="o",
        ms=4,
        color=colour if suffix else "black",
        markerfacecolor="white",
        elinewidth=0.9,
        zorder=3,
        label=f"measured{suffix or ', subsets of data'}",
    )


def _spectrum(axis: Axes, report: ForecastReport) -> None:
    for values, colour, dashes, label in (
        (report.spectrum, BLUE, "-", "estimated population"),
        (report.sample_spectrum, VERMILION, "--", "sample covariance"),
    ):
        shown = [value for value in values if value > 0]
        axis.plot(range(1, len(shown) + 1), shown, color=colour, ls=dashes, lw=1.4, label=label)
    axis.set_yscale("log")
    axis.set_xscale("log")
    axis.set_xlabel("component")
    axis.set_ylabel("eigenvalue")
    _few_ticks(axis)


def _few_ticks(axis: Axes) -> None:
    """Ticks at round numbers, few enough for a small panel."""
    for direction in (axis.xaxis, axis.yaxis):
        low, high = sorted(direction.get_view_interval())
        logarithmic = direction.get_scale() == "log"
        ticks = round_numbers(low, high, _TICKS, logarithmic=logarithmic)
        direction.set_ticks(list(ticks), labels=[tick_text(tick) for tick in ticks])
        direction.set_minor_formatter(NullFormatter())
