"""What is printed of an audit: the verdicts in a table and in sentences, suspects, metrics."""

from __future__ import annotations

__all__ = [
    "SHARES",
    "TITLES",
    "audit_text",
    "audit_sentences",
    "audit_rows",
    "copy_rows",
    "copy_headings",
    "how_found",
    "compared",
]

import math
from typing import TYPE_CHECKING, Any

from ornstein.reports.audit_sentences import (
    audit_sentences,
    compared,
    gaussian_line,
    percent,
)
from ornstein.reports.tables import (
    Column,
    format_table,
    legend,
    number,
    paragraph,
)

if TYPE_CHECKING:
    from ornstein.memorization.audit_report import AuditReport

_SHOWN = 10  # pairs in the table
TITLES = {
    "copies": "Copies of training points",
    "gaussian": "Closer to the training data than a Gaussian fitted to it",
    "dependence": "Dependence on the training data",
}
"""Of the verdicts, by their names in `audit_sentences`."""
SHARES = {
    "copies": "copied",
    "gaussian": "nearer than Gaussians",
    "dependence": "nearer than chance",
}
"""Of the generated points, that the verdicts are about."""


def audit_rows(report: AuditReport) -> list[dict[str, Any]]:
    """Verdicts and metrics as rows of one table."""
    sentences = audit_sentences(report)
    verdicts = [
        (
            "copies",
            report.copied_share,
            report.copied_share_low,
            report.copied_share_high,
            math.nan,
            math.nan,
            report.minimum_detectable_fraction,
        ),
        (
            "gaussian",
            report.train_share,
            report.train_share_low,
            report.train_share_high,
            report.gaussian_share,
            report.gaussian_p_value,
            report.gaussian_detectable_share,
        ),
        (
            "dependence",
            report.train_share,
            report.train_share_low,
            report.train_share_high,
            0.5,
            report.dependence_p_value,
            report.detectable_share,
        ),
    ]
    names = ("name", "value", "low", "high", "reference", "p_value", "detectable")
    rows = [
        {**dict(zip(names, verdict, strict=True)), "meaning": sentences[verdict[0]]}
        for verdict in verdicts
    ]
    for metric in report.metrics:
        values = (metric.name, metric.value, math.nan, math.nan, metric.held_out)
        row = dict(zip(names, (*values, math.nan, math.nan), strict=True))
        rows.append({**row, "meaning": metric.meaning})
    return rows


def copy_rows(report: AuditReport) -> list[dict[str, Any]]:
    """Every listed pair, exact copy and suspect once, the largest contrast first."""
    listed = {copy.generated for copy in report.copies}
    exact = {copy.generated for copy in report.exact_copies}
    pairs = {}
    for copy in (*report.copies, *report.exact_copies, *report.suspects):
        pairs.setdefault(copy.generated, copy)
    order = sorted(pairs.values(), key=lambda c: (-c.contrast, c.distance, c.generated))
    return [
        {
            **copy._asdict(),
            "listed": copy.generated in listed,
            "exact": copy.generated in exact,
        }
        for copy in order
    ]


def copy_headings() -> dict[str, str]:
    """What the columns of the table of pairs mean."""
    return {
        "generated": "row of the generated point, counted from 0",
        "train": "row of the training point nearest to it",
        "distance": "between the two, in data units",
        "contrast": "ln of the distance to held-out points over that to training points",
        "found": "listed: on the list; exact: equals the training point; suspect: neither, "
        "and only the next nearest: every audit shows some",
    }


