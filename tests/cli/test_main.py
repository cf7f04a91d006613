"""The command line as a whole: help, JSON, configuration files, streams, exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ornstein import __version__
from ornstein.cli.parsing import integers, reals
from ornstein.json_values import as_json

TINY = ("linear", "--dim", 3, "--train-sizes", "5,8", "--simulations", 2, "--jobs", 1)


def strict(text: str) -> dict:
    """Read exactly one JSON document, without the literals that are no JSON."""

    def refuse(literal: str) -> None:
        raise AssertionError(f"{literal} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_help_and_version(ornstein: Callable) -> None:
    bare = ornstein()
    assert bare == ornstein("--help")
    assert bare.status == 0
    assert bare.err == ""
    for name in ("linear", "status", "predict"):
        assert f"    {name} " in bare.out
        assert ornstein(name, "--help").out.startswith("usage: ornstein")
    assert ornstein("--version").out == f"ornstein {__version__}\n"


def test_help_names_the_kind_and_default_of_each_option(ornstein: Callable) -> None:
    text = " ".join(ornstein("linear", "--help").out.split())
    assert "with data sizes around their dimension (type: text)" in text
    assert "diffusion time T (type: a number, default: 2.0)" in text
    assert " at 0x" not in text


def test_help_of_choices_fits_and_keeps_hyphens(ornstein: Callable) -> None:
    text = ornstein("audit", "--help").out
    assert "(one of day-first, month-first)" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    assert (
        "csv or markdown (one of text, latex, csv,\n" + " " * 24 + "markdown, default: text)\n"
        in text
    )


def test_usage_is_within_80_columns_and_breaks_no_option(ornstein: Callable) -> None:
    usage = ornstein("predict", "membership", "--help").out.partition("\n\n")[0].splitlines()
    assert usage[0] == "usage: ornstein predict membership [--config CONFIG] [--dim DIM]"
    assert max(map(len, usage)) <= 80
    assert all(line.startswith(" " * 35 + "[--") for line in usage[1:])


@pytest.mark.usefixtures("without_figure")
def test_json_is_one_strict_document(ornstein: Callable, tmp_path: Path) -> None:
    # Two points in three dimensions: infinities and missing errors, which JSON has no words for.
    result = ornstein(*TINY, "--train-sizes", "2,8", "--out", "study", "--json")
    assert (result.status, result.err) == (0, "")
    document = strict(result.out)
    assert document["folder"] == "study"
    assert document["config"]["train_sizes"] == [2, 8]
    assert [row["train_size"] for row in document["rows"]] == [2, 8]
    assert document["rows"][0]["kl_mean"] == "inf"
    assert document["rows"][0]["kl_se"] is None
    assert document["rows"][1]["kl_mean"] > 0
    assert document["failed"] == []
    assert strict(ornstein("status", "study", "--json").out)["sizes"] == [
        {"train_size": 2, "planned": 2, "done": 2, "failed": 0},
        {"train_size": 8, "planned": 2, "done": 2, "failed": 0},
    ]


def test_json_of_infinities_arrays_and_named_tuples() -> None:
    import numpy as np

    from ornstein.memorization.delta import DeltaTerms

    text = as_json({"a": [np.inf, -np.inf, np.nan], "b": np.arange(2), "c": DeltaTerms(1, 2, 3, 4)})
    assert strict(text)["a"] == ["inf", "-inf", None]
    assert strict(text)["b"] == [0, 1]
    assert strict(text)["c"]["cross_train"] == 2


@pytest.mark.usefixtures("without_figure")
def test_printed_configuration_runs_the_same_study(ornstein: Callable, tmp_path: Path) -> None:
    options = ("--mean", "-1,2.5", "--std", "1,0.123456789", "--weights", "0.25,0.75", "--seed", 4)
    printed = ornstein(*TINY, *options, "--print_config")
    assert printed.status == 0
    assert yaml.safe_load(printed.out)["mean"] == "-1,2.5"
    (tmp_path / "printed.yaml").write_text(printed.out)
    ornstein(*TINY, *options, "--out", "direct")
    assert ornstein("linear", "--config", "printed.yaml", "--out", "again").status == 0
    direct, again = (Path(name, "summary.csv").read_bytes() for name in ("direct", "again"))
    assert direct == again


@pytest.mark.usefixtures("without_figure")
def test_options_after_a_configuration_file_win(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "given.yaml").write_text("dim: 3\ntrain_sizes: [4, 6]\nsimulations: 1\nmean: -2\n")
    result = ornstein("linear", "--config", "given.yaml", "--train-sizes", 5, "--json")
    config = strict(result.out)["config"]
    assert config["train_sizes"] == [5]
    assert config["mean"] == [-2.0]
    assert config["dim"] == 3


def test_lists_of_numbers() -> None:
    assert integers("25:100:25", "n") == (25, 50, 75, 100)
    assert integers("25:99:25", "n") == (25, 50, 75)
    assert integers("3:5, 4, 9", "n") == (3, 4, 5, 9)
    assert integers("[50, 25]", "n") == (50, 25)
    assert reals("-1:1:1,3", "x") == (-1.0, 0.0, 1.0, 3.0)
    assert reals("0:1:0.1", "x")[-1] == pytest.approx(1.0)


# What the installed script does, but for figures, which take longer than the study.
ENTRY = """
import sys
from ornstein.cli import main
from ornstein.engine.summary import Summary
Summary.write_figures = lambda *_: None
sys.exit(main(sys.argv[1:]))
"""


def entry(*arguments: object) -> list[str]:
    return [sys.executable, "-c", ENTRY, *map(str, arguments)]


@pytest.mark.usefixtures("without_figure")
def test_progress_is_shown_on_a_terminal_and_only_on_stderr(
    ornstein: Callable, tmp_path: Path
) -> None:
    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    options = (*TINY, "--simulations", 20, "--out", "study", "--json")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen(entry(*options), stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path)
    os.close(theirs)
    out, _ = process.communicate()
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    assert process.returncode == 0
    assert b"/40 " in shown
    assert strict(out.decode())["rows"][0]["simulations"] == 20
    # The same without a terminal: silence, and the same document.
    quiet = ornstein(*options)
    assert quiet.err == ""
    assert quiet.out == out.decode()


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """``ornstein predict one-step | head -1``."""
    process = subprocess.Popen(
        entry("predict", "one-step", "--n-train", "2:200"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()
