"""Run a study: cells to workers, outcomes to the store, the summary to the study folder.

Workers pin their linear algebra to one thread, so that the cores work on different cells and a
cell's arithmetic does not depend on how many there are: results are bit-identical for any number
of workers. Only the driver writes.

Where a worker dies, the cells that it may have had are computed once more, one by one, after all
others: only a cell whose own worker dies again is recorded as failed.
"""

from __future__ import annotations

__all__ = ["run", "compute", "summarized", "cpu_type"]

import platform
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein.engine.pool import PoolGoneError, one_blas_thread, open_pool
from ornstein.engine.precision import enough
from ornstein.engine.shards import cells_of
from ornstein.engine.store import Outcome, Store, StudyError
from ornstein.engine.study import planned_cells
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.engine.pool import Pool
    from ornstein.engine.precision import Precision
    from ornstein.engine.shards import Shard
    from ornstein.engine.study import Cell, Study
    from ornstein.engine.summary import Summary

    _Pool = Pool[list[Cell], list[Outcome]]

_GROUP_SECONDS = 0.5  # a group of cells is closed at this cost: little is lost with it


def run(
    study: Study,
    folder: str | Path | None = None,
    *,
    jobs: int = -1,
    dask: str | None = None,
    shard: Shard | None = None,
    precision: Precision | None = None,
    retry_failed: bool = False,
    progress: bool | None = None,
) -> Summary:
    """Compute what is missing, write the study folder, and return the summary.

    Parameters and exceptions are those of :meth:`~ornstein.engine.study.Study.run`.
    """
    from ornstein.engine.folder import require_study_folder, write_settings, write_summary

    place = None if folder is None else Path(folder)
    if shard is not None:
        if place is None:
            raise StudyError("a shard needs a study folder: without one its cells would be lost")
        place = shard.folder(place)
    if place is not None:
        require_study_folder(place)
    with Store(place, study.identity, study.metrics, study.arithmetic) as store:
        if place is not None:
            write_settings(place, study, precision)
        try:
            compute(
                study,
                store,
                jobs=jobs,
                dask=dask,
                shard=shard,
                precision=precision,
                retry_failed=retry_failed,
                progress=progress,
            )
            summary = summarized(study, store, precision, shard)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"interrupted{_kept(store)}") from None
        except PoolGoneError as error:
            raise PoolGoneError(f"{error}{_kept(store)}") from None
    if place is not None and summary.rows and shard is None:
        write_summary(place, summary)
    return summary


def summarized(
    study: Study, store: Store, precision: Precision | None = None, shard: Shard | None = None
) -> Summary:
    """Make the summary of what is stored: the study's own, with failed cells and notes on the run.

    Parameters
    ----------
    study : Study
    store : Store
        With `replicates` as the rule of `precision` has them.
    precision, shard
        As for :meth:`~ornstein.engine.study.Study.run`.
    """
    summary = study.summarize(store)
    cells = cells_of(study, shard) if shard else planned_cells(study, store.replicates)
    notes = [*summary.notes, *_of_two_types(store.cpus())]
    if precision is not None:
        notes.append(_on_precision(study, store, precision))
    return replace(summary, failed=sorted(store.failed() & set(cells)), notes=notes)


def _kept(store: Store) -> str:
    """What a study that was cut off has, and how it goes on."""
    if store.folder is None:
        return ""
    ready = len(store.finished())
    return f": {ready} cells are in {store.folder}; the same command goes on from there"


