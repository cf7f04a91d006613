"""The engine: seeds, resuming, refusing, failing cells, the same numbers for any workers."""

import math
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from joblib.externals.loky.process_executor import BrokenProcessPool
from tests.engine.toys import Deadly, Growing, Toy

from ornstein.engine.pool import ProcessPool
from ornstein.engine.running import compute
from ornstein.engine.status import read_status
from ornstein.engine.store import Outcome, Store, StudyError
from ornstein.engine.study import Cell, cell_seed, planned_cells
from ornstein.engine.summary import mean_and_error, write_csv
from ornstein.intervals import wilson_interval
from ornstein.studies.linear.options import LinearOptions
from ornstein.studies.linear.study import LinearStudy


def run(study: Toy, folder: Path, **options) -> dict:
    with Store(folder, study.identity, study.metrics) as store:
        compute(study, store, **options)
        return store.values(planned_cells(study))


def test_same_values_for_any_number_of_workers(tmp_path: Path) -> None:
    one = run(Toy(simulations=12), tmp_path / "one", jobs=1)
    two = run(Toy(simulations=12), tmp_path / "two", jobs=2)
    assert one == two
    assert one[2]["limit"] == [math.inf] * 12


@pytest.mark.slow
def test_a_worker_that_has_grown_is_replaced_without_a_word(tmp_path: Path) -> None:
    """The warning of that is an error here, and would be the end of the thread that replaces."""
    study = Growing(train_sizes=(2,), simulations=6, log=tmp_path / "log")
    assert len(run(study, tmp_path, jobs=2)[2]["value"]) == 6
    assert len(set((tmp_path / "log").read_text().split())) > 2


@pytest.mark.slow
def test_only_the_cell_that_kills_its_worker_fails(tmp_path: Path) -> None:
    """Its neighbours, lost with it, are computed again, to the values of a serial run."""
    killers = frozenset({Cell(5, 3)})
    study = Deadly(simulations=20, killers=killers)
    values = run(study, tmp_path / "two", jobs=2)
    status = read_status(tmp_path / "two")
    assert {cell for cell, _ in status.errors} == killers
    assert {error for _, error in status.errors} == {"its worker died: out of memory?"}
    serial = run(Toy(simulations=20), tmp_path / "one", jobs=1)
    for size in (2, 5):
        kept = [r for r in range(20) if Cell(size, r) not in killers]
        assert values[size]["value"] == [serial[size]["value"][r] for r in kept]


@pytest.mark.slow
def test_a_worker_killed_once_costs_nothing(tmp_path: Path) -> None:
    study = Deadly(simulations=12, killers=frozenset({Cell(2, 5)}), once=tmp_path / "killed")
    assert run(study, tmp_path / "two", jobs=2) == run(
        Toy(simulations=12), tmp_path / "one", jobs=1
    )
    assert not read_status(tmp_path / "two").failed


def test_processes_that_died_are_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tasks were lost with them; tasks that are handed over in between are kept."""
    made: list[int] = []

    class Executor:
        def __init__(self, *_: object, **__: object) -> None:
            made.append(len(made))
            self.broken = len(made) == 1

        def submit(self, function: Callable[[int], int], task: int) -> Future[int]:
            future: Future[int] = Future()
            if self.broken:
                future.set_exception(BrokenProcessPool())
            else:
                future.set_result(abs(task))
            return future

        def shutdown(self, **_: object) -> None:
            assert made == [0, 1]

    monkeypatch.setattr("joblib.externals.loky.process_executor.ProcessPoolExecutor", Executor)
    with ProcessPool(abs, 2) as pool:
        finished = list(pool.map(range(-4, 4)))
    assert made == [0, 1]
    assert sorted(each.task for each in finished) == list(range(-4, 4))
    assert {each.task for each in finished if each.lost} == set(range(-4, 0))
    assert all(each.result == abs(each.task) for each in finished if not each.lost)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked")
def test_ctrl_c_while_a_task_is_handed_over_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    class Executor:
        submitted = 0

        def submit(self, *_: object) -> object:
            signal.raise_signal(signal.SIGINT)
            Executor.submitted += 1
            return object()

    pool = ProcessPool(abs, 2)
    monkeypatch.setattr(pool, "_running", Executor)
    with pytest.raises(KeyboardInterrupt):
        pool.submit(-3)
    assert Executor.submitted == 1  # whole
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_pool_is_closed_with_a_task_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by Ctrl-C, which waits while a task is handed over; no thread may fail."""
    failed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    with ProcessPool(abs, 1) as pool:
        pool.submit(-3)
        assert pool.next_finished().result == 3
        pool.submit(-4)
    assert failed == []


