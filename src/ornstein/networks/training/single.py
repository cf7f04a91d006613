r"""Train a network to reverse the diffusion process, with PyTorch Lightning.

Adam on the mean squared error of :mod:`ornstein.networks.process`, each image of a batch at its own
random step. Everything random is a function of the seed and of the position in the run
(:mod:`ornstein.networks.randomness`): stopped at any moment and called again with the same
arguments, training goes on from its checkpoint and on a CPU ends in the same weights, bit by bit.
"""

from __future__ import annotations

__all__ = ["TrainingResult", "train"]

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.networks.process import DiffusionProcess
from ornstein.networks.training.callbacks import (
    EMA,
    HistoryKeeper,
    Observations,
    ProgressBar,
    SampleGrids,
)
from ornstein.networks.training.checkpoints import Checkpoints, read_checkpoint, training_identity
from ornstein.networks.training.config import TrainingConfig
from ornstein.networks.training.fitting import fit
from ornstein.networks.training.history import History
from ornstein.networks.training.module import DiffusionData, DiffusionModule
from ornstein.networks.training.preparing import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike
    from torch import Tensor, nn

    from ornstein.networks.learned import LearnedDiffusion, Scaling


class TrainingResult(NamedTuple):
    """What training leaves."""

    model: LearnedDiffusion
    """On the CPU, in evaluation mode, with averaged weights if asked for."""
    history: list[dict[str, float]]
    """Rows by optimiser step: epoch, mean losses, observations."""
    train_indices: Tensor
    """Which of the images it was trained on."""
    seconds: float
    """Of this call."""


def train(
    network: nn.Module,
    data: ArrayLike,
    config: TrainingConfig | None = None,
    *,
    process: DiffusionProcess | None = None,
    scaling: Scaling | None = None,
    checkpoint: Path | None = None,
    csv: Path | None = None,
    tensorboard: Path | None = None,
    snapshots: Collection[int] = (),
    observe: Callable[[int, LearnedDiffusion], Mapping[str, float] | None] | None = None,
    progress: bool | None = None,
) -> TrainingResult:
    """Train `network` in place.

    Parameters
    ----------
    network : nn.Module
        ``f(x, k)``; its weights are where training starts.
    data : array-like of shape (n, channels, H, W) or (n, dim)
        In data units.
    config : TrainingConfig, optional
    process : DiffusionProcess, optional
        200 steps, predicting epsilon, when left out.
    scaling : Scaling, optional
        ``Scaling.standard`` of the training images when left out.
    checkpoint : Path, optional
        File to go on from if it is there, and to write on the way and at the end.
    csv : Path, optional
        File for the history.
    tensorboard : Path, optional
        Folder for TensorBoard, ``lightning_logs/NAME``: losses, observations, samples.
    snapshots : collection of int
        Optimiser steps at which to observe; 1 is after the first.
    observe : callable (step, model) -> mapping of str to float, or None
        Called there; what it returns is noted in history and logs. A resumed run does not call it
        again for steps before its checkpoint.
    progress : bool, optional
        Show a progress bar on stderr; by default if that is a terminal.

    Returns
    -------
    TrainingResult
        ``model``, ``history``, ``train_indices``, ``seconds``.

    Raises
    ------
    ValueError
        If data or options are no good, or the checkpoint is of another training.
    KeyboardInterrupt
        On Ctrl-C; the checkpoint stays.
    """
    start = time.perf_counter()
    config = TrainingConfig() if config is None else config
    process = DiffusionProcess() if process is None else process
    prepared = prepare(network, data, config, process, scaling)
    model, images = prepared.model, prepared.images
    history = History(csv)
    module = DiffusionModule(model, config).train()
    feed = DiffusionData(prepared, config)
    keeper = HistoryKeeper(history)
    callbacks: list[Any] = [keeper, ProgressBar(feed.total_steps, progress)]
    if config.ema_decay:
        callbacks.append(EMA(config.ema_decay))
    if observe is not None:
        callbacks.append(Observations(snapshots, observe, history))
    if tensorboard is not None and images.ndim == 4:
        grey = float(images.min()), float(images.max())
        callbacks.append(SampleGrids(config.validate_every, *grey, config.seed))
    resume = None
    if checkpoint is not None:
        identity = training_identity(model, images, config)
        callbacks.append(Checkpoints(checkpoint, identity, config.checkpoint_seconds))
        if checkpoint.exists():
            resume = checkpoint
            state = read_checkpoint(checkpoint, identity)
            if state["ornstein"]["finished"]:
                module.load_state_dict(state["state_dict"])
                keeper.load_state_dict(state["callbacks"][keeper.state_key])
                history.write()
                model.eval()
                seconds = time.perf_counter() - start
                return TrainingResult(model, history.rows, feed.train_indices, seconds)
    logger = False if tensorboard is None else _tensorboard(tensorboard)
    fit(module, feed, config, callbacks, logger=logger, resume=resume)
    model.cpu().eval()
    return TrainingResult(model, history.rows, feed.train_indices, time.perf_counter() - start)


def _tensorboard(folder: Path) -> Any:
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        raise ValueError("a TensorBoard log needs pip install 'ornstein[networks]'") from None
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(folder.parent, folder.name, "", default_hp_metric=False)
