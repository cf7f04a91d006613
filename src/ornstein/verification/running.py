r"""Run experiments: blocks of replicates to workers, arrays of observables back.

The random numbers of a replicate derive from the seed, the name of the experiment and the number
of the replicate,

    SeedSequence(seed, spawn_key=(SHA-256(name) in words of 32 bits, replicate)),

never from the order of the run, nor from which other experiments run. Workers pin their linear
algebra to one thread, and means are taken in the order of the replicates: results are bit-identical
for any number of workers. An experiment that raises an error fails its own checks, no others.
"""

from __future__ import annotations

__all__ = ["Verification", "replicate_seed", "measure", "verify"]

import hashlib
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.engine.pool import in_workers, one_blas_thread
from ornstein.json_values import from_json
from ornstein.progress import progress_bar
from ornstein.validation import as_count
from ornstein.verification.checks import SIGNIFICANCE, Row, judge, not_judged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ornstein.verification.checks import Check, Experiment

    Observables = dict[str, NDArray[np.float64]]
    Task = tuple[Experiment, int, int]
    Block = tuple[str, int, int, list[Mapping[str, float]] | str]

_BLOCKS = 16
_TICK = 1.0  # seconds between two looks of the clock on the bar


class Verification(NamedTuple):
    """The whole table."""

    rows: tuple[Row, ...]
    seed: int
    fast: bool

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Verification:
        """Return the table that `document` wrote, from its JSON.

        Raises
        ------
        ValueError
            If an entry is missing, or is not what it should be.
        """
        try:
            rows = tuple(Row(**row) for row in from_json(document["rows"]))
            return cls(rows, int(document["seed"]), bool(document["fast"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no document of a verification: {error}") from error

    def document(self) -> dict[str, Any]:
        """Return what the JSON document of the command line has."""
        return {
            "seed": self.seed,
            "fast": self.fast,
            "passed": self.passed,
            "false_alarm_rate": self.false_alarm_rate,
            "simulations": self.simulations,
            "rows": self.rows,
        }

    @property
    def passed(self) -> bool:
        """Whether all checks hold."""
        return all(row.passed for row in self.rows)

    @property
    def simulations(self) -> int:
        """Replicates of all experiments; rows of one experiment share them."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.experiment] = max(counts.get(row.experiment, 0), row.simulations)
        return sum(counts.values())

    @property
    def false_alarm_rate(self) -> float:
        """Bound on the probability that a check fails though every formula is right."""
        return min(1.0, SIGNIFICANCE * len(self.rows))


def replicate_seed(seed: int, name: str, replicate: int) -> np.random.SeedSequence:
    """Entropy of one replicate of the experiment `name`."""
    return np.random.SeedSequence(seed, spawn_key=(*_words(name), replicate))


@cache
def _words(name: str) -> tuple[int, ...]:
    return tuple(np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype="<u4").tolist())


def measure(
    experiments: Sequence[Experiment],
    *,
    fast: bool = False,
    seed: int = 0,
    jobs: int = -1,
    progress: bool | None = None,
) -> dict[str, Observables | str]:
    """Run experiments.

    Parameters
    ----------
    experiments : sequence of Experiment
        With different names.
    fast : bool
        Use the fast settings.
    seed : int
        Seed of the whole run, >= 0.
    jobs : int
        Worker processes; -1 for one per core.
    progress : bool, optional
        Show a progress bar on stderr; by default if that is a terminal.

    Returns
    -------
    dict
        By name of the experiment: an array of shape (replicates,) for each observable, or the
        error that it ended with.

    Raises
    ------
    ValueError
        If `jobs` is 0, or `seed` is negative.
    ChildProcessError
        If a worker process died.
    """
    as_count(seed, "seed", at_least=0)
    if jobs == 0:
        raise ValueError("jobs is 0, expected a number of processes, or -1 for one per core")
    tasks = list(_tasks(experiments, fast))
    found: dict[str, dict[int, list[Mapping[str, float]] | str]] = {e.name: {} for e in experiments}
    calls = [(*task, fast, seed) for task in tasks]
    total = sum(stop - start for _, start, stop in tasks)
    with progress_bar(total, "run", progress) as bar, _ticking(bar):
        try:
            for name, start, stop, values in in_workers(_block, calls, jobs):
                found[name][start] = values
                bar.set_postfix_str(name, refresh=False)
                bar.update(stop - start)
        except RuntimeError as error:  # of a worker: those of simulations are recorded
            raise ChildProcessError(str(error)) from error
    return {name: _joined(blocks) for name, blocks in found.items()}


def verify(
    checks: Sequence[Check],
    *,
    fast: bool = False,
    seed: int = 0,
    jobs: int = -1,
    progress: bool | None = None,
) -> Verification:
    """Run what the checks need, each experiment once, and judge them in their order.

    Parameters and errors are those of `measure`.
    """
    experiments = list({check.experiment.name: check.experiment for check in checks}.values())
    measured = measure(experiments, fast=fast, seed=seed, jobs=jobs, progress=progress)
    rows = tuple(_row(check, fast, measured[check.experiment.name]) for check in checks)
    return Verification(rows, seed, fast)


def _row(check: Check, fast: bool, found: Observables | str) -> Row:
    setting = check.experiment.setting(fast=fast)
    if isinstance(found, str):
        return not_judged(check, setting, found)
    if check.observable not in found:
        known = ", ".join(map(repr, found)) or "nothing in every replicate"
        return not_judged(
            check, setting, f"the simulation returns no {check.observable!r}, it returns {known}"
        )
    try:
        return judge(check, setting, found[check.observable])
    except Exception as error:  # noqa: BLE001 - a closed form that fails is a row that fails
        return not_judged(check, setting, f"{type(error).__name__}: {error}")


def _tasks(experiments: Sequence[Experiment], fast: bool) -> Iterator[Task]:
    for experiment in experiments:
        count = experiment.setting(fast=fast).replicates
        edges = np.linspace(0, count, min(_BLOCKS, count) + 1).astype(int).tolist()
        yield from ((experiment, start, stop) for start, stop in pairwise(edges))


def _block(experiment: Experiment, start: int, stop: int, fast: bool, seed: int) -> Block:
    """Run in a worker: replicates `start` to `stop` of one experiment."""
    parameters = experiment.setting(fast=fast).parameters
    values: list[Mapping[str, float]] | str
    try:
        with one_blas_thread():
            values = [
                _observed(
                    experiment.simulate(
                        np.random.default_rng(replicate_seed(seed, experiment.name, replicate)),
                        **parameters,
                    )
                )
                for replicate in range(start, stop)
            ]
    except Exception as error:  # noqa: BLE001 - recorded; the other experiments go on
        values = f"{type(error).__name__}: {error}"
    return experiment.name, start, stop, values


def _observed(values: Any) -> dict[str, float]:
    """What a simulation returned, as plain numbers."""
    if not isinstance(values, Mapping):
        raise TypeError(
            f"the simulation returns a {type(values).__name__}, expected a dict of numbers"
        )
    return {str(key): float(value) for key, value in values.items()}


def _joined(blocks: Mapping[int, list[Mapping[str, float]] | str]) -> Observables | str:
    """Arrays in the order of the replicates; of several errors the first."""
    replicates: list[Mapping[str, float]] = []
    for start in sorted(blocks):
        block = blocks[start]
        if isinstance(block, str):
            return block
        replicates += block
    # An observable that one replicate lacks is one that the simulation does not return.
    names = [name for name in replicates[0] if all(name in values for values in replicates)]
    return {name: np.array([values[name] for values in replicates]) for name in names}


@contextmanager
def _ticking(bar: Any) -> Iterator[None]:
    """Draw the bar again every second: its clock goes on while a simulation takes long."""
    done = threading.Event()

    def tick() -> None:
        while not done.wait(_TICK):
            bar.refresh()

    thread = threading.Thread(target=tick, name="progress", daemon=True)
    if not bar.disable:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if thread.is_alive():
            thread.join()
