"""A forecast as a document: targets, learning curve, its check, modes, assumptions."""

from __future__ import annotations

__all__ = ["forecast_document", "quantity_label", "SHOWN"]

import math
from typing import TYPE_CHECKING

from ornstein.reports.documents import Document, Section, Table, table
from ornstein.reports.forecast_sentences import (
    DEFINITIONS,
    LABELS,
    MEANINGS,
    SUBJECTS,
    advice_sentences,
    assumption_sentence,
    forecast_answer,
    headline,
    network_sentence,
    target_finding,
    target_text,
)
from ornstein.reports.tables import Column, count, number, with_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.forecasting.curve import Comparison
    from ornstein.forecasting.report import ForecastReport

SHOWN = ("w2", "one_step_w2", "test_loss_0.3", "consistency", "auc")
"""Quantities whose comparisons the text shows; page and formats have all."""
_TARGETS = {
    "from": "lower end of the 95% band of the points needed",
    "to": "its upper end",
    "at your data": "the quantity with all your points",
    "at 100 x": "with 100 times as many",
}
_MODES = {
    "component": "principal component, counted from 1 by variance",
    "of variance": "its share of the total variance",
    "ideal": "share of it that the population's denoiser keeps",
    "kept": "share that the denoiser of your points keeps on average",
    "over-shrunk": "share of the ideal that is lost",
    "agreed": "share of its generated variance that all models of n points share",
}
_NETWORK = {
    "linear": "the same of the linear models, as forecast for subsets",
    "seconds": "of the training",
}


def forecast_document(
    report: ForecastReport, shown: Sequence[str] | None = None, *, assumptions: bool = True
) -> Document:
    """Return the document of a forecast.

    Parameters
    ----------
    report : ForecastReport
    shown : sequence of str, optional
        Quantities that are compared with subsets; all by default.
    assumptions : bool
        Put assumptions into the notes, where no table holds them.
    """
    said = advice_sentences(report)
    sections = [Section([_target_table(report)], _TARGETS)] if report.targets else []
    curve = [_curve_table(report), _loss_table(report), _comparison_table(report, shown)]
    sections += [Section(curve, MEANINGS), Section([_mode_table(report, said["modes"])], _MODES)]
    findings = dict(target_finding(each, report.sizes.points) for each in report.targets)
    findings |= {name: said[key] for key, name in SUBJECTS.items()}
    if report.network:
        sections.append(Section([_network_table(report)], _NETWORK))
        findings["A small network"] = network_sentence(report)
    unit = (
        "Noise levels are in units of the data's standard deviation, "
        f"{number(report.sizes.unit)} in data units (root of the mean coordinate variance)"
    )
    return Document(
        subject=[headline(report), unit],
        sections=sections,
        answer=f"Answer: {forecast_answer(report)}",
        findings=findings,
        notes=[
            DEFINITIONS,
            *(map(assumption_sentence, report.assumptions) if assumptions else ()),
            *report.notes,
        ],
    )


def quantity_label(name: str) -> str:
    """Name of a quantity in a table.

    Examples
    --------
    >>> quantity_label("test_loss_0.3"), quantity_label("w2")
    ('test loss, 0.3', 'W2^2')
    """
    if name in LABELS:
        return LABELS[name]
    kind, _, noise = name.split("_")
    return f"{kind} loss, {noise}"


def _target_table(report: ForecastReport) -> Table:
    rows = report.targets
    columns = [
        Column("target", [target_text(each) for each in rows]),
        Column("points needed", [_needed(each.n) for each in rows]),
        Column("from", [number(each.low, 4) for each in rows]),
        Column("to", [_top(each.low, each.high) for each in rows]),
        Column("at your data", [number(each.at_data) for each in rows]),
        Column("at 100 x", [number(each.at_most) for each in rows]),
    ]
    title = "How many points are enough (band: 95%, of the estimated population alone)"
    return table(title, columns)


def _needed(n: float) -> str:
    return "not within 100 x" if math.isinf(n) else count(n)


def _top(low: float, high: float) -> str:
    if math.isnan(low):
        return ""
    return "beyond 100 x" if math.isinf(high) else number(high, 4)


def _curve_table(report: ForecastReport) -> Table:
    points, size = report.curve, report.sizes.points
    keys = [
        Column("n", [count(point.n) for point in points]),
        Column("of data", [number(point.n / size, 3) for point in points]),
    ]
    values = {name: _values(report, name, label) for name, label in LABELS.items()}
    noise = Column("noise", [number(point.noise, 2) for point in points])
    last = [values.pop("auc"), noise]
    return Table(
        "Learning curve: what n new points of the population would give (± standard error of the "
        "estimated population)",
        keys,
        [[*([column] for column in values.values()), last]],
    )


def _loss_table(report: ForecastReport) -> Table:
    least = ", ".join(f"{number(v)} at {s:g}" for s, v in report.best_losses.items())
    return Table(
        f"Denoising losses at three noise levels; the least possible is {least}",
        [Column("n", [count(point.n) for point in report.curve])],
        [
            [
                [
                    _values(report, f"{kind}_loss_{noise:g}", f"{kind} at {noise:g}")
                    for kind in ("train", "test")
                ]
                for noise in report.best_losses
            ]
        ],
    )


def _values(report: ForecastReport, name: str, heading: str) -> Column:
    """A quantity along the curve."""
    return Column(heading, [with_error(p.values[name], p.errors[name]) for p in report.curve])


def _comparison_table(report: ForecastReport, shown: Sequence[str] | None) -> Table:
    names = dict.fromkeys(each.quantity for each in report.compared) if shown is None else shown
    rows = [each for name in names for each in report.compared if each.quantity == name]
    columns = [
        Column("quantity", [quantity_label(each.quantity) for each in rows]),
        Column("n", [count(each.n) for each in rows]),
        Column("measured", [with_error(each.measured, each.measured_error) for each in rows]),
        Column("theory", [with_error(each.predicted, each.predicted_error) for each in rows]),
        Column("differ", [_difference(each) for each in rows]),
        Column("s.e.", [number(each.deviations, 2) for each in rows]),
    ]
    title = f"Measured: {report.replicates} subsets of each size, and theory of the same subsets"
    return table(title, columns)


def _difference(each: Comparison) -> str:
    """The difference of a comparison in percent; empty where theory is infinite."""
    return f"{each.percent:+.1f}%" if math.isfinite(each.percent) else ""


def _mode_table(report: ForecastReport, title: str) -> Table:
    rows = report.modes
    columns = [
        Column("component", [str(each.component) for each in rows]),
        Column("of variance", [number(each.share, 3) for each in rows]),
        Column("ideal", [number(each.ideal) for each in rows]),
        Column("kept", [number(each.kept) for each in rows]),
        Column("over-shrunk", [f"{100 * each.over_shrinkage:.2f}%" for each in rows]),
        Column("agreed", [number(each.agreed) for each in rows]),
    ]
    return table(title.rstrip("."), columns)


def _network_table(report: ForecastReport) -> Table:
    rows = report.network
    return Table(
        "A small network beside the forecast: an MLP, one training each; loss at 0.3",
        [Column("n", [count(each.n) for each in rows])],
        [
            [
                [
                    Column("W2^2 of the MLP", [number(each.w2) for each in rows]),
                    Column("linear", [number(each.predicted_w2) for each in rows]),
                ],
                [
                    Column("loss of the MLP", [number(each.loss) for each in rows]),
                    Column("linear", [number(each.predicted_loss) for each in rows]),
                ],
                [Column("seconds", [number(each.seconds, 2) for each in rows])],
            ]
        ],
    )
