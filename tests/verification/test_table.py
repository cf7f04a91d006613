"""What people read of `ornstein verify`: every number of a row in its column, every word its own.

All numbers that go in are different, so that two of them exchanged are seen.
"""

import math

import pytest

from ornstein.reports import verification as report
from ornstein.reports.verification import verification_table
from ornstein.verification.checks import Row
from ornstein.verification.registry import SECTIONS
from ornstein.verification.running import Verification


def row(**changes: object) -> Row:
    """A row that holds, made of different numbers."""
    fields = {
        "section": "6",
        "check": "test loss",
        "source": "Somebody, 1234.56789",
        "experiment": "e",
        "parameters": {"dim": 31, "n_train": 47, "noise_variance": 0.1},
        "simulations": 89,
        "predicted": 2.3571,
        "simulated": 2.4683,
        "standard_error": 0.0197,
        "z": 5.64,
        "z_beyond_allowance": 1.72,
        "allowance": 0.0774,
        "allowance_formula": "3/d of the prediction",
        "allowance_reason": "because",
        "threshold": 4.53,
        "resolution": 0.256,
        "passed": True,
        "error": "",
    }
    return Row(**{**fields, **changes})


FIRST = row()
EXACT = row(
    section="5",
    check="KL(gen || pop)",
    source="Nobody, 2000.00001",
    experiment="f",
    parameters={"steps": 7},
    simulations=53,
    predicted=11.13,
    simulated=-17.19,
    standard_error=0.29,
    z=-97.7,
    z_beyond_allowance=-97.7,
    allowance=0.0,
    allowance_formula="",
    allowance_reason="",
    threshold=4.61,
    resolution=2.67,
    passed=False,
)
SECOND = row(
    check="train loss",
    predicted=0.031,
    simulated=0.0371,
    standard_error=0.0023,
    z=2.65,
    z_beyond_allowance=0.0,
    allowance=0.0083,
    allowance_formula="5/n of the prediction",
    allowance_reason="for some reason",
    resolution=0.029,
)
RESULT = Verification((EXACT, FIRST, SECOND), seed=37, fast=True)


def table(result: Verification = RESULT) -> list[str]:
    return verification_table(result).splitlines()


def line(start: str) -> str:
    (found,) = (text for text in table() if text.startswith(start))
    return found


def cells(text: str) -> list[str]:
    """The columns of a row, cut where the line of dashes is cut."""
    dashes = table()[3]
    assert set(dashes) == {"-", " "}
    found, start = [], 0
    for dash in dashes.split(" "):
        found.append(text[start : start + len(dash)].strip())
        start += len(dash) + 1
    return found


def test_headings_stand_over_their_columns() -> None:
    assert cells(table()[2]) == [
        "check",
        "parameters",
        "predicted",
        "simulated",
        "z",
        "allowed",
        "",
    ]


def test_each_number_of_a_row_stands_in_its_column() -> None:
    assert cells(line("test loss")) == [
        "test loss",
        "d=31 n=47",
        "2.357",
        "2.468±0.020",
        "1.7",
        "0.077 a",
        "ok",
    ]
    assert cells(line("train loss")) == [
        "train loss",
        "d=31 n=47",
        "0.0310",
        "0.0371±0.0023",
        "0",
        "0.0083 b",
        "ok",
    ]
    assert cells(line("KL(gen")) == [
        "KL(gen || pop)",
        "S=7",
        "11.13",
        "-17.19±0.29",
        "-97.7",
        "exact",
        "FAIL",
    ]


def test_each_row_stands_under_the_title_of_its_section() -> None:
    lines = table()
    headings = {
        "5": f"5  {SECTIONS['5']}: Nobody, 2000.00001",
        "6": f"6  {SECTIONS['6']}: Somebody, 1234.56789",
    }
    places = [lines.index(headings["5"]), lines.index(headings["6"])]
    rows = [lines.index(line(start)) for start in ("KL(gen", "test loss", "train loss")]
    assert places[0] < rows[0] < places[1] < rows[1] < rows[2]
    # Rows of one section have one heading.
    assert sum(text.startswith("6  ") for text in lines) == 1


def test_titles_of_sections_differ() -> None:
    assert len(set(SECTIONS.values())) == len(SECTIONS)


def test_letters_lead_to_their_own_allowance() -> None:
    assert "  a  3/d of the prediction: because" in table()
    assert "  b  5/n of the prediction: for some reason" in table()


def test_the_title_says_what_ran() -> None:
    # Two rows share an experiment of 89 replicates; the other has 53.
    assert table()[0] == ("Theory against simulation: fast settings, seed 37, 142 simulations")
    assert "default settings" in table(RESULT._replace(fast=False))[0]


def test_a_failure_is_told_in_words() -> None:
    words = " ".join(" ".join(table()).split())
    assert (
        "FAIL: KL(gen || pop) (section 5; Nobody, 2000.00001) is -17.1900 in simulation and "
        "11.1300 in theory, 97.7 standard errors apart; at most 4.61 would pass."
    ) in words
    assert "1 of 3 checks FAILED, named above. A check fails if |z| exceeds 4.53 to 4.61" in words
    short = row(passed=False, z_beyond_allowance=-8.25)
    words = " ".join(verification_table(Verification((short,), 0, True)).split())
    assert "8.25 standard errors apart beyond its allowance; at most 4.53 would pass." in words
    assert "1 of 1 check FAILED, named above." in words


def test_what_holds_is_told_plainly() -> None:
    words = " ".join(verification_table(Verification((FIRST, SECOND), 0, True)).split())
    assert "All 2 checks hold. A check fails if |z| exceeds 4.53 (Student's t, probability" in words
    assert "a false alarm with probability 0.004 % at most (normal means)." in words
    # 0.256 / 2.3571 and 0.029 / 0.031.
    assert (
        "An error of 94 % in a formula is found by half of the checks, one of 94 % by all that do "
        "not predict 0."
    ) in words
    assert "The check holds." in verification_table(Verification((FIRST,), 0, True))
    assert "fall" not in words


def test_z_is_explained_with_the_allowance_or_without() -> None:
    words = " ".join(" ".join(table()).split())
    assert (
        "z: standard errors between simulation and prediction, beyond what is allowed; 0 is within "
        "it. allowed: how far a simulation of this size may be from the limit that is predicted"
    ) in words
    alone = verification_table(Verification((EXACT,), 0, True))
    assert "z: standard errors between simulation and prediction.\n" in alone
    assert "allowed:" not in alone


@pytest.mark.parametrize(
    ("z", "shown"),
    [
        (0.0, "0"),
        (0.04, "0.0"),
        (-3.14, "-3.1"),
        (99.96, "100"),
        (-999.6, "<-999"),
        (1e9, ">999"),
        (-math.inf, "<-999"),
        (math.nan, ""),
    ],
)
def test_deviations(z: float, shown: str) -> None:
    assert report._deviation(z) == shown


def test_more_allowances_than_letters_keep_80_columns() -> None:
    rows = tuple(
        row(check=f"check {index:02d} of this size"[:19], allowance_formula=f"{index}/d")
        for index in range(52)
    )
    lines = verification_table(Verification(rows, 0, True)).splitlines()
    assert max(map(len, lines)) <= 80
    marks = [text.split()[-2] for text in lines if text.startswith("check ") and "±" in text]
    assert len(set(marks)) == 52
    for index, mark in enumerate(marks):
        assert f"  {mark}  {index}/d: because" in lines
