"""The one progress bar: on stderr, if that is a terminal, and gone when it is done."""

from __future__ import annotations

__all__ = ["progress_bar"]

import sys
from typing import Any


def progress_bar(
    total: int | None, unit: str, show: bool | None = None, initial: int = 0, label: str = ""
) -> Any:
    """A bar to be used as a context, and moved on with ``update``.

    Parameters
    ----------
    total : int or None
        Of all there is to do, if that is known.
    unit : str
        What is counted.
    show : bool, optional
        By default if stderr is a terminal.
    initial : int
        What is done already.
    label : str
        What is done, before the bar.
    """
    from tqdm import tqdm

    disable = not sys.stderr.isatty() if show is None else not show
    options: Any = {
        "unit": unit,
        "desc": label or None,
        "file": sys.stderr,
        "leave": False,
    }
    return tqdm(total=total, initial=initial, disable=disable, **options)
