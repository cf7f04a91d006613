"""Failing cells and ``ornstein status``: recorded, shown, computed again when asked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ornstein.engine.study import Cell
from ornstein.studies.linear.study import LinearStudy

SMALL = ("--dim", 3, "--train-sizes", "5,8", "--simulations", 4, "--jobs", 1, "--out", "study")

pytestmark = pytest.mark.usefixtures("without_figure")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[Cell]:
    """Cells of this set fail."""
    cells: set[Cell] = set()
    measure = LinearStudy.measure

    def measured(study: LinearStudy, cell: Cell) -> dict[str, float]:
        if cell in cells:
            raise ArithmeticError("no\nsolution")
        return measure(study, cell)

    monkeypatch.setattr(LinearStudy, "measure", measured)
    return cells


def test_status_of_a_whole_study(ornstein: Callable) -> None:
    ornstein("linear", *SMALL)
    result = ornstein("status", "study")
    assert (result.status, result.err) == (0, "")
    assert "linear study in study" in result.out
    assert "8 cells done of 8 planned in the latest run." in result.out
    assert [line.split() for line in result.out.splitlines()[4:6]] == [
        ["5", "4", "4", "0"],
        ["8", "4", "4", "0"],
    ]


def test_failing_cells_are_recorded_and_the_rest_goes_on(
    ornstein: Callable, failing: set[Cell]
) -> None:
    failing |= {Cell(5, 1), Cell(8, 3)}
    result = ornstein("linear", *SMALL)
    assert result.status == 1
    assert result.err == (
        "ornstein: 2 cell(s) failed: ornstein status study shows why, "
        "--retry-failed computes them again\n"
    )
    document = json.loads(ornstein("linear", *SMALL, "--json").out)
    assert [row["simulations"] for row in document["rows"]] == [3, 3]
    assert document["failed"] == [
        {"train_size": 5, "replicate": 1},
        {"train_size": 8, "replicate": 3},
    ]

    status = ornstein("status", "study")
    assert status.status == 1
    assert "failed: n = 5, run 1: ArithmeticError: no solution\n" in status.out
    assert "6 cells done of 8 planned" in status.out
    errors = json.loads(ornstein("status", "study", "--json").out)["errors"]
    assert errors[1] == {"train_size": 8, "replicate": 3, "error": "ArithmeticError: no\nsolution"}


def test_failed_cells_are_computed_again_only_when_asked(
    ornstein: Callable, failing: set[Cell]
) -> None:
    failing.add(Cell(5, 1))
    assert ornstein("linear", *SMALL).status == 1
    failing.clear()
    assert ornstein("linear", *SMALL).status == 1
    healed = ornstein("linear", *SMALL, "--retry-failed")
    assert (healed.status, healed.err) == (0, "")
    assert ornstein("status", "study").status == 0
    ornstein("linear", *SMALL, "--out", "fresh")
    again, fresh = (Path(name, "summary.csv").read_bytes() for name in ("study", "fresh"))
    assert again == fresh


def test_a_study_of_failures_alone(ornstein: Callable, failing: set[Cell]) -> None:
    failing |= {Cell(n, r) for n in (5, 8) for r in range(4)}
    result = ornstein("linear", *SMALL)
    assert result.status == 1
    assert not Path("study", "summary.csv").exists()
    assert "... and 3 more failures" in ornstein("status", "study").out


def test_status_changes_nothing(ornstein: Callable) -> None:
    ornstein("linear", *SMALL)
    before = {file.name: file.read_bytes() for file in Path("study").iterdir()}
    ornstein("status", "study")
    ornstein("status", "study", "--json")
    after = {file.name: file.read_bytes() for file in Path("study").iterdir()}
    # Reading makes SQLite open its write-ahead log, which may leave empty side files.
    assert {name: after[name] for name in before} == before
    assert all(not after[name] or name.endswith("-shm") for name in set(after) - set(before))


def test_planned_is_what_the_latest_run_asked_for(ornstein: Callable) -> None:
    ornstein("linear", *SMALL)
    ornstein("linear", *SMALL, "--train-sizes", 9, "--simulations", 2)
    sizes = json.loads(ornstein("status", "study", "--json").out)["sizes"]
    assert [(row["train_size"], row["planned"], row["done"]) for row in sizes] == [
        (5, 0, 4),
        (8, 0, 4),
        (9, 2, 2),
    ]
