"""A forecast as text, as rows and as plain values."""

from __future__ import annotations

__all__ = ["forecast_text", "forecast_values", "forecast_rows", "comparison_rows"]

import math
from typing import TYPE_CHECKING, Any

from ornstein.reports.documents import document_text
from ornstein.reports.forecast_document import SHOWN, forecast_document
from ornstein.reports.forecast_sentences import advice_sentences, target_sentence

if TYPE_CHECKING:
    from ornstein.forecasting.report import ForecastReport


def forecast_text(report: ForecastReport) -> str:
    """Everything as text of 80 columns."""
    return document_text(forecast_document(report, SHOWN))


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


def forecast_values(report: ForecastReport) -> dict[str, Any]:
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
