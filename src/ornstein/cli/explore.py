"""``ornstein explore``: the page on which one sees the theory move."""

from __future__ import annotations

__all__ = ["explore"]

import webbrowser
from pathlib import Path

from ornstein.cli.values import UsageError

_NAME = "explorer.html"
_MARK = b'<meta name="generator" content="ornstein'
_ENDINGS = (".html", ".htm")


def explore(folder: list[str] = [], out: str | None = None, no_open: bool = False) -> int:  # noqa: B006
    """Write the explorer, one HTML file without need of a network, and open it in the browser.

    With the folder of an ornstein linear or ornstein steps study its points lie on the curves, and
    the controls are where theory is that of the study.

    Parameters
    ----------
    folder : list of str
        study folder, as --out of a study made it; by default no points
    out : str
        file to write, ending in .html; by default explorer.html in the study folder, without one in
        the current folder
    no_open : bool
        write the file and do not open it
    """
    from ornstein.explorer import study_points, write_explorer

    if len(folder) > 1:
        raise UsageError(f"given {len(folder)} folders, expected one study folder, or none")
    path = Path(folder[0] if folder else ".") / _NAME if out is None else Path(out)
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"--out: given {str(path)!r}, expected a file name that ends in .html")
    study = study_points(folder[0]) if folder else None
    if path.is_file() and _MARK not in path.read_bytes()[:4096]:
        raise UsageError(
            f"{str(path)!r} is there, and no page of this command: choose another file with --out"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_explorer(path, study)
    points = "" if study is None else f", with {len(study['rows'])} rows of a {study['kind']} study"
    print(f"explorer written to {path}{points}")
    if not no_open and not webbrowser.open(path.resolve().as_uri()):
        print("no browser was found here: open the file in one")
    return 0
