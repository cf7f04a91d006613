"""``ornstein verify``: theory against simulation."""

from __future__ import annotations

__all__ = ["verify"]

import sys

from ornstein.cli.output import Format, in_format, made_folder, one_output
from ornstein.cli.reopening import this_run
from ornstein.files import atomic_write
from ornstein.json_values import as_json


def verify(
    fast: bool = False,
    only: str | None = None,
    checks: str | None = None,
    jobs: int = -1,
    seed: int = 0,
    out: str | None = None,
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
        sections (1 means 1.1 to 1.4) and parts of names of checks, as in 1.3,9,KL, or
        a whole name, as "KL, 1/k"
    checks : str
        a Python file with checks of your own, to run instead (docs/extending.md)
    jobs : int
        worker processes; -1 for one per core
    seed : int
        seed of all simulations
    out : str
        folder for verification.json and report.html, one page with everything
    json : bool
        print one JSON document and nothing else
    format : str
        of the table: text, latex (booktabs), csv or markdown
    """
    from ornstein.reports.verification import (
        use_color,
        verification_document,
        verification_page,
        verification_table,
    )
    from ornstein.verification import running
    from ornstein.verification.own_checks import load_checks
    from ornstein.verification.registry import select

    one_output(format, json=json)
    folder = None if out is None else made_folder(out)
    chosen = select(only, None if checks is None else load_checks(checks))
    result = running.verify(chosen, fast=fast, seed=seed, jobs=jobs)
    if folder is not None:
        from ornstein.reports.pages import write_page

        values = {"fast": fast, "only": only, "checks": checks, "jobs": jobs, "seed": seed}
        others = {"out": out, "json": json, "format": format}
        run = this_run("verify", verify, {**values, **others})
        with atomic_write(folder / "verification.json") as draft:
            text = as_json({**result.document(), "run": run._asdict()})
            draft.write_text(text + "\n", encoding="utf-8")
        write_page(verification_page(result, *run), folder / "report.html")
        print(f"ornstein: wrote verification.json, report.html to {folder}", file=sys.stderr)
    if json:
        print(as_json(result.document()))
    elif format != "text":
        print(in_format(verification_document(result), format))
    else:
        print(verification_table(result, color=use_color(sys.stdout)))
    return 0 if result.passed else 1
