"""``ornstein verify``: theory against simulation."""

from __future__ import annotations

__all__ = ["verify"]

import sys

from ornstein.cli.output import Format, in_format, one_output
from ornstein.cli.parsing import as_json


def verify(
    fast: bool = False,
    only: str | None = None,
    checks: str | None = None,
    jobs: int = -1,
    seed: int = 0,
    json: bool = False,
    format: Format = "text",
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
    format : str
        of the table: text, latex (booktabs), csv or markdown
    """
    from ornstein.reports.verification import (
        use_color,
        verification_document,
        verification_table,
    )
    from ornstein.verification import running
    from ornstein.verification.own_checks import load_checks
    from ornstein.verification.registry import CHECKS, select

    one_output(format, json=json)
    chosen = select(only, CHECKS if checks is None else load_checks(checks))
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
    elif format != "text":
        print(in_format(verification_document(result), format))
    else:
        print(verification_table(result, color=use_color(sys.stdout)))
    return 0 if result.passed else 1
