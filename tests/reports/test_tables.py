"""Tables: every number reads back as what it was, and they fit a terminal of 80 columns."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein.reports.tables import (
    Column,
    count,
    format_groups,
    format_table,
    interval,
    legend,
    number,
    paragraph,
    with_error,
)

FINITE = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-12)


@given(FINITE, st.integers(2, 8))
def test_a_number_keeps_its_digits(value: float, digits: int) -> None:
    assert float(number(value, digits)) == pytest.approx(value, rel=0.5001 * 10 ** (1 - digits))


@given(FINITE)
def test_a_number_is_short(value: float) -> None:
    assert len(number(value)) <= 10


def test_numbers_without_digits() -> None:
    words = [number(x) for x in (math.inf, -math.inf, math.nan, 0.0)]
    assert words == ["infinite", "-infinite", "", "0"]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_mean_and_error_read_back_to_the_second_digit_of_the_error(
    mean: float, error: float
) -> None:
    shown_mean, shown_error = map(float, with_error(mean, error).split(" ± "))
    # Six decimals, or five digits of a mean that its error leaves with fewer.
    slack = max(0.051 * error, 0.51e-6, 0.51e-4 * abs(mean) if error >= 100 else 0)
    assert abs(shown_mean - mean) <= slack
    assert abs(shown_error - error) <= max(0.051 * error, 0.51e-6)
    theory = float(with_error(mean, error, mean))
    assert theory == shown_mean


def test_means_without_an_error() -> None:
    assert with_error(math.inf, math.nan) == "infinite"
    assert with_error(math.nan, math.nan) == ""
    assert with_error(3.25, math.nan) == "3.250"
    assert with_error(1.0, 0.0) == "1.000 ± 0"
    assert with_error(2.0, 0.1, math.inf) == "infinite"
    assert with_error(2.0, 0.1, math.nan) == ""


def test_columns_are_aligned_and_empty_ones_left_out() -> None:
    table = format_table(
        [Column("n", ["5", "400"]), Column("x", ["", ""]), Column("KL", ["1", ""])]
    )
    assert table == "  n  KL\n---  --\n  5   1\n400"


def test_notes_are_wrapped() -> None:
    lines = paragraph("word " * 60).splitlines()
    assert len(lines) > 3
    assert all(line.startswith("  word") and len(line) <= 80 for line in lines)
    # An option is one word.
    assert "--training-steps" in paragraph("x" * 70 + " --training-steps")


def test_a_wide_table_is_cut_between_groups() -> None:
    keys = [Column("n", ["5", "400"])]
    pairs = [
        [Column(f"value {k}", [f"{k}" * 20, "x" * 20]), Column("theory", ["t" * 10, f"{k}"])]
        for k in range(5)
    ]
    text = format_groups(keys, pairs)
    parts = text.split("\n\n")
    assert len(parts) == 3
    assert all(len(line) <= 80 for line in text.splitlines())
    headings = [part.splitlines()[0].split() for part in parts]
    assert headings[0] == ["n", "value", "0", "theory", "value", "1", "theory"]
    assert headings[2] == ["n", "value", "4", "theory"]
    assert all(part.splitlines()[3].startswith("400  ") for part in parts)


def test_a_group_without_values_takes_no_place() -> None:
    empty = [Column("never", ["", ""])]
    text = format_groups([Column("n", ["1", "2"])], [empty, [Column("x", ["3", "4"])], empty])
    assert text == "n  x\n-  -\n1  3\n2  4"


def test_counts_are_written_in_full() -> None:
    assert [count(n) for n in (7, 10_000_000, 2.0**40, math.inf)] == [
        *("7", "10000000", "1099511627776", "inf")
    ]


def test_a_legend_leaves_out_what_is_not_there() -> None:
    meanings = {"KL": "in nats", "Wasserstein^2": "squared", "n": "training points"}
    assert legend(meanings, "n  KL") == "  KL  in nats\n  n   training points"
    assert legend(meanings).count("\n") == 2


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_reads_back(value: float, low: float, high: float) -> None:
    text = interval(value, low, high)
    found = [float(part) for part in re.findall(r"[\d.]+", text)]
    assert found == pytest.approx([value, low, high], abs=0.0005001)
    assert text[5:7] == " ["
