"""Bad input: exit status 2, one line that says what to do, and nothing on disk harmed."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

SMALL = ("--dim", 4, "--train-sizes", "5,8", "--simulations", 2, "--jobs", 1)


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def refused(result) -> str:
    """Check the contract of an error, and return its line."""
    assert result.status == 2
    assert result.out == ""
    lines = result.err.splitlines()
    assert len(lines) == 1, result.err
    assert lines[0].startswith("ornstein: error: ")
    assert "Traceback" not in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--time", 0), "--time is 0, expected a finite number > 0"),
        (("--time", -2), "--time is -2"),
        (("--time", "nan"), "--time: given 'nan', expected a number"),
        (("--noise-scale", -1), "--noise-scale is -1"),
        (("--noise-scale", "inf"), "--noise-scale is inf"),
        (("--simulations", 0), "--simulations is 0, expected at least 1"),
        (("--simulations", 2.5), "--simulations: given '2.5', expected a whole number"),
        (("--originals", 1), "--originals is 1, expected at least 2"),
        (("--dim", 0), "--dim is 0, expected at least 1"),
        (("--dim", "many"), "--dim: given 'many', expected a whole number"),
        (("--seed", -1), "--seed is -1, expected at least 0"),
        (("--jobs", 0), "--jobs: given 0, expected 1 or more"),
        (("--train-sizes", "5:1"), "--train-sizes: given '5:1', expected whole numbers like"),
        (("--train-sizes", "5:9:0"), "given '5:9:0'"),
        (("--train-sizes", "abc"), "given 'abc'"),
        (("--train-sizes", "0.5"), "given '0.5'"),
        (("--train-sizes", ""), "given nothing"),
        (("--train-sizes", "1"), "training size is 1, expected at least 2"),
        (("--train-sizes", "-5"), "training size is -5"),
        (("--original-mode", "guessed"), "given 'guessed', expected 'expected', 'sampled'"),
        (("--mean", "nan"), "--mean has NaN"),
        (("--mean", "ten"), "--mean: given 'ten', expected numbers like 0,10"),
        (("--std", 0), "--std is 0"),
        (("--std", "inf"), "--std is inf"),
        (("--mean", "0,1,2", "--std", "1,2"), "3 mean(s) and 2 std(s)"),
        (
            ("--mean", "0,1", "--std", "1,1", "--weights", "1"),
            "--weights has 1 value(s), expected 2",
        ),
        (("--mean", "0,1", "--std", "1,1", "--weights", "-1,2"), "--weights is -1"),
        (("--mean", "0,1", "--std", "1,1", "--weights", "0,0"), "--weights is 0"),
        (("--data", "digits"), "--dim and --data are both given"),
        (("--spin", 3), "--spin"),
        (("--config", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_options_out_of_range(
    ornstein: Callable, tmp_path: Path, options: tuple, expected: str
) -> None:
    line = refused(ornstein("linear", *SMALL, "--out", "study", *options))
    assert expected in line
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("dance",), "'dance'"),
        (("--dance",), "--dance"),
        (("predict",), "predict: expected one of"),
        (("predict", "weather"), "'weather'"),
        (("--dance", "linear", "--dim", 3), "--dance is not an option"),
        (("-x", "predict", "one-step"), "unrecognized arguments: -x"),
        (("predict", "--dance", "one-step", "--dim", 3), "--dance is not an option"),
        (("predict", "one-step", "--dim", 0), "--dim is 0"),
        (("predict", "one-step", "--n-train", "x"), "--n-train: given 'x'"),
        (("status",), "folder is missing"),
        (("status", "nowhere"), "no study in 'nowhere'"),
    ],
)
def test_commands_that_do_not_exist_or_lack_something(
    ornstein: Callable, tmp_path: Path, arguments: tuple, expected: str
) -> None:
    assert expected in refused(ornstein(*arguments))
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dim: [1,\n", "--config {}: the file cannot be read as YAML"),
        ("dimension: 3\n", "--config {}: dimension is not an option: did you mean dim?"),
        ("dim: many\n", "--config {}: dim: given 'many'"),
        ("mean: {a: 3}\n", "--config {}: mean: given {{'a': 3}}"),
        ("simulations: 2.5\n", "--config {}: simulations: given '2.5'"),
        ("dim: 0\n", "--config {}: dim is 0, expected at least 1"),
        ("- 1\n- 2\n", "--config {}: the file holds '- 1 - 2'"),
        ("", "--config {}: the file holds ''"),
        (b"\x93\xff\x00", "--config {}: the file does not hold text"),
    ],
)
def test_configuration_files(
    ornstein: Callable, tmp_path: Path, text: str | bytes, expected: str
) -> None:
    file = tmp_path / "given.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = contents(tmp_path)
    line = refused(ornstein("linear", "--config", file, "--out", "study"))
    assert expected.format(file) in line
    assert contents(tmp_path) == before


def test_a_configuration_of_another_command(ornstein: Callable, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_text("simulations: 3\n")
    for more in ((), ("--print_config",)):
        line = refused(ornstein("predict", "one-step", "--config", file, *more))
        assert f"--config {file}: simulations is not an option" in line


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of data file that cannot be used."""
    folder = tmp_path_factory.mktemp("shelf")
    points = np.random.default_rng(0).standard_normal((12, 3))
    for name, value in (("nan", np.nan), ("inf", np.inf)):
        bad = points.copy()
        bad[3, 1] = value
        np.save(folder / f"{name}.npy", bad)
        pd.DataFrame(bad).to_csv(folder / f"{name}.csv", index=False)
    np.save(folder / "complex.npy", points + 1j)
    np.save(folder / "vector.npy", np.arange(9.0))
    np.save(folder / "number.npy", np.float64(3))
    np.save(folder / "row.npy", points[:1])
    np.save(folder / "equal.npy", np.ones((9, 3)))
    np.save(folder / "pickled.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    np.savez(folder / "two.npz", a=points, b=points)
    (folder / "text.csv").write_text("a,b\n1,x\n2,y\n3,z\n")
    odd = pd.Index(np.arange(12) ** 2)
    pd.DataFrame(points, columns=["a", "b", "c"], index=odd).to_csv(folder / "unnamed.csv")
    (folder / "ragged.csv").write_text("1,2\n3,4\n5,6,7\n")
    pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}).to_parquet(folder / "text.parquet")
    for name in ("empty.npy", "empty.npz", "empty.csv", "empty.parquet", "numbers.txt"):
        (folder / name).write_bytes(b"")
    np.save(folder / "cut.npy", points)
    np.savez(folder / "cut.npz", points)
    pd.DataFrame(points).to_parquet(folder / "cut.parquet")
    for name in ("cut.npy", "cut.npz", "cut.parquet"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: 2 * len(whole) // 3])
    np.save(folder / "good.npy", points)
    pixels = np.random.default_rng(1).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    for name in ("cut_images", "odd_images", "no_images"):
        (folder / name).mkdir()
    for index, image in enumerate(pixels):
        for name in ("cut_images", "odd_images"):
            Image.fromarray(image).save(folder / name / f"{index}.png")
    whole = (folder / "cut_images" / "2.png").read_bytes()
    (folder / "cut_images" / "2.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(pixels[0, :4]).save(folder / "odd_images" / "9.png")
    return folder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nan.npy", "1 NaN or infinite value(s), the first at row 3, column 1"),
        ("inf.npy", "1 NaN or infinite value(s), the first at row 3, column 1"),
        ("nan.csv", "row 3, column 1"),
        ("inf.csv", "row 3, column 1"),
        ("complex.npy", "expected real numbers"),
        ("vector.npy", "shape (9,), expected one point per row"),
        ("number.npy", "shape ()"),
        ("row.npy", "1 point(s), expected at least 3"),
        ("equal.npy", "9 equal points"),
        ("pickled.npy", "pickled.npy holds no array of numbers, but text or Python objects"),
        ("two.npz", "expected exactly one"),
        ("text.csv", "column(s) b hold text"),
        ("text.parquet", "column(s) b hold text"),
        ("ragged.csv", "cannot read ragged.csv"),
        ("unnamed.csv", "its first column has no name and is not row numbers"),
        ("empty.npy", "cannot read empty.npy"),
        ("empty.npz", "cannot read empty.npz"),
        ("empty.csv", "cannot read empty.csv"),
        ("empty.parquet", "cannot read empty.parquet"),
        ("cut.npy", "cannot read cut.npy"),
        ("cut.npz", "cannot read cut.npz"),
        ("cut.parquet", "cannot read cut.parquet"),
        ("numbers.txt", "ends in '.txt'"),
        ("missing.npy", "no data at"),
        ("cut_images", "cannot read the image 2.png"),
        ("odd_images", "expected images of one size"),
        ("no_images", "no images in the folder"),
    ],
)
def test_data_files(
    ornstein: Callable, tmp_path: Path, shelf: Path, name: str, expected: str
) -> None:
    before = contents(shelf)
    result = ornstein("linear", "--data", shelf / name, "--train-sizes", 5, "--out", "study")
    assert expected in refused(result)
    assert contents(shelf) == before
    assert not (tmp_path / "study").exists()


