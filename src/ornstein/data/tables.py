"""Tables: .csv, .tsv, .parquet, .feather, .xlsx, and data frames of pandas, Polars and Arrow.

How a text table is written is found out by :mod:`ornstein.data.dialects`, what its columns are by
:mod:`ornstein.data.columns`. Numbers are read to the last digit. Readers that are optional say what
to install.
"""

from __future__ import annotations

__all__ = ["read_table_file", "table_contents", "is_frame", "numeric_points", "TABLE_SUFFIXES"]

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.columns import read_columns
from ornstein.data.contents import TableContents
from ornstein.data.dialects import find_dialect
from ornstein.data.findings import Finding, note
from ornstein.data.table_cells import MISSING
from ornstein.validation import refuse_masked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ornstein.data.dialects import Dialect
    from ornstein.data.reading_options import ReadingOptions

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".feather", ".xlsx")
_EXACT_PANDAS = (3, 1)  # reads numbers to the last digit by itself
_SHOWN = 5  # columns that are named in a message


def read_table_file(path: Path, options: ReadingOptions, key: str | None = None) -> TableContents:
    """Read a table.

    Parameters
    ----------
    path : Path
    options : ReadingOptions
    key : str, optional
        Sheet of an .xlsx file.

    Raises
    ------
    ValueError
        If it cannot be read, can be read in two ways, or a reader is missing.
    """
    suffix = path.suffix.lower()
    if key is not None and suffix != ".xlsx":
        raise ValueError(
            f"{path.name}:{key} names a sheet, and {suffix} has none: leave :{key} out"
        )
    if suffix in {".csv", ".tsv"}:
        dialect = find_dialect(path, options)
        table, findings = _text(path, dialect)
        stored = f"{suffix[1:]}, {dialect.encoding.removesuffix('-sig')}"
        return table_contents(
            table,
            path.name,
            options,
            path,
            [*dialect.findings, *findings],
            stored,
            dialect.signs.decimal,
        )
    import pandas as pd

    try:
        if suffix == ".xlsx":
            table, findings = _sheet(path, key, options)
        else:
            read = pd.read_parquet if suffix == ".parquet" else pd.read_feather
            table, findings = read(path), []
    except ImportError:
        extra = {".xlsx": "excel"}.get(suffix, "parquet")
        package = {".xlsx": "openpyxl"}.get(suffix, "pyarrow")
        raise ValueError(
            f"reading {suffix} needs {package}: pip install 'ornstein[{extra}]'"
        ) from None
    return table_contents(table, path.name, options, path, findings, suffix[1:])


def is_frame(source: Any) -> bool:
    """Whether `source` is a data frame, of pandas, Polars, Arrow or another."""
    return hasattr(source, "__dataframe__") or hasattr(source, "__arrow_c_stream__")


def table_contents(
    source: Any,
    name: str,
    options: ReadingOptions,
    path: Path | None = None,
    findings: Sequence[Finding] = (),
    stored: str = "data frame",
    decimal: str = ".",
) -> TableContents:
    """Contents of a data frame.

    Raises
    ------
    ValueError
        If it has no rows or columns, or columns cannot be told apart.
    """
    import pandas as pd

    table = _to_pandas(source)
    found = list(findings)
    if isinstance(table.columns, pd.MultiIndex):
        raise TypeError(f"{name} has columns of several levels, expected one name each")
    names = [str(column) for column in table.columns]
    twice = [each for each in dict.fromkeys(names) if names.count(each) > 1]
    if twice:
        raise ValueError(f"{name} has several columns called {twice[0]}, expected different names")
    if not names or not len(table):
        raise ValueError(f"{name} has {len(table)} rows and {len(names)} columns, expected more")
    if not isinstance(table.index, pd.RangeIndex) and stored != "xlsx":
        found.append(note("the index of the data frame is not read", "reset_index() keeps it"))
    for position, column in enumerate(names):
        refuse_masked(table.iloc[:, position].to_numpy(), f"{name}, column {column}")
    table = table.reset_index(drop=True)
    columns = read_columns(table, options, decimal)
    return TableContents(
        name=name,
        table=columns.table,
        kinds=columns.kinds,
        stored=stored,
        set_aside=columns.set_aside,
        findings=(*found, *columns.findings),
        origin=path,
    )


