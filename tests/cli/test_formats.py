"""``--format`` and ``--style`` of every command: what is printed, and what excludes each other."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ornstein import theory
from ornstein.cli.output import in_format
from ornstein.reports.documents import document_of
from ornstein.studies import LinearOptions, LinearStudy

LINEAR = ("linear", "--dim", 4, "--train-sizes", "9,30", "--simulations", 2, "--jobs", 1)


def values(text: str) -> list[list[str]]:
    """Rows of the tables of a CSV, without words."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return list(csv.reader(io.StringIO("\n".join(lines))))


def test_a_prediction(ornstein: Callable) -> None:
    sizes = ("predict", "one-step", "--dim", 7, "--n-train", "5,40")
    head, *rows = values(ornstein(*sizes, "--format", "csv").out)
    assert head == ["n", "KL, nats", "Wasserstein^2", "Hellinger^2", "tr/(d s^2)", "ln det"]
    exact = json.loads(ornstein(*sizes, "--json").out)
    assert [row[0] for row in rows] == ["5", "40"]
    assert rows[0][1] == "inf"
    assert float(rows[1][1]) == pytest.approx(exact["kl"][1], rel=1e-5)
    assert float(rows[1][2]) == pytest.approx(exact["wasserstein_squared"][1], rel=1e-5)
    latex = ornstein(*sizes, "--format", "latex").out
    assert "infinite" in latex
    assert r"\caption{One-step linear denoiser on N(m, $1^{2}$ I), d = 7, T = 2" in latex
    assert "| n | KL, nats |" in ornstein(*sizes, "--format", "markdown").out


def test_a_study(ornstein: Callable, without_figure: None) -> None:
    options = LinearOptions(dim=4, train_sizes=(9, 30), simulations=2)
    document = document_of(LinearStudy(options).run(jobs=1))
    for name in ("latex", "csv", "markdown"):
        result = ornstein(*LINEAR, "--out", "study", "--format", name)
        assert result.status == 0
        assert result.out == in_format(document, name) + "\n"


def test_status_and_merge(ornstein: Callable, tmp_path: Path, without_figure: None) -> None:
    for shard in ("1/2", "2/2"):
        ornstein(*LINEAR, "--out", "study", "--shard", shard)
    merged = ornstein("merge", "study", "--format", "csv", "--style", "paper")
    assert merged.status == 0
    assert merged.out.startswith("# One-step linear denoiser on N(10, 1^2) in d = 4\n")
    assert "4 cells of 2 folder(s) merged into study" in merged.err
    rows = values(ornstein("status", "study", "--format", "csv").out)
    assert rows == [["n", "planned", "done", "failed"], ["9", "2", "2", "0"], ["30", "2", "2", "0"]]


def test_a_verification(ornstein: Callable) -> None:
    printed = ornstein("verify", "--fast", "--only", "5", "--jobs", 1, "--format", "csv").out
    head, *rows = values(printed)
    assert head[:6] == ["check", "parameters", "runs", "predicted", "simulated", "simulated s.e."]
    expected = theory.wishart_kl(20, 50)
    assert [row[0] for row in rows] == ["KL(gen || pop)", "KL(pop || gen)"]
    for row, value in zip(rows, expected, strict=True):
        predicted, simulated, error = map(float, row[3:6])
        assert predicted == pytest.approx(value, abs=5e-4)
        assert 0 < error < 0.02
        assert simulated != predicted
        assert abs(simulated - value) < 4.3 * error


@pytest.mark.parametrize("name", ["paper", "talk"])
def test_a_plot_has_its_style(ornstein: Callable, tmp_path: Path, name: str) -> None:
    result = ornstein("predict", "wishart-kl", "--plot", "a.svg", "--style", name)
    assert result.status == 0
    width = {"paper": "241.2pt", "talk": "612pt"}[name]
    assert f'width="{width}"' in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*LINEAR, "--json", "--format", "csv"), "--format csv and --json exclude each other"),
        ((*LINEAR, "--format", "word"), "--format: given 'word', expected"),
        ((*LINEAR, "--style", "poster"), "--style: given 'poster', expected"),
        ((*LINEAR, "--shard", "1/2", "--format", "csv"), "--format has no effect with --shard"),
        ((*LINEAR, "--shard", "1/2", "--style", "talk"), "--style has no effect with --shard"),
        (("predict", "collapse", "--style", "talk"), "--style has no effect without --plot"),
        (("predict", "collapse", "--json", "--format", "csv"), "--json exclude each other"),
        (("status", "x", "--json", "--format", "csv"), "--json exclude each other"),
        (("status", "x", "--watch", "--format", "csv"), "--watch and --format exclude each other"),
        (("merge", "x", "--json", "--format", "csv"), "--json exclude each other"),
        (("merge", "x", "--json", "--style", "talk"), "--style has no effect with --json"),
        (("verify", "--json", "--format", "latex"), "--format latex and --json exclude each other"),
        (("verify", "--out", "a file"), "--out: 'a file' is a file, expected a folder"),
        (("audit", "--json", "--format", "csv"), "--json exclude each other"),
    ],
)
def test_what_has_no_effect_is_refused(
    ornstein: Callable, tmp_path: Path, arguments: tuple, words: str
) -> None:
    (tmp_path / "a file").touch()
    result = ornstein(*arguments)
    assert result.status == 2
    assert result.out == ""
    assert words in result.err
    assert result.err.count("\n") == 1