def test_a_training_set_larger_than_the_data(ornstein: Callable, shelf: Path) -> None:
    line = refused(ornstein("linear", "--data", shelf / "good.npy", "--train-sizes", "5,11"))
    assert "training set of 11 from the 12 points of good.npy: expected at most 10" in line


def test_folders_that_cannot_be_written(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in ("file", "file/study", "/proc/study"):
        line = refused(ornstein("linear", *SMALL, "--out", out))
        assert f"cannot use the folder {out!r}" in line
    assert contents(tmp_path) == {"file": b"mine"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "cannot use the folder" in refused(ornstein("linear", *SMALL, "--out", "closed"))


def test_a_folder_with_files_that_are_not_ours(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "config.yaml").write_text("mine: true\n")
    line = refused(ornstein("linear", *SMALL, "--out", "project"))
    assert "holds config.yaml and no study.sqlite" in line
    assert contents(tmp_path) == {"project/config.yaml": b"mine: true\n"}


@pytest.mark.usefixtures("without_figure")
def test_a_study_is_not_harmed(ornstein: Callable, tmp_path: Path) -> None:
    assert ornstein("linear", *SMALL, "--out", "study").status == 0
    before = contents(tmp_path)
    for options in (
        ("--time", 0),
        ("--train-sizes", "abc"),
        ("--jobs", 0),
        ("--data", "missing.npy"),
        ("--spin", 3),
    ):
        refused(ornstein("linear", *SMALL, "--out", "study", *options))
    line = refused(ornstein("linear", *SMALL, "--out", "study", "--time", 1, "--seed", 7))
    assert "time is 2.0 there and 1.0 here; seed is 0 there and 7 here" in line
    assert "use another --out" in line
    assert contents(tmp_path) == before


def test_a_study_file_that_is_no_database(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.sqlite").write_text("a letter to a friend, " * 50)
    before = contents(tmp_path)
    assert "not a database" in refused(ornstein("linear", *SMALL, "--out", "study"))
    assert "cannot read" in refused(ornstein("status", "study"))
    assert contents(tmp_path) == before


def test_dask_without_a_scheduler(ornstein: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    patient = distributed.Client

    def impatient(address: str, timeout: str) -> object:
        return patient(address, timeout="0.2s")

    monkeypatch.setattr(distributed, "Client", impatient)
    line = refused(ornstein("linear", *SMALL, "--dask", "tcp://127.0.0.1:1", "--out", "study"))
    assert "no dask scheduler at 'tcp://127.0.0.1:1'" in line


def test_debug_shows_the_traceback(ornstein: Callable) -> None:
    result = ornstein("linear", *SMALL, "--time", 0, "--debug")
    assert result.status == 2
    lines = result.err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "ornstein: error: --time is 0, expected a finite number > 0"


@pytest.mark.usefixtures("without_figure")
def test_fewer_points_than_dimensions_is_no_bad_input(ornstein: Callable, shelf: Path) -> None:
    result = ornstein("linear", "--dim", 30, "--train-sizes", 2, "--simulations", 2, "--jobs", 1)
    assert (result.status, result.err) == (0, "")
    data = ("--data", shelf / "good.npy", "--train-sizes", 2, "--simulations", 2, "--jobs", 1)
    result = ornstein("linear", *data)
    assert (result.status, result.err) == (0, "")
