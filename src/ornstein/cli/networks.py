"""Where and how a study of trained networks is computed: threads, workers, GPU, logs."""

from __future__ import annotations

__all__ = ["NeuralRunOptions", "run_networks", "require_networks"]

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ornstein.cli.parsing import UsageError
from ornstein.cli.running import RunOptions, run_study

if TYPE_CHECKING:
    from ornstein.studies.neural.options import Execution
    from ornstein.studies.neural.study import NeuralStudy

_LONGEST = 300.0


@dataclass(frozen=True)
class NeuralRunOptions(RunOptions):
    """Where to compute, and how to show it.

    Parameters
    ----------
    replicate_batch : int
        replicates trained at once; by default what is faster: 16 networks below a million
        parameters or 1 larger one on a CPU, as many as fit on a GPU
    accelerator : str
        where to train; auto: on a GPU if there is one
    threads : int
        threads of PyTorch in each worker; results are bit-identical for any --jobs, not for any
        --threads
    log : str
        losses go to logs/ as CSV; tensorboard: with samples and memorization to lightning_logs/ in
        the study folder too
    jobs : int
        worker processes; -1 for one per core, on a GPU for one
    """

    replicate_batch: int | None = None
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    threads: int = 1
    log: Literal["csv", "tensorboard"] = "csv"

    def execution(self, study: NeuralStudy, folder: Path) -> tuple[Execution, int]:
        """How a study runs, and the number of its workers."""
        import joblib

        from ornstein.studies.neural.models import accelerated
        from ornstein.studies.neural.options import Execution

        if self.accelerator == "gpu" and not accelerated():
            raise UsageError("--accelerator: given gpu, and PyTorch finds none: give cpu or auto")
        gpu = self.accelerator != "cpu" and accelerated()
        tensorboard = None
        if self.log == "tensorboard":
            tensorboard = folder.resolve() / "lightning_logs"
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


def _faster_batch(study: NeuralStudy, *, gpu: bool) -> int:
    """Replicates to train at once, by default.

    Networks trained at once leave no checkpoints: on a CPU, trainings that take long are done one
    by one.
    """
    from ornstein.networks import replicates_at_once
    from ornstein.studies.neural.models import untrained_network

    network = untrained_network(study, seed=0)
    count = min(replicates_at_once(network, "cuda" if gpu else "cpu"), study.simulations)
    longest = count * study.training_seconds(max(study.train_sizes))
    return count if gpu or longest < _LONGEST else 1


def require_networks() -> None:
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


def run_networks(study: NeuralStudy, options: NeuralRunOptions) -> int:
    """Run a study in its folder, and print what it found; return the exit status."""
    folder = options.folder(study)
    execution, jobs = options.execution(study, folder)
    return run_study(replace(study, execution=execution), replace(options, jobs=jobs), folder)
