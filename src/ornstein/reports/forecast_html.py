"""A forecast as HTML: the answers for notebooks, and one page for everybody else."""

from __future__ import annotations

__all__ = ["forecast_fragment", "forecast_page", "write_forecast_html"]

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ornstein.reports.documents import Picture, Section, table
from ornstein.reports.explanations import FORECAST
from ornstein.reports.forecast_document import SHOWN, forecast_document
from ornstein.reports.tables import Column

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ornstein.forecasting.report import ForecastReport
    from ornstein.reports.documents import Document

_ASSUMPTIONS = {
    "check": "what was looked at, and found",
    "what follows": "for the numbers above, where it does not hold",
}


def forecast_fragment(report: ForecastReport) -> str:
    """What was forecast, the answers, the tables of the text and notes, for a notebook."""
    from ornstein.reports.pages import fragment

    return fragment(forecast_document(report, SHOWN))


def write_forecast_html(report: ForecastReport, path: str | Path) -> None:
    """Write a page that holds everything, the figure too, in one file."""
    from ornstein.reports.pages import write_page

    write_page(forecast_page(report), path)


def forecast_page(
    report: ForecastReport,
    *,
    settings: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    command: str = "",
) -> Document:
    """Return the document of the page of a forecast.

    Parameters
    ----------
    report : ForecastReport
    settings, versions : mappings, optional
        Of the run.
    command : str
        That repeats it.
    """
    document = forecast_document(report, assumptions=False)
    return replace(
        document,
        title=FORECAST.title,
        question=FORECAST.question,
        made=FORECAST.made,
        figures=[Picture("Learning curves", report.figure("screen"), FORECAST.figure)],
        sections=[*document.sections, _assumptions(report)],
        configuration=settings or {},
        versions=versions or {},
        command=command,
    )


def _assumptions(report: ForecastReport) -> Section:
    rows = report.assumptions
    columns = [
        Column("assumption", [each.name for each in rows]),
        Column("holds", [each.holds for each in rows]),
        Column("check", [each.check for each in rows]),
        Column("what follows", [each.consequence for each in rows]),
    ]
    return Section([table("Assumptions, and the check of each", columns)], _ASSUMPTIONS)
