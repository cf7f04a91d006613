"""Data from files and by name: what is read, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ornstein.data.data_sets import DataSet
from ornstein.data.files import load_data


def test_split_is_without_replacement_and_complete() -> None:
    data = DataSet(np.arange(40.0).reshape(20, 2))
    train, originals = data.split(7, rng=1)
    assert train.shape == (7, 2)
    both = np.concatenate([train, originals])
    np.testing.assert_array_equal(np.sort(both[:, 0]), data.points[:, 0])
    with pytest.raises(ValueError, match="at most 18"):
        data.split(19)


def test_named_data() -> None:
    digits, patches = load_data("digits"), load_data("patches")
    assert digits.points.shape == (1797, 64)
    assert patches.dim == 64
    assert len(patches.points) == 2 * (427 // 8) * (640 // 8)
    assert patches.points.min() >= 0
    assert patches.points.max() <= 1
    # Each caller has points of its own.
    known = digits.points.copy()
    digits.points[:] = -1.0
    np.testing.assert_array_equal(load_data("digits").points, known)


def test_digits_of_every_kind_are_the_same_to_the_bit(tmp_path: Path) -> None:
    digits = load_data("digits")
    frame = pd.DataFrame(digits.points, columns=[f"p{index}" for index in range(64)])
    np.save(tmp_path / "x.npy", digits.points)
    np.savez(tmp_path / "x.npz", data=digits.points.reshape(-1, 8, 8), target=np.arange(1797))
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_csv(tmp_path / "european.csv", index=False, sep=";", decimal=",")
    frame.to_parquet(tmp_path / "x.parquet")
    kinds: list = [
        tmp_path / name for name in ("x.npy", "x.npz", "x.csv", "european.csv", "x.parquet")
    ]
    for source in (*kinds, frame, digits.points.astype(np.uint8)):
        assert load_data(source).digest == digits.digest
        assert load_data(source).shape == digits.shape
    # As images they are the same in the scale of images.
    (tmp_path / "images").mkdir()
    for index, image in enumerate(digits.points[:120].astype(np.uint8)):
        Image.fromarray(image.reshape(8, 8)).save(tmp_path / "images" / f"{index}.png")
    np.testing.assert_array_equal(load_data(tmp_path / "images").points, digits.points[:120] / 255)


def test_a_folder_of_before_goes_on(tmp_path: Path) -> None:
    """What tells a data set from another has not changed with the way it is read."""
    digits = load_data("digits")
    assert digits.identity() == {
        "data": "digits",
        "data_sha256": "20def7f70a702f0af9732fbba4375e147a7d54fe70d8c45569b8e7c1c7010c10",
        "data_shape": [1797, 64],
    }
    np.save(tmp_path / "x.npy", np.arange(40.0).reshape(4, 1, 2, 5))
    assert load_data(tmp_path / "x.npy").identity()["data_shape"] == [4, 10]


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((12, 3))


def test_files_of_every_kind_give_the_points(tmp_path: Path, points: np.ndarray) -> None:
    table = pd.DataFrame(points, columns=["a", "b", "c"])
    np.save(tmp_path / "x.npy", points)
    np.savez(tmp_path / "x.npz", anything=points)
    table.to_csv(tmp_path / "x.csv", index=False)
    table.to_csv(tmp_path / "bare.csv", index=False, header=False)
    table.to_parquet(tmp_path / "x.parquet")
    np.save(tmp_path / "tensor.npy", points.reshape(12, 1, 3, 1))
    for name in ("x.npy", "x.npz", "x.csv", "bare.csv", "x.parquet", "tensor.npy"):
        np.testing.assert_allclose(load_data(tmp_path / name).points, points, rtol=1e-12)


def test_folder_of_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5, 4, 6), dtype=np.uint8)
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    (tmp_path / "notes.txt").write_text("not an image")
    data = load_data(tmp_path)
    np.testing.assert_allclose(data.points, pixels.reshape(5, -1) / 255)
    Image.fromarray(pixels[0][:2]).save(tmp_path / "9.png")
    with pytest.raises(ValueError, match="one size"):
        load_data(tmp_path)
    (tmp_path / "9.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(ValueError, match=r"cannot read the image 9\.png"):
        load_data(tmp_path)


def test_files_that_are_no_good_get_one_line(tmp_path: Path, points: np.ndarray) -> None:
    def refused(name: str, match: str, kind: type[Exception] = ValueError) -> None:
        with pytest.raises(kind, match=match) as caught:
            load_data(tmp_path / name)
        assert "\n" not in str(caught.value)

    refused("missing.npy", "no data at")
    (tmp_path / "x.txt").write_text("1 2 3")
    refused("x.txt", "ends in")
    (tmp_path / "empty.csv").write_text("")
    refused("empty.csv", "cannot read")
    (tmp_path / "empty.npy").write_bytes(b"")
    refused("empty.npy", "cannot read empty.npy: it is empty")
    for name, said in (("cut.npy", "it is cut short:"), ("cut.npz", "it is cut short, or no .npz")):
        (np.save if name.endswith("npy") else np.savez)(tmp_path / name, points)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        refused(name, f"cannot read {name}: {said}")
        (tmp_path / name).write_bytes(whole[:7])
        refused(name, f"cannot read {name}: {said}")
    pd.DataFrame(points).to_parquet(tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-40])
    refused("cut.parquet", "cannot read")
    (tmp_path / "text.csv").write_text("a,b\n1,x\n2,y\n3,z\n")
    refused("text.csv", "hold text", TypeError)
    np.savez(tmp_path / "two.npz", a=points, b=points)
    refused("two.npz", "exactly one")
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    refused("objects.npy", "holds no array of numbers, but text or Python objects")
    np.save(tmp_path / "vector.npy", np.arange(5.0))
    refused("vector.npy", "one point per row")
    for value, name in [(np.nan, "nan.npy"), (np.inf, "inf.npy")]:
        bad = points.copy()
        bad[3, 1] = value
        np.save(tmp_path / name, bad)
        refused(name, "row 3, column 1")
    np.save(tmp_path / "one.npy", points[:1])
    refused("one.npy", "at least 3")
    np.save(tmp_path / "constant.npy", np.ones((9, 3)))
    refused("constant.npy", "equal points")
    (tmp_path / "folder").mkdir()
    refused("folder", "no images")
