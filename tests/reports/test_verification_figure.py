"""The figure of all checks: each mark where its row says, what fails apart from what holds."""

import math

import numpy as np
from tests.reports.reading import caption_of, check_layout, drawn, entries_of

from ornstein.reports.verification import verification_document
from ornstein.reports.verification_figure import verification_figure
from ornstein.verification.checks import Row
from ornstein.verification.running import Verification


def row(section: str, ratio: float, passed: bool, error: str = "") -> Row:
    z = 4.25 * ratio
    return Row(
        *(section, f"check {ratio:g}", "a source", "an experiment", {"dim": 12, "n_train": 34}),
        *(567, 1.25, 1.5, 0.03125, z + 1, z, 0.0625, "1/d", "a reason", 4.25, 0.5, passed, error),
    )


ROWS = (
    row("1.1", 0.25, True),
    row("1.1", -0.5, True),
    row("1.1", 2.0, False),
    row("9", -7.0, False),
    row("9", 5.0, False),
    row("9", 0.0, True),
    row("9", math.nan, False, "it <broke>")._replace(allowance_formula="", allowance_reason=""),
)


def test_marks_stand_where_the_rows_say() -> None:
    figure = verification_figure(Verification(ROWS, seed=3, fast=True))
    assert figure is not None
    (axis,) = figure.axes
    found = drawn(axis)
    marks = {
        "holds": ([1, 2, 6], [0.25, -0.5, 0.0]),
        "fails": ([3], [2.0]),
        "fails, beyond -3": ([4], [-3.0]),
        "fails, beyond 3": ([5], [3.0]),
    }
    for label, (x, y) in marks.items():
        np.testing.assert_allclose(found[label].x, x)
        np.testing.assert_allclose(found[label].y, y)
    assert list(entries_of(figure)) == ["holds", "fails", "fails, beyond 3", "fails, beyond -3"]
    levels = [s.y[0] for s in found.values() if s.dash == "--"]
    assert levels == [-1, 1]
    assert [text.get_text() for text in axis.texts] == ["1.1", "9"]
    assert axis.get_ylabel() == "z / z that fails"
    assert caption_of(figure) == "Theory against simulation: 6 checks, fast settings, seed 3"
    check_layout(figure)


def test_without_a_comparison_there_is_no_figure() -> None:
    assert verification_figure(Verification(ROWS[-1:], seed=0, fast=False)) is None
    passed = verification_figure(Verification(ROWS[:1], seed=0, fast=False))
    assert passed is not None
    assert passed.legends == []


def test_the_document_has_every_number_and_names_what_failed() -> None:
    document = verification_document(Verification(ROWS, seed=3, fast=True))
    assert document.subject == ["Theory against simulation: fast settings, seed 3, 567 simulations"]
    assert document.answer == "Answer: 4 of 7 checks FAILED, named in the notes."
    assert "FAIL: check 2 (section 1.1; a source) is 1.5" in document.notes[0]
    assert document.notes[3].endswith("was not compared: it <broke>")
    first, second = document.sections[0].tables
    assert (first.title[:3], second.title[:2]) == ("1.1", "9 ")
    assert first.title.endswith(": a source")
    columns = {column.heading: column.cells[2] for column in first.columns}
    assert columns == {
        "check": "check 2",
        "parameters": "d = 12, n = 34",
        "runs": "567",
        "predicted": "1.250",
        "simulated": "1.500 ± 0.031",
        "z": "8.5",
        "fails from": "4.25",
        "allowed": "0.062 (1/d: a reason)",
        "verdict": "FAIL",
    }
    assert second.columns[7].cells[3] == ""
