"""What is printed of a forecast: targets, learning curve, its check, modes, assumptions."""

from __future__ import annotations

__all__ = [
    "forecast_text",
    "forecast_document",
    "forecast_rows",
    "comparison_rows",
    "quantity_label",
    "SHOWN",
    "difference",
]

import math
from typing import TYPE_CHECKING, Any

from ornstein.reports.forecast_sentences import (
    DEFINITIONS,
    LABELS,
    MEANINGS,
    advice_sentences,
    headline,
    target_sentence,
    target_text,
)
from ornstein.reports.tables import (
    Column,
    count,
    format_groups,
    format_table,
    legend,
    number,
    paragraph,
    with_error,
)

if TYPE_CHECKING:
    from ornstein.forecasting.curve import Comparison
    from ornstein.forecasting.report import ForecastReport

SHOWN = ("w2", "one_step_w2", "test_loss_0.3", "consistency", "auc")
"""Quantities whose comparisons the text shows; the page and the document have all."""


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


def forecast_rows(report: ForecastReport) -> list[dict[str, Any]]:
    """The curve as rows of one table, with what was measured at the same n."""
    measured = {(each.n, each.quantity): each for each in report.compared}
    rows = []
    for point in report.curve:
        row: dict[str, Any] = {
            "n": point.n,
            "multiple": point.n / report.sizes.points,
            "attack_noise": point.noise,
        }
        for name, value in point.values.items():
            found = measured.get((point.n, name))
            row |= {name: value, f"{name}_se": point.errors[name]}
            row |= {
                f"{name}_measured": math.nan if found is None else found.measured,
                f"{name}_measured_se": math.nan if found is None else found.measured_error,
                f"{name}_subset": math.nan if found is None else found.predicted,
                f"{name}_subset_se": math.nan if found is None else found.predicted_error,
            }
        rows.append(row)
    return rows


def comparison_rows(report: ForecastReport) -> list[dict[str, Any]]:
    """Comparisons with their difference in percent and in standard errors."""
    return [
        {**each._asdict(), "percent": each.percent, "deviations": each.deviations}
        for each in report.compared
    ]


def forecast_document(report: ForecastReport) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "name": report.name,
        "sizes": report.sizes._asdict(),
        "process": report.process._asdict(),
        "threshold": report.threshold,
        "leading": report.leading,
        "leading_threshold": report.leading_threshold,
        "spectrum": list(report.spectrum),
        "sample_spectrum": list(report.sample_spectrum),
        "curve": [
            {
                "n": point.n,
                "noise": point.noise,
                "values": dict(point.values),
                "errors": dict(point.errors),
            }
            for point in report.curve
        ],
        "compared": comparison_rows(report),
        "replicates": report.replicates,
        "best_losses": {f"{noise:g}": value for noise, value in report.best_losses.items()},
        "targets": [
            {**each._asdict(), "sentence": target_sentence(each, report.sizes.points)}
            for each in report.targets
        ],
        "modes": [
            {**each._asdict(), "over_shrinkage": each.over_shrinkage} for each in report.modes
        ],
        "sampling": report.sampling._asdict(),
        "stopping": report.stopping._asdict(),
        "collapse": report.collapse._asdict(),
        "assumptions": [each._asdict() for each in report.assumptions],
        "network": [each._asdict() for each in report.network],
        "sentences": advice_sentences(report),
        "notes": list(report.notes),
    }


def forecast_text(report: ForecastReport) -> str:
    """Everything as text of 80 columns."""
    said = advice_sentences(report)
    parts = [
        paragraph(headline(report), ""),
        paragraph(
            "Noise levels are in units of the data's standard deviation, "
            f"{number(report.sizes.unit)} in data units (root of the mean coordinate variance).",
            "",
        ),
        *_targets(report),
        paragraph(
            "Learning curve: what n new points of the population would give (± standard error of "
            "the estimated population)",
            "",
        )
        + f"\n\n{_curve(report)}",
        f"{paragraph(_least(report), '')}\n\n{_losses(report)}",
        _compared(report),
        f"{legend(MEANINGS)}\n\n{paragraph(DEFINITIONS)}",
        f"{paragraph(said['modes'], '')}\n\n{_modes(report)}",
        "What follows\n"
        + "\n".join(
            _item(said[name]) for name in ("threshold", "steps", "grid", "stopping", "collapse")
        ),
        *_network(report),
        "Assumptions, and the check of each\n"
        + "\n".join(
            _item(
                f"{each.name}: {each.holds}. {_sentence(each.check)}"
                + (f" {_sentence(each.consequence)}" if each.consequence else "")
            )
            for each in report.assumptions
        ),
    ]
    if report.notes:
        parts.append("Notes\n" + "\n".join(_item(note) for note in report.notes))
    return "\n\n".join(parts)


