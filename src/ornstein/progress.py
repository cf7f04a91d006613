"""The one progress bar of training and sampling."""

from __future__ import annotations

__all__ = ["progress_bar"]

import sys
from typing import Any


def progress_bar(total: int, show: bool | None = None, initial: int = 0) -> Any:
    """A tqdm bar of steps on stderr that leaves nothing behind.

    Parameters
    ----------
    total : int
        Steps in all.
    show : bool, optional
        By default if stderr is a terminal.
    initial : int
        Steps already done.
    """
    from tqdm import tqdm

    disable = not sys.stderr.isatty() if show is None else not show
    options: Any = {"unit": "step", "file": sys.stderr, "leave": False}
    return tqdm(total=total, initial=initial, disable=disable, **options)
