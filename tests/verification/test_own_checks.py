"""Checks of the user's own: what runs, in any number of workers, and what is refused."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ornstein.verification.checks import Setting
from ornstein.verification.own_checks import load_checks
from ornstein.verification.registry import select
from ornstein.verification.running import verify

HEAD = """\
import numpy as np
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

setting = Setting({"dim": 3}, replicates=40)
"""
MEAN = """
def simulate(rng, *, dim):
    return {"square": np.square(rng.standard_normal(dim)).sum(), "one": 1.0}

chi = Experiment("chi-square", simulate, setting, setting)
CHECKS = [
    Check("mine", "E chi-square", "textbook", chi, "square", lambda *, dim: dim),
    Check("mine", "twice that", "a slip", chi, "square", lambda *, dim: 2 * dim),
    Check("other", "one", "textbook", chi, "one", lambda *, dim: 1.0),
]
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "my.py") -> Path:
        path = tmp_path / name
        path.write_text(HEAD + text)
        return path

    return write


def test_runs_the_same_here_and_in_workers(file: Callable) -> None:
    checks = load_checks(file(MEAN))
    here, there = (verify(checks, jobs=jobs) for jobs in (1, 2))
    assert here == there
    assert [row.passed for row in here.rows] == [True, False, True]
    assert [row.predicted for row in here.rows] == [3.0, 6.0, 1.0]
    assert here.rows[0].section == "mine"
    assert here.simulations == 40


def test_a_lambda_and_what_stands_beside_the_file_reach_the_workers(file: Callable) -> None:
    file("scale = 7.0\n", "beside.py")
    text = """
from dataclasses import dataclass
from beside import scale

@dataclass
class Law:
    size: float

def late(rng, *, dim):
    import beside
    return {"value": beside.scale + 0 * rng.random()}

CHECKS = (
    Check("a", "lambda", "", Experiment("lambda", lambda rng, *, dim: {"value": Law(scale).size},
          setting, setting), "value", lambda **_: 7.0),
    Check("a", "late", "", Experiment("late", late, setting, setting), "value", lambda **_: 7.0),
)
"""
    result = verify(load_checks(file(text)), jobs=2)
    assert [(row.error, row.passed) for row in result.rows] == [("", True)] * 2


def test_experiments_travel_as_a_path(file: Callable) -> None:
    checks = load_checks(file(MEAN))
    assert pickle.loads(pickle.dumps(checks[0].experiment)).name == "chi-square"
    # Rows of one experiment share its simulations.
    assert checks[0].experiment is checks[1].experiment
    path = file(MEAN + "# changed below")
    sent = pickle.dumps(load_checks(path)[0].experiment)
    file(MEAN + "# changed")
    with pytest.raises(ValueError, match=r"my\.py was changed while its checks ran"):
        pickle.loads(sent)


def test_an_edited_file_is_read_again(file: Callable) -> None:
    first = load_checks(file(MEAN))
    second = load_checks(file(MEAN.replace("2 * dim", "dim")))
    assert not verify(first, jobs=1).passed
    assert verify(second, jobs=2).passed


def test_chosen_by_section_and_name(file: Callable) -> None:
    checks = load_checks(file(MEAN))
    assert [check.name for check in select("mine", checks)] == ["E chi-square", "twice that"]
    assert [check.name for check in select("twice,other", checks)] == ["twice that", "one"]
    message = r"given 'KL', expected sections like mine and parts of names of checks like 'E chi-"
    with pytest.raises(ValueError, match=message):
        select("KL", checks)


ONE = 'Check("a", "x", "", Experiment("e", simulate, setting, setting), "v", lambda **_: 0.0)'
SIMULATE = "\ndef simulate(rng, *, dim):\n    return {'v': 0.0}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "my.py defines no CHECKS, expected CHECKS = (Check(...), ...): see docs/extending.md"),
        ("CHECKS = ()\n", "CHECKS of my.py is empty, expected at least one Check"),
        (SIMULATE + f"CHECKS = {ONE}\n", "CHECKS of my.py is or holds Check, expected a list or"),
        ("CHECKS = 3\n", "CHECKS of my.py is or holds int, expected a list or tuple of"),
        ("CHECKS = [1, 'x']\n", "CHECKS of my.py is or holds int, str, expected a list or tuple"),
        ("\n1 / 0\n", "my.py cannot be run: line 6: ZeroDivisionError: division by zero"),
        (
            "def f():\n    raise RuntimeError('no')\nf()\n",
            "cannot be run: line 6: RuntimeError: no",
        ),
        ("import nothing_here\n", "my.py cannot be run: line 5: ModuleNotFoundError: No module na"),
        ("x = = 3\n", "my.py cannot be run: SyntaxError: invalid syntax (my.py, line 5)"),
        ("raise SystemExit(3)\n", "my.py cannot be run: line 5: SystemExit: 3"),
        ("Setting({}, 1)\n", "line 5: ValueError: replicates is 1, expected at least 2"),
        (SIMULATE + f"CHECKS = [{ONE}, {ONE}]\n", "two experiments of the name 'e', expected diff"),
        (SIMULATE + f"c = {ONE}\nCHECKS = [c, c]\n", "two checks of the name 'x', expected diff"),
    ],
)
def test_what_is_no_file_of_checks_is_refused_in_one_line(
    file: Callable, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(file(text).parent)
    with pytest.raises(ValueError, match=r"^--checks: ") as refused:
        load_checks("my.py")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.py", tmp_path):
        message = rf"^--checks: given '{re.escape(str(path))}', expected a Python file .* no such"
        with pytest.raises(ValueError, match=message):
            load_checks(path)


@pytest.mark.parametrize(
    ("simulate", "error"),
    [
        ("lambda rng, *, dim: 3.0", "the simulation returns a float, expected a dict of numbers"),
        ("lambda rng, *, dim: {'w': 3.0}", "the simulation returns no 'v', it returns 'w'"),
        ("lambda rng, *, dim: {'v': 'x'}", "ValueError: could not convert string to float: 'x'"),
        ("lambda rng, *, dim: {'v': np.ones(3)}", "TypeError: only "),
        ("lambda rng, *, size: {'v': 1.0}", "unexpected keyword argument 'dim'"),
        (
            "lambda rng, *, dim: {'v': 1.0} if rng.random() < 0.9 else {'w': 1.0}",
            "the simulation returns no 'v', it returns nothing in every replicate",
        ),
    ],
)
def test_a_simulation_that_returns_something_else_fails_in_words(
    file: Callable, simulate: str, error: str
) -> None:
    text = ONE.replace("simulate, setting", f"{simulate}, setting")
    (row,) = verify(load_checks(file(f"CHECKS = [{text}]\n")), jobs=1).rows
    assert not row.passed
    assert error in row.error


def test_a_setting_needs_two_replicates() -> None:
    for replicates in (0, 1):
        with pytest.raises(ValueError, match=rf"replicates is {replicates}, expected at least"):
            Setting({}, replicates)
    with pytest.raises(TypeError, match=r"replicates is 2\.5, expected a whole number"):
        Setting({}, 2.5)
