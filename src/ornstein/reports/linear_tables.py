"""Tables of a linear study, and its answer."""

from __future__ import annotations

__all__ = [
    "tables",
    "document",
    "heading",
    "answer",
    "compared_rows",
    "is_heavy_tailed",
    "threshold_text",
]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.reports.documents import Document, Section, Table, document_text
from ornstein.reports.tables import (
    Column,
    number,
    numbers,
    paragraph,
    share,
    texts,
    with_error,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.studies.linear.summary import LinearSummary

    Row = Mapping[str, Any]

_SHOWN = 12
_MEANINGS = {
    "KL": "KL(generated || population), in nats",
    "Wasserstein^2": "squared 2-Wasserstein distance, in squared data units",
    "Hellinger^2": "squared Hellinger distance, between 0 and 1",
    "tr Sigma_G/(d s^2)": "trace of the generated covariance over the population's",
    "theory": "what is expected of it in closed form",
    "median": "over runs, where the expectation is infinite",
}
_POINT_MEANINGS = {
    "originals": "log squared L2 distance of the law to a kernel density of them",
    "training set": "the same of the training set",
    "ln |Delta|": "log size of the difference of the two, mean over runs",
    "P(Delta > 0)": "share of runs closer to the originals, Wilson 95% interval",
    "perfect model": "P(Delta > 0) of a model that generates the population",
    "theory": "P(Delta > 0) of the one-step model, without simulation",
}
_DISTANCES = "Generated law against the population (mean ± standard error over runs)"
_POINTS = "Generated law against points: ln of squared L2 distances to originals and training set"


def tables(summary: LinearSummary) -> str:
    """Return heading, tables, what their columns mean, an answer, and notes."""
    return document_text(document(summary))


def document(summary: LinearSummary) -> Document:
    """Return what `tables` prints, before it is text."""
    rows = _shown(summary)
    notes = list(summary.notes)
    if len(rows) < len(summary.rows):
        notes.append(
            f"{len(rows)} of {len(summary.rows)} training sizes are shown; summary.csv and --json "
            "have all."
        )
    return Document(
        subject=_subject(summary),
        sections=(
            Section([_distances(summary, rows)], _MEANINGS),
            *([Section([_against_points(rows)], _POINT_MEANINGS)] if compared_rows(rows) else []),
        ),
        answer=answer(summary) if rows else "",
        notes=notes,
    )


def _distances(summary: LinearSummary, rows: Sequence[Row]) -> Table:
    """Distances to the population, measured and predicted."""

    def compared(heading: str, name: str) -> list[Column]:
        return [
            Column(heading, [_measured(summary, row, name) for row in rows]),
            Column("theory", [_predicted(row, name) for row in rows]),
        ]

    runs, sizes = [texts("runs", rows, "simulations")], [texts("n", rows, "train_size")]
    first = [runs, compared("KL, nats", "kl"), compared("Wasserstein^2", "wasserstein2")]
    second = [compared("Hellinger^2", "hellinger2"), compared("tr Sigma_G/(d s^2)", "trace")]
    return Table(_DISTANCES, sizes, [first, second])


def _against_points(rows: Sequence[Row]) -> Table:
    columns = [
        numbers("originals", rows, "log_l2_original_mean", 6),
        numbers("training set", rows, "log_l2_train_mean", 6),
        numbers("ln |Delta|", rows, "delta_log_abs_mean", 6),
    ]
    shares = [share("P(Delta > 0) [95%]", rows, "delta")]
    for heading, name in (("perfect model", "delta_perfect"), ("theory", "delta_positive_theory")):
        if all(name in row for row in rows):
            shares.append(Column(heading, [_share(row[name]) for row in rows]))
    # A share stands beside what it is to be compared with.
    groups = [[column] for column in columns]
    groups += [shares] if any(shares[-1].cells) and len(shares) == 3 else [[c] for c in shares]
    return Table(_POINTS, [texts("n", rows, "train_size")], [groups])


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def heading(summary: LinearSummary) -> str:
    """Say what was studied, in two lines."""
    return "\n".join(paragraph(line, "") for line in _subject(summary))


def _subject(summary: LinearSummary) -> tuple[str, ...]:
    options = summary.options
    originals = f"{options.originals} originals ({options.original_mode})"
    if options.data is not None:
        what = f"{summary.source}, d = {summary.dim}, std {number(summary.std)}"
        some = "as many originals as training points from the rest"
        originals = {None: "the rest as originals", "n": some}.get(
            options.originals, f"{options.originals} originals from the rest"
        )
    elif options.has_spectrum:
        what = f"{summary.source}, std {number(summary.std)}"
    else:
        what = f"{summary.source} in d = {summary.dim}"
    return (
        f"One-step linear denoiser on {what}",
        (
            f"T = {options.time:g}, noise scale {options.noise_scale:g}, {originals}, "
            f"seed {options.seed}; n* = {threshold_text(summary)}"
        ),
    )


def threshold_text(summary: LinearSummary) -> str:
    """n* in words."""
    return "infinite" if math.isinf(summary.threshold) else f"{summary.threshold:.1f}"


def answer(summary: LinearSummary) -> str:
    """Return one sentence: how far the law is from the population, and where Delta turns."""
    rows = summary.rows
    finite = [row for row in rows if math.isfinite(row["kl_mean"])]
    if finite:
        first, last = finite[0], finite[-1]
        parts = [
            f"KL to the population is {number(last['kl_mean'], 3)} nats at n = {last['train_size']}"
        ]
        if last is not first:
            parts[0] += (
                f", after {_number_or_median(summary, first, 'kl')} at n = {first['train_size']}"
            )
    else:
        parts = ["KL to the population is infinite at every n"]
    compared = compared_rows(rows)
    turned = _turn(compared)
    if not compared:
        parts.append("Delta was not measured")
    elif turned is None:
        last = compared[-1]
        parts.append(
            f"up to n = {last['train_size']} it is not established that Delta > 0 in more than "
            f"half of the runs ({share('', [last], 'delta').cells[0]} there{_null(last)})"
        )
    else:
        parts.append(
            f"from n = {turned} ({turned / summary.dim:.2g} d) on, Delta > 0 in more than half of "
            "the runs (95% interval above 1/2): the law is closer to fresh data than to its "
            "training set"
        )
        last = compared[-1]
        if "delta_perfect" in last:
            at = f" at n = {last['train_size']}"
            parts.append(f"{share('', [last], 'delta').cells[0][:5]} of the runs{at}{_null(last)}")
    return f"Answer: {'; '.join(parts)}."


def compared_rows(rows: Sequence[Row]) -> list[Row]:
    """Rows of laws that were compared with points, all but those of very large training sets."""
    return [row for row in rows if not math.isnan(row["delta_positive"])]


def _null(row: Row) -> str:
    """What a perfect model would have, where it is known."""
    known = row.get("delta_perfect", math.nan)
    return "" if math.isnan(known) else f", {known:.3f} for a perfect model"


def _turn(rows: Sequence[Row]) -> int | None:
    """Least size from which on all intervals of P(Delta > 0) lie above 1/2."""
    above = [row["delta_positive_low"] > 0.5 for row in rows]
    if not above or not above[-1]:
        return None
    first = len(above) - above[::-1].index(False) if False in above else 0
    return int(rows[first]["train_size"])


def _shown(summary: LinearSummary) -> Sequence[Row]:
    """All rows, or those of some sizes equal in ratio, with the ones next to d and n*."""
    rows = summary.rows
    if len(rows) <= _SHOWN:
        return rows
    sizes = np.array([row["train_size"] for row in rows], dtype=float)
    marked = [place for place in (summary.dim, summary.threshold) if math.isfinite(place)]
    wanted = [*marked, *np.geomspace(sizes[0], sizes[-1], 3 * _SHOWN)]
    chosen = {0, len(rows) - 1}
    # The landmarks first, then sizes in the order of a bisection, so that any cut is even.
    first = len(marked)
    order = sorted(
        range(first, len(wanted)), key=lambda i: _bisection_rank(i - first, len(wanted) - first)
    )
    for index in [*range(first), *order]:
        if len(chosen) == _SHOWN:
            break
        chosen.add(int(np.abs(np.log(sizes / wanted[index])).argmin()))
    return [rows[index] for index in sorted(chosen)]


def _bisection_rank(index: int, count: int) -> float:
    """Van der Corput's sequence: neighbours in rank are far apart on the axis."""
    fraction, scale, left = 0.0, 0.5, index
    while left:
        fraction += scale * (left % 2)
        left //= 2
        scale /= 2
    return fraction * count


def is_heavy_tailed(summary: LinearSummary, row: Row) -> bool:
    """Whether the expectation is infinite, so that a mean over runs says little.

    Constant coordinates count in the dimension: the noise on them is regressed on.
    """
    return abs(row["train_size"] - 1 - summary.dim) <= 1


def _measured(summary: LinearSummary, row: Row, name: str) -> str:
    mean, error = row[f"{name}_mean"], row[f"{name}_se"]
    if name != "hellinger2" and math.isfinite(mean) and is_heavy_tailed(summary, row):
        return f"median {number(row[f'{name}_median'])}"
    return with_error(mean, error)


def _number_or_median(summary: LinearSummary, row: Row, name: str) -> str:
    if is_heavy_tailed(summary, row):
        return f"a median of {number(row[f'{name}_median'], 3)}"
    return number(row[f"{name}_mean"], 3)


def _predicted(row: Row, name: str) -> str:
    return with_error(row[f"{name}_mean"], row[f"{name}_se"], row[f"{name}_theory"])
