"""What a study is: cells, each a training size and the number of a replicate.

A study says what a cell measures and how the table is made of cells; the engine runs any study
and depends on none. A cell's random numbers derive from the study's seed and the cell's own values,

    SeedSequence(seed, spawn_key=(train_size, replicate)),

never from the order of the run.
"""

from __future__ import annotations

__all__ = ["Cell", "Study", "cell_seed", "check_plan", "planned_cells"]

from abc import ABC, abstractmethod
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ornstein.engine.precision import Precision
    from ornstein.engine.shards import Shard
    from ornstein.engine.store import Store
    from ornstein.engine.summary import Summary


class Cell(NamedTuple):
    """One unit of work: a training size and the number of a replicate."""

    train_size: int
    replicate: int


class Study(ABC):
    """Base of all studies: a frozen dataclass with the field `options`.

    A subclass promises that

    1. the values of a cell depend on `identity` and on the cell alone: neither on other cells, nor
       on the order, the process or the number of workers that compute them;
    2. `identity` holds JSON values, and no training sizes and no number of simulations, so that
       more of them reuse what is there;
    3. `measure` returns a number for each name in `metrics`, and raises where it cannot;
    4. `measure_batch` returns what `measure` returns of each cell, up to rounding;
    5. `summarize` depends on the stored cells and on the study alone, and changes neither;
    6. an instance is pickled by its fields, so what a property has cached (as points that were
       read from a file) does not travel to the workers; a file that is read where it is needed
       travels by its path, and what is known of it.
    """

    name: ClassVar[str]
    """Of the kind of study, as ``identity`` and the default folder have it."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Packages whose versions are recorded, beside the usual ones."""
    arithmetic: ClassVar[int] = 1
    """Version of what `measure` computes: raised when the values of a cell change."""
    options: Any
    """A frozen dataclass with ``train_sizes``, ``simulations`` and ``seed``, among others."""

    @property
    def seed(self) -> int:
        """Seed of the study."""
        return self.options.seed

    @property
    def train_sizes(self) -> tuple[int, ...]:
        """Training sizes asked for."""
        return self.options.train_sizes

    @property
    def simulations(self) -> int:
        """Replicates of each training size."""
        return self.options.simulations

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """JSON values that must agree for cells on disk to be reused."""

    @property
    @abstractmethod
    def metrics(self) -> Sequence[str]:
        """Names of the values that a cell measures."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The options with defaults filled in, as ``config.yaml`` keeps them."""
        return asdict(self.options)

    @property
    def batch_size(self) -> int:
        """Replicates of one size that are measured in one call."""
        return 1

    @abstractmethod
    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core, in seconds."""

    @abstractmethod
    def measure(self, cell: Cell) -> Mapping[str, float]:
        """Compute one cell."""

    def measure_batch(self, cells: Sequence[Cell]) -> Sequence[Mapping[str, float]]:
        """Compute cells of one training size at once."""
        return [self.measure(cell) for cell in cells]

    @abstractmethod
    def summarize(self, store: Store) -> Summary:
        """Make the rows of the table, and all else that is printed or drawn, of finished cells."""

    def run(
        self,
        folder: str | Path | None = None,
        *,
        jobs: int = -1,
        dask: str | None = None,
        shard: Shard | None = None,
        precision: Precision | None = None,
        retry_failed: bool = False,
        progress: bool | None = None,
    ) -> Summary:
        """Compute what is missing, and return the summary.

        Parameters
        ----------
        folder : str or Path, optional
            Study folder: finished cells in it are reused, and cells, configuration, table and
            figures are written to it. By default everything is kept in memory.
        jobs : int
            Local worker processes; -1 for one per core.
        dask : str, optional
            Address of a dask scheduler, ``tcp://...``, to work on instead; ``local`` starts one on
            this machine, with `jobs` workers.
        shard : Shard, optional
            Compute a share of the cells alone, in a folder of its own within `folder`; `merge`
            brings shards together. The summary is that of the share, and is not written.
        precision : Precision, optional
            Go on with more replicates of a size until its standard errors are small enough.
        retry_failed : bool
            Compute again the cells that failed before.
        progress : bool, optional
            Show a progress bar on stderr; by default if that is a terminal.

        Raises
        ------
        StudyError
            If the folder cannot be used, or holds a study of another configuration.
        ValueError
            If there is no such dask scheduler, or `jobs` is 0.
        KeyboardInterrupt
            On Ctrl-C; what is finished is on disk.
        """
        from ornstein.engine.running import run

        return run(
            self,
            folder,
            jobs=jobs,
            dask=dask,
            shard=shard,
            precision=precision,
            retry_failed=retry_failed,
            progress=progress,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


def cell_seed(seed: int, cell: Cell) -> np.random.SeedSequence:
    """Entropy of one cell."""
    return np.random.SeedSequence(seed, spawn_key=(cell.train_size, cell.replicate))


def planned_cells(study: Study, replicates: Mapping[int, int] | None = None) -> list[Cell]:
    """All cells of a study, one replicate of every size before the next.

    Parameters
    ----------
    study : Study
    replicates : mapping of int to int, optional
        Replicates of each training size; by default `study.simulations` of all.
    """
    counts = dict.fromkeys(study.train_sizes, study.simulations) | dict(replicates or {})
    return [
        Cell(train_size, replicate)
        for replicate in range(max(counts.values()))
        for train_size in study.train_sizes
        if replicate < counts[train_size]
    ]


def check_plan(options: Any) -> None:
    """Validate ``train_sizes``, ``simulations``, ``originals`` and ``seed`` of options.

    Training sizes of None are those that a study chooses when it knows its data.

    Raises
    ------
    ValueError, TypeError
        If there is no training size, or one of these is out of range.
    """
    if options.train_sizes is not None and not options.train_sizes:
        raise ValueError("train_sizes is empty: expected at least one size, as in 25:1000:25")
    for size in options.train_sizes or ():
        as_count(size, "a training size", at_least=2)
    as_count(options.simulations, "simulations")
    if getattr(options, "originals", None) not in {None, "n"}:
        as_count(options.originals, "originals", at_least=2)
    as_count(options.seed, "seed", at_least=0)
