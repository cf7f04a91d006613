"""Tables and figure of samplers with the memorizing optimum."""

from __future__ import annotations

__all__ = ["tables", "document", "figures"]

from typing import TYPE_CHECKING, Any

from ornstein.reports.documents import Document, Section, Table, document_text
from ornstein.reports.series import sizes_of, where
from ornstein.reports.steps import population
from ornstein.reports.tables import measured, number, share, texts
from ornstein.reports.unet_steps import figure_by_sampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.studies.steps.empirical import EmpiricalStepsSummary

    Row = Mapping[str, Any]

_MEANINGS = {
    "S": "number of sampling steps",
    "KL": "KL(generated || population) of the Gaussian fit, in nats",
    "W2^2": "squared 2-Wasserstein distance of the Gaussian fit, in squared data units",
    "linear": "the same of the best linear denoiser, exact, mean over the training sets",
    "copied": "memorized fraction: share of generated points whose nearest training point is much "
    "nearer than the second nearest",
    "P [95%]": "share of runs with Delta > 0: closer to fresh data than to the training set",
}


def tables(summary: EmpiricalStepsSummary) -> str:
    """Return heading, a table per training size, what its columns mean, an answer, and notes."""
    return document_text(document(summary))


def document(summary: EmpiricalStepsSummary) -> Document:
    """Return what `tables` prints, before it is text."""
    found = []
    for size in sizes_of(summary.rows):
        here = where(summary.rows, train_size=size)
        baseline = number(here[0]["baseline_mean"], 3)
        runs = here[0]["simulations"]
        groups = [
            [measured("KL, nats", here, "kl"), measured("linear", here, "kl_linear")],
            [
                measured("W2^2", here, "wasserstein2"),
                measured("linear", here, "wasserstein2_linear"),
            ],
            [measured("copied", here, "memorized")],
            [share("P [95%]", here, "delta")],
        ]
        title = f"n = {size}, {runs} runs (of held-out points copied: {baseline})"
        keys = [texts("sampler", here, "sampler"), texts("S", here, "steps")]
        found.append(Table(title, keys, [groups]))
    return Document(
        subject=[_heading(summary)],
        sections=[Section(found, _MEANINGS)],
        answer=answer(summary.rows) if summary.rows else "",
        notes=summary.notes,
    )


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
    """KL, Wasserstein and memorized fraction against S."""
    options = summary.options
    studied = (
        f"posterior mean of n points of {population(options)}",
        f"{options.start} start",
        f"seed {options.seed}",
    )
    return {"figure": figure_by_sampler(summary, studied)}
