"""The geometry of mixed tables: distances that mean something, the same in all sets."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from ornstein.data.contents import TableContents
from ornstein.data.geometry import TableGeometry
from ornstein.data.reading import read

RNG = np.random.default_rng(0)


def table(**columns: object) -> TableContents:
    contents = read(pd.DataFrame(columns))
    assert isinstance(contents, TableContents)
    return contents


def mixed(rows: int = 40) -> TableContents:
    rng = np.random.default_rng(rows)
    number = rng.lognormal(size=rows)
    number[::7] = np.nan
    return table(
        number=number,
        flag=rng.random(rows) < 0.5,
        kind=rng.choice(["a", "b", None], rows),
        when=pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 100, rows), unit="D"),
    )


def test_coordinates_of_each_kind() -> None:
    contents = mixed()
    geometry = TableGeometry().fit([contents])
    made = dict(zip(geometry.names_, geometry.transform(contents).T, strict=True))
    frame = contents.table
    low, middle, high = np.nanpercentile(frame["number"], [25, 50, 75])
    unit = (high - low) / (norm.ppf(0.75) - norm.ppf(0.25))
    missing = frame["number"].isna()
    right = ((frame["number"].fillna(middle) - middle) / unit).to_numpy()
    np.testing.assert_allclose(made["number"], right, rtol=1e-12)
    np.testing.assert_allclose(made["number is missing"], missing / np.sqrt(2))
    np.testing.assert_array_equal(made["flag"], frame["flag"])
    for value in ("a", "b"):
        np.testing.assert_allclose(made[f"kind = {value}"], (frame["kind"] == value) / np.sqrt(2))
    np.testing.assert_allclose(made["kind = (missing)"], frame["kind"].isna() / np.sqrt(2))
    days = (frame["when"] - pd.Timestamp("2024-01-01")).dt.days
    low, middle, high = np.percentile(days, [25, 50, 75])
    np.testing.assert_allclose(made["when"], (days - middle) / (high - low) * 1.3489795, rtol=1e-7)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second))


def test_rows_that_differ_in_one_category_or_boolean_are_1_apart() -> None:
    contents = table(kind=["a", "b", "c", "a"], flag=[True, True, True, False])
    made = TableGeometry().fit([contents]).transform(contents)
    assert distance(made[0], made[1]) == pytest.approx(1)
    assert distance(made[1], made[2]) == pytest.approx(1)
    assert distance(made[0], made[3]) == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_the_unit_of_a_number_does_not_matter(scale: float, shift: float) -> None:
    values = np.random.default_rng(1).standard_normal(30)
    one, other = table(x=values), table(x=scale * values + shift)
    made = [TableGeometry().fit([each]).transform(each) for each in (one, other)]
    np.testing.assert_allclose(made[0], made[1], atol=1e-9)


def test_ranks_do_not_change_with_a_monotone_scale() -> None:
    values = RNG.standard_normal(50).round(1)
    one, other = table(x=values), table(x=np.exp(3 * values))
    made = [TableGeometry("ranks").fit([each]).transform(each) for each in (one, other)]
    np.testing.assert_allclose(made[0], made[1], rtol=1e-12)
    right = norm.ppf((rankdata(values) - 0.5) / 50)
    np.testing.assert_allclose(made[0][:, 0], right, rtol=1e-12)
    # Beyond the first set, the quantile of its ends.
    beyond = TableGeometry("ranks").fit([one]).transform(table(x=[-99.0, 99.0, 0.0]))
    assert beyond[:2, 0].tolist() == [right.min(), right.max()]


def test_one_geometry_for_all_sets() -> None:
    train = table(x=[1.0, 2.0, 3.0, 4.0], kind=["a", "b", "a", "b"])
    other = table(kind=["new", "a", "a"], x=[1.0, 1.0, 100.0])  # in another order, too
    geometry = TableGeometry().fit([train, other])
    assert geometry.names_ == ("x", "kind = a", "kind = b", "kind = new")
    one, two = geometry.transform(train), geometry.transform(other)
    # The same row has the same coordinates in both, whatever else a set holds.
    np.testing.assert_array_equal(one[0], two[1])
    assert distance(one[0], two[0]) == pytest.approx(1)
    alone = TableGeometry().fit([train]).transform(train)
    np.testing.assert_array_equal(one[:, :3], alone)


def test_constant_columns_are_dropped_unless_another_set_varies() -> None:
    train, other = table(x=[1.0, 2.0, 3.0], y=[5, 5, 5]), table(x=[1.0, 2.0, 3.0], y=[5, 6, 5])
    geometry = TableGeometry().fit([train])
    assert geometry.names_ == ("x",)
    assert "column y dropped as constant" in map(str, geometry.findings_)
    assert TableGeometry().fit([train, other]).names_ == ("x", "y")
    with pytest.raises(ValueError, match="no column that varies"):
        TableGeometry().fit([table(y=[5, 5, 5])])


def test_a_range_of_0_falls_back_to_the_standard_deviation() -> None:
    values = np.array([0.0] * 9 + [10.0])
    contents = table(x=values)
    made = TableGeometry().fit([contents]).transform(contents)
    assert made.ravel().tolist() == pytest.approx(list(values / values.std()))


def test_each_kind_has_a_line() -> None:
    said = [str(finding) for finding in TableGeometry().fit([mixed()]).findings_]
    assert said == [
        "column number used as number: less the median, over the interquartile range / 1.349",
        "column when used as date: days, then as a number",
        "column flag used as boolean: 0 and 1",
        "column kind used as category: one coordinate a category, 1/sqrt 2 where it holds",
        "column number: missing values put at the median, and marked by a coordinate of their own",
        "column kind: missing values are a category of their own",
    ]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (table(x=[1.0, 2.0, 4.0]), "column kind of data is not in data"),
        (table(x=[1.0, 2, 4], kind=["a", "b", "a"], z=[1.0, 2, 5]), "column z of data is not in"),
        (table(x=[1.0, 2, 4], kind=[3, 4, 3]), "column kind holds a category in data and a number"),
    ],
)
def test_sets_with_other_columns_are_refused(other: TableContents, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        TableGeometry().fit([table(x=[1.0, 2.0, 4.0], kind=["a", "b", "a"]), other])


def test_infinite_values_are_refused() -> None:
    bad = table(x=[1.0, np.inf, 4.0], kind=["a", "b", "a"])
    with pytest.raises(ValueError, match=r"column x of data holds 1 infinite value.*in row 1"):
        TableGeometry().fit([table(x=[1.0, 2.0, 4.0], kind=["a", "b", "a"]), bad])


def test_the_way_of_scaling_is_known() -> None:
    with pytest.raises(ValueError, match="numbers is 'other', expected robust or ranks"):
        TableGeometry("other")  # type: ignore[arg-type]
