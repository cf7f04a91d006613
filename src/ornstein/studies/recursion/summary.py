"""The summary of a recursion study: simulation and theory, generation by generation."""

from __future__ import annotations

__all__ = ["RecursionSummary", "summarize"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ornstein.engine.summary import Summary, averages
from ornstein.intervals import few_values_note
from ornstein.studies.recursion.prediction import limit, predicted
from ornstein.studies.recursion.study import MEASURED

if TYPE_CHECKING:
    from ornstein.engine.store import Store
    from ornstein.studies.recursion.options import RecursionOptions
    from ornstein.studies.recursion.study import RecursionStudy


@dataclass(frozen=True, kw_only=True)
class RecursionSummary(Summary):
    """What a recursion study found.

    Rows have ``train_size``, ``generation``, ``simulations``, and for each of KL, trace, square and
    trace_square ``_mean``, ``_se`` and ``_theory``. `theory` has ``limit``: ``E tr S^2 / d`` of
    infinitely many generations by training size, where it is known.
    """

    options: RecursionOptions

    report: ClassVar[str] = "recursion"


def summarize(study: RecursionStudy, store: Store) -> RecursionSummary:
    """Make the summary of the finished cells."""
    rows: list[dict[str, Any]] = []
    found = store.of(study)
    for train_size, values in found.items():
        theory = predicted(study, train_size)
        for i, k in enumerate(study.generations):
            here = {name: values[f"{k}/{name}"] for name in MEASURED}
            row = {"train_size": train_size, "generation": k, "simulations": len(here["kl"])}
            for name in MEASURED:
                row |= averages(here, (name,)) | {f"{name}_theory": float(theory[name][i])}
            rows.append(row)
    return RecursionSummary(
        rows=rows,
        notes=[*_notes(study), *few_values_note((row["simulations"] for row in rows), "run")],
        theory={"limit": {n: limit(study, n) for n in found}},
        options=study.options,
    )


def _notes(study: RecursionStudy) -> list[str]:
    """What a reader of the table needs to know."""
    options, sizes = study.options, study.train_sizes
    needed = options.dim if options.known_mean else options.dim + 1
    notes = []
    if min(sizes) < needed:
        notes.append(
            f"n < {needed}: the first generation has fewer directions than the population, and no "
            "later one has more, so KL is infinite"
            + ("." if not options.fresh_fraction else ", unless fresh points fill them.")
        )
    if options.model == "one-step" and any(abs(n - 1 - options.dim) <= 1 for n in sizes):
        notes.append(
            "|n - 1 - d| <= 1: the expectations of the one-step model are infinite, so means over "
            "runs depend on the largest run alone."
        )
    if options.fresh_fraction:
        counts = ", ".join(f"{options.fresh_points(n)} of {n}" for n in sizes[:4])
        more = ", ..." if len(sizes) > 4 else ""
        notes.append(f"fresh points: {counts}{more}.")
    fresh = any(options.fresh_points(n) for n in sizes)
    if options.model == "gaussian":
        text = "theory: exact. tr S / d is 1 on average in every generation, while S collapses: "
        text += "few runs carry its mean, and in most of them it is far below."
        if fresh:
            text += " With fresh points there is none for KL"
            text += "." if options.known_mean else ", and none for traces but with a known mean."
    elif fresh:
        text = "theory: none for the one-step model with fresh points."
    else:
        text = (
            "theory: of the spectrum of each generation in many dimensions, of error O(1/d) a "
            "generation."
        )
    return [*notes, text]
