r"""Tables of the steps study: means over training sets, and whether a finite S is best.

The excess over infinitely many steps,

    excess(S) = distance(S) - distance(inf),

is averaged cell by cell: both distances are exact for one training set, so the error of the mean
excess is far below that of either distance. A finite number of steps is called better than
infinitely many where the excess is negative by more than :data:`SIGNIFICANT` standard errors.

Rows with ``train_size = inf`` are the population's own denoiser, exact and without simulation.
"""

from __future__ import annotations

__all__ = ["StepsSummary", "summarize", "population_rows", "Optimum", "optima", "SIGNIFICANT"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ornstein.engine.summary import Summary, averages, mean_and_error, share_positive
from ornstein.studies.steps.study import DISTANCES, METRICS, distances
from ornstein.studies.steps.values import metric_name, rows_by_sampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.engine.store import Store
    from ornstein.studies.steps.options import StepsOptions
    from ornstein.studies.steps.study import StepsStudy
    from ornstein.studies.steps.values import Row

SIGNIFICANT = 4.0


class Optimum(NamedTuple):
    """Best finite number of steps of a sampler, for one distance."""

    sampler: str
    train_size: float
    """``inf`` for the population's denoiser."""
    steps: int
    """S with the smallest mean distance, of those asked for."""
    excess: float
    """Its mean distance less that of infinitely many steps, cell by cell."""
    excess_se: float
    better: bool
    """Whether the excess is negative by more than `SIGNIFICANT` standard errors."""


@dataclass(frozen=True, kw_only=True)
class StepsSummary(Summary):
    """What a steps study found.

    Rows with ``train_size = inf`` are the population's own denoiser. `theory` has ``kl_floor``: the
    expected KL at ``S = inf`` by training size, where it is known.
    """

    options: StepsOptions
    all_steps: tuple[float, ...]
    """Numbers of steps in ascending order, the infinite one last."""
    orders: Mapping[str, float]
    """Fitted order of convergence of each sampler."""
    optima: Mapping[str, Sequence[Optimum]]
    """By distance."""

    report: ClassVar[str] = "steps"
    documented: ClassVar[Mapping[str, str]] = {"orders": "orders", "optima": "optima"}


def summarize(study: StepsStudy, store: Store) -> StepsSummary:
    """Make the summary of the finished cells; the population's rows come first."""
    found = store.of(study)
    rows = population_rows(study) if found else []
    for train_size, values in found.items():
        rows += _rows(study, train_size, values)
    floors = {}
    if not study.options.ridge:
        floors = {n: study.kl_floor(n) for n in found if n - 1 >= study.dim}
    return StepsSummary(
        rows=rows,
        notes=_notes(study),
        theory={"kl_floor": floors},
        options=study.options,
        all_steps=study.all_steps,
        orders=study.orders() if found else {},
        optima={name: optima(rows, name) for name in DISTANCES},
    )


def _rows(study: StepsStudy, train_size: int, values: Mapping[str, Sequence[float]]) -> list[Row]:
    """Rows of one training size."""
    rows = []
    for first, measured in rows_by_sampler(study, train_size, values, METRICS):
        row = first
        for name in DISTANCES:
            here = np.array(measured[name])
            limit = np.array(values[metric_name(str(row["sampler"]), math.inf, name)])
            finite = np.isfinite(here) & np.isfinite(limit)
            excess = np.subtract(here, limit, out=np.full_like(here, np.nan), where=finite)
            row |= averages(measured, (name,))
            row[f"{name}_excess"], row[f"{name}_excess_se"] = mean_and_error(list(excess))
        rows.append(row | share_positive("delta", measured["delta_sign"]))
    return rows


def population_rows(study: StepsStudy) -> list[Row]:
    """Exact distances of the population's own denoiser, as rows of the summary."""
    laws = study.laws(study.source)
    limits = {s: distances(law, study.source) for s, steps, law in laws if steps == math.inf}
    rows = []
    for sampler, steps, law in laws:
        row: Row = {"sampler": sampler, "steps": steps, "train_size": math.inf, "simulations": 0}
        here = distances(law, study.source)
        for name, value, limit in zip(DISTANCES, here, limits[sampler], strict=True):
            row[f"{name}_mean"], row[f"{name}_se"] = value, math.nan
            row[f"{name}_excess"], row[f"{name}_excess_se"] = value - limit, math.nan
        for name in ("delta_positive", "delta_positive_low", "delta_positive_high"):
            row[name] = math.nan
        rows.append(row)
    return rows


def optima(rows: Sequence[Mapping[str, Any]], distance: str = "kl") -> list[Optimum]:
    """Best finite number of steps of every sampler and training size.

    Parameters
    ----------
    rows : sequence of mappings
        As `summarize` returns them.
    distance : {"kl", "hellinger2", "wasserstein2"}

    Returns
    -------
    list of Optimum
        None where the distance is infinite.
    """
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["steps"] != math.inf and math.isfinite(row[f"{distance}_mean"]):
            groups.setdefault((row["sampler"], row["train_size"]), []).append(row)
    found = []
    for (sampler, train_size), group in groups.items():
        best = min(group, key=lambda row: row[f"{distance}_mean"])
        excess, error = best[f"{distance}_excess"], best[f"{distance}_excess_se"]
        # The population's rows are exact, and the error of a single replicate is unknown (nan).
        exact = train_size == math.inf
        margin = 1e-9 * best[f"{distance}_mean"] if exact else SIGNIFICANT * error
        better = bool(excess < -margin)
        found.append(Optimum(sampler, train_size, int(best["steps"]), excess, error, better))
    return found


def _notes(study: StepsStudy) -> list[str]:
    """What a reader of the tables needs to know."""
    order = (
        "order: p in distance ~ S^-p, fitted to the three largest S, of the 2-Wasserstein distance "
        "to the law of infinitely many steps, with infinite data. KL and W2^2 fall like S^-2p down "
        "to what is left at S = inf."
    )
    best = (
        "best S: smallest mean distance of the S listed, if below that of S = inf by more than "
        f"{SIGNIFICANT:g} standard errors of their difference cell by cell; otherwise inf."
    )
    found = [order, best]
    options = study.options
    if any(size - 1 < study.dim for size in study.train_sizes) and not options.ridge:
        found.append(
            "n - 1 < d: the generated law has rank n - 1, so KL is infinite and Hellinger^2 is 1; "
            "Wasserstein and Delta stay finite."
        )
    if not options.diffusion_steps:
        found.append(
            "T = S: with the range of beta given, more steps also noise further. The order of "
            "samplers on beta schedules counts both, and is no order of discretization."
        )
    if options.start == "standard" and (options.mean != 0 or options.std != 1):
        found.append(
            "The standard start is where centred data of unit variance would be. These data are "
            "elsewhere, and samplers of the ODE (ddim, euler, heun) keep part of the difference at "
            "any S; ddpm forgets it."
        )
    return found
