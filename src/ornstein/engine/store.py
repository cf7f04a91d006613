"""One SQLite file per study: a row per cell, written by the driver alone.

Every finished cell is one transaction in a write-ahead log, so a run killed at any moment leaves
the cells before it, whole. The file also holds what the study is (its identity): a run with
another configuration is refused, with the difference shown.
"""

from __future__ import annotations

__all__ = ["Store", "Status", "Outcome", "StudyError", "read_status", "FILE_NAME"]

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein.engine.study import Cell, planned_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

    from ornstein.engine.study import Study

FILE_NAME = "study.sqlite"
_FORMAT = 1


class StudyError(ValueError):
    """A study folder that cannot be used as asked; the message is for the user."""


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its measured values, or the error it ended with."""

    cell: Cell
    seconds: float
    values: Mapping[str, float] | None = None
    error: str | None = None


class Store:
    """The cells of one study on disk.

    Parameters
    ----------
    folder : Path or None
        Study folder; made if missing. Without one, the cells are kept in memory.
    identity : mapping of str to JSON values
        What must agree for cells to be reused.
    metrics : sequence of str
        Names of the measured values, one column each.
    arithmetic : int
        Version of what measures them; cells of another one are not reused.

    Raises
    ------
    StudyError
        If the folder cannot be written, holds no readable study, or one of another identity.
    """

    def __init__(
        self,
        folder: Path | None,
        identity: Mapping[str, Any],
        metrics: Sequence[str],
        arithmetic: int = 1,
    ) -> None:
        self.folder = folder
        self.metrics = tuple(metrics)
        self.path = Path(":memory:") if folder is None else folder / FILE_NAME
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._require_study_tables()
            self._create()
        except (OSError, sqlite3.Error) as error:
            raise StudyError(f"cannot use the folder {str(folder)!r}: {error}") from error
        try:
            self._check({**identity, "arithmetic": arithmetic})
        except StudyError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the write-ahead log is merged into it."""
        self._connection.close()

    def finished(self) -> set[Cell]:
        """Cells that are done."""
        return self._cells("done")

    def failed(self) -> set[Cell]:
        """Cells that ended with an error."""
        return self._cells("failed")

    def save(self, outcome: Outcome) -> None:
        """Record one outcome, in a transaction of its own.

        Raises
        ------
        StudyError
            If the disk refuses; everything saved before stays.
        """
        values = outcome.values or {}
        status = "failed" if outcome.values is None else "done"
        row = (
            *outcome.cell,
            status,
            outcome.seconds,
            outcome.error,
            *(float(values.get(name, math.nan)) for name in self.metrics),
        )
        marks = ", ".join("?" * len(row))
        try:
            with self._connection:
                self._connection.execute(f"INSERT OR REPLACE INTO cells VALUES ({marks})", row)  # noqa: S608
        except sqlite3.Error as error:
            raise StudyError(f"cannot write to {str(self.path)!r}: {error}") from error

    def forget_failures(self) -> int:
        """Drop failed cells, so that they are computed again; returns how many."""
        with self._connection:
            return self._connection.execute("DELETE FROM cells WHERE status = 'failed'").rowcount

    def of(self, study: Study) -> dict[int, dict[str, list[float]]]:
        """Measured values of the finished cells that a study plans, as `values` returns them."""
        return self.values(planned_cells(study))

    def values(self, cells: Iterable[Cell]) -> dict[int, dict[str, list[float]]]:
        """Measured values of the finished `cells`: per training size and metric, by replicate."""
        wanted = set(cells)
        columns = ", ".join(f'"{name}"' for name in self.metrics)
        query = (
            f"SELECT train_size, replicate, {columns} FROM cells "  # noqa: S608 - own names
            "WHERE status = 'done' ORDER BY train_size, replicate"
        )
        table: dict[int, dict[str, list[float]]] = {}
        for train_size, replicate, *row in self._connection.execute(query):
            if Cell(train_size, replicate) in wanted:
                size = table.setdefault(train_size, {name: [] for name in self.metrics})
                for name, value in zip(self.metrics, row, strict=True):
                    # SQLite keeps NaN as NULL.
                    size[name].append(math.nan if value is None else value)
        return table

    def plan(self, plan: Mapping[str, Any]) -> None:
        """Remember what the latest run asked for, for `ornstein status`."""
        with self._connection:
            self._put("plan", plan)

    def _require_study_tables(self) -> None:
        """Refuse a database that is of something else, or of cells with other values."""
        tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
        found = {name for (name,) in self._connection.execute(tables)}
        foreign = sorted(found - {"study", "cells"})
        if foreign:
            raise sqlite3.DatabaseError(
                f"{FILE_NAME} has the table(s) {', '.join(foreign[:3])}, which no study has: "
                "use another --out"
            )

    def _create(self) -> None:
        columns = "".join(f', "{name}" REAL' for name in self.metrics)
        with self._connection:
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS study (key TEXT PRIMARY KEY, value)"
            )
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS cells (train_size INTEGER, replicate INTEGER, "
                f"status TEXT, seconds REAL, error TEXT{columns}, "
                "PRIMARY KEY (train_size, replicate))"
            )

    def _check(self, identity: Mapping[str, Any]) -> None:
        given = json.loads(json.dumps({**identity, "format": _FORMAT}))
        known = _get(self._connection, "identity")
        if known is None:
            with self._connection:
                self._put("identity", given)
            return
        # What folders of older versions do not have.
        known = {"arithmetic": 1, **known}
        if "data_shape" not in known and "data_shape" in given:
            known["data_shape"] = given["data_shape"]
        if known != given:
            keys = [key for key in {**known, **given} if known.get(key) != given.get(key)]
            difference = "; ".join(
                f"{key} is {known.get(key)!r} there and {given.get(key)!r} here" for key in keys
            )
            raise StudyError(
                f"{str(self.path.parent)!r} holds a study of another configuration "
                f"({difference}): use another --out, or the configuration it has"
            )

    def _put(self, key: str, value: Mapping[str, Any]) -> None:
        text = json.dumps(dict(value))
        self._connection.execute("INSERT OR REPLACE INTO study VALUES (?, ?)", (key, text))

    def _cells(self, status: str) -> set[Cell]:
        query = "SELECT train_size, replicate FROM cells WHERE status = ?"
        return {Cell(*row) for row in self._connection.execute(query, (status,))}


