"""Run a study in its folder, and print what it found."""

from __future__ import annotations

__all__ = ["RunOptions", "run_study", "command_of", "missing_by", "COMMANDS"]

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein.cli.output import FigureStyle, Format, in_format, one_output
from ornstein.cli.parsing import UsageError
from ornstein.json_values import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.engine.precision import Precision
    from ornstein.engine.shards import Shard
    from ornstein.engine.study import Study

MAX_SIMULATIONS = 5000
COMMANDS = {
    "linear": "linear",
    "steps": "steps",
    "empirical-steps": "steps",
    "recursion": "recursion",
    "mlp-recursion": "recursion",
    "unet": "unet",
    "unet-snapshots": "unet",
    "unet-canaries": "unet",
    "unet-steps": "steps",
}
"""Command of each kind of study."""


@dataclass(frozen=True)
class RunOptions:
    """Where to compute, and how to show it.

    Parameters
    ----------
    out : str
        study folder; by default runs/<study>-<digest of the configuration>
    jobs : int
        worker processes; -1 for one per core
    dask : str
        address of a dask scheduler to work on, tcp://host:port; local: one on this machine
    shard : str
        compute share i of k alone, as 3/8, in a folder of its own; ornstein merge joins them
    target_se : str
        add runs to a training size until these standard errors are reached, as kl=0.01,delta=0.02
        (delta: of P(Delta > 0)); simulations is then the least number of runs
    max_simulations : int
        most runs of a training size, with target-se; by default 5000
    retry_failed : bool
        compute failed cells again
    json : bool
        print one JSON document and nothing else
    format : str
        of the tables that are printed: text, latex (booktabs), csv or markdown
    style : str
        of the figures: screen; paper (the width of a column of text, small type); talk (a slide)
    """

    out: str | None = None
    jobs: int = -1
    dask: str | None = None
    shard: str | None = None
    target_se: str | None = None
    max_simulations: int | None = None
    retry_failed: bool = False
    json: bool = False
    format: Format = "text"
    style: FigureStyle = "screen"

    def __post_init__(self) -> None:
        one_output(self.format, json=self.json)
        for name, value, usual in (
            ("format", self.format, "text"),
            ("style", self.style, "screen"),
        ):
            if self.shard is not None and value != usual:
                raise UsageError(
                    f"--{name} has no effect with --shard, which prints and draws nothing: give it "
                    "to ornstein merge"
                )
        if self.jobs == 0:
            raise UsageError("--jobs: given 0, expected 1 or more workers, or -1 for one per core")
        self.chosen_shard()
        self.chosen_precision()

    def chosen_shard(self) -> Shard | None:
        """The share to compute; None for all."""
        from ornstein.engine.shards import Shard

        try:
            return None if self.shard is None else Shard.read(self.shard)
        except ValueError as error:
            raise UsageError(f"--shard: {error}") from error

    def chosen_precision(self) -> Precision | None:
        """The standard errors to reach; None if none are asked for."""
        from ornstein.engine.precision import Precision

        if self.target_se is None:
            if self.max_simulations is not None:
                raise UsageError("--max-simulations has no effect without --target-se")
            return None
        most = MAX_SIMULATIONS if self.max_simulations is None else self.max_simulations
        try:
            return Precision.read(self.target_se, most)
        except (ValueError, TypeError) as error:
            raise UsageError(f"--target-se: {error}") from error

    def folder(self, study: Study) -> Path:
        """Folder of a study, given or derived, that holds no files of another."""
        from ornstein.engine.folder import default_folder, require_study_folder

        folder = default_folder(study) if self.out is None else Path(self.out)
        require_study_folder(folder)
        return folder


def run_study(study: Study, options: RunOptions, folder: Path | None = None) -> int:
    """Run a study in its folder, print its tables or its JSON document; return the exit status."""
    from ornstein.engine.folder import written
    from ornstein.reports.figure_styles import figure_style

    folder = options.folder(study) if folder is None else folder
    shard = options.chosen_shard()
    with figure_style(options.style):
        summary = study.run(
            folder,
            jobs=options.jobs,
            dask=options.dask,
            shard=shard,
            precision=options.chosen_precision(),
            retry_failed=options.retry_failed,
        )
    if shard is not None:
        place = shard.folder(folder)
        if options.json:
            print(as_json({"folder": str(place), "failed": summary.failed}))
        else:
            print(f"Shard {shard.index} of {shard.count} is done: {place}")
            print(f"When all are, ornstein merge {folder} joins them and prints the tables.")
        folder = place
    elif options.json:
        document: dict[str, Any] = {"folder": str(folder), "config": study.settings}
        if summary.rows:
            document |= summary.document()
        print(as_json({**document, "failed": summary.failed}))
    else:
        if summary.rows and options.format != "text":
            from ornstein.reports.documents import document_of

            print(in_format(document_of(summary), options.format))
        elif summary.rows:
            print(summary.table())
        if options.format == "text":
            print(f"\nWritten to {folder}:\n  {', '.join(written(folder))}")
    if summary.failed:
        print(
            f"ornstein: {len(summary.failed)} cell(s) failed: ornstein status {folder} shows why, "
            "--retry-failed computes them again",
            file=sys.stderr,
        )
    return 1 if summary.failed else 0


def command_of(folder: Path) -> list[str] | None:
    """The command that goes on with a study, from its configuration; None if there is none."""
    config = folder / "config.yaml"
    if not config.is_file():
        return None
    kind = config.read_text().removeprefix("# ").partition(" study")[0]
    if kind not in COMMANDS:
        return None
    return [COMMANDS[kind], "--config", str(config), "--out", str(folder)]


def missing_by(command: Sequence[str]) -> str:
    """Say what computes the cells that are missing."""
    return f"What is missing is computed by: ornstein {shlex.join(command)}"
