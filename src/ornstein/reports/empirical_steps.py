"""Tables and figure of samplers with the memorizing optimum."""

from __future__ import annotations

__all__ = ["tables", "figures"]

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from ornstein.reports.axes import count_axis, value_axis
from ornstein.reports.figures import legend_key, size_looks, style
from ornstein.reports.series import (
    Panel,
    column,
    distance_panels,
    means,
    sampler_axes,
    sizes_of,
    where,
)
from ornstein.reports.steps import population
from ornstein.reports.tables import (
    Column,
    format_table,
    legend,
    measured,
    number,
    numbers,
    paragraph,
    report,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.studies.steps.empirical import EmpiricalStepsSummary

    Row = Mapping[str, Any]

_LINES: Any = {"elinewidth": 0.8, "zorder": 2}
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
    for size in sizes_of(summary.rows):
        here = where(summary.rows, train_size=size)
        baseline = number(here[0]["baseline_mean"], 3)
        runs = here[0]["simulations"]
        blocks += [
            f"n = {size}, {runs} runs (of held-out points copied: {baseline})",
            format_table(
                [
                    texts("sampler", here, "sampler"),
                    texts("S", here, "steps"),
                    measured("KL, nats", here, "kl"),
                    numbers("linear", here, "kl_linear_mean", 3),
                    measured("W2^2", here, "wasserstein2"),
                    numbers("linear", here, "wasserstein2_linear_mean", 3),
                    measured("copied", here, "memorized"),
                    Column("P", [f"{row['delta_positive']:.2f}" for row in here]),
                ]
            ),
        ]
    blocks.append(legend(_MEANINGS))
    return report(blocks, answer(summary.rows) if summary.rows else "", summary.notes)


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
    return (
        f"Samplers with the posterior mean of n points of {population(options)}; "
        f"{options.generated} generated from the {options.start} start, seed {options.seed}"
    )


def figures(summary: EmpiricalStepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and memorized fraction against S: a column per sampler, a curve per n."""
    rows, samplers = summary.rows, summary.options.samplers
    chosen = size_looks(sizes_of(rows))
    panels = [*distance_panels(summary.dim, summary.std), Panel("memorized", "memorized fraction")]
    with style():
        width = max(4.8, 1.2 + 1.9 * len(samplers))
        figure = Figure(figsize=(width, 6.8), layout="constrained")
        figure.suptitle(paragraph(_heading(summary), ""), fontsize=8)
        axes = sampler_axes(figure, panels, samplers, "number of steps S")
        for line, (name, _, unit) in zip(axes, panels, strict=True):
            for axis, sampler in zip(line, samplers, strict=True):
                for size, look in chosen.items():
                    here = where(rows, train_size=size, sampler=sampler)
                    steps = column(here, "steps")
                    drawn = {**look.points, "ms": 3.5, "label": f"n = {size}"}
                    means(axis, steps, here, name, unit, **_LINES, **drawn)
                    if name != "memorized":
                        linear = {"color": look.colour, "ls": "--"}
                        means(axis, steps, here, f"{name}_linear", unit, **_LINES, **linear)
            if name == "memorized":
                line[0].set_ylim(-0.03, 1.03)
            else:
                value_axis(line[0])
        for axis in axes[-1]:
            count_axis(axis, summary.all_steps)
        handles, _ = axes[0, 0].get_legend_handles_labels()
        handles.append(legend_key("--", 1.5, label="linear, exact"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return {"figure": figure}
