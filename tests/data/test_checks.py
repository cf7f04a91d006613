"""Findings of one set and of several: what is said, at which level, and with what advice."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ornstein.data import near_duplicates
from ornstein.data.findings import Finding, by_level, note, refusal, refuse, warning
from ornstein.data.profiles import Profile, profile_all
from ornstein.data.reading import read_all
from ornstein.data.reading_options import ReadingOptions

RNG = np.random.default_rng(0)


def looked_at(*sources: object, **options: object) -> tuple[list[Profile], list[Finding]]:
    return profile_all(read_all(list(sources), ReadingOptions(**options)))  # type: ignore[arg-type]


def found(source: object) -> list[tuple[str, str]]:
    (profile,), _ = looked_at(source)
    return [(finding.level, str(finding)) for finding in profile.findings]


def compared(*sources: object) -> list[tuple[str, str]]:
    return [(finding.level, str(finding)) for finding in looked_at(*sources)[1]]


def gaussian(n: int = 200, dim: int = 5) -> np.ndarray:
    return np.random.default_rng(n + dim).standard_normal((n, dim))


def with_values(**places: float) -> np.ndarray:
    values = gaussian()
    for place, value in places.items():
        row, column = map(int, place.strip("r").split("c"))
        values[row, column] = value
    return values


def repeated() -> np.ndarray:
    values = gaussian()
    values[[50, 60]] = values[7]
    return values


def nearly() -> np.ndarray:
    values = gaussian(200, 30)
    values[50] = values[7] + 1e-4
    return values


def coded() -> np.ndarray:
    values = gaussian()
    values[::9, 2] = -999
    return values


def constant() -> np.ndarray:
    values = gaussian()
    values[:, [1, 3]] = 4.0
    return values


# what is looked at, level, what is said
ONE = {
    "fine": (gaussian(), None, ""),
    "missing": (with_values(r3c1=np.nan), "refusal", "1 NaN value(s), the first at row 3"),
    "infinite": (
        with_values(r3c1=np.nan, r2c4=np.inf),
        "refusal",
        "1 NaN and 1 infinite value(s), the first at row 2, column 4: drop or impute them",
    ),
    "few": (gaussian()[:2], "refusal", "2 point(s), expected at least 3: give more rows"),
    "equal": (np.ones((9, 3)), "refusal", "all 9 points are equal"),
    "repeated": (repeated(), "warning", "2 of 200 rows equal one before them (as row 50 equals"),
    "near": (nearly(), "warning", "2 rows are nearly equal to another one (rows 7 and 50)"),
    "far": (with_values(r3c1=1e4), "warning", "1 of 200 rows lie far beyond the rest"),
    "coded": (coded(), "warning", "column 2 holds -999 far from all other values"),
    "constant": (constant(), "note", "2 of 5 coordinates are constant"),
    "one constant": (
        gaussian() * [1, 1, 0, 1, 1],
        "note",
        "1 of 5 coordinates is constant",
    ),
    "wide": (gaussian(40, 60), "note", "40 points in 60 dimensions: their covariance is singular"),
    "bytes": (
        RNG.integers(0, 256, (40, 6), dtype=np.uint8),
        "note",
        "bytes used as they are, 0 to 255",
    ),
    "undivided": (
        RNG.integers(0, 256, (90, 4, 4)).astype(float),
        "note",
        "bytes that are not divided by 255",
    ),
    "large": (RNG.integers(0, 2**60, (90, 4)), "warning", "have no float64 each"),
}


def test_values_that_cannot_be_used_get_one_refusal_each() -> None:
    nothing = found(np.full((40, 3), np.nan))
    assert nothing == [
        ("refusal", "120 NaN value(s), the first at row 0, column 0: drop or impute them")
    ]
    beyond = found(gaussian() * [1, 1, 1e200, 1, 1])
    assert beyond == [
        ("refusal", "values beyond 1e150, whose squares are no float64: choose another unit")
    ]


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_the_unit_does_not_matter(scale: float) -> None:
    (one,), _ = looked_at(gaussian())
    (other,), _ = looked_at(scale * gaussian())
    assert other.findings == ()
    np.testing.assert_allclose(other.survey.spectrum / scale / scale, one.survey.spectrum)
    assert other.effective_dimension == pytest.approx(one.effective_dimension)
    assert other.std == pytest.approx(scale * one.std)


@pytest.mark.parametrize("case", ONE)
def test_one_set(case: str) -> None:
    source, level, text = ONE[case]
    said = found(source)
    if level is None:
        assert said == []
    else:
        assert any(each == level and text in line for each, line in said), said


def test_columns_of_a_table() -> None:
    n = 100
    frame = pd.DataFrame(
        {
            "mostly": np.where(np.arange(n) < 70, np.nan, RNG.standard_normal(n)),
            "some": np.where(np.arange(n) < 7, np.nan, RNG.standard_normal(n)),
            "coded": np.where(np.arange(n) % 9, RNG.random(n), -9999.0),
            "many": [f"value {index % 70}" for index in range(n)],
        }
    )
    said = found(frame)
    assert ("warning", "column mostly misses 70 of 100 values: consider to drop it") in said
    assert ("note", "column some misses 7 of 100 values") in said
    assert any("column coded holds -9999 far from all" in line for _, line in said)
    assert any("column many has 70 categories in 100 rows" in line for _, line in said)


def test_levels_are_in_order_and_refusals_are_raised() -> None:
    mixed = [note("a"), refusal("b", "do c"), warning("d")]
    assert [finding.text for finding in by_level(mixed)] == ["b", "d", "a"]
    with pytest.raises(ValueError, match=r"^b: do c$"):
        refuse(mixed)
    refuse([mixed[0], mixed[2]])


def images(channels_last: bool = False) -> np.ndarray:
    values = np.random.default_rng(5).random((60, 3, 8, 8))
    return values.transpose(0, 2, 3, 1) if channels_last else values


UNIT = np.random.default_rng(6).random((80, 12))
OTHER = np.random.default_rng(7).random((70, 12))
COPIES = "if one set was generated, they may be copies: ornstein audit says more"
TAKE_OUT = f"take them out of one set; {COPIES}"
# sets, level, what is said
SEVERAL = {
    "fine": ((UNIT, OTHER), None, ""),
    "255": ((UNIT, 255 * OTHER), "refusal", "a factor of 255: divide data by 255"),
    "signs": ((UNIT, 2 * OTHER - 1), "refusal", "x against 2 x - 1"),
    "units": ((UNIT, 30 * OTHER), "warning", "is 29.9 times"),
    "dimensions": ((UNIT, OTHER[:, :11]), "refusal", "have shape (12,) and those of data (11,)"),
    "sides": ((images(), images()[:, :, :4]), "refusal", "make images alike with --pixels"),
    "flattened": (
        (images(), np.random.default_rng(8).random((60, 192))),
        "warning",
        "in what may be another order",
    ),
    "half": ((UNIT, OTHER.astype("f2")), "warning", "float16, of three digits"),
    "steps": (((9 * UNIT).astype("f8"), (9 * OTHER).astype("i4")), "warning", "one holds steps"),
    "types": ((UNIT, OTHER.astype("f4")), "note", "data is float64 and data float32"),
    "same": ((UNIT, UNIT[::-1]), "warning", "hold the same rows: give other data"),
    "overlap": (
        (UNIT, np.concatenate([OTHER, UNIT[5:8]])),
        "warning",
        f"3 of 73 rows of data also stand in data (row 70 is row 5): {TAKE_OUT}",
    ),
    "near": (
        (UNIT, np.concatenate([OTHER, UNIT[5:6] + 1e-5])),
        "warning",
        f"1 of 71 rows of data nearly equal one of data (row 70 is nearly row 5): {TAKE_OUT}",
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_sets(case: str) -> None:
    sets, level, text = SEVERAL[case]
    said = compared(*sets)
    if level is None:
        assert said == []
    else:
        assert any(each == level and text in line for each, line in said), said


def test_rows_of_several_sets_are_counted_once() -> None:
    """Equal rows are no nearly equal ones; rows of the second set count, and not pairs."""
    near = np.array([1e-5, -1e-5])[:, None]
    two_of_one = compared(UNIT, np.concatenate([OTHER, UNIT[5] + near]))
    one_of_two = compared(
        np.concatenate([UNIT, UNIT[5] + near]), np.vstack([OTHER, UNIT[5] + 2e-5])
    )
    assert [line.partition(" (")[0] for _, line in two_of_one] == [
        "2 of 72 rows of data nearly equal one of data"
    ]
    assert [line.partition(" (")[0] for _, line in one_of_two] == [
        "1 of 71 rows of data nearly equal one of data"
    ]
    (only,) = compared(UNIT, np.concatenate([OTHER, UNIT[5:8]]))
    assert only[1].startswith("3 of 73 rows of data also stand in data")


@pytest.mark.parametrize("most", [75, 100, 200])
def test_of_sets_that_are_searched_in_part_a_count_is_a_least_one(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(near_duplicates, "MOST_ROWS", most)
    said = compared(UNIT, np.concatenate([OTHER, UNIT[:60] + 1e-5]))
    ((_, line),) = said
    assert line.startswith("60 of 130 rows") if most == 200 else line.startswith("at least ")


def test_pairs_of_the_document_are_rows() -> None:
    (profile,), _ = looked_at(np.concatenate([OTHER, OTHER[20:21] + 1e-5, OTHER[3:4] + 2e-5]))
    near = profile.document()["near_duplicates"]
    assert near["pairs"].tolist() == [[20, 70], [3, 71]]
    assert near["distances"] == pytest.approx([np.sqrt(12) * 1e-5, np.sqrt(12) * 2e-5])
    assert (near["rows"], near["searched"], near["complete"]) == (4, 72, True)


def test_channels_last_and_first_are_one_layout() -> None:
    one, other = images(), images(channels_last=True)
    (_, second), said = looked_at(one, other)
    assert second.points.shape == (3, 8, 8)
    assert [str(finding) for finding in said] == [
        f"data and data hold the same rows: give other data; {COPIES}"
    ]


def test_bytes_beside_images_of_files(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (40, 4, 4), dtype=np.uint8)
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    (_, second), said = looked_at(tmp_path, pixels)
    assert [str(finding) for finding in said] == [
        f"{tmp_path.name} and data hold the same rows: give other data; {COPIES}"
    ]
    assert "bytes divided by 255" in " ".join(map(str, second.findings))


def test_columns_of_several_tables() -> None:
    one = pd.DataFrame({"x": RNG.random(60), "kind": ["a", "b", "c"] * 20})
    other = pd.DataFrame({"kind": ["a", "d"] * 30, "x": RNG.random(60)})
    said = [line for _, line in compared(one, other)]
    assert "columns of data are put in the order of data" in said
    assert "column kind: 1 categories in data alone (d), kept" in said
    assert "column kind: 2 categories in data alone (b, c), kept" in said


def test_numeric_tables_are_put_in_one_order() -> None:
    values = RNG.random((60, 2))
    one = pd.DataFrame(values, columns=["a", "b"])
    (_, second), said = looked_at(one, one[["b", "a"]])
    np.testing.assert_array_equal(second.points.points(), values)
    assert ("warning", f"data and data hold the same rows: give other data; {COPIES}") in [
        (finding.level, str(finding)) for finding in said
    ]


def test_tables_and_arrays() -> None:
    values = RNG.random((60, 2))
    frame = pd.DataFrame(values, columns=["a", "b"])
    assert compared(frame, RNG.random((50, 2))) == []
    frame["kind"] = ["a", "b"] * 30
    with pytest.raises(
        ValueError, match="is a table that does not hold numbers alone, and data an"
    ):
        looked_at(frame, values)


def test_numbers_have_an_effect_on_mixed_tables_alone() -> None:
    sets = read_all([pd.DataFrame({"a": [1.0, 2, 4], "kind": ["a", "b", "a"]})])
    assert profile_all(sets, "ranks")[0][0].coordinates == ("a", "kind = a", "kind = b")
    with pytest.raises(ValueError, match="numbers is 'ranks' and has no effect"):
        profile_all(read_all([UNIT]), "ranks")