ENDS = {
    "closed": ("pool.close()", 0),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
}


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_what_processes_leave_is_removed_without_a_word(tmp_path: Path, end: str) -> None:
    """Workers end with the driver, and nothing that removes semaphores warns of those it finds."""
    last, status = ENDS[end]
    code = (
        "import os, signal\n"
        "from ornstein.engine.pool import ProcessPool\n"
        "def work(number):\n"
        "    import multiprocessing\n"
        "    global lock\n"
        "    lock = multiprocessing.RLock()\n"
        "    return abs(number)\n"
        "pool = ProcessPool(work, 2)\n"
        "pool.submit(-3)\n"
        "assert pool.next_finished().result == 3\n"
        f"{last}\n"
    )
    with (tmp_path / "err").open("w+") as err:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=err)
        # The pipe ends when all processes have ended that inherited it.
        assert process.communicate(timeout=60)[0] == b""
        assert process.returncode == status
        err.seek(0)
        assert err.read() == ""


def test_data_do_not_travel_with_a_study() -> None:
    """Points are read again where they are needed: those of the digits are 921 kB."""
    study = LinearStudy(LinearOptions(train_sizes=(20,), data="digits"))
    assert study.source.dim == 64
    sent = pickle.dumps(study)
    assert len(sent) < 2000
    assert pickle.loads(sent).measure(Cell(20, 0)) == study.measure(Cell(20, 0))


def test_a_study_without_a_folder_is_kept_in_memory() -> None:
    summary = Toy().run(jobs=1)
    assert [row["n"] for row in summary.rows] == [2, 5]
    assert list(summary.to_pandas().columns) == ["n", "value", "limit"]
    assert summary.failed == []


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    connection = sqlite3.connect(tmp_path / "s" / "study.sqlite")
    connection.execute("CREATE TABLE diary (day TEXT)")
    connection.commit()
    connection.close()
    before = (tmp_path / "s" / "study.sqlite").read_bytes()
    with pytest.raises(StudyError, match=r"the table\(s\) diary, which no study has"):
        run(Toy(), tmp_path / "s", jobs=1)
    assert (tmp_path / "s" / "study.sqlite").read_bytes() == before


@dataclass(frozen=True)
class Recomputed(Toy):
    """The same study, of which a later version computes other values."""

    arithmetic: ClassVar[int] = 2


def test_cells_of_another_arithmetic_are_not_mixed(tmp_path: Path) -> None:
    Toy().run(tmp_path / "s", jobs=1)
    with pytest.raises(StudyError, match="arithmetic is 1 there and 2 here"):
        Recomputed().run(tmp_path / "s", jobs=1)


def test_seeds_depend_on_the_cell_alone() -> None:
    draws = {
        (seed, n, r): np.random.default_rng(cell_seed(seed, Cell(n, r))).integers(2**60)
        for seed in range(3)
        for n in (2, 3)
        for r in range(3)
    }
    assert len(set(draws.values())) == len(draws)


def test_more_sizes_and_replicates_reuse_what_is_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(Toy(log=log), tmp_path / "s", jobs=1)
    grown = run(Toy(train_sizes=(2, 5, 9), simulations=6, log=log), tmp_path / "s", jobs=1)
    calls = log.read_text().splitlines()
    assert len(calls) == len(set(calls)) == 18
    assert grown == run(Toy(train_sizes=(2, 5, 9), simulations=6), tmp_path / "fresh", jobs=1)
    fewer = run(Toy(train_sizes=(5,), simulations=2), tmp_path / "s", jobs=1)
    assert fewer == {5: {name: values[:2] for name, values in grown[5].items()}}


