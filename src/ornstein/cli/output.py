"""How a command shows what it found: format of tables, style of figures."""

from __future__ import annotations

__all__ = ["Format", "FigureStyle", "one_output", "in_format", "made_folder"]

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ornstein.cli.values import UsageError

if TYPE_CHECKING:
    from ornstein.reports.documents import Document

Format = Literal["text", "latex", "csv", "markdown"]
"""Of tables that are printed."""
FigureStyle = Literal["screen", "paper", "talk"]
"""Of figures: their size, type and lines."""


def one_output(name: str, *, json: bool) -> None:
    """Refuse two ways of printing at once.

    Raises
    ------
    UsageError
        If both a format and JSON are asked for.
    """
    if json and name != "text":
        raise UsageError(
            f"--format {name} and --json exclude each other: tables for a text, or one document "
            "with all digits"
        )


def made_folder(out: str) -> Path:
    """The folder to write to, made now: nothing is computed that cannot be written.

    Raises
    ------
    UsageError
        If it is a file.
    OSError
        If it cannot be made.
    """
    folder = Path(out)
    if folder.is_file():
        raise UsageError(f"--out: {out!r} is a file, expected a folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def in_format(document: Document, name: str) -> str:
    """Return the tables of a document in a format other than text."""
    from ornstein.reports.formats import formatted

    return formatted(document, name)
