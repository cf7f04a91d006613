"""Means with standard errors, fractions with Wilson intervals, and the table they make."""

from __future__ import annotations

__all__ = ["mean_and_error", "wilson_interval", "write_csv"]

import csv
import math
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_Z95 = 1.959963984540054


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


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95% interval for a fraction.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Examples
    --------
    >>> wilson_interval(0, 20)
    (0.0, 0.161125)
    """
    if trials == 0:
        return math.nan, math.nan
    fraction, z2 = successes / trials, _Z95**2
    centre = (fraction + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = fraction * (1 - fraction) / trials + z2 / (4 * trials**2)
    half = _Z95 / (1 + z2 / trials) * math.sqrt(spread)
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return low, high


def write_csv(path: Path, rows: Sequence[Mapping[str, float | int]]) -> None:
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


def _text(value: float) -> str:
    if isinstance(value, float) and math.isnan(value):
        return ""
    return repr(value)
