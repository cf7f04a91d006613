"""A file that is read in blocks: the same numbers as of points in memory, and no points kept."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from ornstein.data import contents, mapped
from ornstein.data.data_sets import DataSet
from ornstein.data.files import load_data, open_data
from ornstein.data.mapped import MappedDataSet
from ornstein.data.reading_options import ReadingOptions
from ornstein.data.spectra import read_spectrum

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def blocks_of_seven_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "LARGE_BYTES", 8 * 60)
    for module in (contents, mapped):
        monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 6 * 7)


def written(folder: Path, values: np.ndarray) -> tuple[DataSet, MappedDataSet]:
    """The same file, in memory and in blocks."""
    np.save(folder / "x.npy", values)
    found = open_data(folder / "x.npy")
    assert isinstance(found, MappedDataSet)
    return load_data(folder / "x.npy"), found


@pytest.mark.parametrize("dtype", ["float16", "float32", ">f8", "uint8", "images", "fortran"])
def test_what_the_pass_finds_is_that_of_points_in_memory(tmp_path: Path, dtype: str) -> None:
    values = 30 + 9 * RNG.standard_normal((60, 6)) * np.arange(1, 7) / 6
    values[:, 2] = 3.0
    if dtype == "images":
        values = values.reshape(60, 2, 3)
    else:
        values = np.asfortranarray(values) if dtype == "fortran" else values.astype(dtype)
    whole, parts = written(tmp_path, values)
    assert parts.identity() == whole.identity()
    assert parts.digest == whole.digest
    assert (parts.dim, parts.shape, parts.n_points) == (6, whole.shape, 60)
    assert parts.largest_train_size == 58
    assert parts.constant_coordinates == whole.constant_coordinates == 1
    assert parts.std == pytest.approx(whole.std, rel=1e-14)
    law, right = parts.moments(), whole.moments()
    np.testing.assert_allclose(law.mean, right.mean, rtol=1e-14)
    scale = right.covariance.trace
    np.testing.assert_allclose(law.covariance.dense(), right.covariance.dense(), atol=1e-14 * scale)
    assert law.covariance.rank == right.covariance.rank == 5
    np.testing.assert_allclose(  # the order of components may differ
        sorted(parts.excess_kurtosis()), sorted(whole.excess_kurtosis()), atol=1e-11
    )
    spectrum = read_spectrum(str(tmp_path / "x.npy"))
    np.testing.assert_allclose(spectrum, np.sort(right.covariance.spectrum())[::-1], atol=1e-12)


def test_draws_are_the_same_to_the_last_bit(tmp_path: Path) -> None:
    whole, parts = written(tmp_path, RNG.standard_normal((60, 6)).astype("f4"))
    rng = np.random.default_rng(3)
    train, rest, held_out = whole.draw(25, rng, 9)
    after = rng.random()
    rng = np.random.default_rng(3)
    draw = parts.draw(25, rng, 9)
    assert draw.originals is None
    assert rest is not None
    np.testing.assert_array_equal(draw.train, train)
    np.testing.assert_array_equal(draw.held_out, held_out)
    np.testing.assert_array_equal(draw.held_out, rest[:9])
    assert rng.random() == after
    pieces = list(parts.training_blocks(25, np.random.default_rng(3)))
    assert [len(piece) for piece in pieces] == [7, 7, 7, 4]
    np.testing.assert_array_equal(np.concatenate(pieces), train)
    with pytest.raises(ValueError, match="training set of 59 from the 60 points of x"):
        parts.draw(59)


def test_which_training_sets_are_in_memory_is_said(tmp_path: Path) -> None:
    _, parts = written(tmp_path, RNG.standard_normal((60, 6)))
    most = 2**28 // 48  # 256 MiB of 6 numbers of 8 bytes
    assert parts.fits(most)
    assert not parts.fits(most + 1)
    assert f"Of training sets above n = {most} (256 MiB) only moments are kept" in parts.notes[0]


def test_the_kurtosis_is_that_of_rows_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of half of the rows, whose first half varies little: a kurtosis of 3 by construction."""
    monkeypatch.setattr(mapped, "_KURTOSIS_ROWS", 200)
    values = RNG.standard_normal((400, 6))
    values[:200] *= 1e-3
    _, parts = written(tmp_path, values)
    # A Gaussian in half of the rows, nothing in the others: 2 * 3 - 3.
    assert parts.excess_kurtosis().mean() == pytest.approx(3, abs=0.8)
    assert "The excess kurtosis is that of 200 of them." in parts.notes[0]


def test_it_travels_without_points(tmp_path: Path) -> None:
    _, parts = written(tmp_path, RNG.standard_normal((5000, 6)))
    sent = pickle.dumps(parts)
    assert len(sent) < 4000
    there = pickle.loads(sent)
    draw, other = (each.draw(20, np.random.default_rng(0), 5) for each in (parts, there))
    np.testing.assert_array_equal(draw.train, other.train)
    np.testing.assert_array_equal(draw.held_out, other.held_out)


def test_another_file_of_the_same_name_is_refused(tmp_path: Path) -> None:
    values = RNG.standard_normal((60, 6))
    _, parts = written(tmp_path, values)
    np.save(tmp_path / "x.npy", values)  # written again, with the same points
    assert parts.draw(20).train.shape == (20, 6)
    values[59, 5] += 1
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(ValueError, match="other points than when the study began"):
        parts.draw(20)


def test_findings_are_those_of_all_blocks(tmp_path: Path) -> None:
    values = RNG.integers(0, 2**60, (60, 6))
    values[41] = values[3]
    _, parts = written(tmp_path, values)
    said = " ".join(parts.notes)
    assert "1 of 60 rows equal one before them (as row 41 equals row 3)" in said
    assert "have no float64 each" in said
    assert "read in blocks" in parts.notes[0]
    assert "moments are kept" in parts.notes[0]
    wrong = {
        "first at row 37, column 4": (37, 4, np.nan),
        "1 infinite": (3, 0, np.inf),
        "beyond 1e150": (59, 1, 1e160),
    }
    for message, (row, column, value) in wrong.items():
        bad = RNG.standard_normal((60, 6))
        bad[row, column] = value
        np.save(tmp_path / "bad.npy", bad)
        with pytest.raises(ValueError, match=message):
            open_data(tmp_path / "bad.npy")
    np.save(tmp_path / "bad.npy", np.full((60, 6), 0.1))
    with pytest.raises(ValueError, match="all 60 points are equal"):
        open_data(tmp_path / "bad.npy")


def test_small_files_tables_and_copies_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = RNG.standard_normal((60, 2, 3))
    np.save(tmp_path / "x.npy", values)
    np.savetxt(tmp_path / "x.csv", values.reshape(60, 6), delimiter=",")
    assert isinstance(open_data(tmp_path / "x.csv"), DataSet)
    assert isinstance(open_data(values), DataSet)
    np.save(tmp_path / "turned.npy", np.asfortranarray(values))
    assert isinstance(open_data(tmp_path / "turned.npy", ReadingOptions(layout="flat")), DataSet)
    assert isinstance(open_data(tmp_path / "x.npy"), MappedDataSet)
    monkeypatch.setattr(mapped, "LARGE_BYTES", 8 * 360)
    assert isinstance(open_data(tmp_path / "x.npy"), DataSet)
