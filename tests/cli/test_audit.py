"""``ornstein audit``: files in, text, JSON and a folder out, and one line for what is wrong."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.memorization.quick import few_draws

from ornstein.memorization import audit as module

SETS = ("--train", "a.npy", "--held-out", "b.npy", "--generated", "c.npy")


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with few_draws():
        yield


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Three sets of which the third has 20 copies of the first."""
    rng = np.random.default_rng(0)
    train, held_out, new = (rng.standard_normal((60, 4, 4)) for _ in range(3))
    new[:20] = train[20:40]
    for name, points in (("a", train), ("b", held_out), ("c", new)):
        np.save(tmp_path / f"{name}.npy", points)
    return tmp_path


def test_text_and_folder(ornstein: Callable, files: Path) -> None:
    result = ornstein("audit", *SETS, "--out", "found/here")
    assert result.status == 0
    assert "Verdict: copies" in result.out
    assert "60 generated points, 60 training and 60 held-out points of 16" in result.out
    assert result.err == (
        "ornstein: wrote report.html, copies.csv, audit.json, pairs.svg, pairs.png, pairs.npz to "
        "found/here\n"
    )
    folder = files / "found" / "here"
    lines = (folder / "copies.csv").read_text().splitlines()
    assert lines[0] == "generated,train,distance,contrast,listed,exact"
    assert "0,20,0.0,inf,True,True" in lines
    assert json.loads((folder / "audit.json").read_text())["verdict"] == "copies"
    assert "<strong>Answer.</strong> Copies were found" in (folder / "report.html").read_text()
    assert (folder / "pairs.png").stat().st_size > 1000


def test_json_alone_on_standard_output(ornstein: Callable, files: Path) -> None:
    document = json.loads(ornstein("audit", *SETS, "--json", "--fdr", 0.2, "--seed", 3).out)
    assert document["fdr"] == 0.2
    assert document["least_copies"] == 5
    assert document["exact_copies"][0] == {
        "generated": 0,
        "train": 20,
        "distance": 0.0,
        "contrast": "inf",
    }
    assert document["sentences"]["copies"].startswith("20 generated points of 60 equal")


@pytest.mark.parametrize(
    ("verdict", "fail_on", "status"),
    [
        ("copies", "never", 0),
        ("copies", "copies", 1),
        ("copies", "dependence", 1),
        ("depends on the training data", "copies", 0),
        ("depends on the training data", "dependence", 1),
        ("closer than a Gaussian", "dependence", 1),
        ("nothing detected", "dependence", 0),
    ],
)
def test_the_status_tells_what_was_found(
    ornstein: Callable, files: Path, monkeypatch: pytest.MonkeyPatch, verdict, fail_on, status
) -> None:
    @dataclass
    class Report:
        verdict: str
        warnings: tuple[str, ...] = ()
        cautions: tuple[str, ...] = ()

        def __str__(self) -> str:
            return "text"

    monkeypatch.setattr(module, "audit", lambda *_, **__: Report(verdict))
    result = ornstein("audit", *SETS, "--fail-on", fail_on)
    assert (result.status, result.out, result.err) == (status, "text\n", "")


