"""Closed streams, ASCII output, signals: nothing is lost in silence, and no traceback."""

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ornstein.engine.status import read_status
from ornstein.engine.store import StudyError

STUDY = ("linear", "--dim", "3", "--train-sizes", "5", "--simulations", "2", "--jobs", "1")
# As on a terminal: what is started by nohup ignores SIGHUP, and so do its children.
ENTRY = """
import signal, sys
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
from ornstein.cli import main
sys.exit(main(sys.argv[1:]))
"""
# Drawing takes longer than the study, and writes to no stream: the report has tables alone.
WITHOUT_FIGURE = """
import sys
from ornstein.cli import main
from ornstein.engine.summary import Summary
from ornstein.reports import linear_tables
Summary.write_figures = lambda *_: None
Summary._report = lambda *_: linear_tables
sys.exit(main(sys.argv[1:]))
"""
WITHOUT_DOCSTRINGS = """
import sys
from ornstein.cli import main
from ornstein.engine.summary import Summary
from ornstein.reports import linear_tables
Summary.write_figures = lambda *_: None  # nothing is kept compiled without docstrings
Summary._report = lambda *_: linear_tables
for line in sys.argv[1:]:
    try:
        status = main(line.split())
    except SystemExit as leaving:
        status = leaving.code
    if status or main.__doc__ is not None:
        sys.exit(f"{line}: {status}")
    print("END")
"""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX shells and signals")


def shell(folder: Path, redirection: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", WITHOUT_FIGURE, *STUDY, "--out", "study")
    line = f"{shlex.join(command)} {redirection}"
    return subprocess.run(
        ["/bin/sh", "-c", line],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    result = shell(tmp_path, closed)
    assert result.returncode == 0
    assert (tmp_path / "study" / "summary.csv").exists()
    if closed == ">&-":
        assert result.stderr == (
            "ornstein: standard output is closed: what a command prints is lost, files are "
            "written\n"
        )
    if closed == "2>&-":
        assert "One-step linear denoiser" in result.stdout


@pytest.mark.usefixtures("without_figure")
def test_ascii_output_keeps_the_table(ornstein: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    # As with PYTHONIOENCODING=ascii.
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    result = ornstein(*STUDY, "--out", "study")
    sys.stdout.flush()
    assert (result.status, result.err) == (0, "")
    assert b" +- " in written.getvalue()
    assert written.getvalue().isascii()


def test_without_docstrings(tmp_path: Path) -> None:
    """Study, prediction and help, one after the other in one process."""
    lines = (" ".join(STUDY), "predict one-step --n-train 50", "linear --help")
    result = subprocess.run(
        [sys.executable, "-OO", "-c", WITHOUT_DOCSTRINGS, *lines],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    *printed, rest = result.stdout.split("END\n")
    assert len(printed) == 3
    assert all(printed)
    assert rest == ""


def test_a_full_disk_under_the_output(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    result = shell(tmp_path, "> /dev/full")
    assert result.returncode == 2
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


def cells_in(folder: Path) -> int:
    """Number of cells on the disk; none before there is a folder, and a table."""
    with suppress(StudyError):
        return sum(read_status(folder).done.values())
    return 0


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_signals_that_end_a_process_are_as_ctrl_c(tmp_path: Path, ending: int) -> None:
    """To the driver alone, as a batch system sends it; its workers end with it."""
    options = ("--dim", "40", "--train-sizes", "30,80", "--simulations", "20000", "--jobs", "2")
    with subprocess.Popen(
        [sys.executable, "-c", ENTRY, "linear", *options, "--out", "study"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        deadline = time.monotonic() + 120
        while not cells_in(tmp_path / "study"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(ending)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.startswith("ornstein: interrupted: ")
    assert complaint.endswith("cells are in study; the same command goes on from there\n")
    assert complaint.count("\n") == 1
