"""The table of `ornstein verify` for a terminal of 80 columns.

The column ``z`` counts standard errors beyond the allowance, which is what decides: 0 within it.
Checks that fail say ``FAIL`` and are named again in words below the table; on a terminal they are
red as well.
"""

from __future__ import annotations

__all__ = ["verification_table", "verification_document", "verification_page", "use_color"]

import math
import os
import textwrap
from dataclasses import replace
from itertools import product
from string import ascii_letters
from typing import TYPE_CHECKING, Any, TextIO

from ornstein.reports.documents import Document, Picture, Section, table
from ornstein.reports.explanations import VERIFICATION
from ornstein.reports.tables import WIDTH, Column, number, paragraph
from ornstein.verification.checks import SIGNIFICANCE
from ornstein.verification.registry import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.reports.documents import Table
    from ornstein.verification.checks import Row
    from ornstein.verification.running import Verification

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"
_PARAMETERS_WIDTH, _NUMBER_WIDTH, _MEASURED_WIDTH, _ALLOWANCE_WIDTH = 12, 9, 17, 6
_COLUMNS = {
    "check": "what is predicted",
    "parameters": "of the simulation and of the closed form",
    "runs": "independent replicates of the simulation",
    "predicted": "by the closed form",
    "simulated": "mean over the runs ± its standard error",
    "z": "standard errors between the two, beyond what is allowed; 0 is within it",
    "fails from": "z, of either sign, from which on the check fails",
    "allowed": "how far a simulation of this size may be from the limit that is predicted, and why",
}
_SYMBOLS = {
    "dim": "d",
    "n_train": "n",
    "n_original": "N",
    "n_points": "N",
    "steps": "S",
    "train_time": "tau",
    "time": "t",
    "mean_norm": "|m|",
    "eigenvalue": "l",
    "feature_ratio": "p/d",
    "sample_ratio": "n/d",
    "draws": "draws",
}


