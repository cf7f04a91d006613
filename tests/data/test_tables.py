"""Tables of files and in memory: dialects, kinds of columns, what is set aside or refused."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ornstein.data.contents import TableContents
from ornstein.data.files import load_data
from ornstein.data.reading import read
from ornstein.data.reading_options import ReadingOptions

RNG = np.random.default_rng(0)


def table(source: object, **options: object) -> TableContents:
    contents = read(source, ReadingOptions(**options))  # type: ignore[arg-type]
    assert isinstance(contents, TableContents)
    return contents


def said(contents: TableContents) -> str:
    return "; ".join(map(str, contents.findings))


def written(tmp_path: Path, text: str | bytes, name: str = "x.csv") -> Path:
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def rows(contents: TableContents) -> list[list[float]]:
    return contents.table.to_numpy(dtype=np.float64, na_value=np.nan).tolist()


# name of the case: text, options, rows that are right, part of what is said
DIALECTS: dict[str, tuple[str | bytes, dict, list, str]] = {
    "plain": ("a,b\n1,2.5\n3,4.5\n", {}, [[1, 2.5], [3, 4.5]], ""),
    "no header": ("1.5,2\n3,4\n", {}, [[1.5, 2], [3, 4]], ""),
    "counted": (
        ",0,1,2\n0,1.5,2,3\n1,4,5,6\n2,7,8,9\n",
        {},
        [[1.5, 2, 3], [4, 5, 6], [7, 8, 9]],
        "row",
    ),
    "european": ("a;b\n1,5;2\n3,25;4\n", {}, [[1.5, 2], [3.25, 4]], "decimal commas"),
    "european thousands": ("a;b\n1.234,5;2\n3,25;4\n", {}, [[1234.5, 2], [3.25, 4]], "thousands"),
    "american thousands": (
        'a,b\n"1,234.5",2\n"3,251,000.25",4\n',
        {},
        [[1234.5, 2], [3251000.25, 4]],
        "thousands",
    ),
    "leading zero": ("a;b\n0,250;2\n3,125;4\n", {}, [[0.25, 2], [3.125, 4]], "decimal commas"),
    "tabs": ("a\tb\n1\t2\n3\t4\n", {}, [[1, 2], [3, 4]], "separated by tab"),
    "spaces": ("1.0 2.0\n3.0 4.0\n", {}, [[1, 2], [3, 4]], "separated by space"),
    "bars": ("a|b\n1|2\n3|4\n", {}, [[1, 2], [3, 4]], "separated by bar"),
    "one column": ("x\n1.5\n2.5\n", {}, [[1.5], [2.5]], ""),
    "one column of commas": ("x\n1,5\n2,7\n", {}, [[1.5], [2.7]], "decimal commas"),
    "quoted commas": ('a,b\n"1,5","2,5"\n"3,5","4,5"\n', {}, [[1.5, 2.5], [3.5, 4.5]], "decimal"),
    "comments": ("# mine\na,b\n1,2\n# in between\n3,4\n", {}, [[1, 2], [3, 4]], "begin with #"),
    "after #": ("a,b\n1,2 # good\n3,4\n", {}, [[1, 2], [3, 4]], "what follows a # left out"),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n3,4\n", {}, [[1, 2], [3, 4]], "byte order mark"),
    "utf-16": ("a,b\n1,2\n3,4\n".encode("utf-16"), {}, [[1, 2], [3, 4]], "read as utf-16"),
    "cp1252": ("größe,b\n1,2\n3,4\n".encode("cp1252"), {}, [[1, 2], [3, 4]], "read as cp1252"),
    "one bad cell": ("1,n/a,3\n4,5,6\n7,8,9\n", {}, [[1, np.nan, 3], [4, 5, 6], [7, 8, 9]], ""),
    "missing": (
        "a,b\n1,\n-,4\n?,NA\n5,6\n",
        {},
        [[1, np.nan], [np.nan, 4], [np.nan, np.nan], [5, 6]],
        "",
    ),
    "told thousands": ("a;b\n1,234;5\n3,250;4\n", {"thousands": ","}, [[1234, 5], [3250, 4]], ""),
    "told decimals": ("a;b\n1,234;5\n3,250;4\n", {"decimal": ","}, [[1.234, 5], [3.25, 4]], ""),
    "told two columns": ("1,5\n2,7\n", {"separator": ",", "decimal": "."}, [[1, 5], [2, 7]], ""),
    "told one column": ("1,5\n2,7\n", {"decimal": ",", "separator": ";"}, [[1.5], [2.7]], ""),
    "told header": ("1,2,9\n3,4,9\n5,6,9\n", {"header": "yes"}, [[3, 4, 9], [5, 6, 9]], ""),
    "told no header": ("0,1,2\n3,4,5\n", {"header": "no"}, [[0, 1, 2], [3, 4, 5]], ""),
    "an empty first cell": ("a,b\n,2\n3,4\n", {}, [[np.nan, 2], [3, 4]], ""),
    "blank lines": ("x\n1\n\n3\n", {}, [[1], [3]], "blank lines left out (1 in the first rows)"),
    "leading zeros": (
        "zip,x\n00123,1\n456,2\n",
        {},
        [[123, 1], [456, 2]],
        "column zip holds numbers with leading zeros, as 00123",
    ),
    "exact": ("a,b\n9007199254740992,1\n12,2\n", {}, [[2**53, 1], [12, 2]], ""),
    "large": (
        "a,b\n9007199254740993,1\n1,2\n",
        {},
        [[2**53, 1], [1, 2]],
        "9007199254740993, which",
    ),
    "larger": ("a,b\n99999999999999999999,1\n1,2\n", {}, [[1e20, 1], [1, 2]], "no float64 each"),
    "aligned": ("  1.0   2.0\n -3.0  4.25\n", {}, [[1, 2], [-3, 4.25]], "separated by space"),
    "a separator at the end": ("a,b,\n1,2,\n3,4,\n", {}, [[1, 2], [3, 4]], "no value in any row"),
    "windows lines": ("a,b\r\n1,2\r\n3,4\r\n\r\n", {}, [[1, 2], [3, 4]], ""),
}


@pytest.mark.parametrize("case", DIALECTS)
def test_dialects(tmp_path: Path, case: str) -> None:
    text, options, right, part = DIALECTS[case]
    contents = table(written(tmp_path, text), **options)
    np.testing.assert_array_equal(rows(contents), right)
    assert part in said(contents)
    if not part:
        assert said(contents) == "" or options


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,5\n2,7\n3,8\n", r"two ways, '3,8' as 3, 8 .* or as 3\.8 .*choose one"),
        ("a;b\n1,234;5,678\n", r"as 1\.234, 5\.678 \(--decimal ,\) or as 1234, 5678"),
        ("a,b\nx,y\nz,w\n", "first row 'a, b' may name the columns.*--header yes or no"),
        ("1,2\n3,4\n5,6,7\n", "different numbers of cells"),
        ("a,b\n1,2,3\n4,5,6\n", "different numbers of cells"),
        ("a,b,a\n1,2,3\n4,5,6\n", "several columns called a"),
        ("", "it holds no rows"),
        ("# a\n# b\n", "it holds no rows"),
        (b"\x00\x01\x02\x03", "bytes that are no text"),
        ("t,x\n03/04/2024,1\n05/06/2024,2\n", "have two readings: choose with --dates"),
        (
            "a,b\n1,2\n3,x\n5,6\n7,8\n",
            "numbers and 1 cell.s. that are none, the first 'x' in row 1",
        ),
        ("1,2,x\n3,4,5\n6,7,8\n", "the first 'x' in row 0.*--header yes"),
        (",a\n3,1.5\n9,2.5\n4,3.5\n", "its first column has no name and is not row numbers"),
    ],
)
def test_tables_that_can_be_read_in_two_ways_or_not_at_all(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected) as caught:
        table(written(tmp_path, text)).require_usable()
    assert "\n" not in str(caught.value)


def test_a_long_table_with_a_bad_row_at_its_end(tmp_path: Path) -> None:
    lines = "".join(f"{index},{index + 0.5}\n" for index in range(3000))
    with pytest.raises(ValueError, match="Expected 2 fields in line 3001, saw 3"):
        table(written(tmp_path, lines + "1,2,3\n"))


COLUMNS = pd.DataFrame(
    {
        "number": [1.5, 2.5, None, 4.0],
        "whole": [3, 1, 4, 1],
        "flag": [True, False, True, True],
        "when": ["2024-01-31", "2024-02-01", None, "2023-12-24T12:30"],
        "kind": ["a", "b", "a", None],
        "empty": [None] * 4,
    }
)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".feather", ".xlsx"])
def test_kinds_of_columns(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"x{suffix}"
    if suffix in {".csv", ".tsv"}:
        COLUMNS.to_csv(file, index=False, sep="," if suffix == ".csv" else "\t")
    else:
        getattr(
            COLUMNS, {".parquet": "to_parquet", ".feather": "to_feather"}.get(suffix, "to_excel")
        )(file, **({"index": False} if suffix == ".xlsx" else {}))
    contents = table(file)
    assert contents.kinds == {
        "number": "number",
        "whole": "number",
        "flag": "boolean",
        "when": "date",
        "kind": "category",
    }
    assert contents.set_aside == {"empty": "no value in any row"}
    assert contents.missing() == {"number": 1, "when": 1, "kind": 1}
    assert contents.table["when"].iloc[3] == pd.Timestamp("2023-12-24 12:30")
    assert "column when read as dates" in said(contents)
    assert not contents.is_numeric
    with pytest.raises(TypeError, match=r"column\(s\) when, kind hold text or dates"):
        load_data(file)


def test_dates_of_other_orders(tmp_path: Path) -> None:
    day_first = table(written(tmp_path, "t,x\n31/01/2024,1\n01/02/2024,2\n"))
    month_first = table(written(tmp_path, "t,x\n01.31.2024 06:00,1\n02.01.2024 00:00,2\n"))
    right = [pd.Timestamp("2024-01-31"), pd.Timestamp("2024-02-01")]
    assert day_first.table["t"].tolist() == right
    assert month_first.table["t"].tolist() == [right[0] + pd.Timedelta(hours=6), right[1]]
    told = table(written(tmp_path, "t,x\n01/02/2024,1\n03/02/2024,2\n"), dates="month-first")
    assert told.table["t"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-03-02")]


def test_identifiers_and_free_text_are_set_aside(tmp_path: Path) -> None:
    count = 30
    frame = pd.DataFrame(
        {
            "id": np.arange(count) + 7,
            "name": [f"person {index}" for index in range(count)],
            "kind": ["a", "b", "c"] * 10,
            "x": RNG.standard_normal(count),
        }
    )
    contents = table(frame)
    assert list(contents.kinds) == ["kind", "x"]
    assert contents.set_aside == {
        "id": "row numbers, unique and consecutive",
        "name": "text of which 30 of 30 values differ",
    }
    assert "column name set aside: text of which 30 of 30 values differ" in said(contents)
    frame["id"] = RNG.permutation(10_000)[:count]
    assert table(frame).set_aside["id"] == "numbers of rows, all different"
    # A column of that name that is no identifier is one of numbers.
    frame["id"] = 1
    assert table(frame).kinds["id"] == "number"


@pytest.mark.parametrize(
    "cells", [["5%", "6%", "7%"], ["$5", "$12", "$7"], ["1 234", "2 345", "7"]]
)
def test_numbers_with_signs_are_said_to_be_categories(cells: list[str]) -> None:
    contents = table(pd.DataFrame({"a": cells, "b": [1.0, 2.0, 4.0]}))
    assert contents.kinds["a"] == "category"
    assert f"looks like numbers with signs, as {cells[0]!r}, used as categories" in said(contents)
    assert said(table(pd.DataFrame({"a": ["A1", "B", "A1"], "b": [1.0, 2, 4]}))) == ""


def test_a_first_column_that_counts_is_said(tmp_path: Path) -> None:
    contents = table(written(tmp_path, "5,1.5\n6,2.5\n7,3.5\n"))
    assert contents.kinds == {"0": "number", "1": "number"}
    (found,) = contents.findings
    assert found.level == "warning"
    assert "column 0 counts 5, 6, 7, ... and is used as a coordinate" in found.text


def frames() -> dict[str, object]:
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [1, 2, 4]})
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    return {
        "pandas": frame,
        "nullable": frame.convert_dtypes(),
        "arrow types": frame.convert_dtypes(dtype_backend="pyarrow"),
        "arrow": pa.table({"a": [1.5, 2.5, 3.5], "b": [1, 2, 4]}),
        "polars": pl.DataFrame({"a": [1.5, 2.5, 3.5], "b": [1, 2, 4]}),
    }


@pytest.mark.parametrize("kind", ["pandas", "nullable", "arrow types", "arrow", "polars"])
def test_data_frames(kind: str) -> None:
    frame = frames()[kind]
    np.testing.assert_array_equal(load_data(frame).points, [[1.5, 1], [2.5, 2], [3.5, 4]])


class Interchanged:
    """A data frame of a package that offers the interchange protocol alone."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __dataframe__(self, *args: object, **kwargs: object) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.frame.__dataframe__(*args, **kwargs)


