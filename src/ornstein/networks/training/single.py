r"""Train a network to reverse the diffusion process, with PyTorch Lightning.

Adam on the mean squared error of :mod:`ornstein.networks.process`, each image of a batch at its own
random diffusion step. Everything random is a function of the seed and of the position in the run
(:mod:`ornstein.networks.randomness`): stopped at any moment and called again with the same
arguments, training goes on from its checkpoint and on a CPU ends in the same weights, bit by bit.
"""

from __future__ import annotations

__all__ = ["TrainingResult", "train"]

import time
from pathlib import Path
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

    from torch import Tensor, nn

    from ornstein.networks.images import Images
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
    data: Images,
    config: TrainingConfig | None = None,
    *,
    process: DiffusionProcess | None = None,
    scaling: Scaling | None = None,
    checkpoint: str | Path | None = None,
    csv: str | Path | None = None,
    tensorboard: str | Path | None = None,
    snapshots: Collection[int] = (),
    observe: Callable[[int, LearnedDiffusion], Mapping[str, float] | None] | None = None,
    progress: bool | None = None,
) -> TrainingResult:
    """Train `network` in place.

    Parameters
    ----------
    network : nn.Module
        ``f(x, k)``; its weights are where training starts. Ours, or any module that returns a
        tensor of the shape of x, a tuple that begins with one, or an object whose `sample` is one
        (diffusers' ``UNet2DModel``).
    data : array-like of shape (n, channels, H, W) or (n, dim), Dataset or DataLoader
        In data units. Images with channels last are recognised; a data set of PyTorch is read into
        memory once. See :mod:`ornstein.networks.images`.
    config : TrainingConfig, optional
    process : DiffusionProcess, optional
        By default 200 diffusion steps, predicting epsilon.
    scaling : Scaling, optional
        By default ``Scaling.standard`` of the training images.
    checkpoint : str or Path, optional
        File to go on from if it is there, and to write on the way and at the end.
    csv : str or Path, optional
        File for the history.
    tensorboard : str or Path, optional
        Folder for TensorBoard: losses, observations, samples. Nothing is written elsewhere.
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
        If data or options cannot be used, or the checkpoint is of another training.
    KeyboardInterrupt
        On Ctrl-C; the checkpoint stays.
    """
    start = time.perf_counter()
    config = TrainingConfig() if config is None else config
    process = DiffusionProcess() if process is None else process
    checkpoint, csv, tensorboard = (
        None if path is None else Path(path) for path in (checkpoint, csv, tensorboard)
    )
    prepared = prepare(network, data, config, process, scaling, progress=progress)
    model, images = prepared.model, prepared.images
    history = History(csv)
    module = DiffusionModule(model, config).train()
    feed = DiffusionData(prepared, config)
    keeper = HistoryKeeper(history, feed, config.validate_every)
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
