"""What the columns of a table are: numbers, booleans, dates, categories, or nothing to be used.

===========  ================================================================================
number       float64; durations as days
boolean      0 or 1
date         date and time, in UTC; written as 2024-05-31 (ISO 8601), 31/05/2024 or 05/31/2024
category     text with values that repeat
set aside    row numbers; text of which nearly all values differ; columns without any value
===========  ================================================================================

A column of numbers with some cells that are none is refused with the first of them, and so are
dates such as 03/04/2024 throughout, which have two readings.
"""

from __future__ import annotations

__all__ = ["Columns", "read_columns"]

import datetime as dt
import decimal
import numbers
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.data.findings import Finding, note, refusal, warning
from ornstein.data.table_cells import MISSING

if TYPE_CHECKING:
    from ornstein.data.reading_options import ReadingOptions

_INDEX_NAMES = frozenset({"id", "index", "idx", "row", "unnamed: 0", "", "rownames", "row_id"})
_DISTINCT, _LEAST_ROWS = 0.9, 20  # from which share, and in how many rows, text is no category
_MOSTLY = 0.5
_EXACT = 2**53
_WHOLE = re.compile(r"[+-]?\d+")
_SIGNED = r"[+\-\u2212$€£]?\s*\d[\d\s.,'\u00a0]*\s*(?:[%€$£]|[a-zA-Z]{1,3})?"
_DATE = re.compile(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(.*)$")


class Columns(NamedTuple):
    """Columns that are used, their kinds, those that are not, and what was found."""

    table: Any
    kinds: dict[str, str]
    set_aside: dict[str, str]
    findings: list[Finding]


class _Column(NamedTuple):
    kind: str
    """Empty for a column that is set aside or refused."""
    values: Any = None
    why: str = ""
    """Why it is set aside."""
    finding: Finding | None = None


def read_columns(table: Any, options: ReadingOptions, decimal_sign: str = ".") -> Columns:
    """Find the kind of each column of a DataFrame.

    Parameters
    ----------
    table : DataFrame
    options : ReadingOptions
    decimal_sign : str
        Of numbers that are still text.
    """
    import pandas as pd

    kept: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    aside: dict[str, str] = {}
    findings: list[Finding] = []
    for position, name in enumerate(map(str, table.columns)):
        column = table.iloc[:, position]
        found = _index_like(column, name, position) or _kind(column, name, options, decimal_sign)
        if found.finding is not None:
            findings.append(found.finding)
        if found.why:
            aside[name] = found.why
            findings.append(note(f"column {_shown(name)} set aside: {found.why}"))
        elif found.kind:
            kept[name], kinds[name] = found.values, found.kind
    return Columns(pd.DataFrame(kept, index=table.index), kinds, aside, findings)


def _shown(name: str) -> str:
    return "without a name" if name.startswith("Unnamed: ") else name


def _index_like(column: Any, name: str, position: int) -> _Column | None:
    """A column of row numbers, which is no coordinate."""
    import pandas as pd

    unnamed = name.startswith("Unnamed: ") and position == 0
    if not pd.api.types.is_integer_dtype(column.dtype) or column.isna().any():
        if unnamed and pd.api.types.is_numeric_dtype(column.dtype) and not column.isna().all():
            return _Column(
                "",
                finding=refusal(
                    "its first column has no name and is not row numbers",
                    "name it, or drop it",
                ),
            )
        return None
    values = column.to_numpy(dtype=np.int64)
    counts = len(values) > 2 and _consecutive(values)
    if name.casefold() in _INDEX_NAMES or unnamed:
        if counts:
            return _Column("", why="row numbers, unique and consecutive")
        if len(np.unique(values)) == len(values) > 2 and not unnamed:
            return _Column("", why="numbers of rows, all different")
        if unnamed:
            return _Column(
                "",
                finding=refusal(
                    "its first column has no name and is not row numbers", "name it, or drop it"
                ),
            )
        return None
    if counts and position == 0 and np.array_equal(values, np.arange(len(values)) + values[0]):
        said = warning(
            f"column {name} counts {values[0]}, {values[1]}, {values[2]}, ... and is used as a "
            "coordinate",
            "drop it, or name it id, if it numbers the rows",
        )
        return _Column("number", column.astype(np.float64), finding=said)
    return None


def _consecutive(values: Any) -> bool:
    return bool(
        values.max() - values.min() == len(values) - 1 and len(np.unique(values)) == len(values)
    )


def _kind(column: Any, name: str, options: ReadingOptions, sign: str) -> _Column:
    import pandas as pd

    types, dtype = pd.api.types, column.dtype
    if column.isna().all():
        return _Column("", why="no value in any row")
    if types.is_complex_dtype(dtype):
        return _Column("", finding=refusal(f"column {name} holds complex numbers", "split them"))
    if types.is_bool_dtype(dtype):
        return _Column("boolean", _floats(column) if column.isna().any() else column.astype(bool))
    if types.is_integer_dtype(dtype):
        return _Column("number", _floats(column), finding=_lost_digits(column.dropna(), name))
    if types.is_numeric_dtype(dtype):
        return _Column("number", _floats(column))
    if types.is_timedelta64_dtype(dtype):
        said = note(f"column {name}: durations read as days")
        return _Column("number", column / pd.Timedelta(days=1), finding=said)
    if isinstance(dtype, pd.PeriodDtype):
        return _Column("date", column.dt.to_timestamp())
    if types.is_datetime64_any_dtype(dtype):
        return _Column("date", _naive(column))
    if isinstance(dtype, pd.CategoricalDtype):
        return _Column("category", column.astype(object).map(str, na_action="ignore"))
    return _of_objects(column, name, options, sign)


def _of_objects(column: Any, name: str, options: ReadingOptions, sign: str) -> _Column:
    """The kind of a column of text, or of Python objects."""
    import pandas as pd

    present = column[column.notna()]
    cells = list(present)
    if all(isinstance(cell, bool | np.bool_) for cell in cells):
        return _Column("boolean", _floats(column.astype(object).map(float, na_action="ignore")))
    if all(isinstance(cell, numbers.Real | decimal.Decimal) for cell in cells):
        whole = [cell for cell in cells if isinstance(cell, int)]
        values = _floats(column.astype(object).map(float, na_action="ignore"))
        return _Column("number", values, finding=_lost_digits(whole, name))
    if all(isinstance(cell, dt.date | dt.datetime) for cell in cells):
        return _Column("date", _naive(pd.to_datetime(column, utc=True)))
    if not all(isinstance(cell, str) for cell in cells):
        kinds = sorted({type(cell).__name__ for cell in cells})
        return _Column(
            "",
            finding=refusal(
                f"column {name} holds values of the types {', '.join(kinds)}, expected numbers, "
                "dates or text",
                "turn them into one of these",
            ),
        )
    return _of_text(column, name, options, sign)


def _of_text(column: Any, name: str, options: ReadingOptions, sign: str) -> _Column:
    import pandas as pd

    text = column.astype(object).map(str.strip, na_action="ignore")
    text = text.where(
        ~text.map(lambda cell: str(cell).lower() in MISSING, na_action="ignore")
        .fillna(True)
        .astype(bool),
        None,
    )
    present = text[text.notna()]
    if present.empty:
        return _Column("", why="no value in any row")
    plain = present if sign == "." else present.str.replace(sign, ".", regex=False)
    read = pd.to_numeric(plain, errors="coerce")
    share = float(read.notna().mean())
    if share == 1:
        values = pd.to_numeric(read.reindex(column.index)).astype(np.float64)
        whole = [int(cell) for cell in plain if _WHOLE.fullmatch(cell)]
        return _Column("number", values, finding=_lost_digits(whole, name))
    if share > _MOSTLY:
        bad = read[read.isna()]
        row = column.index.get_loc(bad.index[0])
        return _Column(
            "",
            finding=refusal(
                f"column {name} holds numbers and {len(bad)} cell(s) that are none, the first "
                f"{str(present[bad.index[0]])!r} in row {row}",
                "repair them, leave them empty if they are missing, or give --header yes if the "
                "first row names the columns",
            ),
        )
    dates = _dates(present, name, options)
    if dates is not None:
        return dates._replace(values=dates.values.reindex(column.index)) if dates.kind else dates
    distinct = present.nunique()
    if len(present) >= _LEAST_ROWS and distinct > _DISTINCT * len(present):
        return _Column("", why=f"text of which {distinct} of {len(present)} values differ")
    return _Column("category", text, finding=_with_signs(present, name))


def _lost_digits(values: Any, name: str) -> Finding | None:
    """Whole numbers that float64 does not tell apart."""
    largest = max((abs(int(value)) for value in values), default=0)
    if largest <= _EXACT:
        return None
    return warning(
        f"column {name} holds whole numbers up to {largest}, which have no float64 each",
        "drop it if they are codes, or subtract an offset",
    )


def _with_signs(present: Any, name: str) -> Finding | None:
    """Numbers with a unit, or in groups, that were read as categories."""
    if not present.str.fullmatch(_SIGNED).mean() > _DISTINCT:
        return None
    return warning(
        f"column {name} holds what looks like numbers with signs, as {present.iloc[0]!r}, used as "
        "categories",
        "write plain numbers, or give --thousands",
    )


def _dates(present: Any, name: str, options: ReadingOptions) -> _Column | None:
    import pandas as pd

    parts = [_DATE.match(cell) for cell in present]
    if all(parts):
        first = np.array([int(part[1]) for part in parts if part])
        second = np.array([int(part[2]) for part in parts if part])
        order = options.dates
        if order is None:
            if (first > 12).any() and not (second > 12).any():
                order = "day-first"
            elif (second > 12).any() and not (first > 12).any():
                order = "month-first"
            else:
                return _Column(
                    "",
                    finding=refusal(
                        f"column {name} holds dates such as {present.iloc[0]}, which have two "
                        "readings",
                        "choose with --dates day-first or month-first",
                    ),
                )
        day, month = (1, 2) if order == "day-first" else (2, 1)
        present = present.map(
            lambda cell: _DATE.sub(
                lambda m: f"{m[3]}-{int(m[month]):02d}-{int(m[day]):02d}{m[4]}", cell
            )
        )
    elif not present.str.match(r"^\d{4}-?\d{2}").all():
        return None
    read = pd.to_datetime(present, format="ISO8601", errors="coerce", utc=True)
    if read.isna().any():
        return None
    return _Column("date", _naive(read), finding=note(f"column {name} read as dates"))


def _naive(column: Any) -> Any:
    """Dates without a time zone, in UTC."""
    return column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)


def _floats(column: Any) -> Any:
    import pandas as pd

    return pd.Series(
        column.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index, name=column.name
    )
