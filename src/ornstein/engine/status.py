"""Which cells of a study are planned, done and failed, as its folder says, which stays as it is."""

from __future__ import annotations

__all__ = ["Status", "read_status"]

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ornstein.engine.database import get, read_only, said, study_file
from ornstein.engine.lock import Holder, read_holder
from ornstein.engine.study import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Status:
    """Which cells of a study are planned, done and failed.

    Attributes
    ----------
    identity : mapping
        What the study is.
    planned, done, failed : mappings of int to int
        Cells of each training size: in the latest run, and in all.
    errors : tuple of (Cell, str)
        Why cells failed.
    seconds : float
        Spent on all cells, by all workers.
    holder : Holder or None
        The driver at work, if there is one.
    cpus : tuple of str
        Types of CPU that computed cells, where they are known.
    """

    identity: Mapping[str, Any]
    planned: Mapping[int, int]
    done: Mapping[int, int]
    failed: Mapping[int, int]
    errors: tuple[tuple[Cell, str], ...]
    seconds: float = 0.0
    holder: Holder | None = None
    cpus: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        """Planned cells that are neither done nor failed."""
        return sum(
            max(0, count - self.done.get(size, 0) - self.failed.get(size, 0))
            for size, count in self.planned.items()
        )


def read_status(folder: Path) -> Status:
    """Read a study folder without changing it.

    Raises
    ------
    StudyError
        If there is no readable study.
    """
    path = study_file(folder)
    with said("read", path), read_only(path) as connection:
        identity = get(connection, "identity") or {}
        planned = _planned(get(connection, "plan") or {})
        counts: dict[str, dict[int, int]] = {"done": {}, "failed": {}}
        spent = 0.0
        query = "SELECT status, train_size, COUNT(*), SUM(seconds) FROM cells GROUP BY 1, 2"
        for status, size, count, seconds in connection.execute(query):
            counts.setdefault(status, {})[size] = count
            spent += seconds or 0.0
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'cpus'").fetchone()
        names = connection.execute("SELECT name FROM cpus ORDER BY name") if known else ()
        cpus = tuple(name for (name,) in names)
        errors = connection.execute(
            "SELECT train_size, replicate, error FROM cells WHERE status = 'failed' "
            "ORDER BY train_size, replicate"
        ).fetchall()
    holder = read_holder(path.parent)
    return Status(
        identity,
        planned,
        counts["done"],
        counts["failed"],
        tuple((Cell(size, replicate), error) for size, replicate, error in errors),
        spent,
        None if holder is None or holder.has_ended() else holder,
        cpus,
    )


def _planned(plan: Mapping[str, Any]) -> dict[int, int]:
    """Cells of each size that the latest run asked for."""
    try:
        if "cells" in plan:
            return {int(size): int(count) for size, count in plan["cells"].items()}
        return {int(n): int(plan["simulations"]) for n in plan.get("train_sizes", [])}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise sqlite3.DatabaseError("its plan is not one of a study: the file is damaged") from None
