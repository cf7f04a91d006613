"""``ornstein status``: which cells of a study are planned, done and failed."""

from __future__ import annotations

__all__ = ["status"]

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein.cli.output import Format, in_format, one_output
from ornstein.cli.parsing import UsageError
from ornstein.cli.running import command_of, missing_by
from ornstein.json_values import as_json

if TYPE_CHECKING:
    from ornstein.engine.status import Status
    from ornstein.reports.documents import Document
    from ornstein.reports.tables import Column

_SECONDS = 2.0  # between two looks of --watch


def status(folder: str, watch: bool = False, json: bool = False, format: Format = "text") -> int:
    """Which cells of a study are planned, done and failed.

    Parameters
    ----------
    folder : str
        study folder, as --out made it
    watch : bool
        look again every 2 s, a line each: cells, rate, time left, driver; until all is done, nobody
        computes any more, or Ctrl-C
    json : bool
        print one JSON document and nothing else
    format : str
        of the table: text, latex (booktabs), csv or markdown
    """
    from ornstein.engine.status import read_status

    one_output(format, json=json)
    if watch and format != "text":
        raise UsageError("--watch and --format exclude each other: lines, or a table")
    if watch and json:
        raise UsageError("--watch and --json exclude each other: one document, or lines")
    if watch:
        return _watch(Path(folder))
    found = read_status(Path(folder))
    errors = [{**cell._asdict(), "error": error} for cell, error in found.errors]
    if json:
        document = {
            "study": dict(found.identity),
            "sizes": _sizes(found),
            "errors": errors,
            "seconds": found.seconds,
            "driver": None if found.holder is None else str(found.holder),
        }
        print(as_json(document))
    elif format != "text":
        print(in_format(_document(found, folder, errors), format))
    else:
        _print(found, folder, errors)
    return 1 if errors else 0


def _sizes(found: Status) -> list[dict[str, int]]:
    return [
        {
            "train_size": size,
            "planned": found.planned.get(size, 0),
            "done": found.done.get(size, 0),
            "failed": found.failed.get(size, 0),
        }
        for size in sorted({*found.planned, *found.done, *found.failed})
    ]


def _print(found: Status, folder: str, errors: list[dict[str, Any]]) -> None:
    from ornstein.reports.tables import format_table

    print(f"{found.identity.get('study', 'study')} study in {folder}\n")
    print(format_table(_columns(found)))
    print(f"\n{_done(found)}")
    command = command_of(Path(folder)) if found.left else None
    if found.holder is not None:
        print(f"At work: {found.holder}.")
    elif command is not None:
        print(missing_by(command))
    for error in errors[:5]:
        reason = " ".join(error["error"].split())
        print(f"failed: n = {error['train_size']}, run {error['replicate']}: {reason}")
    if len(errors) > 5:
        print(f"... and {len(errors) - 5} more failures (--json lists them)")


def _columns(found: Status) -> list[Column]:
    from ornstein.reports.tables import Column

    headings = {"train_size": "n", "planned": "planned", "done": "done", "failed": "failed"}
    rows = _sizes(found)
    return [Column(h, [str(row[key]) for row in rows]) for key, h in headings.items()]


def _done(found: Status) -> str:
    done, planned = sum(found.done.values()), sum(found.planned.values())
    return f"{done} cells done of {planned} planned in the latest run."


def _document(found: Status, folder: str, errors: list[dict[str, Any]]) -> Document:
    from ornstein.reports.documents import Document, Section, table

    failed = [
        f"failed: n = {error['train_size']}, run {error['replicate']}: {error['error']}"
        for error in errors
    ]
    return Document(
        subject=[f"{found.identity.get('study', 'study')} study in {folder}", _done(found)],
        sections=[Section([table("Cells by training size", _columns(found))])],
        notes=failed,
    )


def _watch(folder: Path) -> int:
    """Print a line every few seconds."""
    from ornstein.engine.status import read_status

    found, before, since = read_status(folder), None, time.monotonic()
    while True:
        now = time.monotonic()
        print(_line(found, before, now - since), flush=True)
        if not found.left or found.holder is None:
            break
        before, since = found, now
        time.sleep(_SECONDS)
        found = read_status(folder)
    if found.left:
        print("ornstein: nobody computes it now", file=sys.stderr)
    return 1 if found.errors else 0


def _line(found: Status, before: Status | None, seconds: float) -> str:
    """``06:41:10  1200 of 6000 cells, 3 failed, 41.2 a second, 1:56 left; process ...``."""
    done = sum(found.done.values())
    parts = [f"{done} of {sum(found.planned.values())} cells"]
    failed = sum(found.failed.values())
    if failed:
        parts.append(f"{failed} failed")
    if before is not None and seconds > 0:
        rate = (done - sum(before.done.values())) / seconds
        parts.append(f"{rate:.3g} a second")
        if rate > 0:
            parts.append(f"{_clock(found.left / rate)} left")
    driver = "" if found.holder is None else f"; {found.holder}"
    return f"{time.strftime('%H:%M:%S')}  {', '.join(parts)}{driver}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