@dataclass(frozen=True)
class Status:
    """What of a study is planned, done and failed."""

    identity: Mapping[str, Any]
    planned: Mapping[int, int]
    done: Mapping[int, int]
    failed: Mapping[int, int]
    errors: tuple[tuple[Cell, str], ...]


def read_status(folder: Path) -> Status:
    """Read a study folder without changing it.

    Raises
    ------
    StudyError
        If there is no readable study.
    """
    path = Path(folder) / FILE_NAME
    if not path.is_file():
        raise StudyError(
            f"no study in {str(folder)!r}: expected a folder with {FILE_NAME}, as --out makes it"
        )
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            plan = _get(connection, "plan") or {"train_sizes": [], "simulations": 0}
            counts = {
                status: dict(
                    connection.execute(
                        "SELECT train_size, COUNT(*) FROM cells WHERE status = ? "
                        "GROUP BY train_size",
                        (status,),
                    )
                )
                for status in ("done", "failed")
            }
            errors = connection.execute(
                "SELECT train_size, replicate, error FROM cells WHERE status = 'failed' "
                "ORDER BY train_size, replicate"
            ).fetchall()
            identity = _get(connection, "identity") or {}
    except (sqlite3.Error, json.JSONDecodeError) as error:
        raise StudyError(f"cannot read {str(path)!r}: {error}") from error
    return Status(
        identity,
        {int(size): int(plan["simulations"]) for size in plan["train_sizes"]},
        counts["done"],
        counts["failed"],
        tuple((Cell(size, replicate), error) for size, replicate, error in errors),
    )


def _get(connection: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    row = connection.execute("SELECT value FROM study WHERE key = ?", (key,)).fetchone()
    return json.loads(row[0]) if row else None
