"""Files that are written whole or not at all.

A draft is written beside the file and takes its name when it is complete, so that a
reader, also one after a kill, finds the old content or the new one.
"""

from __future__ import annotations

__all__ = ["atomic_write"]

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give the path of a draft, which becomes `path` if no exception is raised.

    Parameters
    ----------
    path : str or Path
        Its folder must exist. A draft is hidden, and keeps the ending of `path`.

    Raises
    ------
    OSError
        If the draft cannot be written or renamed.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "notes.txt") as draft:
    ...     _ = draft.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['notes.txt']
    """
    final = Path(path)
    draft = final.with_name(f".{final.stem}.draft{final.suffix}")
    try:
        yield draft
        os.replace(draft, final)  # noqa: PTH105 - atomic on every platform
    except BaseException as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in {draft, str(draft)}:
            error.filename = str(final)  # the name that the caller knows
        raise
