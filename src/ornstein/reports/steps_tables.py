"""Tables of the steps study of a linear denoiser, and its answer."""

from __future__ import annotations

__all__ = ["tables", "document", "heading", "answer", "population", "length", "best_of_all"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.spectra import describe_spectrum
from ornstein.reports.documents import Document, Section, Table, document_text
from ornstein.reports.series import sizes_of, where
from ornstein.reports.tables import (
    Column,
    count,
    counted,
    joined,
    listed,
    number,
    paragraph,
    with_error,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def tables(summary: StepsSummary) -> str:
    """Return heading, tables of each training size, a verdict, an answer, and notes."""
    return document_text(document(summary))


def document(summary: StepsSummary) -> Document:
    """Return what `tables` prints, before it is text."""
    title = "Infinite data: KL(generated || population) at S steps, nats, exact"
    found = [_by_steps(summary, title, math.inf, "kl_mean", "order", summary.orders)]
    for size in sizes_of(summary.rows):
        found += _of_size(summary, size)
    return Document(
        subject=_subject(summary),
        sections=[
            Section(found, _MEANINGS),
            Section([_verdicts(summary)], _VERDICT_MEANINGS),
        ],
        answer=answer(summary) if summary.rows else "",
        notes=summary.notes,
    )


def heading(summary: StepsSummary) -> str:
    """Say what was studied, in three lines."""
    return "\n".join(paragraph(line, "") for line in _subject(summary))


def _subject(summary: StepsSummary) -> tuple[str, ...]:
    options = summary.options
    return (
        f"Samplers with a linear denoiser on {population(summary.options)}",
        (
            f"schedules: {options.schedule} (DDPM, DDIM), "
            f"{options.grid or options.ode_schedule} (Euler, Heun), "
            f"{length(summary)}, {options.start} start"
        ),
        f"ridge {options.ridge:g}, {options.originals} originals (expected), seed {options.seed}",
    )


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


def length(summary: StepsSummary) -> str:
    """T, or that it is S."""
    steps = summary.options.diffusion_steps
    return f"T = {steps}" if steps else "T = S"


def _of_size(summary: StepsSummary, size: int) -> list[Table]:
    """Titles and tables of one training size: a distance, and P(Delta > 0)."""
    here = where(summary.rows, train_size=size)
    finite = all(math.isfinite(row["kl_mean"]) for row in here)
    name, title = ("kl", "KL, nats") if finite else ("wasserstein2", "W2^2 (KL is infinite)")
    floor = summary.theory.get("kl_floor", {}).get(size) if finite else None
    theory = "" if floor is None else f"; theory at S = inf: {number(floor)}"
    known = [row["delta_perfect"] for row in here if "delta_perfect" in row]
    perfect = f"; perfect model: {known[0]:.3f}" if known else ""
    first = f"n = {size}, {counted(here[0]['simulations'], 'run')}: {title}{theory}"
    second = f"n = {size}: P(Delta > 0){perfect}"
    errors = _largest(here, f"{name}_se")
    return [
        _by_steps(summary, first, size, f"{name}_mean", "s.e. <", errors),
        _by_steps(summary, second, size, "delta_positive", "95% ±", _half_widths(here)),
    ]


def _by_steps(
    summary: StepsSummary,
    title: str,
    size: float,
    metric: str,
    last: str,
    values: Mapping[str, float],
) -> Table:
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
    return Table(title, [steps], [groups])


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


def _verdicts(summary: StepsSummary) -> Table:
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
            all_steps = best_of_all(summary, size, sampler)
            among_all.append("" if all_steps is None else count(all_steps.steps))
        groups.append([Column(f"S: {word}", best), Column("theory", predicted)])
        if name == "kl":
            groups[-1].append(Column("all S", among_all))
        groups[-1].append(Column("excess", gains))
    return Table(_QUESTION, keys, [groups])


def best_of_all(summary: StepsSummary, size: float, sampler: str) -> BestSteps | None:
    """The predicted best of all numbers of steps, where KL is finite."""
    return summary.theory.get("best_steps", {}).get(size, {}).get(sampler)
