r"""Tables of the steps study: means over training sets, and whether a finite S is best.

The excess over infinitely many steps,

    excess(S) = distance(S) - distance(inf),

is averaged cell by cell: both distances are exact for one training set, so the error of the mean
excess is far below that of either distance. A finite number of steps is called better than
infinitely many where the excess is negative by more than :data:`SIGNIFICANT` standard errors.

Rows with ``train_size = inf`` are the population's own denoiser, exact and without simulation.

Theory stands beside each distance (:mod:`ornstein.studies.steps.prediction`), and beside the best
number of steps that which it predicts: of the S of the study, and for KL of all S.
"""

from __future__ import annotations

__all__ = ["StepsSummary", "summarize", "population_rows", "Optimum", "optima", "SIGNIFICANT"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ornstein.engine.summary import Summary, averages, mean_and_error, share_positive
from ornstein.intervals import few_values_note
from ornstein.studies.perfect_models import perfect_model_of
from ornstein.studies.steps.prediction import predicted_best, predicted_distances
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
    predicted: float = math.nan
    """Of the S asked for, ``inf`` among them, that of the smallest distance in theory."""


@dataclass(frozen=True, kw_only=True)
class StepsSummary(Summary):
    """What a steps study found.

    Rows with ``train_size = inf`` are the population's own denoiser. `theory` has ``kl_floor``: the
    expected KL at ``S = inf`` by training size, where it is known; ``best_steps``: the number of
    steps of least expected KL, of all there are, by training size and sampler; and
    ``perfect_delta``, P(Delta > 0) of a model that generates the population.
    """

    options: StepsOptions
    all_steps: tuple[float, ...]
    """Numbers of steps in ascending order, the infinite one last."""
    orders: Mapping[str, float]
    """Fitted order of convergence of each sampler."""
    optima: Mapping[str, Sequence[Optimum]]
    """By distance."""

    report: ClassVar[str] = "steps"
    documented: ClassVar[Mapping[str, str]] = {
        "orders": "orders",
        "optima": "optima",
        "best_steps": "best_steps",
    }

    @property
    def best_steps(self) -> list[dict[str, Any]]:
        """Predicted best numbers of steps, as entries of the JSON document."""
        return [
            {"train_size": n, "sampler": sampler, **best._asdict()}
            for n, found in self.theory.get("best_steps", {}).items()
            for sampler, best in found.items()
        ]


def summarize(study: StepsStudy, store: Store) -> StepsSummary:
    """Make the summary of the finished cells; the population's rows come first."""
    found = store.of(study)
    rows = population_rows(study) if found else []
    perfect = perfect_model_of(
        study.source, list(found), study.options.originals, "expected", study.options.seed
    )
    for train_size, values in found.items():
        rows += _rows(study, train_size, values, perfect.columns(train_size))
    if perfect.shares:
        rows = [dict.fromkeys(rows[-1], math.nan) | row for row in rows]
    floors = {}
    if not study.options.ridge:
        floors = {n: study.kl_floor(n) for n in found if n - 1 >= study.dim}
    return StepsSummary(
        rows=rows,
        notes=[
            *_notes(study),
            *filter(None, [perfect.note]),
            *few_values_note((row["simulations"] for row in rows), "run"),
        ],
        theory={
            "kl_floor": floors,
            "best_steps": {n: predicted_best(study, n) for n in found},
            **perfect.curve(),
        },
        options=study.options,
        all_steps=study.all_steps,
        orders=study.orders() if found else {},
        optima={name: optima(rows, name) for name in DISTANCES},
    )


def _rows(
    study: StepsStudy,
    train_size: int,
    values: Mapping[str, Sequence[float]],
    perfect: Mapping[str, float],
) -> list[Row]:
    """Rows of one training size; `perfect` are their last columns."""
    rows = []
    theory = predicted_distances(study, train_size)
    for first, measured in rows_by_sampler(study, train_size, values, METRICS):
        row = first
        for name in DISTANCES:
            here = np.array(measured[name])
            limit = np.array(values[metric_name(str(row["sampler"]), math.inf, name)])
            finite = np.isfinite(here) & np.isfinite(limit)
            excess = np.subtract(here, limit, out=np.full_like(here, np.nan), where=finite)
            row |= averages(measured, (name,))
            row[f"{name}_excess"], row[f"{name}_excess_se"] = mean_and_error(list(excess))
        predicted = theory[str(row["sampler"]), float(row["steps"])]
        row |= share_positive("delta", measured["delta_sign"])
        row |= {f"{name}_theory": predicted[name] for name in DISTANCES}
        rows.append({**row, **perfect})
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
        row |= {f"{name}_theory": value for name, value in zip(DISTANCES, here, strict=True)}
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
    theory: dict[tuple[str, float], dict[float, float]] = {}
    for row in rows:
        if not math.isnan(value := row.get(f"{distance}_theory", math.nan)):
            theory.setdefault((row["sampler"], row["train_size"]), {})[row["steps"]] = value
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
        # Of equal distances that of infinitely many steps.
        known = sorted(theory.get((sampler, train_size), {}).items(), reverse=True)
        predicted = min(known, key=lambda pair: pair[1], default=(math.nan, 0.0))[0]
        found.append(
            Optimum(sampler, train_size, int(best["steps"]), excess, error, better, predicted)
        )
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
        f"{SIGNIFICANT:g} standard errors of their difference cell by cell; otherwise inf. theory: "
        "the same of the expected distances; all S: of every number of steps up to 1000."
    )
    theory = (
        "theory: expected distances over training sets, right to o(1) nats in total for large n "
        "and d."
    )
    options = study.options
    found = [order, best, theory, *options.without_effect()]
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
