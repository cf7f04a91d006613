"""``ornstein forecast``: a file in, text, JSON and a folder out, and one line for what is wrong."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.example import example_report
from tests.reports.html_reading import check_page

from ornstein import forecast
from ornstein.cli.output import in_format
from ornstein.forecasting import forecast as module
from ornstein.reports.forecast_document import forecast_document


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """40 points in 3 dimensions, of which one never varies."""
    points = np.random.default_rng(0).standard_normal((40, 4))
    points[:, 2] = 5.0
    np.save(tmp_path / "a.npy", points)
    return tmp_path


def test_from_a_file_to_a_document(ornstein: Callable, data: Path) -> None:
    result = ornstein(
        "forecast", "--data", "a.npy", "--target", "w2=0.1", "--replicates", 2,
        "--train-sizes", 20, "--json",
    )  # fmt: skip
    assert (result.status, result.err) == (0, "")
    document = json.loads(result.out)
    assert document["name"] == "a.npy"
    assert document["sizes"]["constant"] == 1
    assert [target["name"] for target in document["targets"]] == ["w2"]
    assert [point["n"] for point in document["curve"]] == [20, 40, 80, 200, 400]
    assert any("constant" in note or "never" in note for note in document["notes"])


def test_folder(ornstein: Callable, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "forecast_points", lambda *_, **__: example_report())
    result = ornstein("forecast", "--data", "a.npy", "--out", "found/here")
    assert result.status == 0
    assert result.out == f"{example_report()}\n"
    assert result.err == (
        "ornstein: wrote report.html, forecast.txt, forecast.json, curve.csv, figure.svg, "
        "figure.png to found/here\n"
    )
    folder = data / "found" / "here"
    document = json.loads((folder / "forecast.json").read_text())
    assert document["name"] == "some.npy"
    assert document["run"]["command"] == "ornstein forecast --data a.npy"
    assert document["run"]["settings"]["target"] == "w2=0.1,auc=0.55"
    assert {"python", "numpy", "CPU"} <= set(document["run"]["versions"])
    lines = (folder / "curve.csv").read_text().splitlines()
    assert lines[0].startswith("n,multiple,attack_noise,w2,w2_se,w2_measured,w2_measured_se")
    assert len(lines) == 1 + 4
    assert (folder / "forecast.txt").read_text() == result.out
    page = (folder / "report.html").read_text()
    assert "How much data is enough" in page
    assert ornstein("report", "found/here").out == "Written: found/here/report.html\n"
    assert (folder / "report.html").read_text() == page
    assert (folder / "figure.png").stat().st_size > 10_000
    assert (folder / "figure.svg").stat().st_size > 10_000


def test_the_command_of_the_page_has_all_options(
    ornstein: Callable, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "forecast_points", lambda *_, **__: example_report())
    options = "--data a.npy --target w2=0.2,auc=0.6 --train-sizes 5:20:5 --replicates 3 --seed 4"
    shown = ("--out", "a", "--style", "paper", "--format", "csv")
    result = ornstein("forecast", *options.split(), *shown)
    assert result.status == 0
    assert result.out == in_format(forecast_document(example_report()), "csv") + "\n"
    found = shlex.split(check_page((data / "a" / "report.html").read_text()).code)
    assert found == ["ornstein", "forecast", *options.split()]
    assert 'width="486pt"' in (data / "a" / "figure.svg").read_text()  # 6.75 inches


def test_every_option_reaches_the_forecast(
    ornstein: Callable, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    def caught(points, **options):
        seen.update(options, points=points)
        return "text"

    monkeypatch.setattr(module, "forecast_points", caught)
    result = ornstein(
        "forecast", "--data", "a.npy", "--target", "w2=0.3", "--train-sizes", "5:15:5",
        "--replicates", 7, "--time", 1.5, "--noise-scale", 0.5, "--check", "mlp", "--seed", 9,
    )  # fmt: skip
    assert (result.status, result.out) == (0, "text\n")
    assert seen.pop("points").shape == (40, 4)
    assert seen.pop("notes")
    assert seen == {
        "name": "a.npy", "targets": ("w2=0.3",), "train_sizes": (5, 10, 15), "replicates": 7,
        "time": 1.5, "noise_scale": 0.5, "check": "mlp", "random_state": 9, "progress": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "targets", "sizes"),
    [
        ("--target w2=0.3 --target auc=0.6", ("w2=0.3", "auc=0.6"), None),
        (
            "--target=w2=0.3,auc=0.7 --train-sizes 9 --target w2=0.3 --train-sizes=5:7:1",
            ("w2=0.3", "auc=0.7"),
            (5, 6, 7),
        ),
    ],
)
def test_a_list_of_names_given_again_counts(
    ornstein: Callable, data: Path, monkeypatch: pytest.MonkeyPatch, given: str, targets, sizes
) -> None:
    seen = {}
    monkeypatch.setattr(module, "forecast_points", lambda _, **given: seen.update(given))
    assert ornstein("forecast", "--data", "a.npy", *given.split()).status == 0
    assert (seen["targets"], seen["train_sizes"]) == (targets, sizes)


def test_mixed_tables_from_python_as_from_the_command_line(
    ornstein: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 40).astype(float),
            "colour": rng.choice(["red", "green", "blue"], 40),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, 40), unit="D"),
            "member": rng.random(40) < 0.5,
        }
    )
    frame.loc[3, "age"] = np.nan
    frame.to_parquet(tmp_path / "t.parquet")
    seen: list[tuple] = []
    monkeypatch.setattr(module, "forecast_points", lambda *a, **given: seen.append((*a, given)))
    for options, numbers in (((), None), (("--numbers", "ranks"), "ranks")):
        assert ornstein("forecast", "--data", "t.parquet", *options).status == 0
        forecast(frame, numbers=numbers)
        (there, _), (here, given) = seen[-2:]
        assert here.shape == (40, 7)  # age, its gap, day, member, three colours
        assert (here == there).all()
        assert any("colour used as category" in note for note in given["notes"])
    with pytest.raises(ValueError, match="numbers is 'ranks' and has no effect"):
        forecast(rng.random((40, 3)), numbers="ranks")


def test_data_are_read_as_elsewhere(
    ornstein: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text("a;b\n" + "".join(f"{i},5;{i % 3}\n" for i in range(12)))
    seen = {}
    monkeypatch.setattr(module, "forecast_points", lambda points, **_: seen.update(points=points))
    result = ornstein("forecast", "--data", "t.csv", "--separator", ";", "--decimal", ",")
    assert result.status == 0
    assert seen["points"][3].tolist() == [3.5, 0.0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--data is missing"),
        (["--data", "none.npy"], "no data at 'none.npy'"),
        (["--data", "one.npy"], "one.npy: 1 point(s)"),
        (["--data", "few.npy"], "few.npy has 5 point(s), expected at least 8"),
        (["--data", "same.npy"], "all 30 points are equal"),
        (["--data", "nan.npy"], "nan.npy: 1 NaN value(s)"),
        (["--data", "a.npy", "--target", "fid=1"], "expected NAME=BOUND with one of w2"),
        (["--data", "a.npy", "--target", "auc=2"], "a number between 0.5 and 1"),
        (["--data", "a.npy", "--train-sizes", "39"], "expected at most 38"),
        (["--data", "a.npy", "--layout", "first"], "layout first"),
        (["--data", "a.npy", "--pixels", "3"], "have no pixels"),
        (["--data", "a.npy", "--seed", "-1"], "--seed: given -1"),
        (["--data", "a.npy", "--out", "a.npy"], "--out: 'a.npy' is a file"),
        (["--data", "a.npy", "--style", "talk"], "--style has no effect without --out"),
        (["--data", "a.npy", "--json", "--format", "csv"], "--format csv and --json exclude"),
    ],
)
def test_bad_input_is_one_line(ornstein: Callable, data: Path, arguments, words: str) -> None:
    np.save(data / "one.npy", np.ones((1, 3)))
    np.save(data / "few.npy", np.eye(5))
    np.save(data / "same.npy", np.ones((30, 3)))
    np.save(data / "nan.npy", np.where(np.eye(10)[:, ::-1] > 0, [np.nan] + [1.0] * 9, np.eye(10)))
    result = ornstein("forecast", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("ornstein: error: ")
    assert result.err.count("\n") == 1
    assert words in result.err
