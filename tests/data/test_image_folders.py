"""Folders of images: their order, what is left out, and what does not fit together."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ornstein.data.contents import ArrayContents
from ornstein.data.image_folders import natural_key
from ornstein.data.reading import read
from ornstein.data.reading_options import ReadingOptions

RNG = np.random.default_rng(0)


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def grey(side: int = 3) -> np.ndarray:
    return RNG.integers(0, 256, (side, side), dtype=np.uint8)


def colour(side: int = 3) -> np.ndarray:
    return RNG.integers(0, 256, (side, side, 3), dtype=np.uint8)


def images(source: object, pixels: int | None = None, **options: object) -> ArrayContents:
    contents = read(source, ReadingOptions(**options), pixels=pixels)  # type: ignore[arg-type]
    assert isinstance(contents, ArrayContents)
    return contents


def said(contents: ArrayContents) -> list[str]:
    return [str(finding) for finding in contents.findings]


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    names = ["b10.png", "B9.png", "a2.png", "a10.png", "a1.png", "c.png"]
    for index, name in enumerate(names):
        save(tmp_path / name, np.full((2, 2), index, dtype=np.uint8))
    contents = images(tmp_path)
    assert contents.row_names == ("a1.png", "a2.png", "a10.png", "B9.png", "b10.png", "c.png")
    assert (255 * contents.points()[:, 0]).tolist() == [4, 2, 3, 1, 0, 5]
    assert sorted(names, key=natural_key) == list(contents.row_names)


def test_colours_come_first_and_flat_points_follow(tmp_path: Path) -> None:
    values = [colour() for _ in range(4)]
    for index, image in enumerate(values):
        save(tmp_path / f"{index}.png", image)
    contents = images(tmp_path)
    assert contents.shape == (3, 3, 3)
    right = np.stack(values).transpose(0, 3, 1, 2).reshape(4, -1) / 255
    np.testing.assert_array_equal(contents.points(), right)
    assert "values divided by 255, the largest of their type" in said(contents)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    for index in range(3):
        save(tmp_path / f"{index}.png", grey())
    save(tmp_path / "more" / "x.png", grey())
    for name in ("._0.png", ".hidden.png", ".DS_Store", "notes.txt", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"")
    contents = images(tmp_path)
    assert contents.n_rows == 3
    assert "3 hidden files left out" in said(contents)
    assert "2 files left out as no image (notes.txt)" in said(contents)
    assert "1 subfolder not read: --recursive reads them too" in said(contents)


def test_subfolders_are_classes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no images in the folder"):
        images(tmp_path)
    for name in ("cat/2.png", "cat/10.png", "dog/a.png", "dog/.hidden/b.png"):
        save(tmp_path / name, grey())
    with pytest.raises(ValueError, match=r"2 subfolders \(cat\), which --recursive reads"):
        images(tmp_path)
    contents = images(tmp_path, recursive=True)
    assert contents.row_names == ("cat/2.png", "cat/10.png", "dog/a.png")
    assert contents.labels == ("cat", "cat", "dog")
    assert "2 classes named by subfolders" in said(contents)


def test_a_list_of_files_keeps_its_order(tmp_path: Path) -> None:
    values = {name: grey() for name in ("b.png", "a.png", "c.png")}
    for name, image in values.items():
        save(tmp_path / name, image)
    contents = images([tmp_path / name for name in values])
    right = np.stack(list(values.values())).reshape(3, -1) / 255
    np.testing.assert_array_equal(contents.points(), right)


@pytest.mark.parametrize(
    ("second", "options", "expected"),
    [
        (colour(), {}, "1.png is grey and 2.png is colour.*--channels grey or --channels rgb"),
        (grey(4), {}, "1.png has 3 x 3 pixels and 2.png 4 x 4 pixels.*--pixels"),
        (grey().astype(np.float32), {}, "1.png is grey and 2.tif is grey of floats"),
    ],
)
def test_the_first_two_that_differ_are_named(
    tmp_path: Path, second: np.ndarray, options: dict, expected: str
) -> None:
    save(tmp_path / "0.png", grey())
    save(tmp_path / "1.png", grey())
    save(tmp_path / ("2.tif" if second.dtype == np.float32 else "2.png"), second)
    save(tmp_path / "3.png", colour(5))
    with pytest.raises(ValueError, match=expected.replace("1.png", "0.png")):
        images(tmp_path, **options)


def test_what_differs_can_be_made_alike(tmp_path: Path) -> None:
    one, two = grey(3), colour(6)
    save(tmp_path / "0.png", one)
    save(tmp_path / "1.png", two)
    contents = images(tmp_path, 3, channels="rgb")
    assert contents.shape == (3, 3, 3)
    halved = two.reshape(3, 2, 3, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(contents.points()[0], np.tile(one.ravel(), 3) / 255)
    np.testing.assert_allclose(contents.points()[1], halved.ravel(), atol=1e-6)
    assert images(tmp_path, 3, channels="grey").shape == (1, 3, 3)


def test_depths_may_differ(tmp_path: Path) -> None:
    eight, sixteen = grey(), RNG.integers(0, 2**16, (3, 3), dtype=np.uint16)
    save(tmp_path / "0.png", eight)
    save(tmp_path / "1.png", sixteen)
    contents = images(tmp_path)
    np.testing.assert_array_equal(contents.points()[0], eight.ravel() / 255)
    np.testing.assert_array_equal(contents.points()[1], sixteen.ravel() / 65535)
    assert any("different depths (largest values 255, 65535)" in text for text in said(contents))


def test_the_square_is_cut_from_the_middle(tmp_path: Path) -> None:
    wide = np.zeros((2, 7), dtype=np.uint8)
    wide[:, 2:4] = 255
    save(tmp_path / "0.png", wide)
    assert images(tmp_path, 2).points().tolist() == [[1, 1, 1, 1]]
    assert images(tmp_path, 1).points().tolist() == [[1]]


@pytest.mark.parametrize(
    ("option", "value"), [("separator", ";"), ("layout", "last"), ("header", "no")]
)
def test_options_without_effect_are_refused(tmp_path: Path, option: str, value: str) -> None:
    save(tmp_path / "0.png", grey())
    with pytest.raises(ValueError, match=f"{option} has no effect on .*: it is for .*leave it out"):
        images(tmp_path, **{option: value})
