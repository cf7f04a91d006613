"""Tables and figure of the steps study of a linear denoiser."""

from __future__ import annotations

__all__ = ["tables", "document", "heading", "answer", "population", "figures"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Patch

from ornstein.reports.axes import round_numbers, set_ticks, share_axis, tick_text
from ornstein.reports.figures import (
    VERMILION,
    Look,
    caption,
    legend_below,
    legend_key,
    new_figure,
    points,
    size_entries,
    size_looks,
    style,
)
from ornstein.reports.series import (
    Panel,
    column,
    distance_panels,
    sampler_axes,
    sizes_of,
    where,
)
from ornstein.reports.steps_tables import (
    answer,
    best_of_all,
    document,
    heading,
    length,
    population,
    tables,
)
from ornstein.studies.steps.summary import SIGNIFICANT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ornstein.studies.steps.summary import StepsSummary

    Row = Mapping[str, Any]

_PREDICTED: Any = {"marker": "D", "ms": 5, "mfc": "none", "mec": "black", "mew": 0.9, "zorder": 5}
_RING: Any = {"marker": "o", "ms": 8, "mfc": "none", "mec": VERMILION, "mew": 1.2, "zorder": 4}


def figures(summary: StepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and P(Delta > 0) against S: a column per sampler, a curve per n."""
    samplers, chosen = summary.options.samplers, size_looks(sizes_of(summary.rows))
    panels, missing = _panels(summary)
    with style():
        width, height = max(5.2, 1.0 + 1.6 * len(samplers)), 0.9 + 1.75 * len(panels)
        figure = new_figure(width, height)
        orders = [summary.orders[sampler] for sampler in samplers]
        titles = [
            sampler if math.isnan(order) else f"{sampler}\norder {order:.2f}"
            for sampler, order in zip(samplers, orders, strict=True)
        ]
        axes = sampler_axes(figure, panels, titles, "sampling steps S", fontsize=points(8))
        for line, panel in zip(axes, panels, strict=True):
            for axis, sampler in zip(line, samplers, strict=True):
                for size, look in chosen.items():
                    here = where(summary.rows, train_size=size, sampler=sampler)
                    _draw(axis, summary, panel, here, look)
                _draw_exact(axis, summary, panel, sampler)
            if panel.name == "delta_positive":
                share_axis(line[0])
            else:
                _distance_axis(line[0], summary, panel)
        for axis in axes[-1]:
            _steps_axis(axis, summary)
        legend_below(figure, size_entries(chosen, summary.options.dim) | _keys(summary))
        caption(figure, _said(summary), missing)
    return {"figure": figure}


def _said(summary: StepsSummary) -> list[str]:
    options = summary.options
    return [
        f"Linear denoiser on {population(summary.options)}",
        length(summary),
        f"{options.grid} grid" if options.grid else "",
        f"{options.start} start",
        f"ridge {options.ridge:g}" if options.ridge else "",
        f"seed {options.seed}",
    ]


def _panels(summary: StepsSummary) -> tuple[list[Panel], str]:
    """Panels, and why that of KL is missing where it is infinite at every n."""
    dim, std = summary.options.dim, summary.options.std
    assert dim is not None  # the options fill both in
    assert std is not None
    panels = distance_panels(dim, std)
    panels.append(Panel("delta_positive", r"$P(\Delta > 0)$"))
    measured = [row["kl_mean"] for row in summary.rows if not math.isinf(row["train_size"])]
    if measured and not any(map(math.isfinite, measured)):
        return panels[1:], "not drawn: KL (infinite at every n)"
    return panels, ""


def _values(rows: Sequence[Row], panel: Panel, what: str = "mean") -> NDArray[np.float64]:
    """What a panel shows of the rows, the mean or theory; NaN where infinite."""
    name = panel.name if panel.name == "delta_positive" else f"{panel.name}_{what}"
    values = np.array([row.get(name, math.nan) for row in rows], dtype=float)
    return panel.unit * np.where(np.isfinite(values), values, np.nan)


def _draw_exact(axis: Axes, summary: StepsSummary, panel: Panel, sampler: str) -> None:
    """The population's own denoiser, dashed."""
    rows = where(summary.rows, train_size=math.inf, sampler=sampler)
    values = _values(rows, panel)[:-1]
    if np.isfinite(values).any():
        x = _positions(summary)[:-1]
        axis.plot(x, values, ".--", color="black", ms=3, lw=1.0, zorder=2)


def _draw(axis: Axes, summary: StepsSummary, panel: Panel, rows: Sequence[Row], look: Look) -> None:
    """One training size: P with its band, or a distance on its theory with the best S marked."""
    x, values = _positions(summary), _values(rows, panel)
    if np.isnan(values).all():
        return
    theory = np.full_like(values, np.nan)
    if panel.name != "delta_positive":
        theory = _values(rows, panel, "theory")
    # The curve is that of theory, where it is known, and otherwise joins the points.
    curve = theory if np.isfinite(theory).any() else values
    axis.plot(x[:-1], values[:-1], ls="none", zorder=3, **look.points)
    axis.plot(x[-1:], values[-1:], ls="none", zorder=3, **look.points)
    axis.plot(x[:-1], curve[:-1], "-", color=look.colour, lw=1.0, zorder=2.5)
    axis.plot(x[-2:], curve[-2:], ":", color=look.colour, lw=1.0, zorder=2.5)
    sampler, size = rows[0]["sampler"], rows[0]["train_size"]
    if panel.name == "delta_positive":
        low, high = (column(rows, f"delta_positive_{end}") for end in ("low", "high"))
        axis.fill_between(x, low, high, color=look.colour, alpha=0.15, lw=0, zorder=1)
        known = summary.theory.get("perfect_delta", {"train_size": (), "share": ()})
        for train_size, share in zip(known["train_size"], known["share"], strict=True):
            if train_size == size:
                axis.axhline(share, ls="-.", color=look.colour, lw=0.8, zorder=2)
        return
    for o in summary.optima[panel.name]:
        if o.better and (o.sampler, o.train_size) == (sampler, size):
            index = summary.all_steps.index(o.steps)
            axis.plot(x[index], values[index], **_RING)
    best = best_of_all(summary, size, sampler) if panel.name == "kl" else None
    if best is not None and math.isfinite(best.steps):
        axis.plot(best.steps, panel.unit * best.kl, **_PREDICTED)


def _positions(summary: StepsSummary) -> NDArray[np.float64]:
    """Places on the axis; infinity stands a factor 5 right of the largest S."""
    finite = np.array(summary.all_steps[:-1], dtype=float)
    return np.append(finite, 5 * finite[-1])


def _steps_axis(axis: Axes, summary: StepsSummary) -> None:
    axis.set_xscale("log")
    x = _positions(summary)
    powers = [10.0**k for k in range(10) if x[0] <= 10.0**k <= x[-2]]
    if len(powers) < 2:
        powers = sorted({x[0], x[-2]})
    # Of many powers the last ones: infinity needs its place beside them.
    powers = powers[:: max(1, math.ceil(len(powers) / 3))]
    set_ticks(axis.xaxis, [*powers, x[-1]])
    axis.set_xticklabels([*map(tick_text, powers), "∞"])


def _distance_axis(axis: Axes, summary: StepsSummary, panel: Panel) -> None:
    """A logarithmic scale of what was measured; the population's curve leaves it."""
    measured = _values([row for row in summary.rows if row["train_size"] < math.inf], panel)
    measured = measured[measured > 0]
    axis.set_yscale("log")
    if measured.size:
        low, high = measured.min() / 5, 1.5 * measured.max()
        axis.set_ylim(low, high)
        set_ticks(axis.yaxis, round_numbers(low, high, 5))


def _keys(summary: StepsSummary) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "theory at n points (distances)": legend_key("-"),
        "infinite data, exact": legend_key("--"),
        "Wilson 95% interval": Patch(color="black", alpha=0.15, lw=0),
    }
    if "perfect_delta" in summary.theory:
        keys["perfect model"] = legend_key("-.", 0.8)
    if any(o.better for name in summary.optima for o in summary.optima[name]):
        keys[f"finite S better than ∞ ({SIGNIFICANT:g} s.e.)"] = legend_key("", **_RING)
    if any(
        math.isfinite(best.steps)
        for found in summary.theory.get("best_steps", {}).values()
        for best in found.values()
    ):
        keys["best S in theory (KL)"] = legend_key("", **_PREDICTED)
    return keys
