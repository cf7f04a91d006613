"""Standard streams and signals of a command, however it was started.

A closed stream is replaced by the null device, and a line says so. Where the output is not
Unicode, a few characters are written in ASCII. The signals that end a process, SIGTERM and SIGHUP,
are taken as Ctrl-C is: what is finished is kept, and one line says so.
"""

from __future__ import annotations

__all__ = ["prepare_streams", "drop_output", "print_result", "ends_as_interrupts"]

import codecs
import io
import os
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_ASCII = {"±": "+-", "∞": "inf", "σ": "sigma", "—": "-", "…": "...", "→": "->"}
_ENDS = ("SIGTERM", "SIGHUP")


def prepare_streams() -> None:
    """Make standard output and error usable; say on the one what is lost on the other."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
    if sys.stdout is None:
        print(
            "ornstein: standard output is closed: what a command prints is lost, files are written",
            file=sys.stderr,
        )
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
    codecs.register_error("ornstein-ascii", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="ornstein-ascii")


def drop_output() -> None:
    """Lose what is printed from here on: the reader of our output has ended.

    So that Python does not complain at exit.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_result(text: object) -> None:
    """Print the last word of a command, whose status counts even if nobody reads it."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        drop_output()


@contextmanager
def ends_as_interrupts() -> Iterator[None]:
    """Within, the signals that end a process raise KeyboardInterrupt, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _ENDS if hasattr(signal, name)]
    # What was ignored when we were started (by nohup, for example) stays ignored.
    before: dict[int, Any] = {
        number: signal.getsignal(number)
        for number in numbers
        if signal.getsignal(number) is signal.SIG_DFL
    }
    for number in before:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = "".join(_IN_ASCII.get(letter, "?") for letter in error.object[error.start : error.end])
    return text, error.end