def use_color(stream: TextIO) -> bool:
    """Whether to colour: on a terminal, unless the variable NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def verification_table(result: Verification, *, color: bool = False) -> str:
    """Return the table, its notes and the verdict.

    Parameters
    ----------
    result : Verification
    color : bool
        Put checks that fail in red.
    """
    notes = _notes(result.rows)
    cells = [_cells(row, notes) for row in result.rows]
    headings = ("check", "parameters", "predicted", "simulated", "z", "allowed", "")
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    lines = [_line(headings, widths), _line(["-" * width for width in widths], widths)]
    section = ""
    for row, row_cells in zip(result.rows, cells, strict=True):
        if row.section != section:
            section = row.section
            lines.append(_heading(section, result.rows))
        line = _line(row_cells, widths)
        lines.append(f"{_RED}{line}{_PLAIN}" if color and not row.passed else line)
    return "\n\n".join([_title(result), "\n".join(lines), *_footer(result, notes)])


def verification_document(result: Verification) -> Document:
    """Return the table as a document: a table a section, with all parameters and allowances."""
    sections = dict.fromkeys(row.section for row in result.rows)
    tables = [_section_table([r for r in result.rows if r.section == name]) for name in sections]
    return Document(
        subject=[_title(result)],
        sections=[Section(tables, _COLUMNS)],
        answer=f"Answer: {_verdict(result, 'named in the notes')}",
        notes=[
            *(_in_words(row) for row in result.rows if not row.passed),
            *filter(None, [_error_rates(result).strip()]),
        ],
    )


def verification_page(
    result: Verification,
    settings: Mapping[str, Any],
    versions: Mapping[str, str],
    command: str,
) -> Document:
    """Return the document of the page of a verification, with a figure of all checks.

    Parameters
    ----------
    result : Verification
    settings, versions : mappings
        Of the run.
    command : str
        That repeats it.
    """
    from ornstein.reports.verification_figure import verification_figure

    figure = verification_figure(result)
    text = "Each mark is a check; beyond a dashed line it fails."
    return replace(
        verification_document(result),
        title=VERIFICATION.title,
        question=VERIFICATION.question,
        made=VERIFICATION.made,
        figures=[Picture("Distance of all checks", figure, text)] if figure is not None else [],
        configuration=settings,
        versions=versions,
        command=command,
    )


def _title(result: Verification) -> str:
    size = "fast settings" if result.fast else "default settings"
    return (
        f"Theory against simulation: {size}, seed {result.seed}, {result.simulations} simulations"
    )


def _section_table(rows: Sequence[Row]) -> Table:
    section = rows[0].section
    sources = "; ".join(dict.fromkeys(row.source for row in rows))
    measured = [_numbers(row.predicted, row.simulated, row.standard_error) for row in rows]
    allowed = [
        f"{number(row.allowance, 2)} ({row.allowance_formula}: {row.allowance_reason})"
        if row.allowance_formula
        else ("" if row.error else "exact")
        for row in rows
    ]
    columns = {
        "check": [row.check for row in rows],
        "parameters": [
            ", ".join(
                f"{_SYMBOLS.get(key, key)} = {value:g}" for key, value in row.parameters.items()
            )
            for row in rows
        ],
        "runs": [str(row.simulations) if row.simulations else "" for row in rows],
        "predicted": [predicted for predicted, _ in measured],
        "simulated": [simulated.replace("±", " ± ") for _, simulated in measured],
        "z": [_deviation(row.z_beyond_allowance) for row in rows],
        "fails from": [number(row.threshold, 3) for row in rows],
        "allowed": allowed,
        "verdict": ["ok" if row.passed else "FAIL" for row in rows],
    }
    title = f"{section}  {SECTIONS.get(section, '')}".rstrip()
    return table(f"{title}: {sources}", [Column(*each) for each in columns.items()])


def _notes(rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """A letter for each different allowance, in order of appearance."""
    marks = (
        "".join(letters) for length in (1, 2) for letters in product(ascii_letters, repeat=length)
    )
    allowances = dict.fromkeys(
        (row.allowance_formula, row.allowance_reason) for row in rows if row.allowance_formula
    )
    return dict(zip(allowances, marks, strict=False))


def _cells(row: Row, notes: Mapping[tuple[str, str], str]) -> list[str]:
    predicted, simulated = _numbers(row.predicted, row.simulated, row.standard_error)
    mark = notes.get((row.allowance_formula, row.allowance_reason), "")
    size = number(row.allowance, 2)
    if len(size) > _ALLOWANCE_WIDTH:
        size = f"{row.allowance:.0e}"
    allowed = f"{size} {mark}" if mark else "exact"
    return [
        row.check,
        _parameters(row.parameters),
        predicted,
        simulated,
        _deviation(row.z_beyond_allowance),
        "" if row.error else allowed,
        "ok" if row.passed else "FAIL",
    ]


def _numbers(predicted: float, simulated: float, error: float) -> tuple[str, str]:
    """Both with as many decimals as show two digits of the error, where there is space."""
    if not math.isfinite(error):
        return number(predicted), number(simulated)
    decimals = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 7
    measured = f"{simulated:.{decimals}f}±{error:.{decimals}f}"
    if len(measured) > _MEASURED_WIDTH:
        decimals = 6
        measured = f"{number(simulated, 6)}±{error:.0e}"
    expected = f"{predicted:.{decimals}f}"
    if len(expected) > _NUMBER_WIDTH:
        expected = number(predicted, 3 if abs(predicted) < 1e-4 or abs(predicted) >= 1e7 else 6)
    # A prediction of 0 carries the sign of its rounding error.
    return expected.removeprefix("-") if float(expected or "nan") == 0 else expected, measured


def _deviation(z: float) -> str:
    if math.isnan(z) or z == 0:
        return number(z)
    if abs(z) >= 999.5:
        return ">999" if z > 0 else "<-999"
    return f"{z:.1f}" if abs(z) < 99.95 else f"{z:.0f}"


def _parameters(parameters: Mapping[str, Any]) -> str:
    """As many of the parameters as there is space for; the JSON document has all."""
    text = ""
    for name, value in parameters.items():
        entry = f"{_SYMBOLS.get(name, name)}={value:g}"
        if len(f"{text} {entry}".strip()) > _PARAMETERS_WIDTH:
            break
        text = f"{text} {entry}".strip()
    return text


def _heading(section: str, rows: Sequence[Row]) -> str:
    """Title of a section, with the papers its formulas are from if there is space."""
    title = f"{section}  {SECTIONS.get(section, '')}".rstrip()
    sources = "; ".join(dict.fromkeys(row.source for row in rows if row.section == section))
    return f"{title}: {sources}" if len(f"{title}: {sources}") <= WIDTH else title


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    left = 2  # names and parameters; numbers are aligned at their ends
    padded = [
        cell.ljust(width) if index < left else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return " ".join(padded).rstrip()


def _footer(result: Verification, notes: Mapping[tuple[str, str], str]) -> list[str]:
    failed = [row for row in result.rows if not row.passed]
    blocks = [_legend(notes), *(paragraph(_in_words(row), "") for row in failed)]
    return [*blocks, paragraph(_verdict(result, "named above") + _error_rates(result), "")]


def _verdict(result: Verification, where: str = "") -> str:
    failed, count = sum(not row.passed for row in result.rows), len(result.rows)
    if failed:
        named = f", {where}" if where else ""
        return f"{failed} of {count} check{'s' * (count != 1)} FAILED{named}."
    return f"All {count} checks hold." if count > 1 else "The check holds."


def _legend(notes: Mapping[tuple[str, str], str]) -> str:
    """What the columns z and allowed say."""
    z = "z: standard errors between simulation and prediction"
    if not notes:
        return paragraph(f"{z}.", "")
    allowances = [
        textwrap.fill(
            f"{mark}  {formula}: {reason}", WIDTH, initial_indent="  ", subsequent_indent="     "
        )
        for (formula, reason), mark in notes.items()
    ]
    heading = (
        f"{z}, beyond what is allowed; 0 is within it. allowed: how far a simulation of this size "
        "may be from the limit that is predicted (d dimension, n points, h step)."
    )
    return "\n".join([paragraph(heading, ""), *allowances])


def _error_rates(result: Verification) -> str:
    """How often a right formula fails, and how wrong a formula has to be to fail."""
    judged = [row for row in result.rows if not row.error]
    if not judged:
        return ""
    low, high = (f(row.threshold for row in judged) for f in (min, max))
    span = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    text = (
        f" A check fails if |z| exceeds {span} (Student's t, probability {SIGNIFICANCE:.0e} each): "
        "if every formula is right, a table of this length shows a false alarm with probability "
        f"{100 * result.false_alarm_rate:.2g} % at most (normal means)."
    )
    relative = sorted(
        row.resolution / abs(row.predicted)
        for row in judged
        if row.resolution < abs(row.predicted) and math.isfinite(row.predicted)
    )
    if not relative:
        return text
    middle, largest = (f"{100 * relative[index]:.2g} %" for index in (len(relative) // 2, -1))
    return (
        f"{text} An error of {middle} in a formula is found by half of the checks, one of "
        f"{largest} by all that do not predict 0."
    )


def _in_words(row: Row) -> str:
    if row.error:
        return f"FAIL: {row.check} (section {row.section}) was not compared: {row.error}"
    beyond = abs(row.z_beyond_allowance)
    allowance = " beyond its allowance" if row.allowance else ""
    return (
        f"FAIL: {row.check} (section {row.section}; {row.source}) is {number(row.simulated, 6)} in "
        f"simulation and {number(row.predicted, 6)} in theory, {beyond:.3g} standard errors "
        f"apart{allowance}; at most {row.threshold:.3g} would pass."
    )
