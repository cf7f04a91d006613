"""``ornstein linear`` from end to end: the folder it leaves, its table, the data it reads."""

import csv
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from ornstein.data.sources import MIXTURE_DRAWS

COLUMNS = [
    "train_size",
    "simulations",
    *(
        f"{name}_{part}"
        for name in ("kl", "hellinger2", "wasserstein2", "trace")
        for part in ("mean", "se", "theory")
    ),
    *(
        f"{name}_{part}"
        for name in ("log_l2_original", "log_l2_train", "delta_log_abs")
        for part in ("mean", "se")
    ),
    "delta_positive",
    "delta_positive_low",
    "delta_positive_high",
    *(f"{name}_median" for name in ("kl", "hellinger2", "wasserstein2", "trace")),
    "delta_perfect",
    "delta_perfect_low",
    "delta_perfect_high",
    "delta_positive_theory",
]
# What theory has of any spectrum.
THEORY = [name for name in COLUMNS[:-1] if name.endswith("_theory")]


def rows_of(folder: Path) -> list[dict[str, float]]:
    with (folder / "summary.csv").open(newline="") as stream:
        return [
            {key: float(value) if value else math.nan for key, value in row.items()}
            for row in csv.DictReader(stream)
        ]


def check_intervals(rows: Sequence[dict[str, float]], simulations: int) -> None:
    for row in rows:
        assert row["simulations"] == simulations
        assert 0 <= row["delta_positive_low"] <= row["delta_positive"]
        assert row["delta_positive"] <= row["delta_positive_high"] <= 1
        assert row["delta_positive_high"] > row["delta_positive_low"]


def check_text(out: str) -> None:
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert "nan" not in out


