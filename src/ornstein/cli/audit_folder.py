"""What ``ornstein audit --out`` leaves in its folder, and its page again from there."""

from __future__ import annotations

__all__ = ["write_audit", "read_audit"]

import json
import shlex
from typing import TYPE_CHECKING, Any

from ornstein.cli.parsing import UsageError, arguments, command
from ornstein.cli.reopening import Run
from ornstein.files import atomic_write
from ornstein.json_values import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.memorization.audit_report import AuditReport, Pairs
    from ornstein.reports.documents import Document, Section

FILE_NAME = "audit.json"
_IMAGES = "pairs.npz"
_SHOWN = 20  # pairs whose rows are shown


def write_audit(report: AuditReport, folder: Path, run: Run, *, show_rows: bool) -> list[str]:
    """Write report.html, copies.csv, audit.json and images of pairs; return their names."""
    import numpy as np

    from ornstein.reports.audit_html import audit_page
    from ornstein.reports.pages import write_page

    document = {**report.to_dict(), "run": run._asdict()}
    with atomic_write(folder / FILE_NAME) as draft:
        draft.write_text(as_json(document) + "\n", encoding="utf-8")
    with atomic_write(folder / "copies.csv") as draft:
        report.copies_to_pandas().to_csv(draft, index=False, lineterminator="\n")
    rows = _rows(report, run) if show_rows else None
    write_page(audit_page(report, rows=rows, **_of(run)), folder / "report.html")
    names = ["report.html", "copies.csv", FILE_NAME]
    figure = report.figure()
    if figure is None or report.pairs is None:
        for name in ("pairs.svg", "pairs.png", _IMAGES):  # of an audit before, of images
            (folder / name).unlink(missing_ok=True)
        return names
    from ornstein.reports.figures import save_figure

    save_figure(figure, folder / "pairs.svg", folder / "pairs.png")
    with atomic_write(folder / _IMAGES) as draft:
        np.savez_compressed(draft, **report.pairs._asdict())
    return [*names, "pairs.svg", "pairs.png", _IMAGES]


def read_audit(folder: Path, *, show_rows: bool) -> Document:
    """Return the document of the page of an audit.

    Raises
    ------
    UsageError
        If the file is not one of an audit, or rows are asked for that cannot be shown.
    """
    from ornstein.memorization.audit_report import AuditReport
    from ornstein.reports.audit_html import audit_page

    path = folder / FILE_NAME
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        report = AuditReport.from_dict(plain, _pairs(folder))
        run = Run(**plain.get("run", {"settings": {}, "versions": {}, "command": ""}))
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{str(path)!r} cannot be read as what ornstein audit --out writes: {error}"
        ) from error
    return audit_page(report, rows=_rows(report, run) if show_rows else None, **_of(run))


def _of(run: Run) -> dict[str, Any]:
    return {"settings": run.settings, "versions": run.versions, "command": run.command}


def _pairs(folder: Path) -> Pairs | None:
    import numpy as np

    from ornstein.memorization.audit_report import Pairs

    if not (folder / _IMAGES).is_file():
        return None
    with np.load(folder / _IMAGES, allow_pickle=False) as stored:
        images = [stored[name] for name in Pairs._fields[:4]]
        rows = [
            tuple((int(first), int(second), float(gap)) for first, second, gap in stored[name])
            for name in Pairs._fields[4:]
        ]
    return Pairs(*images, *rows)


def _rows(report: AuditReport, run: Run) -> Section:
    """Rows of the listed pairs, read again from the files that were compared."""
    from ornstein.cli.audit import audit
    from ornstein.data.reading import read_all
    from ornstein.data.shown_rows import shown_rows
    from ornstein.reports.audit import copy_rows
    from ornstein.reports.documents import Section, table
    from ornstein.reports.tables import Column

    if not run.command:
        raise UsageError("--show-rows: this audit does not say which files it compared: repeat it")
    words = shlex.split(run.command)[2:]
    given = arguments(audit, command(audit).parse_args(words))
    options, reading, pixels = given["options"], given["reading"], given["pixels"]
    sources = [options.train, options.held_out, options.generated]
    train, _, generated = read_all(sources, reading, pixels=pixels)
    for contents, name in ((train, "train"), (generated, "generated")):
        if contents.n_rows < report.sizes[name]:
            raise UsageError(
                f"--show-rows: {contents.name} has {contents.n_rows} rows, and "
                f"{report.sizes[name]} were compared: it has changed since"
            )
    pairs = copy_rows(report)[:_SHOWN]
    try:
        names, copies = shown_rows(generated, [pair["generated"] for pair in pairs])
        _, originals = shown_rows(train, [pair["train"] for pair in pairs])
    except ValueError as error:
        raise UsageError(f"--show-rows has no effect: {error}") from error
    keys = [f"{kind} {pair[kind]}" for pair in pairs for kind in ("generated", "train")]
    rows = [row for both in zip(copies, originals, strict=True) for row in both]
    columns = [Column(name, [row[place] for row in rows]) for place, name in enumerate(names)]
    title = "Rows of the pairs, as they are in the files"
    if generated.shape[0] > len(names) and len(generated.shape) == 1:
        title += f" ({len(names)} of {generated.shape[0]} columns)"
    return Section([table(title, [Column("row", keys), *columns])])