def _targets(report: ForecastReport) -> list[str]:
    if not report.targets:
        return []
    table = format_table(
        [
            Column("target", [target_text(each) for each in report.targets]),
            Column("points needed", [_needed(each.n) for each in report.targets]),
            Column("from", [number(each.low, 4) for each in report.targets]),
            Column("to", [_top(each.low, each.high) for each in report.targets]),
            Column("at your data", [number(each.at_data) for each in report.targets]),
        ]
    )
    sentences = "\n".join(
        _item(target_sentence(each, report.sizes.points)) for each in report.targets
    )
    title = "How many points are enough (band: 95%, of the estimated population alone)"
    return [f"{title}\n\n{table}\n\n{sentences}"]


def _needed(n: float) -> str:
    return "not within 100 x" if math.isinf(n) else count(n)


def _top(low: float, high: float) -> str:
    if math.isnan(low):
        return ""
    return "beyond 100 x" if math.isinf(high) else number(high, 4)


def _curve(report: ForecastReport) -> str:
    points, size = report.curve, report.sizes.points
    columns = [
        Column("n", [count(point.n) for point in points]),
        Column("of data", [number(point.n / size, 3) for point in points]),
        *(
            Column(label, [with_error(point.values[name], point.errors[name]) for point in points])
            for name, label in LABELS.items()
            if name != "auc"
        ),
    ]
    last = [
        Column("AUC", [with_error(p.values["auc"], p.errors["auc"]) for p in points]),
        Column("noise", [number(point.noise, 2) for point in points]),
    ]
    return format_groups(columns[:2], [*([column] for column in columns[2:]), last])


def _least(report: ForecastReport) -> str:
    least = ", ".join(f"{number(v)} at {s:g}" for s, v in report.best_losses.items())
    return f"Denoising losses at three noise levels; the least possible is {least}"


def _losses(report: ForecastReport) -> str:
    groups = [
        [
            Column(
                f"{kind} at {noise:g}",
                [
                    with_error(
                        point.values[f"{kind}_loss_{noise:g}"],
                        point.errors[f"{kind}_loss_{noise:g}"],
                    )
                    for point in report.curve
                ],
            )
            for kind in ("train", "test")
        ]
        for noise in report.best_losses
    ]
    return format_groups([Column("n", [count(point.n) for point in report.curve])], groups)


def _compared(report: ForecastReport) -> str:
    title = f"Measured: {report.replicates} subsets of each size, and theory of the same subsets"
    rows = [each for name in SHOWN for each in report.compared if each.quantity == name]
    table = format_table(
        [
            Column("quantity", [quantity_label(each.quantity) for each in rows]),
            Column("n", [count(each.n) for each in rows]),
            Column("measured", [with_error(each.measured, each.measured_error) for each in rows]),
            Column("theory", [with_error(each.predicted, each.predicted_error) for each in rows]),
            Column("differ", [difference(each) for each in rows]),
            Column("s.e.", [number(each.deviations, 2) for each in rows]),
        ]
    )
    return f"{title}\n\n{table}"


def difference(each: Comparison) -> str:
    """The difference of a comparison in percent; empty where theory is infinite."""
    return f"{each.percent:+.1f}%" if math.isfinite(each.percent) else ""


def _modes(report: ForecastReport) -> str:
    rows = report.modes
    table = format_table(
        [
            Column("component", [str(each.component) for each in rows]),
            Column("of variance", [number(each.share, 3) for each in rows]),
            Column("ideal", [number(each.ideal) for each in rows]),
            Column("kept", [number(each.kept) for each in rows]),
            Column("over-shrunk", [f"{100 * each.over_shrinkage:.2f}%" for each in rows]),
            Column("agreed", [number(each.agreed) for each in rows]),
        ]
    )
    meanings = {
        "ideal": "share of it that the population's denoiser keeps",
        "kept": "share that the denoiser of your points keeps on average",
        "agreed": "share of its generated variance that all models of n points share",
    }
    return f"{table}\n\n{legend(meanings)}"


def _network(report: ForecastReport) -> list[str]:
    if not report.network:
        return []
    rows = report.network
    table = format_table(
        [
            Column("n", [count(each.n) for each in rows]),
            Column("W2^2 of the MLP", [number(each.w2) for each in rows]),
            Column("linear", [number(each.predicted_w2) for each in rows]),
            Column("loss of the MLP", [number(each.loss) for each in rows]),
            Column("linear ", [number(each.predicted_loss) for each in rows]),
            Column("seconds", [number(each.seconds, 2) for each in rows]),
        ]
    )
    told = "; ".join(
        f"at n = {each.n} its W2^2 is {number(each.w2 / each.predicted_w2, 3)} and its loss "
        f"{number(each.loss / each.predicted_loss, 3)} times the forecast of the linear models"
        for each in rows
    )
    title = "A small network beside the forecast: an MLP, one training each; loss at 0.3"
    return [f"{title}\n\n{table}\n\n{paragraph(told[0].upper() + told[1:] + '.')}"]


def _item(text: str) -> str:
    return paragraph(text, "    ").replace("    ", "  - ", 1)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