def test_what_a_study_leaves_behind(ornstein: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    options = ("--dim", 20, "--train-sizes", "10:40:15,200", "--simulations", 5, "--jobs", 1)
    result = ornstein("linear", *options, "--out", folder)
    assert (result.status, result.err) == (0, "")
    check_text(result.out.replace(str(folder), "study"))
    assert sorted(file.name for file in folder.iterdir()) == [
        "config.yaml",
        "figure.png",
        "figure.svg",
        "study.sqlite",
        "summary.csv",
    ]
    with (folder / "summary.csv").open(newline="") as stream:
        assert next(csv.reader(stream)) == COLUMNS
    rows = rows_of(folder)
    assert [row["train_size"] for row in rows] == [10, 25, 40, 200]
    check_intervals(rows, 5)
    with Image.open(folder / "figure.png") as image:
        image.load()
        assert min(image.size) > 400
    root = ET.parse(folder / "figure.svg").getroot()
    assert root.tag.endswith("svg")
    text = " ".join("".join(node.itertext()) for node in root.iter() if "text" in node.tag)
    for landmark in ("n = d", "n*", "theory"):
        assert landmark in text


@pytest.mark.usefixtures("without_figure")
def test_the_configuration_it_leaves_runs_again(ornstein: Callable) -> None:
    options = ("--dim", 3, "--mean", "0,-1.5", "--std", "1,0.30000000000000004", "--seed", 9)
    small = ("--train-sizes", "4,7", "--simulations", 2, "--jobs", 1)
    ornstein("linear", *options, *small, "--weights", "0.25,0.75", "--out", "first")
    config = yaml.safe_load(Path("first/config.yaml").read_text())
    assert config["std"] == "1,0.30000000000000004"
    assert config["seed"] == 9
    assert config["original_mode"] == "expected"
    assert {"ornstein", "python", "numpy", "scipy", "scikit-learn", "joblib"} <= set(
        config["versions"]
    )
    result = ornstein("linear", "--config", "first/config.yaml", "--out", "second", "--jobs", 1)
    assert (result.status, result.err) == (0, "")
    for name in ("summary.csv", "config.yaml"):
        assert Path("first", name).read_bytes() == Path("second", name).read_bytes()
    # And in place: nothing is computed twice, nothing changes.
    before = Path("first/summary.csv").read_bytes()
    ornstein("linear", "--config", "first/config.yaml", "--out", "first", "--jobs", 1)
    assert Path("first/summary.csv").read_bytes() == before


@pytest.mark.usefixtures("without_figure")
def test_without_out_the_same_command_finds_its_folder(ornstein: Callable, tmp_path: Path) -> None:
    options = ("--dim", 3, "--train-sizes", 5, "--simulations", 2, "--jobs", 1)
    ornstein("linear", *options)
    ornstein("linear", *options, "--simulations", 3)
    ornstein("linear", *options, "--time", 1)
    folders = sorted((tmp_path / "runs").iterdir())
    assert len(folders) == 2
    assert all(folder.name.startswith("linear-") for folder in folders)


@pytest.mark.usefixtures("without_figure")
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("mode", ["expected", "sampled"])
def test_few_dimensions(ornstein: Callable, tmp_path: Path, dim: int, mode: str) -> None:
    options = ("--originals", 200, "--original-mode", mode, "--simulations", 3, "--jobs", 1)
    result = ornstein("linear", "--dim", dim, "--train-sizes", "3,5000", *options, "--out", "study")
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    few, many = rows_of(tmp_path / "study")
    assert not any(map(math.isnan, few.values()))
    assert not any(map(math.isnan, many.values()))
    assert all(map(math.isfinite, many.values()))
    # At n = 5000 the closed forms are good to a few per cent even here.
    for name in ("kl", "wasserstein2", "trace"):
        slack = 5 * many[f"{name}_se"] + 0.05 * many[f"{name}_theory"]
        assert many[f"{name}_mean"] == pytest.approx(many[f"{name}_theory"], abs=slack)


@pytest.mark.slow
@pytest.mark.usefixtures("without_figure")
def test_many_dimensions(
    ornstein: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Draws of the perfect model, of which nothing is asked here but that they give a number.
    for name in ("FEWEST", "MOST"):
        monkeypatch.setattr(f"ornstein.studies.perfect_models.{name}", 5)
    options = ("--simulations", 1, "--jobs", 1, "--out", "study")
    result = ornstein("linear", "--dim", 900, "--train-sizes", "3,2700", *options)
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    few, many = rows_of(tmp_path / "study")
    # Documented: an infinite mean, and the mean of one run, have no standard error.
    assert not any(math.isnan(few[name]) for name in COLUMNS[:-1] if not name.endswith("_se"))
    # P(Delta > 0) has a theory for n > 1.15 d alone.
    assert math.isnan(few["delta_positive_theory"])
    assert 0 <= many["delta_positive_theory"] <= 1
    assert (few["kl_mean"], few["hellinger2_mean"]) == (math.inf, 1.0)
    assert few["wasserstein2_mean"] == pytest.approx(few["wasserstein2_theory"], rel=0.05)
    assert few["delta_positive"] == 0
    for name in ("kl", "wasserstein2", "trace"):
        assert many[f"{name}_mean"] == pytest.approx(many[f"{name}_theory"], rel=0.01)
    # ln int (p - p_X)^2 is near -830: the integral itself is below the smallest float.
    assert -900 < many["log_l2_original_mean"] < -750
    assert many["delta_positive"] == 1


@pytest.mark.usefixtures("without_figure")
def test_mixtures(ornstein: Callable, tmp_path: Path) -> None:
    options = ("--mean", "0,10", "--std", "1,2", "--weights", "0.5,0.5", "--dim", 4)
    result = ornstein(
        "linear", *options, "--train-sizes", "3,60", "--simulations", 3, "--jobs", 1, "--out", "s"
    )
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    rows = rows_of(tmp_path / "s")
    for row in rows:
        assert all(math.isnan(row[name]) for name in THEORY)
        assert math.isnan(row["wasserstein2_mean"])
        assert row["trace_mean"] > 0
    assert rows[0]["kl_mean"] == math.inf
    assert math.isfinite(rows[1]["kl_mean"])
    text = " ".join(result.out.split())
    assert "theory: empty, since the closed forms hold for one Gaussian" in text
    assert f"estimated from {MIXTURE_DRAWS} generated points" in text


@pytest.mark.usefixtures("without_figure")
def test_equal_components_are_one_gaussian(ornstein: Callable, tmp_path: Path) -> None:
    """Two equal components are the same population: trace and Delta agree in law, KL near."""
    options = ("--dim", 3, "--train-sizes", 200, "--simulations", 40, "--jobs", 1)
    ornstein("linear", *options, "--mean", 1, "--std", 2, "--out", "one")
    ornstein("linear", *options, "--mean", "1,1", "--std", "2,2", "--out", "two")
    (one,), (two,) = rows_of(tmp_path / "one"), rows_of(tmp_path / "two")
    for name in ("kl", "hellinger2", "trace"):
        error = math.hypot(one[f"{name}_se"], two[f"{name}_se"])
        assert abs(one[f"{name}_mean"] - two[f"{name}_mean"]) < 4 * error


@pytest.mark.slow
def test_digits(ornstein: Callable, tmp_path: Path) -> None:
    options = ("--train-sizes", "100:300:200", "--simulations", 2, "--jobs", 1, "--out", "digits")
    result = ornstein("linear", "--data", "digits", *options)
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    rows = rows_of(tmp_path / "digits")
    assert [row["train_size"] for row in rows] == [100, 300]
    check_intervals(rows, 2)
    for row in rows:
        # Constant pixels: singular laws, and no NaN but errors of infinite means.
        infinite = {f"{name}_se" for name in ("kl", "log_l2_original", "log_l2_train")}
        infinite |= {"kl_theory", "hellinger2_theory"}
        assert {name for name, value in row.items() if math.isnan(value)} <= infinite
        assert math.isfinite(row["wasserstein2_mean"])
        for name in THEORY:
            assert math.isnan(row[name]) == name.startswith(("kl", "hellinger2"))
    text = " ".join(result.out.split())
    assert "theory: of Gaussian data with the covariance of digits, drawn without" in text
    assert "KL and Hellinger^2 are not predicted: along 17 of the 64 principal" in text
    assert "n* is infinite: 3 of the 64 eigenvalues" in text
    assert "3 of the 64 coordinates of digits are constant" in text
    config = yaml.safe_load(Path("digits/config.yaml").read_text())
    assert config["data"] == "digits"
    assert "dim" not in config
    assert "approximation" not in Path("digits/figure.svg").read_text()


@pytest.mark.usefixtures("without_figure")
def test_files_of_every_kind_give_one_study(ornstein: Callable, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    # Values of 8 bits, so that the images hold them too.
    pixels = rng.integers(0, 256, (40, 2, 3), dtype=np.uint8)
    points = pixels.reshape(40, 6) / 255.0
    np.save("x.npy", points)
    np.savez("x.npz", points)
    table = pd.DataFrame(points, columns=list("abcdef"))
    table.to_csv("x.csv", index=False)
    table.to_csv("bare.csv", index=False, header=False)
    # pandas names columns 0, 1, 2, ... when nobody does: that row is no data point.
    pd.DataFrame(points).to_csv("counted.csv", index=False)
    # Row numbers, which pandas writes as a column without a name, are no coordinate.
    table.to_csv("numbered.csv")
    table.to_csv("european.csv", index=False, sep=";", decimal=",")
    table.to_parquet("x.parquet")
    Path("images").mkdir()
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(f"images/{index:02}.png")
    summaries = {}
    for name in (
        "x.npy",
        "x.npz",
        "x.csv",
        "bare.csv",
        "counted.csv",
        "numbered.csv",
        "european.csv",
        "x.parquet",
        "images",
    ):
        options = ("--train-sizes", "4,20", "--simulations", 2, "--jobs", 1, "--out", f"of-{name}")
        result = ornstein("linear", "--data", name, *options)
        assert (result.status, result.err) == (0, "")
        assert f"on data {name}, d = 6" in result.out
        summaries[name] = Path(f"of-{name}", "summary.csv").read_bytes()
    assert len(set(summaries.values())) == 1
    (_, row) = rows_of(tmp_path / "of-x.npy")
    assert math.isfinite(row["kl_mean"])
    assert row["hellinger2_mean"] < 1


@pytest.mark.usefixtures("without_figure")
def test_changed_data_under_the_same_name_are_another_study(ornstein: Callable) -> None:
    points = np.random.default_rng(0).standard_normal((30, 3))
    options = ("--train-sizes", 5, "--simulations", 2, "--jobs", 1, "--out", "study")
    np.save("x.npy", points)
    assert ornstein("linear", "--data", "x.npy", *options).status == 0
    np.save("x.npy", 2 * points)
    result = ornstein("linear", "--data", "x.npy", *options)
    assert result.status == 2
    assert "data_sha256 is" in result.err


@pytest.mark.usefixtures("without_figure")
def test_a_spectrum_by_name_list_and_file(ornstein: Callable, tmp_path: Path) -> None:
    np.savetxt("values.csv", 1.0 / np.arange(1, 9), delimiter=",")
    listed = ",".join(repr(1.0 / k) for k in range(1, 9))
    options = ("--train-sizes", "5,40", "--simulations", 3, "--jobs", 1, "--out")
    found = {}
    for name, given in {"power-law:1": ("--dim", 8), listed: (), "values.csv": ()}.items():
        result = ornstein("linear", "--spectrum", name, *given, *options, f"of-{len(found)}")
        assert (result.status, result.err) == (0, "")
        check_text(result.out)
        found[name] = Path(f"of-{len(found)}", "summary.csv").read_bytes()
    assert len(set(found.values())) == 1
    # As the eigenvalues are, n* = sum 1 + mu / lambda_k; with --std of that mean variance.
    noise = 1 - math.exp(-4)
    assert f"n* = {8 + 36 * noise:.1f}" in result.out
    text = " ".join(result.out.split())
    assert "N(10, Sigma), d = 8, spectrum of values.csv, std 0.5829" in text
    scaled = ornstein("linear", "--spectrum", "power-law:1", "--dim", 8, "--std", 2, *options, "s")
    mean = sum(1 / k for k in range(1, 9)) / 8
    assert f"n* = {8 + 36 * noise * mean / 4:.1f}" in scaled.out
    assert "power-law:1, std 2.000" in scaled.out
    again = ornstein("linear", "--config", "of-2/config.yaml", "--jobs", 1, "--out", "of-2")
    assert (again.status, again.err) == (0, "")
    # A file that has changed is another study.
    np.savetxt("values.csv", 2.0 / np.arange(1, 9), delimiter=",")
    result = ornstein("linear", "--spectrum", "values.csv", *options, "of-2")
    assert result.status == 2
    assert "spectrum_sha256 is" in result.err


@pytest.mark.usefixtures("without_figure")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--spectrum", "power"), "spectrum: given 'power', expected isotropic, power-law:"),
        (("--spectrum", "1,2", "--dim", 3), "given 2 eigenvalue(s) and --dim 3"),
        (("--spectrum", "1,2", "--mean", "0,1"), "--mean has 2 entries and --spectrum is '1,2'"),
        (("--spectrum", "1,2", "--std", "1,1"), "std has 2 entries"),
        (("--spectrum", "1,2", "--weights", "1,1"), "weights has 2 entries"),
        (("--spectrum", "1,2", "--std", "0"), "std is 0"),
        (("--spectrum", "1,2", "--data", "digits"), "--spectrum and --data are both given"),
    ],
)
def test_a_spectrum_that_cannot_be(ornstein: Callable, given: tuple, message: str) -> None:
    result = ornstein("linear", *given)
    assert result.status == 2
    assert message in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.usefixtures("without_figure")
def test_as_many_originals_as_training_points(ornstein: Callable, tmp_path: Path) -> None:
    options = ("--dim", 3, "--train-sizes", "5,40", "--simulations", 8, "--jobs", 1)
    result = ornstein("linear", *options, "--originals", "n", "--out", "n")
    assert (result.status, result.err) == (0, "")
    assert "n originals (expected), seed 0" in result.out
    rows = rows_of(tmp_path / "n")
    for size, row in zip((5, 40), rows, strict=True):
        alone = (*options[:2], "--train-sizes", size, *options[4:], "--originals", size)
        ornstein("linear", *alone, "--out", f"of-{size}")
        (expected,) = rows_of(tmp_path / f"of-{size}")
        for name in ("delta_log_abs_mean", "log_l2_original_mean", "delta_positive"):
            assert row[name] == expected[name]
    again = ornstein("linear", "--config", "n/config.yaml", "--jobs", 1, "--out", "n")
    assert (again.status, again.err) == (0, "")
    drawn = ("--originals", "n", "--original-mode", "sampled", "--out", "drawn")
    result = ornstein("linear", *options, *drawn)
    assert [row["delta_perfect"] for row in rows_of(tmp_path / "drawn")] == [0.5, 0.5]
    assert "P(Delta > 0) is exactly 1/2 for a model" in " ".join(result.out.split())
    for other in ("m", "1"):
        result = ornstein("linear", *options, "--originals", other)
        assert result.status == 2
        assert "originals" in result.err
