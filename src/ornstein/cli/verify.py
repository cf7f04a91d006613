"""``ornstein verify``: theory against simulation."""

from __future__ import annotations

__all__ = ["verify"]

import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ornstein.cli.parsing import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator


def verify(
    fast: bool = False,
    only: str | None = None,
    checks: str | None = None,
    jobs: int = -1,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Every theory result against simulation: predicted, simulated, standard error, z.

    Exit status 1 if a check fails. The same seed gives the same table for any number of jobs.

    Parameters
    ----------
    fast : bool
        smaller simulations: about a minute on two cores instead of ten to fifteen
    only : str
        sections (1 means 1.1 to 1.4) and parts of names of checks, as in 1.3,9,KL
    checks : str
        a Python file with checks of your own, to run instead (docs/extending.md)
    jobs : int
        worker processes; -1 for one per core
    seed : int
        seed of all simulations
    json : bool
        print one JSON document and nothing else
    """
    try:
        with _sigterm_raises():
            return _verify(fast, only, checks, jobs, seed, json)
    except _Terminated:
        print("ornstein: terminated", file=sys.stderr)
        return 128 + signal.SIGTERM


def _verify(
    fast: bool, only: str | None, checks: str | None, jobs: int, seed: int, json: bool
) -> int:
    from ornstein.reports.verification import use_color, verification_table
    from ornstein.verification import running
    from ornstein.verification.own_checks import load_checks
    from ornstein.verification.registry import CHECKS, select

    chosen = select(only, CHECKS if checks is None else load_checks(checks))
    # joblib counts the tasks that an interrupt cancels; nothing of them is kept here.
    warnings.filterwarnings("ignore", message=".*still being processed by the workers")
    result = running.verify(chosen, fast=fast, seed=seed, jobs=jobs)
    if json:
        document = {
            "seed": result.seed,
            "fast": result.fast,
            "passed": result.passed,
            "false_alarm_rate": result.false_alarm_rate,
            "simulations": result.simulations,
            "rows": result.rows,
        }
        print(as_json(document))
    else:
        print(verification_table(result, color=use_color(sys.stdout)))
    return 0 if result.passed else 1


class _Terminated(BaseException):
    """SIGTERM: like KeyboardInterrupt no error, so that nothing takes it for one."""


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """End what runs within as Ctrl-C would, when the process is asked to terminate.

    Only the main thread may change what a signal does; elsewhere nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: object) -> None:
        # A second one, which `timeout` or a scheduler may send, must not break the cleaning up.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