def test_another_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    first = run(Toy(), tmp_path, jobs=1)
    with pytest.raises(StudyError, match=r"scale is 1\.0 there and 2\.0 here"):
        run(Toy(scale=2.0), tmp_path, jobs=1)
    assert run(Toy(), tmp_path, jobs=1) == first


def test_a_failing_cell_is_recorded_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = frozenset({Cell(5, 1)})
    values = run(Toy(failing=bad), tmp_path, jobs=1)
    assert len(values[2]["value"]) == 4
    assert len(values[5]["value"]) == 3
    status = read_status(tmp_path)
    assert status.planned == {2: 4, 5: 4}
    assert status.done == {2: 4, 5: 3}
    assert status.failed == {5: 1}
    assert status.errors == ((Cell(5, 1), "ArithmeticError: no solution"),)
    # It is not tried again unless asked for.
    log = tmp_path / "log"
    run(Toy(log=log), tmp_path, jobs=1)
    assert not log.exists()
    healed = run(Toy(log=log), tmp_path, jobs=1, retry_failed=True)
    assert log.read_text() == "5 1\n"
    assert healed == run(Toy(), tmp_path / "fresh", jobs=1)


def test_an_interrupted_study_keeps_what_is_finished(tmp_path: Path) -> None:
    class Interrupted(Toy):
        def measure(self, cell: Cell) -> dict[str, float]:
            if cell.replicate == 2:
                raise KeyboardInterrupt
            return super().measure(cell)

        def seconds(self, cell: Cell) -> float:
            return 10.0

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(), tmp_path, jobs=1)
    assert read_status(tmp_path).done == {2: 2, 5: 2}
    assert run(Toy(), tmp_path, jobs=1) == run(Toy(), tmp_path / "fresh", jobs=1)


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(StudyError, match="cannot use the folder"):
        Store(tmp_path / "file" / "study", {}, ["a"])
    assert (tmp_path / "file").read_text() == "here"
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "study.sqlite").write_text("this is no database, " * 20)
    with pytest.raises(StudyError, match="not a database"):
        Store(tmp_path / "bad", {}, ["a"])
    with pytest.raises(StudyError, match="cannot read"):
        read_status(tmp_path / "bad")
    with pytest.raises(StudyError, match="no study in"):
        read_status(tmp_path / "nowhere")


def test_each_cell_is_on_disk_when_saved(tmp_path: Path) -> None:
    """A second connection sees a cell before the first one closes."""
    with Store(tmp_path, {"a": 1}, ["x"]) as store:
        store.save(Outcome(Cell(3, 0), 0.1, values={"x": math.nan}))
        other = sqlite3.connect(tmp_path / "study.sqlite")
        assert other.execute("SELECT status, x FROM cells").fetchall() == [("done", None)]
        other.close()
        assert math.isnan(store.values([Cell(3, 0)])[3]["x"][0])


def test_dask_without_a_scheduler_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"dask") as caught:
        run(Toy(), tmp_path, dask="tcp://127.0.0.1:1")
    assert "\n" not in str(caught.value)


def test_mean_and_error_of_odd_lists() -> None:
    assert mean_and_error([1.0, math.inf])[0] == math.inf
    assert math.isnan(mean_and_error([1.0, math.inf])[1])
    assert math.isnan(mean_and_error([math.inf, -math.inf])[0])
    assert math.isnan(mean_and_error([])[0])
    assert mean_and_error([3.0])[0] == 3.0


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (150, 300)])
def test_wilson_interval_against_scipy(k: int, n: int) -> None:
    from scipy.stats import binomtest

    oracle = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(k, n) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_csv_keeps_all_digits(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [{"n": 3, "a": 0.1 + 0.2, "b": math.nan, "c": math.inf}])
    assert (tmp_path / "t.csv").read_text() == "n,a,b,c\n3,0.30000000000000004,,inf\n"