def test_the_interchange_protocol() -> None:
    frame = Interchanged(pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [1.0, 2.0, 4.0]}))
    np.testing.assert_array_equal(load_data(frame).points, [[1.5, 1], [2.5, 2], [3.5, 4]])


@pytest.mark.parametrize(
    ("frame", "error", "expected"),
    [
        (pd.DataFrame([[1, 2]] * 3, columns=["a", "a"]), ValueError, "several columns called a"),
        (pd.DataFrame(), ValueError, "0 rows and 0 columns"),
        (pd.DataFrame({"a": [1 + 1j, 2, 3]}), ValueError, "complex numbers"),
        (pd.DataFrame({"a": [[1], [2], [3]]}), ValueError, "values of the types list"),
        (pd.DataFrame({("a", "b"): [1, 2, 3]}), TypeError, "columns of several levels"),
        (pd.DataFrame({"a": ["x", "y", "x"]}), TypeError, "hold text"),
        (pd.DataFrame({"a": [None, None, None]}), ValueError, "no column that can be used"),
        (pd.DataFrame({"a": [1.0, np.nan, 3]}), ValueError, "1 NaN or infinite value"),
    ],
)
def test_data_frames_that_are_no_good(
    frame: pd.DataFrame, error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        load_data(frame)


def test_other_kinds_of_values() -> None:
    frame = pd.DataFrame(
        {
            "duration": pd.to_timedelta(["1D", "36h", "0D"]),
            "zoned": pd.to_datetime(["2024-01-01T00:00+02:00"] * 3),
            "month": pd.period_range("2024-01", periods=3, freq="M"),
            "levels": pd.Categorical(["a", "b", "a"], categories=["a", "b", "c"]),
        },
        index=[5, 6, 9],
    )
    contents = table(frame)
    assert contents.table["duration"].tolist() == [1, 1.5, 0]
    assert contents.table["zoned"].iloc[0] == pd.Timestamp("2023-12-31 22:00")
    assert contents.kinds == {
        "duration": "number", "zoned": "date", "month": "date", "levels": "category"
    }  # fmt: skip
    assert "durations read as days" in said(contents)
    assert "the index of the data frame is not read" in said(contents)


def test_sheets(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    one, two = pd.DataFrame({"a": [1.0, 2, 3]}), pd.DataFrame({"b": [4.5, 5, 6]})
    with pd.ExcelWriter(tmp_path / "x.xlsx") as book:
        one.to_excel(book, sheet_name="first", index=False)
        two.to_excel(book, sheet_name="second", index=False)
    with pytest.raises(ValueError, match=r"sheets first, second, expected one.*x\.xlsx:first"):
        table(tmp_path / "x.xlsx")
    assert rows(table(f"{tmp_path}/x.xlsx:second")) == [[4.5], [5], [6]]
    with pytest.raises(ValueError, match="and no 'third'"):
        table(f"{tmp_path}/x.xlsx:third")
    pd.DataFrame(RNG.standard_normal((3, 2))).to_excel(
        tmp_path / "bare.xlsx", index=False, header=False
    )
    assert table(tmp_path / "bare.xlsx").n_rows == 3


@pytest.mark.parametrize(
    ("suffix", "module", "package"),
    [
        (".parquet", "pyarrow", "pyarrow"),
        (".feather", "pyarrow", "pyarrow"),
        (".xlsx", "openpyxl", "openpyxl"),
    ],
)
def test_readers_that_are_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, module: str, package: str
) -> None:
    (tmp_path / f"x{suffix}").write_bytes(b"some")

    def absent(*_: object, **__: object) -> None:
        raise ImportError(module)

    for name in ("read_parquet", "read_feather", "ExcelFile"):
        monkeypatch.setattr(pd, name, absent)
    with pytest.raises(ValueError, match=f"needs {package}: pip install 'ornstein"):
        table(tmp_path / f"x{suffix}")


FINITE = st.floats(allow_nan=False, allow_infinity=False)
SIXTEEN_DIGITS = st.integers(-(10**6), 10**6).map(lambda whole: whole / 64)


@pytest.mark.parametrize(
    "suffix", [".csv", "european.csv", ".tsv", ".parquet", ".feather", ".xlsx"]
)
def test_round_trips(tmp_path_factory: pytest.TempPathFactory, suffix: str) -> None:
    file = tmp_path_factory.mktemp("trip") / f"x{suffix}"
    shapes = st.tuples(st.integers(1, 5), st.integers(2, 4))

    # openpyxl writes 16 digits, which do not tell every float64 apart.
    elements = SIXTEEN_DIGITS if suffix == ".xlsx" else FINITE

    @settings(
        max_examples=10 if suffix == ".xlsx" else 25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(shapes.flatmap(lambda shape: arrays("f8", shape, elements=elements)))
    def check(values: np.ndarray) -> None:
        frame = pd.DataFrame(values, columns=[f"c{index}" for index in range(values.shape[1])])
        if suffix.endswith("csv"):
            european = suffix.startswith("eu")
            frame.to_csv(
                file, index=False, sep=";" if european else ",", decimal="," if european else "."
            )
        elif suffix == ".tsv":
            frame.to_csv(file, index=False, sep="\t")
        elif suffix == ".xlsx":
            frame.to_excel(file, index=False)
        else:
            getattr(frame, "to_parquet" if suffix == ".parquet" else "to_feather")(file)
        # What is written is never 1,234: shortest decimals of float64 have a point in them.
        found = table(file).table.to_numpy(dtype=np.float64)
        np.testing.assert_array_equal(found, values)

    check()
