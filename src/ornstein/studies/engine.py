"""Run a study: cells to workers, outcomes to the store.

A study is a list of cells, each a training size and the number of a replicate. A cell's random
numbers derive from the study's seed and the cell's own values,

    SeedSequence(seed, spawn_key=(train_size, replicate)),

never from the order of the run. Workers pin their linear algebra to one thread, so that the cores
work on different cells and a cell's arithmetic does not depend on how many there are: results are
bit-identical for any number of workers. Only the driver writes.
"""

from __future__ import annotations

__all__ = [
    "Study",
    "Configured",
    "run_study",
    "planned_cells",
    "cell_seed",
    "one_blas_thread",
    "workers_deaf_to_interrupts",
    "progress_bar",
]

import signal
import sys
import threading
import time
import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ornstein.studies.store import Cell, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ornstein.studies.store import Store


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


class Configured:
    """What a study answers from its configuration, the attribute ``config``."""

    config: Any

    @property
    def seed(self) -> int:
        """Seed of the study."""
        return self.config.seed

    @property
    def train_sizes(self) -> tuple[int, ...]:
        """Training sizes asked for."""
        return self.config.train_sizes

    @property
    def simulations(self) -> int:
        """Replicates of each size."""
        return self.config.simulations


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
    with progress_bar(len(cells), len(cells) - sum(map(len, tasks)), progress) as bar:
        for outcomes in _computed(study, tasks, jobs, dask):
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


def _computed(
    study: Study, tasks: Sequence[list[Cell]], jobs: int, dask: str | None
) -> Iterator[list[Outcome]]:
    """Outcomes of the tasks, in the order in which they are finished."""
    import joblib

    if not tasks:
        return
    with ExitStack() as stack:
        # A worker that has grown (as one that loads PyTorch does) is replaced by a fresh one, and
        # its work is done; joblib warns, in a thread that dies of it where warnings are errors.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
        if dask is not None:
            stack.enter_context(_dask_backend(dask))
        elif joblib.effective_n_jobs(jobs) == 1 or len(tasks) == 1:
            yield from (_work(study, task) for task in tasks)
            return
        parallel = joblib.Parallel(n_jobs=-1 if dask else jobs, return_as="generator_unordered")
        with workers_deaf_to_interrupts():
            results: Any = parallel(joblib.delayed(_work)(study, task) for task in tasks)
        stack.callback(results.close)
        yield from results


@contextmanager
def workers_deaf_to_interrupts() -> Iterator[None]:
    """Processes started within do not get Ctrl-C, which a terminal sends to all: the driver does.

    An ignored signal stays ignored in a child. (Blocking it would not do: the workers' library
    unblocks it on the way.) Only the main thread may change what a signal does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _dask_backend(address: str) -> Iterator[None]:
    try:
        from distributed import Client  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ValueError("--dask needs dask: pip install 'ornstein[cluster]'") from None
    import joblib

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ValueError(f"no dask scheduler at {address!r}: {error}") from error
    with client, joblib.parallel_config(backend="dask"):
        yield


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


_controller: Any = None


def one_blas_thread() -> Any:
    """Context in which linear algebra uses one thread; the libraries are looked up once."""
    global _controller  # noqa: PLW0603 - finding the libraries takes longer than a cell
    import threadpoolctl

    if _controller is None:
        _controller = threadpoolctl.ThreadpoolController()
    return _controller.limit(limits=1)


def progress_bar(total: int, initial: int, progress: bool | None) -> Any:
    """Progress on stderr; with None, if that is a terminal."""
    from tqdm import tqdm

    disable = not sys.stderr.isatty() if progress is None else not progress
    return tqdm(
        total=total, initial=initial, unit="cell", file=sys.stderr, disable=disable, leave=False
    )
