"""``ornstein unet`` from end to end: the folder it leaves, what it prints, what it refuses."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("lightning")

from ornstein.cli.networks import _faster_batch
from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.unet import UNetStudy

EPOCH = ("--epochs", 1)
SMALL = (*EPOCH, "--diffusion-steps", 5, "--simulations", 2, "--jobs", 1, "--originals", 50)
MLP = (*SMALL, "--model", "mlp", "--pixels", 2, "--width", 8, "--replicate-batch", 1)
STEPS = (*MLP[len(EPOCH) :], "--training-steps", 20)
FIXED = (
    "train_size",
    "simulations",
    *(
        f"{name}_{part}"
        for name in ("distance_original", "distance_train", "delta")
        for part in ("mean", "se")
    ),
    "delta_positive",
    "delta_positive_low",
    "delta_positive_high",
    "train_seconds",
    "sample_seconds",
)


def rows_of(folder: str) -> list[dict[str, str]]:
    with Path(folder, "summary.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def check_text(out: str) -> None:
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert "nan" not in out


def test_what_a_study_leaves_behind(ornstein: Callable) -> None:
    result = ornstein("unet", *SMALL, "--width", 0.05, "--train-sizes", "10,20", "--out", "study")
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    text = " ".join(result.out.split())
    assert "U-Net of width 0.05 on N(0.5, 0.1^2), 1 x 8 x 8" in text
    assert "Answer: " in text
    files = sorted(file.name for file in Path("study").iterdir() if file.is_file())
    assert files == [
        "config.yaml",
        "figure.png",
        "figure.svg",
        "samples.png",
        "study.sqlite",
        "summary.csv",
    ]
    rows = rows_of("study")
    assert [row["train_size"] for row in rows] == ["10", "20"]
    assert set(FIXED) <= set(rows[0])
    assert all(row[name] for row in rows for name in FIXED)
    logs = sorted(file.name for file in Path("study/logs").iterdir())
    assert logs == ["n10-r0.csv", "n10-r1.csv", "n20-r0.csv", "n20-r1.csv"]
    for name in ("figure.png", "samples.png"):
        with Image.open(Path("study", name)) as image:
            image.load()
            assert min(image.size) > 400
    config = yaml.safe_load(Path("study/config.yaml").read_text())
    assert {"torch", "lightning", "numpy"} <= set(config["versions"])
    assert (config["pixels"], config["threads"]) == (8, 1)


@pytest.mark.usefixtures("without_figure")
def test_the_same_command_goes_on(ornstein: Callable) -> None:
    options = ("unet", *MLP, "--train-sizes", "10,12", "--generated", 20)
    first = ornstein(*options, "--out", "study")
    assert first.status == 0
    check_text(first.out)
    assert "Gaussian fit to the generated points" in first.out
    before = Path("study/summary.csv").read_bytes()
    ornstein("unet", "--config", "study/config.yaml", "--jobs", 1, "--out", "study")
    assert Path("study/summary.csv").read_bytes() == before
    # More replicates keep what is there.
    grown = ornstein(*options, "--simulations", 3, "--out", "study")
    assert grown.status == 0
    assert [row["simulations"] for row in rows_of("study")] == ["3", "3"]
    refused = ornstein(*options, "--seed", 5, "--out", "study")
    assert refused.status == 2
    assert "seed is 0 there and 5 here" in refused.err


@pytest.mark.usefixtures("without_figure")
def test_json(ornstein: Callable) -> None:
    result = ornstein("unet", *MLP, "--train-sizes", "10", "--generated", 5, "--json")
    assert (result.status, result.err) == (0, "")
    document = json.loads(result.out)
    assert document["folder"].startswith("runs/unet-")
    assert document["net"]["simulations"] == 2
    assert document["rows"][0]["kl_mean"] is None
    assert document["failed"] == []


def test_snapshots(ornstein: Callable, draw_no_more: Callable) -> None:
    options = (*STEPS, "--snapshots", "--train-sizes", "10,20", "--out", "study")
    result = ornstein("unet", *options)
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    assert "The window between the best step and memorization" in result.out
    rows = rows_of("study")
    assert [(row["train_size"], row["step"]) for row in rows] == [
        (n, step) for n in ("10", "20") for step in ("10", "20")
    ]
    assert all(row["loss_test_mean"] and row["memorized_mean"] for row in rows)
    with Image.open("study/figure.png") as image:
        image.load()
    draw_no_more()
    document = json.loads(ornstein("unet", *options, "--json").out)
    assert [window["train_size"] for window in document["windows"]] == [10, 20]
    again = ornstein("unet", "--config", "study/config.yaml", "--jobs", 1, "--out", "study")
    assert again.status == 0
    assert rows_of("study") == rows


@pytest.mark.usefixtures("without_figure")
def test_canaries(ornstein: Callable) -> None:
    options = (*MLP, "--train-sizes", "12", "--canaries", 3, "--out", "study")
    result = ornstein("unet", *options)
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    assert "Planted records (canaries)" in result.out
    (row,) = rows_of("study")
    assert list(row)[-6:] == [
        f"canary_auc{which}{end}" for which in ("", "_without") for end in ("", "_low", "_high")
    ]
    again = ornstein("unet", "--config", "study/config.yaml", "--jobs", 1, "--out", "study")
    assert again.status == 0
    assert rows_of("study") == [row]
    both = ornstein("unet", *options, "--snapshots")
    assert both.status == 2
    assert both.err == (
        "ornstein: error: --canaries and --snapshots are two studies: give one of the two\n"
    )
    assert "canaries is 6, and 10 images are trained on" in ornstein("unet", *options[:-3], 6).err


@pytest.mark.usefixtures("without_figure")
def test_tensorboard_shows_memorization_over_training(ornstein: Callable) -> None:
    options = (*STEPS, "--log", "tensorboard", "--simulations", 1)
    result = ornstein("unet", *options, "--train-sizes", "10", "--out", "study")
    assert (result.status, result.err) == (0, "")
    (events,) = Path("study/lightning_logs/n10-r0").glob("events.*")
    content = events.read_bytes()
    for tag in (b"memorized", b"delta", b"train_loss"):
        assert tag in content


@pytest.mark.usefixtures("without_figure")
def test_images_of_a_folder(ornstein: Callable) -> None:
    Path("images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (14, 9, 12), dtype=np.uint8)
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(f"images/{index:02}.png")
    options = ("--data", "images", "--width", 0.05, "--train-sizes", "6", "--out", "study")
    result = ornstein("unet", *SMALL, *options)
    assert (result.status, result.err) == (0, "")
    assert "on data images, 1 x 8 x 8" in result.out
    config = yaml.safe_load(Path("study/config.yaml").read_text())
    assert "mean" not in config
    assert ornstein("unet", "--config", "study/config.yaml", "--jobs", 1).status == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data", "vectors.npy"), "give --model mlp"),
        (("--data", "nothing"), "no data at 'nothing'"),
        (("--jobs", 0), "--jobs: given 0"),
        (("--threads", 0), "threads is 0"),
        (("--model", "gan"), "--model: given 'gan'"),
        (("--train-sizes", "1"), "a training size is 1"),
        (("--replicate-batch", 2, "--log", "tensorboard"), "--replicate-batch is 2"),
    ],
)
def test_bad_input(ornstein: Callable, options: tuple, message: str) -> None:
    np.save("vectors.npy", np.random.default_rng(0).standard_normal((30, 5)))
    result = ornstein("unet", "--train-sizes", 10, *options)
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not Path("runs").exists() or not list(Path("runs").rglob("*.sqlite"))


@pytest.mark.parametrize("package", ["torch", "lightning"])
@pytest.mark.parametrize("command", [("unet",), ("recursion", "--model", "mlp")])
def test_without_networks(
    ornstein: Callable, monkeypatch: pytest.MonkeyPatch, package: str, command: tuple
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "ornstein.networks", raising=False)
    result = ornstein(*command, "--train-sizes", 10)
    assert (result.status, result.out) == (2, "")
    assert f"needs {package}: pip install 'ornstein[networks]'" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.usefixtures("without_figure")
def test_a_failing_cell(ornstein: Callable) -> None:
    original = UNetStudy.measure_batch

    def failing(self: UNetStudy, cells: list) -> list:
        if cells[0].replicate == 1:
            raise ArithmeticError("out of range")
        return original(self, cells)

    options = ("unet", *MLP, "--train-sizes", "10", "--out", "study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UNetStudy, "measure_batch", failing)
        result = ornstein(*options)
    assert result.status == 1
    assert "1 cell(s) failed" in result.err
    assert rows_of("study")[0]["simulations"] == "1"
    assert "ArithmeticError: out of range" in ornstein("status", "study").out
    assert ornstein(*options, "--retry-failed").status == 0
    assert rows_of("study")[0]["simulations"] == "2"


def test_what_is_trained_at_once() -> None:
    def batch(gpu: bool = False, **options: Any) -> int:
        study = UNetStudy(NeuralOptions(train_sizes=(50,), **options))
        return _faster_batch(study, gpu=gpu)

    assert batch() == 1
    assert batch(gpu=True) == 10
    assert batch(model="mlp") == 10
    assert batch(model="mlp", simulations=100) == 16
    assert batch(model="mlp", width=1024) == 1
    assert batch(model="mlp", training_steps=10**6) == 1


def test_steps_of_a_trained_network(ornstein: Callable, draw_no_more: Callable) -> None:
    options = ("--pixels", 2, "--width", 8, "--epochs", 1, "--originals", 50, "--jobs", 1)
    sizes = ("--steps", "3,5", "--train-sizes", "12,20", "--simulations", 2)
    result = ornstein("steps", "--model", "mlp", *options, *sizes, "--out", "study")
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    assert "12 generated from the standard start" in result.out
    rows = rows_of("study")
    assert len(rows) == 8
    assert all(row["kl_linear_mean"] for row in rows)
    with Image.open("study/figure.png") as image:
        image.load()
    draw_no_more()
    again = ornstein("steps", "--config", "study/config.yaml", "--jobs", 1, "--out", "study")
    assert (again.status, again.err) == (0, "")
    assert rows_of("study") == rows


@pytest.mark.usefixtures("without_figure")
def test_steps_of_a_network_trained_otherwise(ornstein: Callable) -> None:
    options = (
        *("--pixels", 2, "--width", 8, "--originals", 50, "--jobs", 1, "--steps", "3"),
        *("--training-steps", 7, "--batch-size", 4, "--learning-rate", 1e-3, "--ema-decay", 0.5),
        *("--gradient-clip", 1, "--train-fraction", 0.5, "--prediction", "v"),
        *("--mean", "0.2,0.8", "--weights", "0.3,0.7", "--start", "population"),
        *("--train-sizes", 12, "--simulations", 1, "--out", "study"),
    )
    result = ornstein("steps", "--model", "mlp", *options)
    assert (result.status, result.err) == (0, "")
    assert "0.3 N(0.2, 0.1^2) + 0.7 N(0.8, 0.1^2)" in result.out
    assert "trained 7 optimiser steps in batches of 4, T = 200, predicting v" in " ".join(
        result.out.split()
    )
    config = yaml.safe_load(Path("study/config.yaml").read_text())
    assert config["gradient_clip"] == 1
    assert ornstein("steps", "--config", "study/config.yaml", "--jobs", 1).status == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--training-steps", 3), "--training-steps is an option of --model unet"),
        (("--weights", "1,2"), "--weights is an option of --model unet"),
        (("--start", "population"), "--start: given 'population', expected 'standard', 'marginal'"),
        (("--mean", "1,2"), "--mean: given '1,2', expected a number"),
        (("--model", "mlp", "--data", "digits", "--start", "population"), "start is 'population'"),
        (("--model", "mlp", "--prediction", "x0"), "--prediction: given 'x0'"),
    ],
)
def test_steps_that_make_no_sense(ornstein: Callable, options: tuple, message: str) -> None:
    result = ornstein("steps", *options)
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


@pytest.mark.usefixtures("without_figure")
def test_components_of_a_mixture(ornstein: Callable) -> None:
    options = ("--mean", "0.2,0.8", "--weights", "0.25,0.75", "--train-sizes", "10,12")
    result = ornstein("unet", *MLP, *options, "--generated", 20, "--out", "study")
    assert (result.status, result.err) == (0, "")
    check_text(result.out)
    assert "Components of the mixture among the generated points" in result.out
    row = rows_of("study")[0]
    weights = [float(row[f"component{k}_weight_mean"]) for k in (1, 2)]
    assert sum(weights) == pytest.approx(1)
