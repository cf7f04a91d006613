"""Studies that are cut off: nothing is computed twice, the result is that of an unbroken run."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ornstein.cli.main import main

# As on a terminal: what a shell starts in the background ignores SIGINT, and so do its children.
ENTRY = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from ornstein.cli import main
sys.exit(main(sys.argv[1:]))
"""
OPTIONS = ("linear", "--dim", "40", "--train-sizes", "30,80", "--simulations", "30")
PLANNED = {(size, replicate) for size in (30, 80) for replicate in range(30)}
# So many that it is always cut off in the middle, however busy the machine is; and one size alone,
# so that there is always something left to compute.
ENDLESS = ("--train-sizes", "30", "--simulations", "8000")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX"),
]


def rows(folder: Path) -> dict[tuple[int, int], tuple]:
    """All cells on disk, by size and replicate: when they were stored, how long they took, values.

    A cell that is stored again gets another rowid.
    """
    if not (folder / "study.sqlite").exists():
        return {}
    connection = sqlite3.connect(f"file:{folder}/study.sqlite?mode=ro", uri=True)
    try:
        found = connection.execute("SELECT train_size, replicate, rowid, * FROM cells").fetchall()
    except sqlite3.OperationalError:  # the first moment, before there is a table
        return {}
    finally:
        connection.close()
    return {row[:2]: row[2:] for row in found}


def cut_off(folder: Path, jobs: int, send: Callable[[int], None]) -> tuple[int, str]:
    """Start a study, call `send` on its process group in the middle; return status and stderr."""
    where = ("--jobs", str(jobs), "--out", str(folder))
    command = [sys.executable, "-c", ENTRY, *OPTIONS, *ENDLESS, *where]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(rows(folder)) < 20:
        assert process.poll() is None, "the study ended before it could be cut off"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    send(process.pid)
    _, complaint = process.communicate(timeout=60)
    return process.returncode, complaint


@pytest.fixture(scope="module", autouse=True)
def without_figure() -> Iterator[None]:
    """Skip the drawing, which takes longer than the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, without_figure: None) -> Path:
    """The study, computed in one go by one worker."""
    folder = tmp_path_factory.mktemp("unbroken") / "study"
    assert main([*OPTIONS, "--jobs", "1", "--out", str(folder)]) == 0
    return folder


def check_it_goes_on(folder: Path, unbroken: Path, jobs: int) -> None:
    before = rows(folder)
    assert len(before) >= 20
    assert main([*OPTIONS, "--jobs", str(jobs), "--out", str(folder)]) == 0
    after = rows(folder)
    assert set(after) == PLANNED | set(before)
    assert {cell: after[cell] for cell in before} == before
    summaries = [(path / "summary.csv").read_bytes() for path in (folder, unbroken)]
    assert summaries[0] == summaries[1]


def test_killed_in_the_middle(tmp_path: Path, unbroken: Path) -> None:
    """Two workers are killed with their driver, which alone writes; one goes on."""
    folder = tmp_path / "study"
    status, complaint = cut_off(folder, 2, lambda pid: os.killpg(pid, signal.SIGKILL))
    assert status == -signal.SIGKILL
    assert complaint == ""
    assert not (folder / "summary.csv").exists()
    check_it_goes_on(folder, unbroken, jobs=1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c(tmp_path: Path, unbroken: Path, jobs: int) -> None:
    """A terminal sends it to all processes of the command."""
    folder = tmp_path / "study"
    status, complaint = cut_off(folder, jobs, lambda pid: os.killpg(pid, signal.SIGINT))
    assert status == 130
    ready = len(rows(folder))
    assert complaint == (
        f"ornstein: interrupted: {ready} cells are in {folder}; "
        "the same command goes on from there\n"
    )
    check_it_goes_on(folder, unbroken, jobs=1)


def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path, unbroken: Path) -> None:
    assert main([*OPTIONS, "--jobs", "2", "--out", str(tmp_path / "s")]) == 0
    assert (tmp_path / "s/summary.csv").read_bytes() == (unbroken / "summary.csv").read_bytes()
