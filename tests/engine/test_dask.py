"""Studies on a dask cluster of processes of their own: workers and schedulers that die."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.engine.toys import Deadly

from ornstein.engine.pool import PoolGoneError, open_pool
from ornstein.engine.status import read_status
from ornstein.engine.store import StudyError
from ornstein.engine.study import Cell

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX"),
]


def toy(**options: Any) -> Deadly:
    """Numbers; some cells kill their worker, always or once, and all may be slow."""
    return Deadly(**{"simulations": 30, "cost": 0.05, **options})


SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
WORKER = "from distributed.cli.dask_worker import main; main()"
LOCAL = ("--host", "127.0.0.1", "--no-dashboard")


class Cluster:
    """A scheduler and workers, each a process group that can be killed."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.scheduler = self._start(
            SCHEDULER, "--port", "0", "--scheduler-file", str(self.file), *LOCAL
        )
        self.workers: list[subprocess.Popen] = []
        deadline = time.monotonic() + 60
        while not (self.file.exists() and self.file.read_text().endswith("}")):
            assert time.monotonic() < deadline, "no scheduler"
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]

    def add(self, *, before: str = "", nanny: bool = True) -> None:
        options = ("--nthreads", "1", "--nanny" if nanny else "--no-nanny", *LOCAL)
        self.workers.append(self._start(f"{before}\n{WORKER}", self.address, *options))

    def close(self) -> None:
        for process in [*self.workers, self.scheduler]:
            kill(process)

    @staticmethod
    def _start(code: str, *options: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", code, *options],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )


def kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def one_failure_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that has taken down two workers is given up, for four: each is a process to start."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "1")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path)
    yield started
    started.close()


def wait_for_cells(folder: Path) -> None:
    """Until the first cells of a study are on the disk."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(StudyError):  # before there is a folder, and a table
            if sum(read_status(folder).done.values()):
                return
        time.sleep(0.05)


def expected(**options: Any) -> list:
    return list(toy(**options).run(jobs=1).rows)


def test_workers_killed_from_outside_and_one_added_late(cluster: Cluster, tmp_path: Path) -> None:
    """Two of three are killed in the middle, another joins: the table is that of a serial run."""
    for _ in range(2):
        cluster.add(nanny=False)
    study = toy(slow=0.05)

    def disturb() -> None:
        wait_for_cells(tmp_path / "s")
        cluster.add(nanny=False)
        for worker in cluster.workers[:2]:
            kill(worker)

    thread = Thread(target=disturb, daemon=True)
    thread.start()
    summary = study.run(tmp_path / "s", dask=cluster.address)
    thread.join()
    assert list(summary.rows) == expected()
    assert not summary.failed


def test_a_cell_that_always_kills_its_worker_fails_alone(
    one_failure_allowed: None, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.add()
    bad = Cell(5, 11)
    summary = toy(simulations=100, killers=frozenset({bad})).run(
        tmp_path / "s", dask=cluster.address
    )
    assert summary.failed == [bad]
    assert read_status(tmp_path / "s").errors == ((bad, "its worker died: out of memory?"),)
    whole = expected(simulations=100)
    whole[1]["value"] = tuple(v for r, v in enumerate(whole[1]["value"]) if r != 11)
    whole[1]["limit"] = whole[1]["limit"][1:]
    assert list(summary.rows) == whole


def test_the_scheduler_killed(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and the same command goes on elsewhere."""
    # So long the client looks for a scheduler that is gone.
    monkeypatch.setattr("ornstein.engine.dask_pool._TIMEOUT", 3.0)
    cluster.add(nanny=False)

    def disturb() -> None:
        wait_for_cells(tmp_path / "s")
        kill(cluster.scheduler)

    thread = Thread(target=disturb, daemon=True)
    thread.start()
    with pytest.raises(PoolGoneError, match=r"is gone: \d+ cells are in .*; the same command"):
        toy(slow=0.05).run(tmp_path / "s", dask=cluster.address)
    thread.join()
    assert PoolGoneError.exit_status == 1
    assert list(toy().run(tmp_path / "s", jobs=1).rows) == expected()


def test_workers_of_another_ornstein_or_none(cluster: Cluster, tmp_path: Path) -> None:
    cluster.add(before="import ornstein; ornstein.__version__ = '0.0.9'", nanny=False)
    with pytest.raises(TypeError, match=r"the dask worker tcp://127.* has ornstein 0\.0\.9, and"):
        toy().run(tmp_path / "s", dask=cluster.address)
    kill(cluster.workers.pop())
    cluster.add(before="import sys; sys.modules['ornstein'] = None", nanny=False)
    with pytest.raises(TypeError, match=r"has no ornstein, and this is ornstein"):
        toy().run(tmp_path / "s", dask=cluster.address)
    assert not sum(read_status(tmp_path / "s").done.values())


def test_two_clusters_of_this_machine_at_once() -> None:
    """Neither takes a port that the other has, and all that is bound is bound on loopback."""
    with open_pool(abs, jobs=1, dask="local") as first, open_pool(abs, jobs=1, dask="local") as one:
        for pool in (first, one):
            pool.submit(-3)
            assert pool.next_finished().result == 3
            scheduler = pool._cluster.scheduler  # type: ignore[attr-defined]
            bound = [scheduler.address, *scheduler.workers]
            assert all(address.startswith("tcp://127.0.0.1:") for address in bound)
            sockets = scheduler.http_server._sockets.values()
            assert {each.getsockname()[0] for each in sockets} == {"127.0.0.1"}


def test_a_cluster_of_this_machine(tmp_path: Path) -> None:
    once = tmp_path / "killed"
    study = toy(killers=frozenset({Cell(2, 5)}), once=once)
    summary = study.run(tmp_path / "s", dask="local", jobs=2)
    assert list(summary.rows) == expected()
    assert once.exists()
    assert not summary.failed


@pytest.mark.parametrize("address", ["foo", "tcp://foo", "tcp://127.0.0.1", "127.0.0.1:port", ""])
def test_what_is_no_address(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"no dask scheduler at '.*': ") as caught:
        toy().run(dask=address)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_no_scheduler_is_one_line_at_once() -> None:
    with pytest.raises(ValueError, match=r"no dask scheduler at 'tcp://127\.0\.0\.1:1'") as caught:
        toy().run(dask="tcp://127.0.0.1:1")
    assert "\n" not in str(caught.value)
