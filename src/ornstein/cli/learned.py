"""From a study of a learned model to its folder, its tables and its exit status."""

from __future__ import annotations

__all__ = ["Running", "Report", "run_learned", "need_networks"]

import sys
import warnings
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ornstein.cli.parsing import UsageError, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ornstein.studies.learned import LearnedStudy
    from ornstein.studies.learned_config import Execution
    from ornstein.studies.store import Store

_LONGEST = 300.0


class Report(NamedTuple):
    """What a study has to say."""

    rows: Sequence[Mapping[str, Any]]
    """Of ``summary.csv``."""
    text: str
    extras: Mapping[str, Any]
    """Of the JSON document, beside the rows."""
    figures: Mapping[str, Any]
    """By file name."""


@dataclass(frozen=True)
class Running:
    """Options of a command that say where and how to compute, and how to show it."""

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    replicate_batch: int | None = None
    threads: int = 1
    log: Literal["csv", "tensorboard"] = "csv"
    out: str | None = None
    jobs: int = -1
    dask: str | None = None
    retry_failed: bool = False
    json: bool = False

    def __post_init__(self) -> None:
        if self.jobs == 0:
            raise UsageError("--jobs: given 0, expected 1 or more workers, or -1 for one per core")

    def execution(self, study: LearnedStudy, folder: Path) -> tuple[Execution, int]:
        """How a study runs, and the number of its workers."""
        import joblib

        from ornstein.studies.learned_config import Execution
        from ornstein.studies.trained_models import accelerated

        if self.accelerator == "gpu" and not accelerated():
            raise UsageError("--accelerator: given gpu, and PyTorch finds none: give cpu or auto")
        gpu = self.accelerator != "cpu" and accelerated()
        tensorboard = None
        if self.log == "tensorboard":
            tensorboard = Path("lightning_logs").resolve() / folder.name
        batch = self.replicate_batch
        if batch is None:
            batch = 1 if tensorboard is not None else _faster_batch(study, gpu=gpu)
        jobs = 1 if gpu and self.jobs == -1 else self.jobs
        alone = self.dask is None and joblib.effective_n_jobs(jobs) == 1
        execution = Execution(
            folder=folder.resolve(),
            threads=self.threads,
            accelerator="gpu" if gpu else "cpu",
            replicate_batch=batch,
            tensorboard=tensorboard,
            # Bars of several workers would write over each other.
            progress=None if alone and not self.json else False,
        )
        return execution, jobs


def _faster_batch(study: LearnedStudy, *, gpu: bool) -> int:
    """Replicates to train at once where nobody said how many.

    Networks trained at once leave no checkpoints: on a CPU, trainings that take long are done one
    by one.
    """
    from ornstein.networks import replicates_at_once
    from ornstein.studies.trained_models import untrained_network

    network = untrained_network(study, seed=0)
    count = min(replicates_at_once(network, "cuda" if gpu else "cpu"), study.simulations)
    longest = count * study.training_seconds(max(study.train_sizes))
    return count if gpu or longest < _LONGEST else 1


def need_networks() -> None:
    """Refuse in one line where PyTorch or Lightning is not installed.

    Raises
    ------
    UsageError
        With the name of the extra.
    """
    try:
        import ornstein.networks  # noqa: F401
    except ImportError as error:
        raise UsageError(str(error)) from error
    if find_spec("lightning") is None:
        raise UsageError("the learned model needs lightning: pip install 'ornstein[networks]'")


def run_learned(
    study: LearnedStudy,
    running: Running,
    report: Callable[[Any, Store, Path], Report | None],
) -> int:
    """Run a study in its folder, write and print what `report` makes of it; return the status."""
    from ornstein.reports.figures import save_figure
    from ornstein.studies.engine import planned_cells, run_study
    from ornstein.studies.folder import default_folder, refuse_foreign, write_config, written
    from ornstein.studies.store import Store
    from ornstein.studies.summaries import write_csv

    folder = Path(running.out) if running.out is not None else default_folder(study)
    refuse_foreign(folder)
    execution, jobs = running.execution(study, folder)
    study = replace(study, execution=execution)
    # joblib counts the tasks that Ctrl-C cancels; our own line says what is kept.
    warnings.filterwarnings("ignore", message=".*still being processed by the workers")
    options: Any = {"jobs": jobs, "dask": running.dask, "retry_failed": running.retry_failed}
    with Store(folder, study.identity, study.metrics) as store:
        config = study.options
        write_config(folder, study, config)
        try:
            run_study(study, store, **options)
        except KeyboardInterrupt:
            ready = len(store.finished())
            raise KeyboardInterrupt(
                f"interrupted: {ready} cells are in {folder}; the same command goes on from there"
            ) from None
        made = report(study, store, folder)
        failed = sorted(store.failed() & set(planned_cells(study)))
    if made is not None:
        write_csv(folder / "summary.csv", made.rows)
        for name, figure in made.figures.items():
            endings = [name] if "." in name else [f"{name}.svg", f"{name}.png"]
            save_figure(figure, *(folder / ending for ending in endings))
    if running.json:
        document: dict[str, Any] = {"folder": str(folder), "config": config}
        if made is not None:
            document |= {"rows": made.rows, **made.extras}
        print(as_json({**document, "notes": study.notes, "failed": failed}))
    else:
        if made is not None:
            print(made.text)
        print(f"\nWritten to {folder}:\n  {', '.join(written(folder))}")
    if failed:
        print(
            f"ornstein: {len(failed)} cell(s) failed: ornstein status {folder} shows why, "
            "--retry-failed computes them again",
            file=sys.stderr,
        )
    return 1 if failed else 0