def compute(
    study: Study,
    store: Store,
    *,
    jobs: int = -1,
    dask: str | None = None,
    shard: Shard | None = None,
    precision: Precision | None = None,
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
    jobs, dask, shard, precision, retry_failed, progress
        As for :meth:`~ornstein.engine.study.Study.run`.
    """
    if precision is not None:
        if shard is not None:
            raise StudyError("target_se needs all replicates of a size: give it without a shard")
        precision.metrics(study)
        precision.ladder(study)
    if retry_failed:
        store.forget_failures()
    cells = cells_of(study, shard)
    _plan(study, store, cells, shard)
    missing = _missing(store, cells)
    if precision is None and not missing:
        return
    tasks = len(_groups(study, missing)) if precision is None else None
    with (
        progress_bar(len(cells), "cell", progress, initial=len(cells) - len(missing)) as bar,
        open_pool(_Work(study), jobs, dask, tasks=tasks) as pool,
    ):
        _compute(study, store, missing, pool, bar)
        while precision is not None:
            store.replicates, _ = enough(study, store, precision)
            cells = planned_cells(study, store.replicates)
            missing = _missing(store, cells)
            _plan(study, store, cells, None)
            if not missing:
                break
            bar.total = len(cells)
            _compute(study, store, missing, pool, bar)


def _plan(study: Study, store: Store, cells: Sequence[Cell], shard: Shard | None) -> None:
    """Tell the store what is asked for: all replicates of all sizes, or so many of each."""
    plan = {"train_sizes": list(study.train_sizes), "simulations": study.simulations}
    share: dict[str, Any] = {}
    if shard is not None or len(cells) != len(study.train_sizes) * study.simulations:
        share = {"cells": Counter(cell.train_size for cell in cells)}
    store.plan({**plan, **share})


def _missing(store: Store, cells: Sequence[Cell]) -> list[Cell]:
    ready = store.finished() | store.failed()
    return [cell for cell in cells if cell not in ready]


def _compute(study: Study, store: Store, cells: Sequence[Cell], pool: _Pool, bar: Any) -> None:
    """Compute cells in groups; then, one by one, those that may have killed their worker."""
    suspects: list[Cell] = []
    for group, outcomes, lost in pool.map(_groups(study, cells)):
        if lost:
            suspects += group
            continue
        store.save(*(outcomes or ()))
        bar.update(len(group))
    for (cell,), outcomes, lost in pool.map(([cell] for cell in suspects), ahead=1):
        reason = "its worker died: out of memory?"
        found = [Outcome(cell, float("nan"), error=reason)] if lost else outcomes
        store.save(*(found or ()))
        bar.update(1)


def _on_precision(study: Study, store: Store, precision: Precision) -> str:
    """Say where the rule stopped, and where it could not."""
    counts, short = enough(study, store, precision)
    targets = ", ".join(f"{name} {target:g}" for name, target in precision.targets.items())
    least, most = min(counts.values()), max(counts.values())
    runs = f"{least}" if least == most else f"{least} to {most}"
    missed = ""
    if short:
        sizes = ", ".join(map(str, sorted(short)))
        missed = f" Not reached within {precision.max_simulations} runs at n = {sizes}."
    return (
        f"Runs were added until standard errors were at most {targets}: {runs} of each n.{missed} "
        "The rule looked at the data, so that errors are a little smaller than they should be."
    )


def _of_two_types(cpus: Mapping[str, int]) -> list[str]:
    """Say that a table mixes cells of machines that may differ in the last bits."""
    if len(cpus) < 2:
        return []
    counts = "; ".join(f"{name}: {count}" for name, count in cpus.items())
    return [
        (
            f"Cells were computed on {len(cpus)} types of CPU ({counts}): numbers agree to the "
            "last bit within one type, and to rounding between types."
        )
    ]


def _groups(study: Study, cells: Sequence[Cell]) -> list[list[Cell]]:
    """Groups of neighbours: long enough to hide a worker's call, short enough to lose little.

    A group is opened by a cell that costs more than what is left of the last one, and takes the
    cheaper cells after it, which may share what it computed (as originals of a replicate). Cells
    that are measured in one call make groups of their own, the same whatever is missing elsewhere.
    """
    if study.batch_size > 1:
        batches: dict[tuple[int, int], list[Cell]] = {}
        for cell in cells:
            batch = (cell.train_size, cell.replicate // study.batch_size)
            batches.setdefault(batch, []).append(cell)
        return list(batches.values())
    costs = [study.seconds(cell) for cell in cells]
    limit = min(max(sum(costs) / 100, 0.05), _GROUP_SECONDS)
    groups: list[list[Cell]] = []
    left = 0.0
    for cell, cost in zip(cells, costs, strict=True):
        if left < cost:
            groups.append([])
            left = limit
        else:
            left -= cost
        groups[-1].append(cell)
    return groups


class _Work:
    """What a worker does with a group of cells; it never fails as a whole."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def __call__(self, cells: list[Cell]) -> list[Outcome]:
        with one_blas_thread():
            outcomes = None
            if len(cells) > 1 and self._study.batch_size > 1:
                outcomes = _batch(self._study, cells)
            return outcomes or [_single(self._study, cell) for cell in cells]


def _batch(study: Study, cells: Sequence[Cell]) -> list[Outcome] | None:
    """Outcomes of cells measured in one call; None if it failed: each is then tried alone."""
    start = time.perf_counter()
    try:
        measured = study.measure_batch(cells)
    except Exception:  # noqa: BLE001 - each cell will give its own error
        return None
    share = (time.perf_counter() - start) / len(cells)
    return [
        Outcome(cell, share, values=dict(values), cpu=cpu_type())
        for cell, values in zip(cells, measured, strict=True)
    ]


def _single(study: Study, cell: Cell) -> Outcome:
    start = time.perf_counter()
    try:
        values: dict[str, Any] = dict(study.measure(cell))
    except Exception as error:  # noqa: BLE001 - one failing cell is recorded, the rest goes on
        reason = f"{type(error).__name__}: {error}"
        return Outcome(cell, time.perf_counter() - start, error=reason, cpu=cpu_type())
    return Outcome(cell, time.perf_counter() - start, values=values, cpu=cpu_type())


@cache
def cpu_type() -> str:
    """Model of this machine's CPU: numbers agree to the last bit within one type."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()
