"""``ornstein report``: what a folder holds, as one HTML file.

A kind of result is known by the file that it leaves in its folder; `_KINDS` has the function that
makes its document.
"""

from __future__ import annotations

__all__ = ["report"]

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ornstein.cli.parsing import UsageError
from ornstein.cli.reopening import Run, reopen

if TYPE_CHECKING:
    from collections.abc import Callable

    from ornstein.reports.documents import Document


def report(folder: str, out: str | None = None, show_rows: bool = False) -> int:
    """What a folder holds, as one HTML file: a study, an audit, a forecast, or a run of verify.

    The question, the answer in one sentence, figures, tables with the meaning of each column, how
    each number was made and with what error, configuration, versions, and the command that repeats
    it. The file needs no other and asks nothing of the network. A study that is not finished is
    shown as far as it is.

    Parameters
    ----------
    folder : str
        as --out of a study, of audit, forecast or verify made it
    out : str
        file to write; by default report.html in the folder
    show_rows : bool
        of an audit of tables: show the rows of the pairs too, read again from their files
    """
    place = Path(folder)
    path = place / "report.html" if out is None else Path(out)
    if not place.is_dir():
        raise UsageError(f"no folder {folder!r}: expected one that --out made")
    read = next((read for name, read in _KINDS.items() if (place / name).is_file()), None)
    if read is None:
        raise UsageError(_unknown(place))
    if path.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"--out: given {str(path)!r}, expected a file name in .html")
    _require_writable(path)
    document = read(place, show_rows)
    from ornstein.reports.pages import write_page

    write_page(document, path)
    print(f"Written: {path}")
    if document.state:
        print(document.state)
    return 0


def _study(folder: Path, show_rows: bool) -> Document:
    from ornstein.engine.reading import read_summary
    from ornstein.engine.status import read_status
    from ornstein.reports.study_document import study_document

    _refuse_rows("a study", show_rows)
    again = reopen(folder)
    summary = read_summary(again.study, folder, again.precision)
    return study_document(
        summary, read_status(folder), again.settings, again.versions, again.command
    )


def _audit(folder: Path, show_rows: bool) -> Document:
    from ornstein.cli.audit_folder import read_audit

    return read_audit(folder, show_rows=show_rows)


def _forecast(folder: Path, show_rows: bool) -> Document:
    from ornstein.cli.forecast_folder import read_forecast

    _refuse_rows("a forecast", show_rows)
    return read_forecast(folder)


def _verification(folder: Path, show_rows: bool) -> Document:
    from ornstein.reports.verification import verification_page
    from ornstein.verification.running import Verification

    _refuse_rows("a verification", show_rows)
    path = folder / "verification.json"
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        result, run = Verification.from_document(plain), Run(**plain["run"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{str(path)!r} cannot be read as what ornstein verify --out writes: {error}"
        ) from error
    return verification_page(result, run.settings, run.versions, run.command)


_KINDS: dict[str, Callable[[Path, bool], Document]] = {
    "study.sqlite": _study,
    "audit.json": _audit,
    "forecast.json": _forecast,
    "verification.json": _verification,
}
"""By the file that a kind of result leaves in its folder."""


def _unknown(folder: Path) -> str:
    from ornstein.engine.merging import shards_in

    if shards_in(folder):
        return f"{str(folder)!r} holds shards of a study: ornstein merge {folder} joins them first"
    return (
        f"nothing to report in {str(folder)!r}: expected a folder with one of "
        f"{', '.join(_KINDS)}, as --out of a study, of audit, forecast or verify makes it"
    )


def _refuse_rows(what: str, show_rows: bool) -> None:
    if show_rows:
        raise UsageError(f"--show-rows has no effect on {what}, which holds no rows of data")


def _require_writable(path: Path) -> None:
    """Refuse a place that cannot be written to before anything is computed.

    Raises
    ------
    OSError
        With the name of the file.
    """
    if not path.parent.is_dir():
        raise UsageError(f"--out: no folder {str(path.parent)!r} to write {path.name} to")
    probe = path.with_name(f".{path.stem}.probe{path.suffix}")
    try:
        probe.open("ab").close()
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"cannot write {str(path)!r}: {error.strerror}; --out FILE names another place"
        ) from error
