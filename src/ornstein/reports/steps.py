"""Tables and figure of the steps study of a linear denoiser."""

from __future__ import annotations

__all__ = ["tables", "figures"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ornstein.data.spectra import describe_spectrum
from ornstein.reports.axes import round_numbers, set_ticks, share_axis, tick_text
from ornstein.reports.figures import (
    VERMILION,
    Look,
    caption,
    legend_below,
    legend_key,
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
from ornstein.reports.tables import (
    Column,
    count,
    counted,
    format_groups,
    joined,
    legend,
    listed,
    number,
    paragraph,
    report,
    with_error,
)
from ornstein.studies.steps.summary import SIGNIFICANT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ornstein.studies.steps.options import StepsOptions
    from ornstein.studies.steps.summary import Optimum, StepsSummary
    from ornstein.theory import BestSteps

    Row = Mapping[str, Any]

_QUESTION = "Is a finite number of steps better than infinitely many? Best S, and its excess"
_MEANINGS = {
    "S": "number of sampling steps; inf: the limit of infinitely many",
    "KL": "KL(generated || population), in nats, mean over runs",
    "W2^2": "squared 2-Wasserstein distance, in squared data units",
    "order": "p of a distance that falls like S^-p, with infinite data",
    "theory": "what is expected of it, over training sets",
    "s.e. <": "largest standard error of the means above",
    "P(Delta > 0)": "share of runs closer to the originals than to the training set",
    "95% ±": "half the width of the widest Wilson 95% interval above",
}
_VERDICT_MEANINGS = {
    "n": "training points; inf: the population's own denoiser, exact",
    "S: KL": "best number of steps by KL; empty where KL is infinite",
    "S: W2^2": "best number of steps by W2^2",
    "theory": "the best of these S by the expected distances",
    "all S": "the number of steps of least expected KL, of all there are",
    "excess": "its mean distance less that of S = inf, ± standard error",
}
_WORDS = {"kl": "KL", "wasserstein2": "W2^2"}
_PREDICTED: Any = {"marker": "D", "ms": 5, "mfc": "none", "mec": "black", "mew": 0.9, "zorder": 5}
_RING: Any = {"marker": "o", "ms": 8, "mfc": "none", "mec": VERMILION, "mew": 1.2, "zorder": 4}


def tables(summary: StepsSummary) -> str:
    """Return heading, tables of each training size, a verdict, an answer, and notes."""
    found = [
        "Infinite data: KL(generated || population) at S steps, nats, exact",
        _by_steps(summary, math.inf, "kl_mean", "order", summary.orders),
    ]
    for size in sizes_of(summary.rows):
        found += _of_size(summary, size)
    verdicts = _verdicts(summary)
    blocks = [
        heading(summary),
        *found,
        legend(_MEANINGS, "\n".join(found)),
        _QUESTION,
        verdicts,
        legend(_VERDICT_MEANINGS, verdicts),
    ]
    return report(blocks, answer(summary) if summary.rows else "", summary.notes)


def heading(summary: StepsSummary) -> str:
    """Say what was studied, in three lines."""
    options = summary.options
    lines = (
        f"Samplers with a linear denoiser on {population(summary.options)}",
        (
            f"schedules: {options.schedule} (DDPM, DDIM), "
            f"{options.grid or options.ode_schedule} (Euler, Heun), "
            f"{_length(summary)}, {options.start} start"
        ),
        f"ridge {options.ridge:g}, {options.originals} originals (expected), seed {options.seed}",
    )
    return "\n".join(paragraph(line, "") for line in lines)


def answer(summary: StepsSummary) -> str:
    """Return one sentence: for which sampler and n a finite number of steps is best."""
    parts, errors = [], []
    for distance, word in _WORDS.items():
        found = [o for o in summary.optima[distance] if not math.isinf(o.train_size)]
        if not found:
            continue
        better = list(filter(None, (_best_of(found, name) for name in summary.options.samplers)))
        everywhere = len({o.train_size for o in found}) == len(sizes_of(summary.rows))
        limited = "" if everywhere else ", where it is finite,"
        errors += [o.excess_se for o in found]
        said = f"for {joined(better)}" if better else "for no sampler at any n"
        parts.append(f"by {word}{limited} {said}")
    if not parts:
        return "Answer: no training size has finished cells."
    unknown = ""
    if all(map(math.isnan, errors)):
        unknown = " (one run alone has no standard error, so none can be called better)"
    return f"Answer: a finite number of steps is best {'; '.join(parts)}{unknown}."


def _best_of(found: Sequence[Optimum], sampler: str) -> str:
    """Where a finite number of steps is best for a sampler, and which; empty if nowhere."""
    better = [o for o in found if o.sampler == sampler and o.better]
    if not better:
        return ""
    steps = sorted({o.steps for o in better})
    span = count(steps[0]) if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    return f"{sampler} (S = {span} at n = {listed([o.train_size for o in better])})"


def population(options: StepsOptions) -> str:
    """What the points are drawn from, in words."""
    if options.spectrum is not None:
        words = describe_spectrum(np.array(options.eigenvalues()), options.spectrum)
        return f"N({options.mean:g}, Sigma), {words}"
    shape = "" if options.population == "isotropic" else f", variances k^-{options.exponent:g}"
    return f"N({options.mean:g}, {options.std:g}^2) in d = {options.dim}{shape}"


def _length(summary: StepsSummary) -> str:
    steps = summary.options.diffusion_steps
    return f"T = {steps}" if steps else "T = S"


def _of_size(summary: StepsSummary, size: int) -> list[str]:
    """Titles and tables of one training size: a distance, and P(Delta > 0)."""
    here = where(summary.rows, train_size=size)
    finite = all(math.isfinite(row["kl_mean"]) for row in here)
    name, title = ("kl", "KL, nats") if finite else ("wasserstein2", "W2^2 (KL is infinite)")
    floor = summary.theory.get("kl_floor", {}).get(size) if finite else None
    theory = "" if floor is None else f"; theory at S = inf: {number(floor)}"
    known = [row["delta_perfect"] for row in here if "delta_perfect" in row]
    perfect = f"; perfect model: {known[0]:.3f}" if known else ""
    return [
        f"n = {size}, {counted(here[0]['simulations'], 'run')}: {title}{theory}",
        _by_steps(summary, size, f"{name}_mean", "s.e. <", _largest(here, f"{name}_se")),
        f"n = {size}: P(Delta > 0){perfect}",
        _by_steps(summary, size, "delta_positive", "95% ±", _half_widths(here)),
    ]


def _by_steps(
    summary: StepsSummary, size: float, metric: str, last: str, values: Mapping[str, float]
) -> str:
    """Table of one metric: a line for each S and a last one, a column for each sampler."""
    share = metric == "delta_positive"
    known = any(not math.isnan(values[sampler]) for sampler in summary.options.samplers)
    ends = [last] if known else []
    steps = Column("S", [*map(count, summary.all_steps), *ends])
    groups = []
    for sampler in summary.options.samplers:
        here = where(summary.rows, train_size=size, sampler=sampler)
        cells = [f"{row[metric]:.3f}" if share else number(row[metric]) for row in here]
        cells += [number(values[sampler], 3 if last == "order" else 2)] * known
        group = [Column(sampler, cells)]
        if not share and math.isfinite(size):
            theory = metric.replace("_mean", "_theory")
            predicted = [number(row.get(theory, math.nan)) for row in here]
            group.append(Column("theory", [*predicted, *[""] * known]))
        groups.append(group)
    return format_groups([steps], groups)


def _largest(here: Sequence[Row], metric: str) -> dict[str, float]:
    """Largest standard error of each sampler, rounded up to two digits."""
    found = {}
    for sampler in {row["sampler"]: None for row in here}:
        value = max(row[metric] for row in here if row["sampler"] == sampler)
        unit = 10.0 ** (math.floor(math.log10(value)) - 1) if value > 0 else 1.0
        # A round number with a rounding error stays the round number.
        found[sampler] = math.ceil(value / unit - 1e-6) * unit if math.isfinite(value) else math.nan
    return found


def _half_widths(here: Sequence[Row]) -> dict[str, float]:
    """Widest Wilson interval of each sampler, halved."""
    widest: dict[str, float] = {}
    for row in here:
        half = (row["delta_positive_high"] - row["delta_positive_low"]) / 2
        widest[row["sampler"]] = max(half, widest.get(row["sampler"], 0.0))
    return widest


def _verdicts(summary: StepsSummary) -> str:
    found = {(o.train_size, o.sampler, name): o for name in _WORDS for o in summary.optima[name]}
    cells = list(dict.fromkeys((row["train_size"], row["sampler"]) for row in summary.rows))
    keys = [
        Column("n", [count(size) for size, _ in cells]),
        Column("sampler", [sampler for _, sampler in cells]),
    ]
    groups = []
    for name, word in _WORDS.items():
        best, gains, predicted, among_all = [], [], [], []
        for size, sampler in cells:
            o = found.get((size, sampler, name))
            best.append("" if o is None else count(o.steps if o.better else math.inf))
            gains.append(with_error(o.excess, o.excess_se) if o is not None and o.better else "")
            predicted.append("" if o is None or math.isnan(o.predicted) else count(o.predicted))
            all_steps = _best_of_all(summary, size, sampler)
            among_all.append("" if all_steps is None else count(all_steps.steps))
        groups.append([Column(f"S: {word}", best), Column("theory", predicted)])
        if name == "kl":
            groups[-1].append(Column("all S", among_all))
        groups[-1].append(Column("excess", gains))
    return format_groups(keys, groups)


def _best_of_all(summary: StepsSummary, size: float, sampler: str) -> BestSteps | None:
    """The predicted best of all numbers of steps, where KL is finite."""
    return summary.theory.get("best_steps", {}).get(size, {}).get(sampler)


def figures(summary: StepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and P(Delta > 0) against S: a column per sampler, a curve per n."""
    samplers, chosen = summary.options.samplers, size_looks(sizes_of(summary.rows))
    panels, missing = _panels(summary)
    with style():
        width, height = max(5.2, 1.0 + 1.6 * len(samplers)), 0.9 + 1.75 * len(panels)
        figure = Figure(figsize=(width, height), layout="constrained")
        orders = [summary.orders[sampler] for sampler in samplers]
        titles = [
            sampler if math.isnan(order) else f"{sampler}\norder {order:.2f}"
            for sampler, order in zip(samplers, orders, strict=True)
        ]
        axes = sampler_axes(figure, panels, titles, "sampling steps S", fontsize=8)
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
        _length(summary),
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
    best = _best_of_all(summary, size, sampler) if panel.name == "kl" else None
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
    if any(o.better for name in _WORDS for o in summary.optima[name]):
        keys[f"finite S better than ∞ ({SIGNIFICANT:g} s.e.)"] = legend_key("", **_RING)
    if any(
        math.isfinite(best.steps)
        for found in summary.theory.get("best_steps", {}).values()
        for best in found.values()
    ):
        keys["best S in theory (KL)"] = legend_key("", **_PREDICTED)
    return keys
