"""Run the command line in this process, in a folder of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ornstein.cli.main import main


class Result(NamedTuple):
    """What a shell would see of a command."""

    status: int
    out: str
    err: str


@pytest.fixture
def ornstein(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    # Where no number of workers is given: starting one takes longer than a small study.
    monkeypatch.setattr("joblib.effective_n_jobs", lambda jobs=-1: 1 if jobs == -1 else jobs)

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as leaving:  # --help, --version and --print_config leave early
            status = int(leaving.code or 0)
        return Result(status, *capsys.readouterr())

    return run


@pytest.fixture
def draw_no_more(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Skip the drawing, which takes longer than a small study, from the call on."""
    name = "ornstein.engine.summary.Summary.write_figures"
    return lambda: monkeypatch.setattr(name, lambda *_: None)


@pytest.fixture
def without_figure(draw_no_more: Callable[[], None]) -> None:
    """Skip the drawing."""
    draw_no_more()
