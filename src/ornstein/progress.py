"""The one progress bar: on stderr, if that is a terminal, and gone when it is done."""

from __future__ import annotations

__all__ = ["progress_bar"]

import sys
from typing import Any


def progress_bar(total: int, unit: str, show: bool | None = None, initial: int = 0) -> Any:
    """A bar to be used as a context, and moved on with ``update``.

    Parameters
    ----------
    total : int
        Of all there is to do.
    unit : str
        What is counted.
    show : bool, optional
        By default if stderr is a terminal.
    initial : int
        What is done already.
    """
    from tqdm import tqdm

    disable = not sys.stderr.isatty() if show is None else not show
    options: Any = {"unit": unit, "file": sys.stderr, "leave": False}
    return tqdm(total=total, initial=initial, disable=disable, **options)
