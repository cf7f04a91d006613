"""The page of a study says which cells failed, and how many more."""

from types import SimpleNamespace
from typing import Any

import pytest

from ornstein.engine.status import Status
from ornstein.engine.study import Cell
from ornstein.reports.study_document import study_document


@pytest.mark.parametrize(
    ("count", "more"), [(5, None), (6, "1 more failure"), (9, "4 more failures")]
)
def test_failures_are_counted(count: int, more: str | None) -> None:
    errors = tuple((Cell(8, k), f"reason {k}\n  of it") for k in range(count))
    status = Status({}, {8: 12}, {8: 2}, {8: count}, errors, cpus=("first", "second"))
    summary: Any = SimpleNamespace(report="linear", rows=[])
    found = study_document(summary, status, {"dim": 3}, {"numpy": "1"}, "ornstein linear")
    said = [f"Failed: n = 8, run {k}: reason {k} of it" for k in range(5)]
    assert found.notes == said + ([f"{more}: ornstein status."] if more else [])
    assert found.state == f"2 of 12 cells are done, {count} failed; what stands here is of those."
    assert found.configuration == {"dim": 3}
    assert found.versions == {"numpy": "1", "CPU": "first; second"}
    assert found.command == "ornstein linear"
