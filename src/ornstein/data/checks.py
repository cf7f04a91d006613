"""Checks of one set: what in it may mislead, and what cannot be used."""

from __future__ import annotations

__all__ = ["check_rows", "check_columns", "quick_findings", "block_findings"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.data.arrays import is_looked_through
from ornstein.data.contents import ArrayContents, TableContents
from ornstein.data.duplicates import digest_pairs, equal_rows
from ornstein.data.findings import Finding, note, refusal, warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ornstein.data.blocks import Ranges, Survey
    from ornstein.data.contents import Contents
    from ornstein.data.duplicates import Groups
    from ornstein.data.near_duplicates import NearPairs

    Array = NDArray[np.float64]

_LEAST_ROWS = 3
_FAR_RANGES, _FAR_TIMES = 10, 3  # interquartile ranges, and medians, beyond which a row is far off
_CODES = (-99.0, -999.0, -9999.0, 999.0, 9999.0, 99999.0)
_BYTES = 255.0
_EXACT = 2.0**53
_SHOWN = 3
_RARE, _MANY_VALUES = 0.5, 20


def check_rows(
    points: ArrayContents,
    look: Survey,
    groups: Groups,
    near: NearPairs | None,
    sample: Array,
    names: Sequence[str] | None = None,
) -> list[Finding]:
    """What the rows of a set show.

    Parameters
    ----------
    points : ArrayContents
    look : Survey
    groups : Groups
        Equal rows.
    near : NearPairs, optional
        Almost equal rows.
    sample : ndarray of shape (n_sampled, dim)
        Points of a sample of rows.
    names : sequence of str, optional
        Of the coordinates.
    """
    findings = _unusable(look, groups, names)
    if look.is_measurable:
        findings += _repeats(groups, look.n_rows) + _almost_equal(near) + _far(sample, look)
    if names is None:  # of a table, columns are looked at before they are scaled
        findings += _codes(look.low, look.high, sample)
    findings += _range(points, look) + _sampled(look, groups, near, len(sample))
    constant = int(look.constant.sum())
    if constant and constant < look.dim:
        are = "is" if constant == 1 else "are"
        findings.append(note(f"{constant} of {look.dim} coordinates {are} constant"))
    return findings


def quick_findings(points: Array) -> list[Finding]:
    """What every command says of points, shape (n, dim), that are all finite: equal rows."""
    return _repeats(equal_rows(digest_pairs(points)), len(points))


def block_findings(points: ArrayContents, look: Ranges, groups: Groups) -> list[Finding]:
    """The same of points that were read in blocks, and what makes them unusable."""
    return [*_unusable(look, groups, None), *_repeats(groups, look.n_rows), *_lost(points, look)]


def check_columns(contents: Contents) -> list[Finding]:
    """What the columns of a table show."""
    if not isinstance(contents, TableContents):
        return []
    findings = []
    n = contents.n_rows
    for name, count in contents.missing().items():
        if count > n / 2:
            findings.append(
                warning(f"column {name} misses {count} of {n} values", "consider to drop it")
            )
        else:
            findings.append(note(f"column {name} misses {count} of {n} values"))
    numbers = [name for name, kind in contents.kinds.items() if kind == "number"]
    if numbers:
        values = contents.table[numbers].to_numpy(dtype=np.float64)
        low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
        findings += _codes(low, high, values, numbers)
    for name, kind in contents.kinds.items():
        if kind != "category":
            continue
        distinct = contents.table[name].nunique()
        if distinct > max(_MANY_VALUES, _RARE * n):
            findings.append(
                warning(
                    f"column {name} has {distinct} categories in {n} rows, a coordinate each",
                    "drop it if it identifies rows",
                )
            )
    return findings


def _unusable(look: Survey | Ranges, groups: Groups, names: Sequence[str] | None) -> list[Finding]:
    found = []
    if look.n_rows < _LEAST_ROWS:
        found.append(
            refusal(f"{look.n_rows} point(s), expected at least {_LEAST_ROWS}", "give more rows")
        )
    elif len(groups.first) == 1 and not look.bad_rows:
        found.append(refusal(f"all {look.n_rows} points are equal", "expected some variance"))
    if look.first_bad is None and not look.is_measurable:
        found.append(
            refusal("values beyond 1e150, whose squares are no float64", "choose another unit")
        )
    if look.first_bad is not None:
        row, column = look.first_bad
        kinds = [
            f"{count} {name}"
            for count, name in ((look.n_nan, "NaN"), (look.n_infinite, "infinite"))
            if count
        ]
        where = f"row {row}, {_coordinate(column, names)}"
        found.append(
            refusal(f"{' and '.join(kinds)} value(s), the first at {where}", "drop or impute them")
        )
    return found


def _repeats(groups: Groups, n: int) -> list[Finding]:
    if not groups.repeats or groups.example is None:
        return []
    row, first = groups.example
    return [
        warning(
            f"{groups.repeats} of {n} rows equal one before them (as row {row} equals row {first})",
            "drop them, unless they are expected",
        )
    ]


def _almost_equal(near: NearPairs | None) -> list[Finding]:
    if near is None or not len(near.pairs):
        return []
    pairs = ", ".join(f"{i} and {j}" for i, j in near.pairs[:_SHOWN])
    least = "" if near.complete else "at least "
    of = "" if near.complete else f" of {near.searched} that were searched"
    return [
        warning(
            f"{least}{near.rows} rows{of} are nearly equal to another one (rows {pairs}"
            f"{', ...' if len(near.pairs) > _SHOWN else ''}): closer than {near.limit:.2g} of the "
            "distance to the fifth nearest",
            "keep one of each",
        )
    ]


def _sampled(look: Survey, groups: Groups, near: NearPairs | None, rows: int) -> list[Finding]:
    """Which of the checks saw a sample alone."""
    of = []
    if near is not None and near.searched < len(groups.first):
        of.append(f"near-duplicates of {near.searched}")
    if rows < look.n_rows:
        of.append(f"histogram and far rows of {rows}")
    if look.sampled is not None:
        of.append(f"spectrum of {look.sampled}")
    return [note(f"sampled rows: {', '.join(of)}")] if of else []


def _far(sample: Array, look: Survey) -> list[Finding]:
    """Rows far beyond the rest, by their distance to the median of each coordinate."""
    if len(sample) < 10 * _LEAST_ROWS:
        return []
    gaps = sample - np.median(sample, axis=0)
    unit = float(np.abs(gaps).max()) or 1.0
    distances = np.sqrt(np.square(gaps / unit).sum(axis=1)) * unit
    low, middle, high = np.percentile(distances, [25, 50, 75])
    far = distances > max(high + _FAR_RANGES * (high - low), _FAR_TIMES * middle)
    if not far.any() or middle == 0:
        return []
    of = f"{len(sample)} sampled rows" if len(sample) < look.n_rows else f"{look.n_rows} rows"
    worst = float(distances.max() / middle)
    return [
        warning(
            f"{int(far.sum())} of {of} lie far beyond the rest, up to {worst:.3g} times the "
            "median distance from the middle",
            "look at them",
        )
    ]


def _codes(
    low: Array, high: Array, sample: Array, names: Sequence[str] | None = None
) -> list[Finding]:
    """Numbers such as -999 that stand for missing values."""
    found = []
    for code in _CODES:
        ends = low if code < 0 else high
        for column in np.flatnonzero(ends == code):
            others = sample[:, column]
            others = others[np.isfinite(others) & (others != code)]
            if not others.size:
                continue
            width = max(float(np.ptp(others)), 1.0)
            gap = others.min() - code if code < 0 else code - others.max()
            if gap > width:
                found.append((code, int(column)))
    if not found:
        return []
    code, column = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [
        warning(
            f"{_coordinate(column, names)}{more} holds {code:g} far from all other values, as "
            "missing values are coded",
            "leave them empty if they are missing",
        )
    ]


def _range(points: ArrayContents, look: Survey) -> list[Finding]:
    if not np.isfinite(look.low).any():
        return []
    low, high = float(np.nanmin(look.low)), float(np.nanmax(look.high))
    found = []
    if points.dtype == np.uint8 and points.scale == 1.0:
        found.append(note("bytes used as they are, 0 to 255"))
    elif look.whole and points.kind == "images" and low >= 0 and 16 < high <= _BYTES:
        found.append(
            note(
                f"whole numbers from {low:g} to {high:g}: bytes that are not divided by 255",
                "divide them if other sets are",
            )
        )
    found += _lost(points, look)
    if _LEAST_ROWS <= look.n_rows <= look.dim:
        found.append(
            note(f"{look.n_rows} points in {look.dim} dimensions: their covariance is singular")
        )
    return found


def _lost(points: ArrayContents, look: Survey | Ranges) -> list[Finding]:
    """Digits that float64 does not have, where they were not looked for at reading."""
    if points.file is None or is_looked_through(points.values) or points.dtype.kind not in "iu":
        return []
    largest = max(-float(np.nanmin(look.low)), float(np.nanmax(look.high)))
    if largest <= _EXACT:
        return []
    return [
        warning(
            f"whole numbers up to {largest:.6g} have no float64 each: small differences are lost",
            "subtract an offset",
        )
    ]


def _coordinate(column: int, names: Sequence[str] | None) -> str:
    return f"column {names[column]}" if names is not None else f"column {column}"
