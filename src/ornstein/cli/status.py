"""``ornstein status``: what of a study is planned, done and failed."""

from __future__ import annotations

__all__ = ["status"]

from pathlib import Path

from ornstein.cli.parsing import as_json


def status(folder: str, json: bool = False) -> int:
    """What of a study is planned, done and failed.

    Parameters
    ----------
    folder : str
        study folder, as --out made it
    json : bool
        print one JSON document and nothing else
    """
    from ornstein.engine.status import read_status
    from ornstein.reports.tables import Column, format_table

    found = read_status(Path(folder))
    sizes = sorted({*found.planned, *found.done, *found.failed})
    rows = [
        {
            "train_size": size,
            "planned": found.planned.get(size, 0),
            "done": found.done.get(size, 0),
            "failed": found.failed.get(size, 0),
        }
        for size in sizes
    ]
    errors = [{**cell._asdict(), "error": error} for cell, error in found.errors]
    if json:
        document = {"study": dict(found.identity), "sizes": rows, "errors": errors}
        print(as_json(document))
        return 1 if errors else 0
    columns = [
        Column(heading, [str(row[key]) for row in rows])
        for key, heading in (
            ("train_size", "n"),
            ("planned", "planned"),
            ("done", "done"),
            ("failed", "failed"),
        )
    ]
    print(f"{found.identity.get('study', 'study')} study in {folder}\n")
    print(format_table(columns))
    done, planned = sum(found.done.values()), sum(found.planned.values())
    print(f"\n{done} cells done of {planned} planned in the latest run.")
    for error in errors[:5]:
        reason = " ".join(error["error"].split())
        print(f"failed: n = {error['train_size']}, run {error['replicate']}: {reason}")
    if len(errors) > 5:
        print(f"... and {len(errors) - 5} more failures (--json lists them)")
    return 1 if errors else 0