def audit_text(report: AuditReport) -> str:
    """Everything as text of 80 columns."""
    sentences = audit_sentences(report)
    parts = [
        f"{compared(report)}\n",
        f"Verdict: {report.verdict}\n",
        *(paragraph(f"Caution: {caution}", "") + "\n" for caution in report.cautions),
        *(
            f"{place}. {title}\n{paragraph(sentences[key], '   ')}\n"
            for place, (key, title) in enumerate(TITLES.items(), 1)
        ),
        format_table(
            [
                Column("verdict", list(SHARES.values())),
                Column("share", [f"{x:.4f}" for x in (report.copied_share, *_twice(report))]),
                Column("95% interval", _intervals(report)),
                Column("expected", ["", f"{report.gaussian_share:.4f}", "0.5"]),
                Column("p", ["", *(number(p, 2) for p in _p_values(report))]),
                Column("found from", _least(report)),
            ]
        ),
        paragraph("found from: the share that is found with probability 0.8", "  "),
        paragraph(gaussian_line(report), "  ") + "\n",
        "Copies that would have been found, by how far they are from a training point\n",
        format_table(
            [
                Column("noise", [percent(each.noise) for each in report.detectable]),
                Column("found from", [_or_never(each.fraction) for each in report.detectable]),
                Column(
                    "points",
                    [str(each.copies) if each.copies else "" for each in report.detectable],
                ),
            ]
        ),
        paragraph("noise: of each coordinate, in standard deviations of the data", "  ") + "\n",
        _pair_table(report),
    ]
    if report.metrics:
        parts.append(_metric_table(report))
    if report.warnings:
        parts.append("Notes\n" + "\n".join(_item(note) for note in report.warnings))
    return "\n".join(parts).rstrip()


def _pair_table(report: AuditReport) -> str:
    rows = copy_rows(report)
    shown = rows[:_SHOWN]
    table = format_table(
        [
            Column("generated", [str(row["generated"]) for row in shown]),
            Column("train", [str(row["train"]) for row in shown]),
            Column("distance", [number(row["distance"]) for row in shown]),
            Column("contrast", [number(row["contrast"]) for row in shown]),
            Column("found", [how_found(row) for row in shown]),
        ]
    )
    more = f" ({len(shown)} of {len(rows)})" if len(rows) > len(shown) else ""
    return f"Pairs of the largest contrast{more}\n\n{table}\n{legend(copy_headings())}\n"


def how_found(row: dict[str, Any]) -> str:
    """How a pair was found, in the words of `copy_headings`."""
    kinds = [name for name in ("listed", "exact") if row[name]]
    return ", ".join(kinds) or "suspect"


def _metric_table(report: AuditReport) -> str:
    table = format_table(
        [
            Column("metric", [metric.name for metric in report.metrics]),
            Column("generated", [number(metric.value, 3) for metric in report.metrics]),
            Column("held out", [number(metric.held_out, 3) for metric in report.metrics]),
            Column("copying makes it", [metric.direction for metric in report.metrics]),
        ]
    )
    meanings = "\n".join(_item(f"{metric.name}: {metric.meaning}") for metric in report.metrics)
    title = "Descriptive metrics: no tests; read each beside its held-out value"
    return f"{title}\n\n{table}\n{meanings}\n"


def _item(text: str) -> str:
    return paragraph(text, "    ").replace("    ", "  - ", 1)


def _twice(report: AuditReport) -> tuple[float, float]:
    return report.train_share, report.train_share


def _intervals(report: AuditReport) -> list[str]:
    nearer = f"{report.train_share_low:.4f} to {report.train_share_high:.4f}"
    copied = f"{report.copied_share_low:.4f} to {report.copied_share_high:.4f}"
    return [copied, nearer, nearer]


def _p_values(report: AuditReport) -> tuple[float, float]:
    return report.gaussian_p_value, report.dependence_p_value


def _least(report: AuditReport) -> list[str]:
    least, *shares = (
        report.minimum_detectable_fraction,
        report.gaussian_detectable_share,
        report.detectable_share,
    )
    return [
        "never" if math.isnan(least) else f"{least:.4f}",
        *("never" if share >= 1 else f"{share:.4f}" for share in shares),
    ]


def _or_never(fraction: float) -> str:
    return "never" if math.isnan(fraction) else percent(fraction)
