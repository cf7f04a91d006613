"""Run Lightning's trainer as a library should: without output or files, in this process.

Without loggers or checkpoints of ours nothing is written. Ctrl-C raises KeyboardInterrupt, where
Lightning would end the process.
"""

from __future__ import annotations

__all__ = ["fit", "accelerator_of"]

import logging
import math
import signal
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lightning.pytorch import Callback

    from ornstein.networks.training.config import TrainingConfig
    from ornstein.networks.training.module import DiffusionData, DiffusionModule

_LOGGERS = ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")


def fit(
    module: DiffusionModule,
    feed: DiffusionData,
    config: TrainingConfig,
    callbacks: Sequence[Callback],
    *,
    logger: Any = False,
    resume: Path | None = None,
) -> None:
    """Train `module` on `feed`.

    Parameters
    ----------
    module, feed, config
        What, on what, how.
    callbacks : sequence of Callback
    logger : Logger or False
    resume : Path, optional
        Checkpoint to go on from.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C.
    """
    with _quiet(), _interruptible():
        trainer = Trainer(
            accelerator=accelerator_of(config),
            devices=1,
            # On a cluster, too, one training is one process: Slurm's variables are not for us.
            plugins=[LightningEnvironment()],
            precision=config.precision,
            # Not max_steps: with it, Lightning resumes at the end of an epoch as in its middle.
            max_epochs=math.ceil(feed.total_steps / feed.epoch_length),
            check_val_every_n_epoch=config.validate_every,
            limit_val_batches=None if len(feed.validation_indices) else 0,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            logger=logger,
            callbacks=list(callbacks),
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, datamodule=feed, ckpt_path=resume, weights_only=True)


def accelerator_of(config: TrainingConfig) -> str:
    """The accelerator to train on, "cpu" or "gpu".

    Not Lightning's "auto": that would choose devices without float64, which a process needs.

    Raises
    ------
    ValueError
        If there is no GPU and the configuration wants one.
    """
    found = torch.cuda.is_available()
    if config.accelerator in {"gpu", "cuda"} and not found:
        raise ValueError(
            f"accelerator is {config.accelerator!r}, and PyTorch finds no GPU: give 'cpu' or 'auto'"
        )
    return "gpu" if found and config.accelerator != "cpu" else "cpu"


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _interruptible() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as leaving:
        if isinstance(leaving.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
