"""Means with standard errors, and the table they make."""

from __future__ import annotations

__all__ = ["mean_and_error", "write_csv"]

import csv
import math
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error.

    An infinite value makes the mean infinite and leaves no error (nan); NaN anywhere gives NaN;
    one value alone has no error.

    Examples
    --------
    >>> mean_and_error([1.0, 2.0, 3.0])
    (2.0, 0.577350)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return math.nan, math.nan
    if not np.isfinite(array).all():
        one_sided = np.isnan(array).sum() == 0 and len(set(array[np.isinf(array)])) == 1
        return (float(array[np.isinf(array)][0]) if one_sided else math.nan), math.nan
    error = array.std(ddof=1) / math.sqrt(array.size) if array.size > 1 else math.nan
    return float(array.mean()), float(error)


def write_csv(path: Path, rows: Sequence[Mapping[str, float | int | str]]) -> None:
    """Write rows with one header, whole or not at all; NaN becomes an empty field.

    Numbers are written with all their digits.
    """
    draft = path.with_name(f".{path.name}.tmp")
    with draft.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _text(value) for key, value in row.items()})
    os.replace(draft, path)  # noqa: PTH105 - atomic on every platform


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and math.isnan(value):
        return ""
    return repr(value)
