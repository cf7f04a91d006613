"""What reports of all studies of trained networks say: what was studied, and what was copied."""

from __future__ import annotations

__all__ = ["heading", "subject", "said", "copied", "barely_trained", "trained_steps"]

import math
from typing import TYPE_CHECKING, Any

from ornstein.diffusion.samplers import as_sampler
from ornstein.reports.tables import counted, listed, paragraph
from ornstein.studies.steps.options import ODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ornstein.studies.neural.options import NeuralOptions
    from ornstein.studies.neural.summary import NeuralSummary

_SIGNIFICANT = 4.0
_LEAST_COPIED = 0.01


def heading(summary: NeuralSummary, *, how_sampled: bool = True) -> str:
    """Say what was studied, wrapped to the width of the terminal."""
    return "\n".join(paragraph(line, "") for line in subject(summary, how_sampled=how_sampled))


def subject(summary: NeuralSummary, *, how_sampled: bool = True) -> tuple[str, ...]:
    """Say what was studied: network and data, training, and sampling if that is one way."""
    options = summary.options
    if options.training_steps is None:
        length = f"{counted(options.chosen_epochs, 'epoch')} ({trained_steps(summary)})"
    else:
        length = counted(options.training_steps, "optimiser step")
    how = f"by {options.sampler} in {options.chosen_steps} steps " if how_sampled else ""
    on_grid = f"on the {options.grid} grid " if options.grid else ""
    if on_grid and not how_sampled:
        on_grid = f"({', '.join(_on_grid(options))} {on_grid.strip()}) "
    return (
        f"{_network(summary)} on {summary.source}, {' x '.join(map(str, summary.shape))}",
        (
            f"trained {length} in batches of {options.batch_size}, T = {options.diffusion_steps}, "
            f"predicting {options.prediction}"
        ),
        (
            f"{options.generated} generated {how}{on_grid}from the {options.start} start, seed "
            f"{options.seed}"
        ),
    )


def said(summary: NeuralSummary) -> list[str]:
    """Parts of the caption of a figure."""
    options = summary.options
    return [
        f"{_network(summary)} on {summary.source}",
        f"d = {summary.dim}",
        f"T = {options.diffusion_steps}",
        trained_steps(summary),
        f"{options.start} start",
        *([f"{', '.join(_on_grid(options))} on the {options.grid} grid"] if options.grid else []),
        f"seed {options.seed}",
    ]


def copied(summary: NeuralSummary, row: Mapping[str, Any]) -> bool:
    """Whether more is memorized than of held-out points, by 4 standard errors and 0.01.

    The error of the fraction is that over runs, and at least that of counting points: few runs
    may agree by chance.
    """
    share, baseline = row["memorized_mean"], row["baseline_mean"]
    points = row["simulations"] * summary.options.generated
    counting = math.sqrt(max(share * (1 - share), 0.0) / points)
    over_runs = (row["memorized_se"], row["baseline_se"])
    error = math.hypot(*(value for value in over_runs if math.isfinite(value)))
    return share - baseline > max(_SIGNIFICANT * max(error, counting), _LEAST_COPIED)


def barely_trained(summary: NeuralSummary) -> str:
    """Say which networks are barely trained, as a part of an answer; empty if none is."""
    sizes = summary.barely_trained
    return f"barely trained at n = {listed(sizes)}" if sizes else ""


def _on_grid(options: NeuralOptions) -> list[str]:
    """Samplers that visit the levels of the grid."""
    return [name for name in options.all_samplers if as_sampler(name).name in ODE]


def _network(summary: NeuralSummary) -> str:
    options = summary.options
    name = "U-Net" if options.model == "unet" else "MLP"
    return name if options.width is None else f"{name} of width {options.width:g}"


def trained_steps(summary: NeuralSummary) -> str:
    """Optimiser steps of a training, over all sizes."""
    steps = sorted({*summary.optimiser_steps.values()})
    if len(steps) == 1:
        return counted(steps[0], "optimiser step")
    return f"{steps[0]} to {steps[-1]} optimiser steps"
