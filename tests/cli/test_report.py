"""``ornstein report``: a page of a study, an audit, a verification; one line for what is none."""

import json
import os
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.memorization.quick import few_draws
from tests.reports.html_reading import Page, check_page

from ornstein.cli.main import COMMANDS, main
from ornstein.cli.reopening import reopen
from ornstein.engine.reading import read_summary
from ornstein.engine.store import FILE_NAME, StudyError
from ornstein.reports.explanations import EXPLANATIONS, VERIFICATION

LINEAR = ("linear", "--dim", 4, "--train-sizes", "3,9", "--simulations", 3, "--std", 1.5)
LINEAR += ("--jobs", 1)
RECURSION = ("recursion", "--train-sizes", "9,20", "--dim", 4, "--simulations", 2, "--jobs", 1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study, without figures."""
    folder = tmp_path_factory.mktemp("finished") / "study"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
        assert main([*map(str, LINEAR), "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study, of this test alone."""
    return shutil.copytree(finished, tmp_path / "study")


def read(path: Path) -> Page:
    return check_page(path.read_text())


def test_a_study(ornstein: Callable, tmp_path: Path, without_figure: None) -> None:
    ran = ornstein(*LINEAR, "--out", "study")
    assert ornstein("report", "study") == (0, "Written: study/report.html\n", "")
    page = read(tmp_path / "study" / "report.html")
    said = EXPLANATIONS["linear"]
    assert page.headings[0] == (1, said.title)
    assert page.by_class["question"] == [said.question]
    assert "state" not in page.by_class
    answer = " ".join(ran.out.split()).partition("Answer: ")[2].partition(". ")[0]
    assert page.by_class["answer"] == [f"Answer. {answer}."]
    assert page.by_class["subject"][0] == "One-step linear denoiser on N(10, 1.5²) in d = 4"
    summary = read_summary(reopen(tmp_path / "study").study, tmp_path / "study")
    table = page.table("Generated law against the population (mean ± standard error over runs)")
    assert [row[:2] for row in table.rows] == [["3", "3"], ["9", "3"]]
    kl = summary.rows[1]["kl_mean"]
    assert float(table.rows[1][table.head.index("KL, nats")].split()[0]) == pytest.approx(kl, 0.1)
    assert set(said.made) <= {text.replace("²", "^2") for text in page.definitions}
    options = dict(page.table("Options of the run").rows)
    assert (options["dim"], options["std"], options["train_sizes"]) == ("4", "1.5", "3,9")
    versions = dict(page.table("What it ran with").rows)
    assert versions["numpy"] == np.__version__
    assert {"python", "ornstein", "CPU"} <= set(versions)
    assert page.code == (
        "ornstein linear --train-sizes 3,9 --dim 4 --mean 10 --std 1.5 --spectrum isotropic "
        "--originals 10000 --original-mode expected --simulations 3"
    )


def test_the_command_repeats_the_study(
    ornstein: Callable, tmp_path: Path, without_figure: None
) -> None:
    ornstein(*RECURSION, "--out", "a")
    ornstein("report", "a", "--out", "page.html")
    words = shlex.split(read(tmp_path / "page.html").code)
    assert main([*words[1:], "--out", "b", "--jobs", "1"]) == 0
    assert (tmp_path / "a" / "summary.csv").read_text() == (
        tmp_path / "b" / "summary.csv"
    ).read_text()


def test_a_study_that_is_not_finished_says_so(
    ornstein: Callable, tmp_path: Path, study: Path
) -> None:
    with sqlite3.connect(tmp_path / "study" / FILE_NAME) as connection:
        connection.execute("DELETE FROM cells WHERE train_size = 9 AND replicate > 0")
        connection.execute(
            "UPDATE cells SET status = 'failed', error = 'out of <luck>' "
            "WHERE train_size = 3 AND replicate = 2"
        )
    connection.close()
    result = ornstein("report", "study")
    state = "3 of 6 cells are done, 1 failed; what stands here is of those."
    assert result.out == f"Written: study/report.html\n{state}\n"
    page = read(tmp_path / "study" / "report.html")
    assert page.by_class["state"] == [f"Not finished. {state}"]
    assert "Failed: n = 3, run 2: out of <luck>" in page.items
    with sqlite3.connect(tmp_path / "study" / FILE_NAME) as connection:
        connection.execute("DELETE FROM cells")
    connection.close()
    result = ornstein("report", "study")
    assert "0 of 6 cells are done; so that there are no numbers yet." in result.out
    page = read(tmp_path / "study" / "report.html")
    assert page.headings[0] == (1, EXPLANATIONS["linear"].title)
    assert "svg" not in page.tags


def test_the_folder_is_only_read(ornstein: Callable, tmp_path: Path, study: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "study").iterdir()}
    assert ornstein("report", "study", "--out", "elsewhere.html").status == 0
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "study").iterdir()} == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_cannot_be_written_to(ornstein: Callable, tmp_path: Path) -> None:
    ornstein(*LINEAR, "--out", "study")
    (tmp_path / "study").chmod(0o500)
    try:
        result = ornstein("report", "study")
        assert ornstein("report", "study", "--out", "page.html").status == 0
    finally:
        (tmp_path / "study").chmod(0o700)
    assert result.status == 2
    assert "cannot write 'study/report.html': Permission denied; --out FILE" in result.err


