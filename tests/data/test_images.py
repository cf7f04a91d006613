"""Images with their shape: digits, arrays, folders; resizing keeps averages."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ornstein.data.files import load_data
from ornstein.data.images import load_shaped
from ornstein.data.reading_options import ReadingOptions


def test_digits_are_images() -> None:
    data = load_shaped("digits")
    shape = data.shape
    assert shape == (1, 8, 8)
    assert np.array_equal(data.points, load_data("digits").points)


@pytest.mark.parametrize("side", [4, 16])
def test_resizing_keeps_means(side: int) -> None:
    data, resized = load_shaped("digits"), load_shaped("digits", side)
    shape = resized.shape
    assert shape == (1, side, side)
    gap = resized.points.mean(axis=1) - data.points.mean(axis=1)
    # Averages over whole pixels are exact; interpolation weighs the border anew.
    assert np.abs(gap).max() < (1e-5 if side == 4 else 0.5)
    if side == 4:
        blocks = data.points.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
        assert np.abs(resized.points - blocks).max() < 1e-5


@pytest.mark.parametrize(
    ("given", "expected"),
    [((5, 3, 8, 16), (3, 8, 16)), ((5, 8, 8), (1, 8, 8)), ((5, 7), (7,))],
)
def test_the_shape_of_an_array(tmp_path: Path, given: tuple, expected: tuple) -> None:
    values = np.random.default_rng(0).standard_normal(given)
    np.save(tmp_path / "x.npy", values)
    data = load_shaped(str(tmp_path / "x.npy"))
    shape = data.shape
    assert shape == expected
    assert np.array_equal(data.points, values.reshape(5, -1))


def test_a_folder_of_different_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (40, 20), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(tmp_path / "b.png")
    Image.fromarray(np.full((9, 9), 255, dtype=np.uint8)).save(tmp_path / "c.png")
    with pytest.raises(ValueError, match=r"a\.png is grey and b.png is colour.*--channels rgb"):
        load_shaped(str(tmp_path), 4)
    colours = ReadingOptions(channels="rgb")
    data = load_shaped(str(tmp_path), 4, colours)
    shape = data.shape
    assert shape == (3, 4, 4)
    images = data.points.reshape(-1, *shape)
    # The central square of the first, averaged, the same in all three colours.
    square = grey[10:30].reshape(4, 5, 4, 5).mean(axis=(1, 3)) / 255
    assert np.abs(images[0] - square).max() < 1e-6
    assert np.ptp(images[1], axis=0).max() > 0
    assert np.array_equal(images[2], np.ones(shape))
    assert load_shaped(str(tmp_path), None, colours).shape == (3, 8, 8)


def test_vectors_cannot_be_resized(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((5, 9)))
    with pytest.raises(ValueError, match="have no pixels: leave pixels out"):
        load_shaped(str(tmp_path / "x.npy"), 8)


@pytest.mark.parametrize("content", ["", "no image"])
def test_a_folder_without_images(tmp_path: Path, content: str) -> None:
    if content:
        (tmp_path / "a.png").write_text(content)
    with pytest.raises(ValueError, match="cannot read the image" if content else "no images in"):
        load_shaped(str(tmp_path))
