"""What the engine costs beside the cells: a study of cells that compute next to nothing."""

from __future__ import annotations

__all__ = ["run"]

import resource
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.engine.running import compute
from ornstein.engine.status import read_status
from ornstein.engine.store import Outcome, Store
from ornstein.engine.study import Cell, Study, planned_cells

if TYPE_CHECKING:
    from ornstein.engine.summary import Summary

SIZES = tuple(range(10, 110, 10))
METRICS = tuple(f"value{index}" for index in range(8))


@dataclass(frozen=True)
class Trivial(Study):
    """Eight numbers a cell."""

    simulations: int = 10_000  # type: ignore[assignment]
    train_sizes: tuple[int, ...] = SIZES  # type: ignore[assignment]
    seed: int = 0  # type: ignore[assignment]
    name: ClassVar[str] = "trivial"
    metrics: ClassVar[tuple[str, ...]] = METRICS  # type: ignore[misc]

    @property
    def identity(self) -> dict[str, Any]:
        """What the study is."""
        return {"study": self.name, "seed": self.seed}

    def seconds(self, cell: Cell) -> float:
        """Cost of a cell."""
        del cell
        return 1e-5

    def measure(self, cell: Cell) -> dict[str, float]:
        """Eight numbers."""
        return dict.fromkeys(METRICS, float(cell.train_size))

    def summarize(self, store: Store) -> Summary:
        """Nothing: it is the engine that is measured."""
        raise NotImplementedError


def run() -> None:
    """Print all tables of this file."""
    _overhead()
    _large_store()


def _overhead() -> None:
    """Time of the driver for 100,000 cells: serial, local processes, a dask cluster."""
    study = Trivial()
    count = len(planned_cells(study))
    print(f"## The engine: {count} cells that compute next to nothing\n")
    print("| workers | s | us a cell | driver grew by, MiB |\n|---|---|---|---|")
    ways: dict[str, dict[str, Any]] = {"this process": {"jobs": 1}, "2 processes": {"jobs": 2}}
    for name, options in ways.items():
        _print_overhead(name, study, options)
    if find_spec("distributed") is not None:
        _print_overhead("dask, 2 workers", study, {"dask": "local", "jobs": 2})
    print()


def _print_overhead(name: str, study: Study, options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with Store(Path(folder) / "s", study.identity, study.metrics) as store:
            start = time.perf_counter()
            compute(study, store, progress=False, **options)
            seconds = time.perf_counter() - start
            count = len(store.finished())
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"| {name} | {seconds:.1f} | {1e6 * seconds / count:.0f} | {grown:.0f} |")


def _large_store() -> None:
    """A million cells planned, half of them done: to open, to go on, to ask for the status."""
    study = Trivial(simulations=100_000)
    cells = planned_cells(study)
    values = dict.fromkeys(METRICS, float(np.pi))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        with Store(folder, study.identity, study.metrics) as store:
            store.plan({"train_sizes": list(SIZES), "simulations": study.simulations})
            store.save(*(Outcome(cell, 1e-3, values=values) for cell in cells[::2]))
        start = time.perf_counter()
        with Store(folder, study.identity, study.metrics) as store:
            opened = time.perf_counter() - start
            missing = len(set(planned_cells(study)) - store.finished())
            ready = time.perf_counter() - start
        start = time.perf_counter()
        left = read_status(folder).left
        status = time.perf_counter() - start
        size = (folder / "study.sqlite").stat().st_size / 1e6
    assert missing == left == len(cells) // 2
    print(f"## A store of {len(cells)} planned cells, half of them done: {size:.0f} MB\n")
    print("| step | s |\n|---|---|")
    print(f"| open | {opened:.2f} |\n| open, and know what is missing | {ready:.2f} |")
    print(f"| `ornstein status` | {status:.2f} |\n")