def test_a_place_that_cannot_be_written_to_is_one_line(
    ornstein: Callable, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    result = ornstein("report", "study")
    assert result[:2] == (2, "")
    assert result.err == (
        "ornstein: error: cannot write 'study/report.html': Permission denied; "
        "--out FILE names another place\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "no folder 'nowhere': expected one that --out made"),
        (("empty",), "nothing to report in 'empty': expected a folder with one of study.sqlite, "),
        (("shards",), "'shards' holds shards of a study: ornstein merge shards joins them first"),
        (("study", "--out", "a.pdf"), "--out: given 'a.pdf', expected a file name in .html"),
        (("study", "--out", "no/a.html"), "--out: no folder 'no' to write a.html to"),
        (("study", "--show-rows"), "--show-rows has no effect on a study"),
        (("verified", "--show-rows"), "--show-rows has no effect on a verification"),
        (("forecast", "--show-rows"), "--show-rows has no effect on a forecast"),
        (("forecast",), "'forecast/forecast.json' cannot be read as what ornstein forecast --out"),
        (("verified",), "'verified/verification.json' cannot be read as what ornstein verify"),
        (("audited",), "'audited/audit.json' cannot be read as what ornstein audit --out writes"),
        (("damaged",), "cannot read 'damaged/study.sqlite'"),
        (("nameless",), "does not begin with the kind of a study, expected one of linear, steps"),
        (("bare",), "'bare' has no config.yaml, which says what the study is"),
    ],
)
def test_what_is_wrong_is_one_line(
    ornstein: Callable, tmp_path: Path, finished: Path, arguments, words: str
) -> None:
    if arguments[0] in {"study", "damaged", "nameless", "bare"}:
        shutil.copytree(finished, tmp_path / arguments[0])
    for name in ("empty", "shards/shard-1-of-2", "verified", "audited", "forecast"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shards" / "shard-1-of-2" / FILE_NAME).touch()
    (tmp_path / "verified" / "verification.json").write_text("[]")
    (tmp_path / "forecast" / "forecast.json").write_text('{"name": "a"}')
    (tmp_path / "audited" / "audit.json").write_text('{"verdict": "copies"}')
    if arguments[0] == "damaged":
        (tmp_path / "damaged" / FILE_NAME).write_bytes(b"no database at all " * 100)
    if arguments[0] == "nameless":
        (tmp_path / "nameless" / "config.yaml").write_text("dim: 3\n")
    if arguments[0] == "bare":
        (tmp_path / "bare" / "config.yaml").unlink()
    result = ornstein("report", *arguments)
    assert result.status == 2
    assert result.out == ""
    assert words in result.err
    assert result.err.count("\n") == 1


def test_another_configuration_is_refused(tmp_path: Path, study: Path) -> None:
    config = study / "config.yaml"
    config.write_text(config.read_text().replace("dim: 4", "dim: 5"))
    again = reopen(tmp_path / "study")
    with pytest.raises(StudyError, match="dim is 4 there and 5 here"):
        read_summary(again.study, tmp_path / "study")


def test_targets_of_precision_hold_on_the_page(
    ornstein: Callable, tmp_path: Path, without_figure: None
) -> None:
    ornstein(*LINEAR, "--target-se", "trace=0.11", "--max-simulations", 12, "--out", "study")
    ornstein("report", "study")
    page = read(tmp_path / "study" / "report.html")
    assert any(item.startswith("Runs were added until") for item in page.items)
    shown = page.table("Generated law against the population (mean ± standard error over runs)")
    csv = pd.read_csv(tmp_path / "study" / "summary.csv")
    assert [int(row[1]) for row in shown.rows] == csv["simulations"].tolist()
    assert csv["simulations"].max() > 3
    assert "--target-se trace=0.11 --max-simulations 12" in page.code


def test_a_verification(ornstein: Callable, tmp_path: Path) -> None:
    result = ornstein("verify", "--fast", "--only", "5", "--jobs", 1, "--seed", 3, "--out", "v")
    assert result.status == 0
    assert result.err == "ornstein: wrote verification.json, report.html to v\n"
    page = read(tmp_path / "v" / "report.html")
    assert page.headings[0] == (1, VERIFICATION.title)
    assert page.by_class["question"] == [VERIFICATION.question]
    assert set(VERIFICATION.made) <= set(page.definitions)
    assert page.by_class["answer"] == ["Answer. All 2 checks hold."]
    assert page.code == "ornstein verify --fast --only 5 --seed 3"
    versions = dict(page.table("What it ran with").rows)
    assert {"python", "numpy", "ornstein", "CPU"} <= set(versions)
    stored = json.loads((tmp_path / "v" / "verification.json").read_text())
    (table,) = [table for table in page.tables if table.caption.startswith("5 ")]
    assert table.head == [
        *("check", "parameters", "runs", "predicted", "simulated", "z", "fails from", "allowed"),
        "verdict",
    ]
    for row, shown in zip(stored["rows"], table.rows, strict=True):
        assert shown[0] == row["check"]
        assert shown[1] == "d = 20, n = 50"
        assert shown[2] == str(row["simulations"])
        assert float(shown[3]) == pytest.approx(row["predicted"], abs=5e-4)
        mean, error = map(float, shown[4].split(" ± "))
        assert (mean, error) == pytest.approx((row["simulated"], row["standard_error"]), rel=0.05)
        assert float(shown[5]) == pytest.approx(row["z_beyond_allowance"], abs=0.06)
        assert float(shown[6]) == pytest.approx(row["threshold"], abs=0.01)
        assert shown[7:] == ["exact", "ok"]
    before = (tmp_path / "v" / "report.html").read_text()
    assert ornstein("report", "v").status == 0
    assert (tmp_path / "v" / "report.html").read_text() == before


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Path]:
    """Three tables, of which the third has rows of the first; for audits with few draws."""
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame({"<age>": rng.integers(18, 90, 60), "income": rng.normal(30, 8, 60).round(3)})
        for _ in range(3)
    ]
    frames[2].iloc[:15] = frames[0].iloc[20:35].to_numpy()
    for name, frame in zip("abc", frames, strict=True):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    with few_draws():
        yield tmp_path


