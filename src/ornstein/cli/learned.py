"""Where and how a study of a learned model is computed: threads, workers, GPU, logs."""

from __future__ import annotations

__all__ = ["Running", "run_learned", "need_networks"]

import inspect
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ornstein.cli.conducting import checked_jobs, conduct, study_folder
from ornstein.cli.parsing import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ornstein.cli.conducting import Report
    from ornstein.engine.store import Store
    from ornstein.studies.neural.config import Execution
    from ornstein.studies.neural.study import LearnedStudy

_LONGEST = 300.0


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
        checked_jobs(self.jobs)

    def execution(self, study: LearnedStudy, folder: Path) -> tuple[Execution, int]:
        """How a study runs, and the number of its workers."""
        import joblib

        from ornstein.studies.neural.config import Execution
        from ornstein.studies.neural.models import accelerated

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
    from ornstein.studies.neural.models import untrained_network

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
    command: Callable[..., int],
) -> int:
    """Run a study in its folder, write and print what `report` makes of it; return the status.

    Of the configuration, ``config.yaml`` keeps what are options of `command`, which reads it again.
    """
    folder = study_folder(study, running.out)
    execution, jobs = running.execution(study, folder)
    ready = replace(study, execution=execution)
    options = inspect.signature(command).parameters
    return conduct(
        ready,
        folder,
        {name: value for name, value in ready.options.items() if name in options},
        lambda store: report(ready, store, folder),
        jobs=jobs,
        dask=running.dask,
        retry_failed=running.retry_failed,
        json=running.json,
    )