def test_every_option_reaches_the_audit(
    ornstein: Callable, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    def caught(*sets, **options):
        seen.update(options, sets=sets)
        raise ValueError("enough")

    monkeypatch.setattr(module, "audit", caught)
    np.save(files / "labels.npy", np.arange(60))
    np.save(files / "f.npy", np.eye(60, 7))
    (files / "labels.txt").write_text("\n".join(f"p {i}" for i in range(60)) + "\n")
    ornstein(
        "audit", *SETS, "--features", "f.npy,f.npy,c.npy",
        "--groups", "labels.npy,labels.txt", "--fdr", 0.3, "--alpha", 0.01,
        "--augment", "flips,shifts", "--seed", 9, "--jobs", 2, "--max-memory", 1.5,
    )  # fmt: skip
    assert [points.shape for points in seen["sets"]] == [(60, 16)] * 3
    assert seen["image_shape"] == (1, 4, 4)
    assert (seen["fdr"], seen["alpha"], seen["random_state"]) == (0.3, 0.01, 9)
    assert seen["augment"] == "flips,shifts"
    assert (seen["n_jobs"], seen["max_memory"]) == (2, 1.5e9)
    assert [points.shape for points in seen["features"]] == [(60, 7), (60, 7), (60, 16)]
    first, second = seen["groups"]
    assert first.tolist() == list(range(60))
    assert second.tolist() == [f"p {i}" for i in range(60)]


@pytest.mark.parametrize("channels", [1, 3])
def test_folders_of_images(ornstein: Callable, tmp_path: Path, monkeypatch, channels: int) -> None:
    rng = np.random.default_rng(1)
    for name in "abc":
        (tmp_path / name).mkdir()
        for index in range(4):
            pixels = rng.integers(0, 256, (5, 6, channels), dtype=np.uint8)
            Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(
                tmp_path / name / f"{index}.png"
            )
    seen = {}

    def caught(*sets, **options):
        seen.update(options, sets=sets)
        raise ValueError("enough")

    monkeypatch.setattr(module, "audit", caught)
    ornstein("audit", "--train", "a", "--held-out", "b", "--generated", "c")
    assert seen["image_shape"] == (channels, 5, 6)
    assert seen["sets"][0].shape == (4, 30 * channels)


def saved(folder: Path, **sets: np.ndarray) -> None:
    for name, points in sets.items():
        np.save(folder / f"{name}.npy", points)


class TestChecks:
    """The sets are looked at as ``ornstein data`` does, before anything is compared."""

    def test_another_scale_is_refused(self, ornstein: Callable, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        a, b, c = (rng.random((40, 6)) for _ in range(3))
        saved(tmp_path, a=a, b=b, c=np.round(255 * c))
        result = ornstein("audit", *SETS)
        assert result.status == 2
        assert "a factor of 255" in result.err
        assert result.err.count("\n") == 1

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_a_value_that_is_none_names_its_set(
        self, ornstein: Callable, tmp_path: Path, value: float
    ) -> None:
        rng = np.random.default_rng(0)
        a, b, c = (rng.standard_normal((40, 6)) for _ in range(3))
        b[3, 2] = value
        saved(tmp_path, a=a, b=b, c=c)
        result = ornstein("audit", *SETS)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith("ornstein: error: b.npy: 1 ")
        assert result.err.endswith("the first at row 3, column 2: drop or impute them\n")

    def test_another_size_is_refused(self, ornstein: Callable, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        saved(tmp_path, a=rng.random((40, 6)), b=rng.random((40, 6)), c=rng.random((40, 5)))
        assert "points of a.npy have shape (6,) and those of c.npy (5,)" in ornstein(
            "audit", *SETS
        ).err.replace("\n", " ")

    def test_what_does_not_fit_stands_below_the_verdict(
        self, ornstein: Callable, tmp_path: Path
    ) -> None:
        rng = np.random.default_rng(0)
        a, b, c = (rng.standard_normal((40, 6)) for _ in range(3))
        saved(tmp_path, a=a, b=b, c=250 * c + 3000)
        text = ornstein("audit", *SETS).out
        verdict, place = text.index("Verdict: "), text.index("1. Copies of training points")
        cautions = " ".join(text[verdict:place].split())
        assert "Caution: the standard deviation of c.npy is 2" in cautions
        assert "times that of the training points: if their units differ, no verdict" in cautions
        assert "standard deviations from that of the training points" in cautions
        document = json.loads(ornstein("audit", *SETS, "--json").out)
        assert len(document["cautions"]) == 3

    def test_pictures_of_an_audit_before_do_not_stay(self, ornstein: Callable, files: Path) -> None:
        (files / "found").mkdir()
        for ending in ("svg", "png", "npz"):  # as test_text_and_folder finds them
            (files / "found" / f"pairs.{ending}").touch()
        rng = np.random.default_rng(0)
        saved(files, **{name: rng.standard_normal((40, 3)) for name in "abc"})
        result = ornstein("audit", *SETS, "--out", "found")
        assert "wrote report.html, copies.csv, audit.json to found" in result.err
        assert not list((files / "found").glob("pairs.*"))

    def test_a_reader_that_leaves_changes_neither_files_nor_status(self, files: Path) -> None:
        for name in "abc":  # vectors, of which there are no pictures to draw
            np.save(files / f"{name}.npy", np.load(files / f"{name}.npy").reshape(60, 16))
        command = [sys.executable, "-m", "ornstein", "audit", *SETS, "--out", "found"]
        process = subprocess.Popen(
            [*command, "--fail-on", "copies"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=files,
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 1
        assert (files / "found" / "audit.json").exists()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
        process.stderr.close()

    def test_what_was_found_of_the_sets_stands_before_the_notes(
        self, ornstein: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What may mislead is a caution; how sets were read, alone or side by side, is a note."""

        @dataclass
        class Report:
            verdict: str = "copies"
            warnings: tuple[str, ...] = ("own note",)
            cautions: tuple[str, ...] = ("own caution",)

            def __str__(self) -> str:
                return "\n".join([*self.cautions, "--", *self.warnings])

        rng = np.random.default_rng(0)
        a, b, c = (rng.standard_normal((40, 3)) for _ in range(3))
        a[:, 1] = 2.0
        saved(tmp_path, a=a, b=50 * b, c=c.astype(np.float32))
        monkeypatch.setattr(module, "audit", lambda *_, **__: Report())
        cautions, notes = ornstein("audit", *SETS).out.split("--\n")
        assert "the standard deviation of b.npy is " in cautions
        assert cautions.endswith("check their units.\nown caution\n")
        assert notes.startswith("a.npy: ")
        assert "\na.npy is float64 and c.npy float32.\n" in notes
        assert notes.endswith("\nown note\n")

    @pytest.mark.parametrize("mixed", [False, True])
    def test_near_duplicates_are_counted_unless_kinds_are_mixed(
        self, ornstein: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mixed: bool
    ) -> None:
        """Rows of few categories are near by chance."""
        rng, seen = np.random.default_rng(0), {}
        for name in "abc":
            frame = pd.DataFrame({"x": rng.random(40), "y": rng.random(40)})
            if mixed:
                frame["city"] = rng.choice(["Rome", "Oslo"], 40)
            frame.to_csv(tmp_path / f"{name}.csv", index=False)

        def caught(*_: object, **options: object) -> None:
            seen.update(options)
            raise ValueError("enough")

        monkeypatch.setattr(module, "audit", caught)
        ornstein("audit", "--train", "a.csv", "--held-out", "b.csv", "--generated", "c.csv")
        assert seen["near_duplicates"] is not mixed

    def test_a_mixed_table_with_missing_cells(self, ornstein: Callable, tmp_path: Path) -> None:
        """2% of the rows are replayed; categories, dates and gaps are part of the distance."""
        rng = np.random.default_rng(0)

        def table(n: int) -> pd.DataFrame:
            frame = pd.DataFrame(
                {
                    "age": rng.integers(18, 90, n).astype(float),
                    "income": np.exp(rng.normal(10, 1, n)).round(2),
                    "city": rng.choice(["Rome", "Oslo", "Lima"], n),
                    "since": pd.Timestamp("2020-01-01")
                    + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
                }
            )
            frame.loc[rng.random(n) < 0.1, "age"] = np.nan
            return frame

        train, held_out, made = table(600), table(600), table(600)
        made.iloc[:12] = train.iloc[:12].to_numpy()
        for name, frame in (("a", train), ("b", held_out), ("c", made)):
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
        files = ("--train", "a.csv", "--held-out", "b.csv", "--generated", "c.csv")
        document = json.loads(ornstein("audit", *files, "--json").out)
        assert document["verdict"] == "copies"
        assert {copy["generated"] for copy in document["exact_copies"]} >= set(range(12))
        assert document["sizes"]["dim"] > 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--train is missing: expected a file or a folder of images"),
        (SETS[:4], "--generated is missing: expected a file or a folder of images"),
        ((*SETS, "--fdr", 1), "--fdr: given 1, expected a number between 0 and 1"),
        ((*SETS, "--alpha", 0), "--alpha: given 0, expected a number between 0 and 1"),
        ((*SETS, "--jobs", 0), "--jobs: given 0, expected 1 or more threads"),
        ((*SETS, "--max-memory", 0), "--max-memory: given 0, expected gigabytes > 0"),
        ((*SETS, "--max-memory", 1e-9), "--max-memory is 1 bytes, expected at least"),
        ((*SETS, "--seed", -1), "--seed: given -1, expected a whole number >= 0"),
        ((*SETS, "--features", "a.npy"), "--features: given 'a.npy', expected three files"),
        (
            (*SETS, "--features", "a.npy,b.npy,c.npy", "--augment", "flips"),
            "--augment is for images, and --features are given",
        ),
        ((*SETS, "--groups", "a.npy"), "--groups: given 'a.npy', expected two files"),
        ((*SETS, "--groups", "x.txt,a.npy"), "--groups: no file 'x.txt', expected labels"),
        ((*SETS, "--out", "a.npy"), "--out: 'a.npy' is a file, expected a folder"),
        ((*SETS[:4], "--generated", "z.npy"), "no data at 'z.npy'"),
        ((*SETS, "--fail-on", "anything"), "--fail-on: given"),
    ],
)
def test_what_is_wrong_is_one_line(
    ornstein: Callable, files: Path, arguments: tuple, message: str
) -> None:
    result = ornstein("audit", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"ornstein: error: {message}")
    assert result.err.count("\n") == 1
