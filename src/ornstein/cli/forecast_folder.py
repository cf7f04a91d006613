"""What ``ornstein forecast --out`` leaves in its folder, and its page again from there."""

from __future__ import annotations

__all__ = ["write_forecast", "read_forecast"]

import json
from typing import TYPE_CHECKING

from ornstein.cli.parsing import UsageError
from ornstein.cli.reopening import Run
from ornstein.files import atomic_write
from ornstein.json_values import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.forecasting.report import ForecastReport
    from ornstein.reports.documents import Document

FILE_NAME = "forecast.json"


def write_forecast(report: ForecastReport, folder: Path, run: Run, style: str) -> list[str]:
    """Write the page, the text, all numbers, the curve and the figure; return their names."""
    from ornstein.reports.figures import save_figure
    from ornstein.reports.forecast_html import forecast_page
    from ornstein.reports.pages import write_page

    texts = {
        "forecast.txt": f"{report}\n",
        FILE_NAME: as_json({**report.to_dict(), "run": run._asdict()}) + "\n",
        "curve.csv": report.to_pandas().to_csv(index=False, lineterminator="\n"),
    }
    for name, text in texts.items():
        with atomic_write(folder / name) as draft:
            draft.write_text(text, encoding="utf-8")
    write_page(forecast_page(report, **run._asdict()), folder / "report.html")
    save_figure(report.figure(style), folder / "figure.svg", folder / "figure.png")
    return ["report.html", *texts, "figure.svg", "figure.png"]


def read_forecast(folder: Path) -> Document:
    """Return the document of the page of a forecast.

    Raises
    ------
    UsageError
        If the file is not one of a forecast.
    """
    from ornstein.forecasting.report import ForecastReport
    from ornstein.reports.forecast_html import forecast_page

    path = folder / FILE_NAME
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        report, run = ForecastReport.from_dict(plain), Run(**plain["run"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{str(path)!r} cannot be read as what ornstein forecast --out writes: {error}"
        ) from error
    return forecast_page(report, **run._asdict())
