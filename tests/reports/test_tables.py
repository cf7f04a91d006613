"""Tables: every number reads back as what it was, and they fit a terminal of 80 columns."""

import itertools
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein.reports.tables import (
    Column,
    format_table,
    linear_tables,
    number,
    paragraph,
    with_error,
)
from ornstein.studies.linear.study import LinearOptions, LinearStudy

FINITE = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-12)


@given(FINITE, st.integers(2, 8))
def test_a_number_keeps_its_digits(value: float, digits: int) -> None:
    assert float(number(value, digits)) == pytest.approx(value, rel=0.5001 * 10 ** (1 - digits))


@given(FINITE)
def test_a_number_is_short(value: float) -> None:
    assert len(number(value)) <= 10


def test_numbers_without_digits() -> None:
    assert [number(x) for x in (math.inf, -math.inf, math.nan, 0.0)] == ["inf", "-inf", "", "0"]


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
    assert with_error(math.inf, math.nan) == "inf"
    assert with_error(math.nan, math.nan) == ""
    assert with_error(3.25, math.nan) == "3.250"
    assert with_error(1.0, 0.0) == "1.000 ± 0"
    assert with_error(2.0, 0.1, math.inf) == "inf"
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


def row(train_size: int, size: float, error: float) -> dict[str, float | int]:
    """A row of summary.csv with numbers of one size."""
    measured = itertools.product(("kl", "hellinger2", "wasserstein2", "trace"), ("mean", "theory"))
    values = {f"{name}_{part}": size for name, part in measured}
    values |= {f"{name}_se": error for name in ("kl", "hellinger2", "wasserstein2", "trace")}
    values |= {"hellinger2_mean": 0.987654321, "hellinger2_se": 1e-5, "hellinger2_theory": 0.98765}
    return {
        "train_size": train_size,
        "simulations": 1000,
        **values,
        "log_l2_original_mean": -size,
        "log_l2_train_mean": -size,
        "delta_log_abs_mean": -1.5 * size,
        "delta_positive": 1 / 3,
        "delta_positive_low": 0.1,
        "delta_positive_high": 0.9,
    }


@pytest.mark.parametrize("size", [1e-5, 1.0, 123.456789, 1e5, 3.3e9, math.inf])
@pytest.mark.parametrize("relative_error", [3e-5, 1e-3, 0.1, 30.0, math.nan])
def test_the_linear_table_fits_80_columns(size: float, relative_error: float) -> None:
    study = LinearStudy(LinearOptions((2, 100_000), dim=1000))
    error = math.nan if math.isinf(size) else relative_error * size
    text = linear_tables(study, [row(2, size, error), row(100_000, size, error)])
    assert max(map(len, text.splitlines())) <= 80
    assert "nan" not in text
    assert text.isprintable() or set(re.sub(r"[ -~±]", "", text)) == {"\n"}


def test_theory_stands_to_the_digit_of_the_error_beside_it() -> None:
    study = LinearStudy(LinearOptions((400,), dim=100))
    values = row(400, 1.0, 1.0) | {"kl_mean": 18.0961, "kl_se": 0.026, "kl_theory": 18.10812}
    assert " 18.096 ± 0.026  18.108 " in linear_tables(study, [values])


def test_mixtures_have_no_theory_columns() -> None:
    config = LinearOptions((5,), dim=3, mean=(0.0, 10.0), std=(1.0, 2.0))
    missing = {
        f"{name}_{part}": math.nan
        for name in ("kl", "hellinger2", "wasserstein2", "trace")
        for part in ("theory",)
    } | {"wasserstein2_mean": math.nan, "wasserstein2_se": math.nan}
    text = linear_tables(LinearStudy(config), [row(5, 2.0, 0.1) | missing])
    table, notes = text.split("  theory: empty")
    assert "theory" not in table
    assert "Wasserstein^2" not in table
    assert "one isotropic Gaussian" in notes
    assert "N(0, 1^2) + N(10, 2^2) in d = 3" in text