def numeric_points(contents: TableContents) -> NDArray[np.float64]:
    """The table as numbers, of shape (n_rows, n_columns); missing values are NaN.

    Raises
    ------
    TypeError
        If a column holds text or dates.
    ValueError
        If there is no column.
    """
    contents.require_usable()
    other = [name for name, kind in contents.kinds.items() if kind not in {"number", "boolean"}]
    if other:
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        raise TypeError(
            f"column(s) {', '.join(other[:_SHOWN])}{more} hold text or dates, expected numbers: "
            "drop or encode them"
        )
    if not contents.kinds:
        why = "; ".join(f"{name}: {each}" for name, each in contents.set_aside.items())
        raise ValueError(f"{contents.name} has no column that can be used ({why}): add one")
    return contents.table.to_numpy(dtype=np.float64, na_value=np.nan)


def _text(path: Path, dialect: Dialect) -> tuple[Any, list[Finding]]:
    import pandas as pd

    options: dict[str, Any] = {
        "sep": dialect.separator if dialect.separator != "\n" else "\x1f",
        "decimal": dialect.signs.decimal,
        "thousands": dialect.signs.thousands,
        "encoding": dialect.encoding,
        "header": 0 if dialect.header else None,
        "skiprows": dialect.skipped,
        "comment": dialect.comment,
        "skipinitialspace": True,
        "low_memory": False,
        "na_values": sorted({each for word in MISSING for each in (word, word.upper())}),
    }
    if tuple(map(int, pd.__version__.split(".")[:2])) < _EXACT_PANDAS:
        options["float_precision"] = "round_trip"
    source: Any = path
    findings: list[Finding] = []
    if dialect.comment is None and dialect.has_comment_lines:
        source = io.StringIO(_without_comments(path, dialect.encoding))
        options |= {"encoding": None, "skiprows": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            table = pd.read_csv(source, **options)
        except (pd.errors.ParserError, pd.errors.ParserWarning, UnicodeError) as error:
            reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
            raise ValueError(reason) from None
    twice = [name for name in dialect.names if name and dialect.names.count(name) > 1]
    if dialect.header and twice:
        raise ValueError(f"it has several columns called {twice[0]}, expected different names")
    return table, findings


def _without_comments(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding) as stream:
        return "".join(line for line in stream if not line.startswith("#"))


def _sheet(path: Path, key: str | None, options: ReadingOptions) -> tuple[Any, list[Finding]]:
    import pandas as pd

    header = None if options.header == "no" else 0
    with pd.ExcelFile(path, engine="openpyxl") as book:
        names = [str(name) for name in book.sheet_names]
        if key is not None and key not in names:
            raise ValueError(f"it has the sheets {', '.join(names)}, and no {key!r}")
        if key is None and len(names) > 1:
            filled = [
                name
                for name in names
                if not pd.read_excel(book, sheet_name=name, header=None, nrows=1).empty
            ]
            if len(filled) != 1:
                raise ValueError(
                    f"it has the sheets {', '.join(names)}, expected one: name it, as "
                    f"{path.name}:{names[0]}"
                )
            key = filled[0]
        sheet = names[0] if key is None else key
        table = pd.read_excel(book, sheet_name=sheet, header=header)
        findings = [note(f"sheet {sheet} read")] if len(names) > 1 else []
    if header == 0 and options.header is None and _is_row(table):
        # A first row of numbers is a point.
        table = pd.read_excel(path, sheet_name=sheet, header=None, engine="openpyxl")
    return table, findings


def _is_row(table: Any) -> bool:
    """Whether what was taken for names is a row of numbers, but 0, 1, 2, ..."""
    names = list(table.columns)
    numbers = all(isinstance(name, int | float) for name in names)
    return numbers and not (len(names) > 2 and names == list(range(len(names))))


def _to_pandas(source: Any) -> Any:
    """A data frame of pandas, through Arrow or the interchange protocol."""
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return source
    if hasattr(source, "__arrow_c_stream__"):
        try:
            import pyarrow as pa

            return pa.table(source).to_pandas()
        except ImportError:
            pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pd.api.interchange.from_dataframe(source)
