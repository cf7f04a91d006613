"""A forecast as HTML: the answers for notebooks, and one page for everybody else."""

from __future__ import annotations

__all__ = ["forecast_fragment", "write_forecast_html"]

import base64
import html
import io
import math
from typing import TYPE_CHECKING

from ornstein.files import atomic_write
from ornstein.reports.forecast import difference, quantity_label
from ornstein.reports.forecast_sentences import (
    DEFINITIONS,
    LABELS,
    MEANINGS,
    advice_sentences,
    headline,
    target_sentence,
    target_text,
)
from ornstein.reports.tables import count, number, with_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ornstein.forecasting.report import ForecastReport

_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em;"
    "line-height:1.45}table{border-collapse:collapse;margin:1em 0}"
    "th,td{padding:.25em .7em;border-bottom:1px solid #ccc;text-align:right;vertical-align:top}"
    "td{white-space:nowrap}td.text{white-space:normal}.scroll{overflow-x:auto}"
    "th:first-child,td:first-child{text-align:left}td.text{text-align:left}img{max-width:100%}"
)


def forecast_fragment(report: ForecastReport) -> str:
    """What was forecast, the answer to each target, and the learning curve, for a notebook."""
    points = report.sizes.points
    answers = "".join(f"<li>{_text(target_sentence(each, points))}</li>" for each in report.targets)
    curve = _table(
        ("n", "of data", *LABELS.values(), "noise"),
        [
            [
                count(point.n),
                number(point.n / points, 3),
                *(with_error(point.values[name], point.errors[name]) for name in LABELS),
                number(point.noise, 2),
            ]
            for point in report.curve
        ],
    )
    return f"<p><b>{_text(headline(report))}</b></p><ul>{answers}</ul>{curve}"


def write_forecast_html(report: ForecastReport, path: str | Path) -> None:
    """Write a page that holds everything, the figure too, in one file."""
    said = advice_sentences(report)
    noises = [f"{noise:g}" for noise in report.best_losses]
    losses = _table(
        ("n", *(f"{kind} at {noise}" for noise in noises for kind in ("train", "test"))),
        [
            [
                count(point.n),
                *(
                    with_error(point.values[name], point.errors[name])
                    for name in (f"{k}_loss_{s}" for s in noises for k in ("train", "test"))
                ),
            ]
            for point in report.curve
        ],
    )
    compared = _table(
        ("quantity", "n", "measured", "theory", "differ", "s.e."),
        [
            [
                quantity_label(each.quantity),
                count(each.n),
                with_error(each.measured, each.measured_error),
                with_error(each.predicted, each.predicted_error),
                difference(each),
                number(each.deviations, 2),
            ]
            for each in report.compared
        ],
    )
    modes = _table(
        ("component", "of variance", "ideal", "kept", "over-shrunk", "agreed"),
        [
            [
                str(each.component),
                *(number(value) for value in (each.share, each.ideal, each.kept)),
                f"{100 * each.over_shrinkage:.2f}%",
                number(each.agreed),
            ]
            for each in report.modes
        ],
    )
    assumptions = _table(
        ("assumption", "holds", "check", "what follows"),
        [[each.name, each.holds, each.check, each.consequence] for each in report.assumptions],
        text=True,
    )
    least = ", ".join(f"{number(v)} at {s:g}" for s, v in report.best_losses.items())
    meanings = "".join(
        f"<li><b>{_text(name)}</b>: {_text(text)}</li>" for name, text in MEANINGS.items()
    )
    follows = "".join(
        f"<li>{_text(said[name])}</li>"
        for name in ("threshold", "steps", "grid", "stopping", "collapse")
    )
    page = (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'><title>Forecast</title>"
        f"<style>{_STYLE}</style></head><body><h1>How much data is enough</h1>"
        f"{forecast_fragment(report)}{_picture(report)}"
        f"<h2>Denoising losses</h2><p>Least possible: {_text(least)}.</p>{losses}"
        f"<h2>Measured on subsets</h2><p>{report.replicates} subsets of each size, and theory of "
        f"the same subsets.</p>{compared}<h2>What the columns mean</h2>"
        f"<p>{_text(DEFINITIONS)}</p><ul>{meanings}</ul>"
        f"<h2>Over-shrinkage</h2><p>{_text(said['modes'])}</p>{modes}"
        f"<h2>What follows</h2><ul>{follows}</ul>{_network(report)}"
        f"<h2>Assumptions, and the check of each</h2>{assumptions}{_targets(report)}"
        f"{_notes(report.notes)}</body></html>"
    )
    with atomic_write(path) as draft:
        draft.write_text(page, encoding="utf-8")


def _targets(report: ForecastReport) -> str:
    if not report.targets:
        return ""
    return "<h2>Targets</h2>" + _table(
        ("target", "points needed", "from", "to", "at your data", "at 100 times your data"),
        [
            [
                target_text(each),
                "not within 100 x" if math.isinf(each.n) else count(each.n),
                *(number(value, 4) for value in (each.low, each.high)),
                number(each.at_data),
                number(each.at_most),
            ]
            for each in report.targets
        ],
    )


def _network(report: ForecastReport) -> str:
    if not report.network:
        return ""
    return (
        "<h2>A small network beside the forecast</h2><p>An MLP, one training each; test loss at "
        "noise 0.3.</p>"
        + _table(
            ("n", "W2^2 of the MLP", "linear", "loss of the MLP", "linear", "seconds"),
            [[count(each.n), *(number(value) for value in each[1:])] for each in report.network],
        )
    )


def _picture(report: ForecastReport) -> str:
    from ornstein.reports.figures import style

    stream = io.BytesIO()
    with style():
        report.figure().savefig(stream, format="png", dpi=110)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    text = "Learning curves: theory for new points, subsets of the data, theory of the subsets."
    return f"<p>{text}</p><img alt='{text}' src='data:image/png;base64,{data}'>"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, text: bool = False) -> str:
    cell = "<td class='text'>" if text else "<td>"
    head = "".join(f"<th>{_text(name)}</th>" for name in headings)
    body = "".join(
        "<tr>" + "".join(f"{cell}{_text(value)}</td>" for value in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='scroll' tabindex='0'>{table}</div>"


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return "<h2>Notes</h2><ul>" + "".join(f"<li>{_text(note)}</li>" for note in notes) + "</ul>"


def _text(value: str) -> str:
    return html.escape(value)
