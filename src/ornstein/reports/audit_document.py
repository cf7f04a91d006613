"""An audit as a document: verdicts, pairs of points, what would have been found, metrics."""

from __future__ import annotations

__all__ = ["audit_document"]

from typing import TYPE_CHECKING, Any

from ornstein.reports.audit import (
    SHARES,
    TITLES,
    audit_rows,
    copy_headings,
    copy_rows,
    how_found,
)
from ornstein.reports.audit_sentences import (
    audit_answer,
    audit_sentences,
    compared,
    gaussian_line,
    percent,
)
from ornstein.reports.documents import Document, Section, table
from ornstein.reports.tables import Column, number

if TYPE_CHECKING:
    from ornstein.memorization.audit_report import AuditReport
    from ornstein.reports.documents import Table

_MOST_ROWS = 200
_VERDICTS = {
    "share": "of the generated points; copied: listed or exact copies; nearer: to the training set",
    "of the points": "how many are",
    "low": "end of its 95% interval, as high",
    "expected": "of Gaussians fitted to the training set, or by chance",
    "p": "probability of such a share, or a larger one, if nothing but that was so",
    "found from": "the share that is found with probability 0.8",
}
_DETECTABLE = {
    "noise": "of each coordinate of a planted copy, in standard deviations of the data",
    "found from": "share of such copies that is found with probability 0.8",
    "points": "as many generated points",
}
_METRICS = {
    "generated": "value of the generated points",
    "held out": "the same of held-out points: what it is without copying",
    "copying makes it": "whether copies make it higher or lower",
    "meaning": "no test: read each beside its held-out value",
}


def audit_document(report: AuditReport) -> Document:
    """Return the document of an audit; figures and configuration are added by who has them."""
    said = audit_sentences(report)
    sections = [
        Section([_verdict_table(report, said)], _VERDICTS),
        Section([_detectable_table(report)], _DETECTABLE),
        Section([_pair_table(report)], copy_headings()),
    ]
    if report.metrics:
        sections.append(Section([_metric_table(report)], _METRICS))
    return Document(
        subject=[f"{compared(report)}."],
        cautions=report.cautions,
        sections=sections,
        answer=f"Answer: {audit_answer(report)}",
        findings={TITLES[name]: sentence for name, sentence in said.items()},
        notes=[f"{gaussian_line(report)}.", *report.warnings],
    )


def _verdict_table(report: AuditReport, said: dict[str, str]) -> Table:
    rows = [row for row in audit_rows(report) if row["name"] in said]
    keys = {
        "of the points": "value",
        "low": "low",
        "high": "high",
        "expected": "reference",
        "p": "p_value",
        "found from": "detectable",
    }
    columns = [Column("share", [SHARES[row["name"]] for row in rows])]
    columns += [Column(name, [_cell(row[key]) for row in rows]) for name, key in keys.items()]
    return table("Three verdicts", columns)


def _detectable_table(report: AuditReport) -> Table:
    rows = report.detectable
    columns = [
        Column("noise", [percent(each.noise) for each in rows]),
        Column("found from", [_cell(each.fraction) or "never" for each in rows]),
        Column("points", [str(each.copies) if each.copies else "" for each in rows]),
    ]
    return table(
        "Copies that would have been found, by how far they are from a training point", columns
    )


def _pair_table(report: AuditReport) -> Table:
    rows = copy_rows(report)
    shown = rows[:_MOST_ROWS]
    names = ("generated", "train", "distance", "contrast")
    columns = [Column(name, [_cell(row[name]) for row in shown]) for name in names]
    columns.append(Column("found", [how_found(row) for row in shown]))
    more = f" ({len(shown)} of {len(rows)})" if len(rows) > len(shown) else ""
    return table(f"Pairs of the largest contrast{more}", columns)


def _metric_table(report: AuditReport) -> Table:
    metrics = report.metrics
    columns = [
        Column("metric", [metric.name for metric in metrics]),
        Column("generated", [_cell(metric.value) for metric in metrics]),
        Column("held out", [_cell(metric.held_out) for metric in metrics]),
        Column("copying makes it", [metric.direction for metric in metrics]),
        Column("meaning", [metric.meaning for metric in metrics]),
    ]
    return table("Descriptive metrics", columns)


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, int) else number(float(value))
