"""One SQLite file per study: a row per cell, written by the driver alone.

The outcomes of a group of cells are one transaction, so a run killed at any moment leaves the cells
before it, whole. The file also holds what the study is (its identity): a run with another
configuration is refused, with the difference shown; and on which type of CPU each cell was
computed, since numbers agree to the last bit within one type.
"""

from __future__ import annotations

__all__ = ["Store", "Outcome", "StudyError", "FILE_NAME"]

import json
import math
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein.engine.database import FILE_NAME, FORMAT, StudyError, get, open_database, put, said
from ornstein.engine.lock import DriverLock
from ornstein.engine.study import Cell, planned_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

    from ornstein.engine.study import Study

_FEW = 100  # training sizes that are named in a query


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its measured values, or the error it ended with."""

    cell: Cell
    seconds: float
    values: Mapping[str, float] | None = None
    error: str | None = None
    cpu: str = ""
    """Type of the CPU that computed it."""


class Store:
    """The cells of one study on disk, of which this process is the driver.

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

    Attributes
    ----------
    replicates : mapping of int to int, or None
        Replicates of each training size that the study counts, where a rule has added some.

    Raises
    ------
    StudyError
        If the folder cannot be written, has another driver, holds no readable study, or one of
        another identity.
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
        self.replicates: Mapping[int, int] | None = None
        self._lock: DriverLock | None = None
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = DriverLock(folder)
            self._connection = open_database(None if folder is None else self.path)
        except (OSError, sqlite3.Error) as error:
            if self._lock is not None:
                self._lock.release()
            raise StudyError(f"cannot use the folder {str(folder)!r}: {error}") from error
        try:
            with said("use", self.path):
                self._create()
                self._check({**identity, "arithmetic": arithmetic})
        except StudyError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, with what is in its log, and let go of the folder."""
        try:
            with said("close", self.path):
                self._connection.close()
        finally:
            if self._lock is not None:
                self._lock.release()

    def finished(self) -> set[Cell]:
        """Cells that are done."""
        return self._cells("done")

    def failed(self) -> set[Cell]:
        """Cells that ended with an error."""
        return self._cells("failed")

    def save(self, *outcomes: Outcome) -> None:
        """Record outcomes, in one transaction.

        Raises
        ------
        StudyError
            If the disk refuses, or another driver has taken over; everything saved before stays.
        """
        if self._lock is not None and self._lock.lost:
            raise StudyError(
                f"another driver has taken over {str(self.folder)!r}, since this one was stopped "
                "for minutes: the study goes on there"
            )
        marks = ", ".join("?" * (6 + len(self.metrics)))
        with said("write to", self.path), self._connection:
            self._connection.executemany(
                f"INSERT OR REPLACE INTO cells VALUES ({marks})",  # noqa: S608
                [self._row(outcome) for outcome in outcomes],
            )

    def forget_failures(self) -> int:
        """Drop failed cells, so that they are computed again; returns how many."""
        with said("write to", self.path), self._connection:
            return self._connection.execute("DELETE FROM cells WHERE status = 'failed'").rowcount

    def of(self, study: Study) -> dict[int, dict[str, list[float]]]:
        """Measured values of the finished cells that a study plans, as `values` returns them."""
        return self.values(planned_cells(study, self.replicates))

    def values(self, cells: Iterable[Cell]) -> dict[int, dict[str, list[float]]]:
        """Measured values of the finished `cells`: per training size and metric, by replicate."""
        wanted = set(cells)
        sizes = sorted({cell.train_size for cell in wanted})
        few = f" AND train_size IN ({', '.join(map(str, sizes))})" if len(sizes) < _FEW else ""
        columns = ", ".join(f'"{name}"' for name in self.metrics)
        query = (
            f"SELECT train_size, replicate, {columns} FROM cells "  # noqa: S608 - own names
            f"WHERE status = 'done'{few} ORDER BY train_size, replicate"
        )
        table: dict[int, dict[str, list[float]]] = {}
        with said("read", self.path):
            for train_size, replicate, *row in self._connection.execute(query):
                if Cell(train_size, replicate) in wanted:
                    size = table.setdefault(train_size, {name: [] for name in self.metrics})
                    for name, value in zip(self.metrics, row, strict=True):
                        # SQLite keeps NaN as NULL.
                        size[name].append(math.nan if value is None else value)
        return table

    def cpus(self) -> dict[str, int]:
        """Finished cells by the type of CPU that computed them, where that is known."""
        query = (
            "SELECT name, COUNT(*) FROM cells JOIN cpus ON cells.cpu = cpus.id "
            "WHERE status = 'done' GROUP BY name ORDER BY name"
        )
        with said("read", self.path):
            return dict(self._connection.execute(query))

    def plan(self, plan: Mapping[str, Any]) -> None:
        """Remember what the latest run asked for, for `ornstein status`."""
        with said("write to", self.path), self._connection:
            put(self._connection, "plan", plan)

    def _row(self, outcome: Outcome) -> tuple[Any, ...]:
        values = outcome.values or {}
        return (
            *outcome.cell,
            "failed" if outcome.values is None else "done",
            outcome.seconds,
            outcome.error,
            *(float(values.get(name, math.nan)) for name in self.metrics),
            self._cpu(outcome.cpu) if outcome.cpu else None,
        )

    def _cpu(self, name: str) -> int:
        if name not in self._cpus:
            self._connection.execute("INSERT OR IGNORE INTO cpus (name) VALUES (?)", (name,))
            query = "SELECT id FROM cpus WHERE name = ?"
            (self._cpus[name],) = self._connection.execute(query, (name,)).fetchone()
        return self._cpus[name]

    def _create(self) -> None:
        columns = "".join(f', "{name}" REAL' for name in self.metrics)
        self._cpus: dict[str, int] = {}
        with self._connection:
            for name, definition in {
                "study": "key TEXT PRIMARY KEY, value",
                "cpus": "id INTEGER PRIMARY KEY, name TEXT UNIQUE",
                "cells": (
                    "train_size INTEGER, replicate INTEGER, status TEXT, seconds REAL, error TEXT"
                    f"{columns}, cpu INTEGER, PRIMARY KEY (train_size, replicate)"
                ),
            }.items():
                self._connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({definition})")

    def _check(self, identity: Mapping[str, Any]) -> None:
        given = json.loads(json.dumps({**identity, "format": FORMAT}))
        known = get(self._connection, "identity")
        if known is None:
            with self._connection:
                put(self._connection, "identity", given)
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

    def _cells(self, status: str) -> set[Cell]:
        query = "SELECT train_size, replicate FROM cells WHERE status = ?"
        with said("read", self.path):
            return {Cell(*row) for row in self._connection.execute(query, (status,))}
