"""Tables and figure of samplers with the memorizing optimum."""

from __future__ import annotations

__all__ = ["tables", "figures"]

from typing import TYPE_CHECKING, Any

from ornstein.reports.tables import paragraph
from ornstein.reports.unet_steps import steps_figure, steps_tables

if TYPE_CHECKING:
    from ornstein.studies.steps.empirical import EmpiricalStepsSummary


def tables(summary: EmpiricalStepsSummary) -> str:
    """Return, per training size, distances and memorized fraction by number of steps."""
    options = summary.options
    shape = "" if options.population == "isotropic" else f", variances k^-{options.exponent:g}"
    lines = (
        (
            f"Samplers with the posterior mean of n points of N({options.mean:g}, "
            f"{options.std:g}^2) in d = {summary.dim}{shape}"
        ),
        f"{options.generated} generated from the {options.start} start, seed {options.seed}",
    )
    heading = "\n".join(paragraph(line, "") for line in lines)
    return "\n\n".join([heading, *steps_tables(summary, "posterior mean")])


def figures(summary: EmpiricalStepsSummary) -> dict[str, Any]:
    """KL, Wasserstein and memorized fraction against S: a column per sampler, a curve per n."""
    return {"figure": steps_figure(summary)}
