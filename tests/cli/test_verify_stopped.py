"""``ornstein verify`` that is stopped or takes long: one line, its status, a clock that goes on."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from ornstein.verification import running
from ornstein.verification.checks import Check, Experiment, Setting

# As on a terminal: what a shell starts in the background ignores SIGINT, and so do its children.
ENTRY = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from ornstein.cli import main
sys.exit(main(sys.argv[1:]))
"""
ENDLESS = """\
import pathlib, time
from ornstein.verification.checks import Check, Experiment, Setting

def simulate(rng, *, folder):
    pathlib.Path(folder, "started").touch()
    time.sleep(600)
    return {"value": 0.0}

setting = Setting({"folder": FOLDER}, replicates=4)
CHECKS = [Check("1", "endless", "", Experiment("endless", simulate, setting, setting), "value",
                lambda **_: 0.0)]
"""
posix = pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")


@contextmanager
def started(tmp_path: Path, jobs: int, stderr: int) -> Iterator[subprocess.Popen]:
    """An endless check in a process group of its own, which runs, and is gone afterwards."""
    file = tmp_path / "endless.py"
    file.write_text(ENDLESS.replace("FOLDER", repr(str(tmp_path))))
    options = ("verify", "--checks", str(file), "--jobs", str(jobs))
    process = subprocess.Popen(
        [sys.executable, "-c", ENTRY, *options],
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    try:
        while not (tmp_path / "started").exists():
            assert process.poll() is None, "it ended before it could be stopped"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@posix
@pytest.mark.slow
@pytest.mark.parametrize(
    ("jobs", "sent", "to_all"),
    # A terminal sends Ctrl-C to all processes; `kill` sends to one, a scheduler to all.
    [
        (1, signal.SIGTERM, False),
        (2, signal.SIGINT, True),
        (2, signal.SIGTERM, False),
        (2, signal.SIGTERM, True),
    ],
)
def test_ends_with_one_line(tmp_path: Path, jobs: int, sent: signal.Signals, to_all: bool) -> None:
    with started(tmp_path, jobs, subprocess.PIPE) as process:
        (os.killpg if to_all else os.kill)(process.pid, sent)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out.decode(), err.decode()) == (130, "", "ornstein: interrupted\n")


def test_a_worker_that_dies_is_told_in_one_line(ornstein: Callable, tmp_path: Path) -> None:
    file = tmp_path / "dies.py"
    file.write_text(ENDLESS.replace("FOLDER", "'.'").replace("time.sleep(600)", "os._exit(3)"))
    file.write_text(f"import os\n{file.read_text()}")
    result = ornstein("verify", "--checks", file, "--jobs", 2)
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        "ornstein: error: a worker process died (out of memory?): fewer --jobs need less memory\n"
    )


@posix
@pytest.mark.slow
def test_the_clock_of_the_progress_bar_goes_on(tmp_path: Path) -> None:
    """Nothing is finished, and still the bar is drawn again, with another time."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    shown = b""
    with started(tmp_path, 1, theirs) as process:
        os.close(theirs)
        deadline = time.monotonic() + 60
        while b"00:02<" not in shown and b"00:03<" not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([ours], [], [], 1)[0]:
                shown += os.read(ours, 4096)
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)
    os.close(ours)
    assert b"0/4" in shown
    assert process.returncode == 130


def test_the_bar_names_what_has_just_been_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bar:
        disable = False

        def __init__(self) -> None:
            self.total, self.drawn, self.named = 0, threading.Event(), []

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def refresh(self) -> None:
            self.drawn.set()

        def set_postfix_str(self, text: str, refresh: bool) -> None:
            self.named.append(text)

        def update(self, count: int) -> None:
            self.total += count

    bar = Bar()
    monkeypatch.setattr(running, "progress_bar", lambda *_: bar)
    monkeypatch.setattr(running, "_TICK", 0.001)

    def simulate(rng: object) -> dict[str, float]:
        # Each replicate waits until the bar has been drawn since the last one.
        bar.drawn.clear()
        assert bar.drawn.wait(60)
        return {"value": 0.0}

    setting = Setting({}, replicates=5)
    experiment = Experiment("slow one", simulate, setting, setting)
    check = Check("1", "x", "", experiment, "value", lambda **_: 0.0)
    assert running.verify([check], jobs=1).passed
    assert bar.total == 5
    assert set(bar.named) == {"slow one"}
    assert not any(thread.name == "progress" for thread in threading.enumerate())
