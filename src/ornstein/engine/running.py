"""Run a study: cells to workers, outcomes to the store.

A study is a list of cells, each a training size and the number of a replicate. A cell's random
numbers derive from the study's seed and the cell's own values,

    SeedSequence(seed, spawn_key=(train_size, replicate)),

never from the order of the run. Workers pin their linear algebra to one thread, so that the cores
work on different cells and a cell's arithmetic does not depend on how many there are: results are
bit-identical for any number of workers. Only the driver writes.
"""

from __future__ import annotations

__all__ = ["Study", "run_study", "planned_cells", "cell_seed"]

import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ornstein.engine.pool import in_workers, one_blas_thread
from ornstein.engine.store import Cell, Outcome
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.engine.store import Store


class Study(Protocol):
    """What the engine asks of a study; instances travel to workers by pickle.

    A study that is faster with several replicates of one size at once says so by an attribute
    ``together`` > 1, how many, and a method ``measure_together(cells)`` that returns the values of
    each.
    """

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON values that must agree for cells on disk to be reused."""
        ...

    @property
    def metrics(self) -> Sequence[str]:
        """Names of the values that a cell measures."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the study."""
        ...

    @property
    def train_sizes(self) -> Sequence[int]:
        """Training sizes asked for."""
        ...

    @property
    def simulations(self) -> int:
        """Replicates of each training size."""
        ...

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell; cheap neighbours go to a worker together."""
        ...

    def measure(self, cell: Cell) -> Mapping[str, float]:
        """Compute one cell."""
        ...


def cell_seed(seed: int, cell: Cell) -> np.random.SeedSequence:
    """Entropy of one cell."""
    return np.random.SeedSequence(seed, spawn_key=(cell.train_size, cell.replicate))


def planned_cells(study: Study) -> list[Cell]:
    """All cells of a study, one replicate of every size before the next."""
    return [
        Cell(train_size, replicate)
        for replicate in range(study.simulations)
        for train_size in study.train_sizes
    ]


def run_study(
    study: Study,
    store: Store,
    *,
    jobs: int = -1,
    dask: str | None = None,
    retry_failed: bool = False,
    progress: bool | None = None,
) -> None:
    """Compute the cells that are missing in `store`.

    Parameters
    ----------
    study : Study
        What to compute.
    store : Store
        Where its cells are kept; finished ones are reused.
    jobs : int
        Local worker processes; -1 for one per core.
    dask : str, optional
        Address of a dask scheduler, ``tcp://...``, to work on instead.
    retry_failed : bool
        Compute again the cells that failed before.
    progress : bool, optional
        Show a progress bar on stderr; by default if that is a terminal.

    Raises
    ------
    StudyError
        If the folder cannot be written.
    ValueError
        If there is no such dask scheduler, or `jobs` is 0.
    KeyboardInterrupt
        On Ctrl-C; what is finished is on disk.
    """
    store.plan({"train_sizes": list(study.train_sizes), "simulations": study.simulations})
    if retry_failed:
        store.forget_failures()
    cells = planned_cells(study)
    ready = store.finished() | store.failed()
    tasks = _tasks(study, [cell for cell in cells if cell not in ready])
    done = len(cells) - sum(map(len, tasks))
    with progress_bar(len(cells), "cell", progress, initial=done) as bar:
        calls = [(study, task) for task in tasks]
        for outcomes in in_workers(_work, calls, jobs, dask):
            for outcome in outcomes:
                store.save(outcome)
            bar.update(len(outcomes))


def _tasks(study: Study, cells: Sequence[Cell]) -> list[list[Cell]]:
    """Groups of neighbours: long enough to hide a worker's call, short enough to lose little.

    A dear cell opens a group, and the cheap ones after it join: they may share what it computed.
    Cells to be measured together make groups of their own, the same whatever is missing elsewhere.
    """
    together = getattr(study, "together", 1)
    if together > 1:
        groups: dict[tuple[int, int], list[Cell]] = {}
        for cell in cells:
            groups.setdefault((cell.train_size, cell.replicate // together), []).append(cell)
        return list(groups.values())
    costs = [study.seconds(cell) for cell in cells]
    limit = min(max(sum(costs) / 100, 0.05), 0.5)
    tasks: list[list[Cell]] = []
    room = 0.0
    for cell, cost in zip(cells, costs, strict=True):
        if room < cost:
            tasks.append([])
            room = limit
        else:
            room -= cost
        tasks[-1].append(cell)
    return tasks


def _work(study: Study, cells: Sequence[Cell]) -> list[Outcome]:
    """Run in a worker: measure cells, and never fail as a whole."""
    with one_blas_thread():
        at_once = len(cells) > 1 and getattr(study, "together", 1) > 1
        outcomes = _outcomes_together(study, cells) if at_once else None
        return outcomes or [_outcome(study, cell) for cell in cells]


def _outcomes_together(study: Any, cells: Sequence[Cell]) -> list[Outcome] | None:
    """Outcomes of cells measured at once; None if that failed, and they are to be tried alone."""
    start = time.perf_counter()
    try:
        measured = study.measure_together(cells)
    except Exception:  # noqa: BLE001 - each cell will tell its own error
        return None
    share = (time.perf_counter() - start) / len(cells)
    return [
        Outcome(cell, share, values=dict(values))
        for cell, values in zip(cells, measured, strict=True)
    ]


def _outcome(study: Study, cell: Cell) -> Outcome:
    start = time.perf_counter()
    try:
        values = dict(study.measure(cell))
    except Exception as error:  # noqa: BLE001 - one failing cell is recorded, the rest goes on
        reason = f"{type(error).__name__}: {error}"
        return Outcome(cell, time.perf_counter() - start, error=reason)
    return Outcome(cell, time.perf_counter() - start, values=values)
