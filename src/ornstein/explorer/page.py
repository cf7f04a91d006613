"""The explorer: one HTML file that holds style, scripts and, if wanted, the points of a study.

It needs no server, loads nothing, and stays under 1 MB.
"""

from __future__ import annotations

__all__ = ["explorer_page", "write_explorer"]

import base64
import json
import math
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from ornstein import __version__
from ornstein.explorer.bundle import joined_modules
from ornstein.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_STYLES = ("theme.css", "layout.css", "charts.css")


def explorer_page(study: Mapping[str, Any] | None = None) -> str:
    """The page as a text.

    Parameters
    ----------
    study : mapping, optional
        Points to show on the curves, as :func:`ornstein.explorer.study_points.study_points` makes
        them.

    Returns
    -------
    str
        HTML that holds everything.
    """
    with as_file(files("ornstein.explorer")) as folder:
        page = folder / "page"
        parts = {
            "STYLE": "".join((page / name).read_text(encoding="utf-8") for name in _STYLES),
            "WORKER": _script(joined_modules(page / "worker_entry.js")),
            "SCRIPT": _script(joined_modules(page / "main.js")),
            "STUDY": _script(json.dumps(_plain(study or {}), separators=(",", ":"))),
            "VERSION": __version__,
            "ICON": base64.b64encode((page / "icon.svg").read_bytes()).decode(),
        }
        text = (page / "index.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    return text


def write_explorer(path: str | Path, study: Mapping[str, Any] | None = None) -> None:
    """Write the page to a file; the file appears whole or not at all.

    Parameters
    ----------
    path : str or Path
    study : mapping, optional
        As for `explorer_page`.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with atomic_write(path) as draft:
        draft.write_text(explorer_page(study), encoding="utf-8")


def _script(text: str) -> str:
    """Inside of a script element: nothing in it may look like its end."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")


def _plain(value: Any) -> Any:
    """JSON without numbers that it does not have: infinite ones as text, unknown ones as null."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "infinite"
    return value
