r"""One geometry for tables of mixed kinds, so that distances between rows mean something.

===========  ==============================================================================
column       coordinates
===========  ==============================================================================
number       ``(x - median) / s``, with ``s`` the interquartile range over 1.349, which is the
             standard deviation of a Gaussian; the standard deviation where the range is 0.
             With ranks: the normal quantile of ``(r - 1/2) / n``, ``r`` the rank in the first
             set (its mean where values are equal), interpolated between the values of that set
date         days, then as a number
boolean      0 or 1
category     one coordinate a category, ``1/sqrt(2)`` where it holds: two rows that differ are
             1 apart, like two rows that differ in a boolean
missing      a category of its own; of numbers, dates and booleans the median, and one more
             coordinate of ``1/sqrt(2)`` where it is missing
===========  ==============================================================================

Constant columns are dropped. The geometry is fitted once: medians, ranges and ranks are those of
the first set, categories those of all sets, so that one that stands in a single file alone is kept,
and a row is as far from another in whichever set they stand.
"""

from __future__ import annotations

__all__ = ["TableGeometry"]

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ornstein.data.findings import Finding, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ornstein.data.contents import TableContents

    Array = NDArray[np.float64]

MISSING = "(missing)"


class _Fitted(NamedTuple):
    transformer: Any
    names: tuple[str, ...]
    findings: tuple[Finding, ...]


class TableGeometry:
    """Coordinates for tables of mixed kinds.

    Parameters
    ----------
    numbers : {"robust", "ranks"}
        How numbers and dates are scaled.

    Attributes
    ----------
    names_ : tuple of str
        Of the coordinates, as ``age``, ``colour = red``, ``age is missing``.
    findings_ : tuple of Finding
        How each kind of column is used, and what is dropped.

    Examples
    --------
    >>> import pandas as pd
    >>> from ornstein.data.reading import read
    >>> first = read(pd.DataFrame({"x": [1.0, 2.0, 3.0], "kind": ["a", "b", "a"]}))
    >>> geometry = TableGeometry().fit([first])
    >>> geometry.names_
    ('x', 'kind = a', 'kind = b')
    >>> geometry.transform(first)[0]
    array([-1.34898 ,  0.707107,  0.      ])
    """

    def __init__(self, numbers: Literal["robust", "ranks"] = "robust") -> None:
        if numbers not in {"robust", "ranks"}:
            raise ValueError(f"numbers is {numbers!r}, expected robust or ranks")
        self.numbers = numbers

    def fit(self, tables: Sequence[TableContents]) -> TableGeometry:
        """Learn the geometry from all sets; numbers from the first.

        Raises
        ------
        ValueError
            If the sets have other columns, or kinds of columns, or none that varies, or values are
        infinite.
        """
        first = tables[0]
        for each in tables:
            _require_finite(each)
        for other in tables[1:]:
            _require_same_columns(first, other)
        fitted = self._columns(tables)
        self.columns_ = tuple(first.kinds)
        self.transformer_ = fitted.transformer.fit(_plain(first, self.columns_))
        self.names_, self.findings_ = fitted.names, fitted.findings
        return self

    def transform(self, contents: TableContents) -> Array:
        """Coordinates of the rows of a table, of shape (n_rows, n_coordinates)."""
        made = self.transformer_.transform(_plain(contents, self.columns_))
        return np.ascontiguousarray(made, dtype=np.float64)

    def _columns(self, tables: Sequence[TableContents]) -> _Fitted:
        import pandas as pd
        from sklearn.compose import ColumnTransformer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

        from ornstein.data.column_transformers import NumberScaler, times_half

        kinds = tables[0].kinds
        plain = [_plain(each, tuple(kinds)) for each in tables]
        together = {name: pd.concat([each[name] for each in plain]) for name in kinds}
        constant = [name for name, column in together.items() if column.nunique(dropna=False) == 1]
        used = {name: kind for name, kind in kinds.items() if name not in constant}
        if not used:
            raise ValueError(f"{tables[0].name} has no column that varies, expected one or more")
        parts: list[Any] = []
        names: list[str] = []
        for part, by, of in (
            ("numbers", self.numbers, ("number", "date")),
            ("booleans", "none", ("boolean",)),
        ):
            chosen = [name for name, kind in used.items() if kind in of]
            if chosen:
                marked = [name for name in chosen if together[name].isna().any()]
                places = tuple(chosen.index(name) for name in marked)
                parts.append((part, NumberScaler(by, places), chosen))
                names += [*chosen, *(f"{name} is missing" for name in marked)]
        chosen = [name for name, kind in used.items() if kind == "category"]
        if chosen:
            known = [sorted(set(together[name])) for name in chosen]
            one_hot = OneHotEncoder(categories=known, sparse_output=False, dtype=np.float64)
            scaled = make_pipeline(one_hot, FunctionTransformer(times_half))
            parts.append(("categories", scaled, chosen))
            names += [
                f"{name} = {value}"
                for name, values in zip(chosen, known, strict=True)
                for value in values
            ]
        findings = _said(used, constant, together, self.numbers)
        return _Fitted(ColumnTransformer(parts), tuple(names), tuple(findings))


