"""``ornstein verify``: the table, the JSON document, colours, exit status, bad input."""

import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from ornstein import theory
from ornstein.reports.verification import use_color, verification_table
from ornstein.verification import running
from ornstein.verification.checks import Experiment, judge, not_judged
from ornstein.verification.registry import CHECKS
from ornstein.verification.running import Verification

# The package has a function of that name, which hides the module.
CHEAP = ("verify", "--fast", "--only", "5", "--jobs", 1)


@pytest.fixture(scope="module", autouse=True)
def simulated_once() -> Iterator[None]:
    """The simulations of an experiment with one seed are run once, and judged by each test."""
    measure, known = running.measure, {}

    def remembered(experiments: Sequence[Experiment], **options: Any) -> Any:
        named = (*(experiment.name for experiment in experiments), *sorted(options.items()))
        if named not in known:
            known[named] = measure(experiments, **options)
        return known[named]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "measure", remembered)
        yield


@pytest.fixture
def swapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two divergences of the empirical Gaussian, exchanged."""
    right = theory.wishart_kl
    monkeypatch.setattr(theory, "wishart_kl", lambda d, n: theory.WishartKL(*right(d, n)[::-1]))


def test_prints_a_table_and_succeeds(ornstein: Callable) -> None:
    result = ornstein(*CHEAP)
    assert result.status == 0
    assert result.err == ""
    assert "fast settings, seed 0, 6000 simulations" in result.out
    assert "5  Gaussian with the empirical covariance: Merger, Goldt, 2505.24769" in result.out
    row = next(line for line in result.out.splitlines() if line.startswith("KL(gen || pop)"))
    assert row.endswith("exact ok")
    assert "d=20 n=50" in row
    assert "All 2 checks hold." in result.out
    # Two rows of probability 2e-5.
    assert "with probability 0.004 %" in " ".join(result.out.split())
    assert "\x1b" not in result.out


def test_a_wrong_formula_fails_in_words_and_status(ornstein: Callable, swapped: None) -> None:
    result = ornstein(*CHEAP)
    assert result.status == 1
    assert sum(line.endswith(" FAIL") for line in result.out.splitlines()) == 2
    words = " ".join(result.out.split())
    assert "FAIL: KL(gen || pop) (section 5; Merger, Goldt, 2505.24769) is 2.4" in words
    assert "2 of 2 checks FAILED, named above." in words
    assert "\x1b" not in result.out


def test_json_is_one_document_with_the_same_numbers(ornstein: Callable, swapped: None) -> None:
    result = ornstein(*CHEAP, "--json")
    assert result.status == 1
    document = json.loads(result.out, parse_constant=pytest.fail)
    assert (document["seed"], document["fast"], document["passed"]) == (0, True, False)
    assert document["false_alarm_rate"] == pytest.approx(4e-5)
    assert document["simulations"] == 6000
    row = document["rows"][0]
    assert row["check"] == "KL(gen || pop)"
    assert row["parameters"] == {"dim": 20, "n_train": 50}
    assert row["z"] == pytest.approx(
        (row["simulated"] - row["predicted"]) / row["standard_error"], rel=1e-12
    )
    assert row["passed"] is False
    # A closed form that is exact has no allowance; what was there before is there still.
    assert row["z_beyond_allowance"] == row["z"]
    assert set(row) >= {
        "section", "check", "source", "experiment", "parameters", "simulations", "predicted",
        "simulated", "standard_error", "z", "allowance", "allowance_formula", "allowance_reason",
        "threshold", "resolution", "passed", "error",
    }  # fmt: skip


def test_z_counts_beyond_the_allowance_and_json_has_both(ornstein: Callable) -> None:
    options = ("verify", "--fast", "--only", "7", "--jobs", 1)
    row = json.loads(ornstein(*options, "--json").out)["rows"][1]
    assert row["check"] == "overlap, n < d"
    assert row["z"] < -2
    assert row["z_beyond_allowance"] == 0
    text = next(t for t in ornstein(*options).out.splitlines() if t.startswith(row["check"]))
    assert text.split("±")[1].split()[1] == "0"


def test_the_seed_counts(ornstein: Callable) -> None:
    zero, one = (
        json.loads(ornstein(*CHEAP, "--json", "--seed", seed).out)["rows"][0] for seed in (0, 1)
    )
    assert zero["predicted"] == one["predicted"]
    assert zero["simulated"] != one["simulated"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--only", "quantum"), "--only: given 'quantum', expected sections"),
        (("--seed", -1), "seed is -1"),
        (("--jobs", 0), "jobs is 0"),
        (("--jobs", "many"), "--jobs: given 'many'"),
    ],
)
def test_bad_input_gets_one_line(ornstein: Callable, options: tuple, message: str) -> None:
    result = ornstein("verify", "--fast", *options)
    assert result.status == 2
    assert result.out == ""
    assert message in result.err
    assert result.err.count("\n") == 1


# ---- the table itself


@cache
def right_predictions() -> dict[str, float]:
    """At the fast settings, which are cheaper and give numbers of the same size."""
    return {check.name: check.predict(**check.experiment.fast.parameters) for check in CHECKS}


def table_of_all(fast: bool, error: float = 1e-2, factor: float = 1.0) -> Verification:
    """All checks, with made-up replicates, and predictions that are off by a factor."""
    z = np.random.default_rng(0).standard_normal(100)
    rows = []
    for check in CHECKS:
        setting = check.experiment.setting(fast=fast)
        right = right_predictions()[check.name]
        wrong = replace(check, predict=lambda value=factor * right, **_: value)
        rows.append(judge(wrong, setting, right + max(abs(right), 1e-3) * error * z))
    return Verification(tuple(rows), 0, fast)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("error", [1e-5, 1e-2, 1.0])
def test_fits_80_columns(fast: bool, error: float) -> None:
    for factor in (1.0, -1.0, 1e-30, -1e9, math.inf, math.nan):
        text = verification_table(table_of_all(fast, error, factor))
        assert max(map(len, text.splitlines())) <= 80


def test_failing_rows_are_red_on_request_only() -> None:
    result = table_of_all(True, factor=-10.0)
    lines = verification_table(result, color=True).splitlines()
    red = [line for line in lines if line.startswith("\x1b[31m")]
    # All but the one that predicts 0.
    assert len(red) == len(CHECKS) - 1
    assert all(line.endswith(" FAIL\x1b[0m") for line in red)
    assert "\x1b" not in verification_table(result)
    assert "\x1b" not in verification_table(table_of_all(True), color=True)


def test_color_needs_a_terminal_and_no_veto(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not use_color(stream)
    stream.isatty = lambda: True
    assert use_color(stream)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not use_color(stream)


def test_each_allowance_has_one_note_and_a_zero_no_sign() -> None:
    text = verification_table(table_of_all(True))
    assert text.count("a  0.2/d of the prediction: order left out") == 1
    row = next(line for line in text.splitlines() if line.startswith("int ln s^2 f, n < d"))
    assert " -0.0" not in row.split("±")[0][:44]


def test_an_error_is_told_in_words() -> None:
    check = CHECKS[0]
    row = not_judged(check, check.experiment.fast, "ArithmeticError: no convergence")
    text = verification_table(Verification((row,), 0, True))
    assert "FAIL: KL, n > n* (section 1.1) was not compared: ArithmeticError" in text
    assert "1 of 1 check FAILED, named above." in text