SETS = ("--train", "a.csv", "--held-out", "b.csv", "--generated", "c.csv")


def test_an_audit_shows_rows_only_if_it_is_asked_to(ornstein: Callable, tables: Path) -> None:
    assert ornstein("audit", *SETS, "--fdr", 0.2, "--out", "found").status == 0
    first = (tables / "found" / "report.html").read_text()
    assert ornstein("report", "found").status == 0
    assert (tables / "found" / "report.html").read_text() == first
    page = check_page(first)
    assert page.code == f"ornstein audit {' '.join(SETS)} --fdr 0.2"
    assert dict(page.table("Options of the run").rows)["fdr"] == "0.2"
    train, generated = pd.read_csv(tables / "a.csv"), pd.read_csv(tables / "c.csv")
    assert str(train["income"][20]) not in first
    for name in ("audit.json", "copies.csv"):
        assert str(train["income"][20]) not in (tables / "found" / name).read_text()
    assert ornstein("report", "found", "--show-rows", "--out", "rows.html").status == 0
    rows = read(tables / "rows.html").table("Rows of the pairs, as they are in the files")
    assert rows.head == ["row", "<age>", "income"]
    shown = {row[0]: row[1:] for row in rows.rows}
    for i in range(10):
        own = generated.iloc[i]
        assert shown[f"generated {i}"] == [f"{own['<age>']:g}", str(own["income"])]
        assert [float(x) for x in shown[f"train {i + 20}"]] == train.iloc[i + 20].tolist()
    at_once = ornstein("audit", *SETS, "--fdr", 0.2, "--out", "found", "--show-rows")
    assert at_once.status == 0
    assert (tables / "found" / "report.html").read_text() == (tables / "rows.html").read_text()


def test_rows_that_cannot_be_shown_are_one_line(ornstein: Callable, tables: Path) -> None:
    ornstein("audit", *SETS, "--out", "found")
    pd.read_csv(tables / "c.csv").head(20).to_csv(tables / "c.csv", index=False)
    result = ornstein("report", "found", "--show-rows")
    assert result.status == 2
    assert "has 20 rows, and 60 were compared: it has changed since" in result.err
    result = ornstein("audit", *SETS, "--show-rows")
    assert "--show-rows has no effect without --out" in result.err
    rng = np.random.default_rng(0)
    for name in "abc":
        np.save(tables / f"{name}.npy", rng.random((20, 4, 4)))
    images = [word.replace("csv", "npy") for word in SETS]
    ornstein("audit", *images, "--out", "images")
    result = ornstein("report", "images", "--show-rows")
    assert "--show-rows has no effect: c.npy holds images" in result.err


def test_it_is_a_command_with_a_summary() -> None:
    assert "one HTML file" in COMMANDS["report"]