def _plain(contents: TableContents, columns: tuple[str, ...]) -> Any:
    """Dates as days, missing categories by name."""
    import pandas as pd

    made = {}
    for name in columns:
        column, kind = contents.table[name], contents.kinds[name]
        if kind == "date":
            days = (column - pd.Timestamp(0)) / pd.Timedelta(days=1)
            made[name] = days.to_numpy(dtype=np.float64)
        elif kind == "category":
            made[name] = column.astype(object).where(column.notna(), MISSING).astype(str).to_numpy()
        else:
            made[name] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.DataFrame(made)


def _require_finite(contents: TableContents) -> None:
    for name, kind in contents.kinds.items():
        if kind == "number":
            infinite = np.isinf(contents.table[name].to_numpy(dtype=np.float64))
            if infinite.any():
                raise ValueError(
                    f"column {name} of {contents.name} holds {int(infinite.sum())} infinite "
                    f"value(s), the first in row {int(infinite.argmax())}: drop or impute them"
                )


def _require_same_columns(first: TableContents, other: TableContents) -> None:
    missing = [name for name in first.kinds if name not in other.kinds]
    more = [name for name in other.kinds if name not in first.kinds]
    if missing or more:
        name, where, lacking = (
            (missing[0], first.name, other.name) if missing else (more[0], other.name, first.name)
        )
        raise ValueError(
            f"column {name} of {where} is not in {lacking} (or set aside there), expected the same "
            "columns in all sets"
        )
    for name, kind in first.kinds.items():
        if other.kinds[name] != kind:
            raise ValueError(
                f"column {name} holds a {kind} in {first.name} and a {other.kinds[name]} in "
                f"{other.name}, expected one kind"
            )


def _said(
    used: dict[str, str], constant: list[str], together: dict[str, Any], numbers: str
) -> list[Finding]:
    """How columns are used, a line for each kind."""
    ways = {
        "number": (
            "less the median, over the interquartile range / 1.349"
            if numbers == "robust"
            else "normal quantiles of ranks"
        ),
        "date": "days, then as a number",
        "boolean": "0 and 1",
        "category": "one coordinate a category, 1/sqrt 2 where it holds",
    }
    findings = []
    for kind, way in ways.items():
        named = [name for name, each in used.items() if each == kind]
        if named:
            findings.append(note(f"{_listed(named)} used as {kind}: {way}"))
    if constant:
        findings.append(note(f"{_listed(constant)} dropped as constant"))
    marked = [
        name for name, kind in used.items() if kind != "category" and together[name].isna().any()
    ]
    if marked:
        findings.append(
            note(
                f"{_listed(marked)}: missing values put at the median, and marked by a coordinate "
                "of their own"
            )
        )
    missing = [
        name for name, kind in used.items() if kind == "category" and MISSING in set(together[name])
    ]
    if missing:
        findings.append(note(f"{_listed(missing)}: missing values are a category of their own"))
    return findings


def _listed(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"column{'s' if len(names) > 1 else ''} {', '.join(names[:most])}{more}"
