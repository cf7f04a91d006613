"""The summary of a linear study: simulation and theory, size by size."""

from __future__ import annotations

__all__ = ["LinearSummary", "summarize"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.data.sources import MIXTURE_DRAWS
from ornstein.engine.summary import Summary, averages, share_positive
from ornstein.studies.linear.study import COMPARED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.engine.store import Store
    from ornstein.studies.linear.options import LinearOptions
    from ornstein.studies.linear.study import LinearStudy

_CURVE_POINTS = 160


@dataclass(frozen=True, kw_only=True)
class LinearSummary(Summary):
    """What a linear study found.

    Rows have, for each of KL, Hellinger^2, Wasserstein^2 and trace, ``_mean``, ``_se``,
    ``_theory`` and ``_median``. `theory` has the array ``train_size`` and theory at these sizes.
    """

    options: LinearOptions
    source: str
    """What the training sets are drawn from, in words."""
    dim: int
    rank: int
    """Directions in which the data vary; ``dim`` unless coordinates are constant."""
    std: float
    threshold: float
    """``n*``, of the isotropic Gaussian of this dimension and standard deviation."""
    is_approximate: bool
    """Whether theory stands for a Gaussian that only resembles the data."""

    report: ClassVar[str] = "linear"


def summarize(study: LinearStudy, store: Store) -> LinearSummary:
    """Make the summary of the finished cells."""
    rows = [_row(study, size, values) for size, values in store.of(study).items()]
    return LinearSummary(
        rows=rows,
        notes=_notes(study),
        theory=_curves(study, [row["train_size"] for row in rows]),
        options=study.options,
        source=study.source.describe(),
        dim=study.dim,
        rank=study.source.moments().covariance.rank,
        std=study.std,
        threshold=study.threshold,
        is_approximate=study.source.population is None,
    )


def _row(study: LinearStudy, train_size: int, values: dict[str, list[float]]) -> dict[str, Any]:
    """One row of ``summary.csv``."""
    theory = study.theory(train_size)
    row: dict[str, Any] = {"train_size": train_size, "simulations": len(values["delta_sign"])}
    for name in COMPARED:
        row |= averages(values, (name,)) | {f"{name}_theory": theory.get(name, math.nan)}
    row |= averages(values, ("log_l2_original", "log_l2_train", "delta_log_abs"))
    row |= share_positive("delta", values["delta_sign"])
    return row | {f"{name}_median": float(np.median(values[name])) for name in COMPARED}


def _curves(study: LinearStudy, sizes: Sequence[int]) -> dict[str, np.ndarray]:
    """Theory on a fine grid of sizes; empty where there is none."""
    if not sizes or not study.theory(sizes[0]):
        return {}
    # A figure of one size shows what is around it.
    factor = 1.2 if max(sizes) > 3 * min(sizes) else 2.1
    low, high = max(2.0, min(sizes) / factor), max(sizes) * factor
    grid = np.unique(np.geomspace(low, high, _CURVE_POINTS).round().astype(int))
    values = [study.theory(int(n)) for n in grid]
    columns = {name: np.array([value[name] for value in values]) for name in COMPARED}
    return {"train_size": grid.astype(float), **columns}


def _notes(study: LinearStudy) -> list[str]:
    """What a reader of the table needs to know."""
    population = study.source.population
    notes = []
    if any(size - 1 < study.dim for size in study.train_sizes):
        notes.append(
            "n - 1 < d: the generated law has rank n - 1, so KL and the L2 distances are "
            "infinite and Hellinger^2 is 1; Wasserstein and Delta stay finite."
        )
    if any(abs(size - 1 - study.dim) <= 1 for size in study.train_sizes):
        notes.append(
            "|n - 1 - d| <= 1: the expectations are infinite, so means over runs, where they "
            "are finite, and their standard errors depend on the largest run alone."
        )
    if population is None or len(population.components) > 1:
        notes.append(
            "n*: that of the isotropic Gaussian of this dimension and mean coordinate variance."
        )
    if population is None:
        notes += _notes_on_data(study)
    elif len(population.components) > 1:
        notes.append(
            "theory: empty, since the closed forms hold for one isotropic Gaussian; KL and "
            f"Hellinger^2 to the mixture are estimated from {MIXTURE_DRAWS} generated points "
            "a cell (error included), Wasserstein to a mixture has no closed form."
        )
    else:
        notes.append(
            "theory: asymptotic, of error O(1/d) in total nats (trace: exact to O(1/n)); "
            "within the window |n - n*| < n*/sqrt(d), O(1/sqrt(d))."
        )
    return [*notes, *study.source.notes]


def _notes_on_data(study: LinearStudy) -> list[str]:
    source = study.source
    count = int(source.largest_train_size) + 2
    notes = [
        (
            "theory~: an approximation, the isotropic Gaussian with the mean coordinate "
            f"variance of {source.name} ({source.std**2:.4g}); measured distances are to "
            "the Gaussian with the mean and covariance of all its points."
        ),
        (
            f"Delta: the originals are the {count} - n points left over. "
            "Where their number is not n, sizes alone move Delta away from 0."
        ),
    ]
    if source.constant_coordinates:
        notes.append(
            f"{source.constant_coordinates} of the {source.dim} coordinates of {source.name} are "
            "constant. "
            "Where still more are constant in a training set, the generated law lacks "
            "directions of the data: KL and the L2 distances are infinite, and "
            "Hellinger^2 is 1."
        )
    return notes
