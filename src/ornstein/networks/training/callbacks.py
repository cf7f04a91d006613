"""What happens beside training under Lightning: history, averages, observations, images, a bar.

All of them see the averaged weights where there are any, and none draws random numbers that
training would miss.
"""
# ruff: noqa: ARG002 - Lightning hands everything to every hook

from __future__ import annotations

__all__ = ["HistoryKeeper", "EMA", "Observations", "SampleGrids", "ProgressBar"]

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.callbacks import Callback, WeightAveraging

from ornstein.networks.randomness import Purpose, keyed_generator
from ornstein.networks.training.averaging import move_averages
from ornstein.networks.training.history import EpochLosses
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from lightning.pytorch import LightningModule, Trainer

    from ornstein.networks.learned import LearnedDiffusion
    from ornstein.networks.training.history import History
    from ornstein.networks.training.module import DiffusionData


class HistoryKeeper(Callback):
    """Keep the losses of every epoch in a history, and send them to the loggers.

    The history travels in checkpoints: after a resumed run it is that of an unbroken one.

    Parameters
    ----------
    history : History
    feed : DiffusionData
        Has the validation images.
    validate_every : int
        Epochs between two validations.
    """

    def __init__(self, history: History, feed: DiffusionData, validate_every: int) -> None:
        self.history = history
        self.feed = feed
        self.validate_every = validate_every
        self.losses = EpochLosses()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Sum up the losses of an epoch."""
        self.losses.add("train_loss", outputs["loss"], len(batch.x0))

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Sum up the losses of a validation pass."""
        self.losses.add("validation_loss", outputs, len(batch.x0))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the mean losses."""
        means = self.losses.close()
        due = not (trainer.current_epoch + 1) % self.validate_every
        if due and "validation_loss" not in means:
            # Lightning does not validate after an unfinished epoch.
            self._validate(trainer, pl_module)
            means |= self.losses.close()
        values = {"epoch": trainer.current_epoch, **means}
        self.history.note(trainer.global_step, values)
        for logger in trainer.loggers:
            logger.log_metrics(values, trainer.global_step)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file a last time."""
        self.history.write()

    def _validate(self, trainer: Trainer, pl_module: LightningModule) -> None:
        with (
            torch.no_grad(),
            _as_evaluated(trainer, pl_module),
            trainer.precision_plugin.val_step_context(),
        ):
            for index, batch in enumerate(self.feed.val_dataloader()):
                loss: Any = pl_module.validation_step(batch, index)
                self.losses.add("validation_loss", loss, len(batch.x0))

    @property
    def state_key(self) -> str:
        """Its name in checkpoints."""
        return "History"

    def state_dict(self) -> dict[str, Any]:
        """Rows, and sums of the epoch under way."""
        rows = [dict(row) for row in self.history.rows]
        return {"rows": rows, "sums": self.losses.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.history.rows[:] = state_dict["rows"]
        self.losses.load_state_dict(state_dict["sums"])


class EMA(WeightAveraging):
    """Lightning's weight averaging with our warm-up.

    Validation and the end of training see the average; checkpoints hold both.
    """

    def __init__(self, decay: float) -> None:
        def move(averages: Any, weights: Any, updates_before: Any) -> None:
            move_averages(averages, weights, decay, int(updates_before) + 1)

        super().__init__(use_buffers=False, multi_avg_fn=move)

    @contextmanager
    def averaged(self, module: LightningModule) -> Iterator[None]:
        """Context in which `module` has the averaged weights."""
        self._swap_models(module)
        try:
            yield
        finally:
            self._swap_models(module)


class Observations(Callback):
    """Call a function at chosen optimiser steps, and keep what it says in the history.

    Parameters
    ----------
    steps : collection of int
        1 is after the first step.
    observe : callable (step, model) -> mapping of str to float, or None
    history : History
    """

    def __init__(
        self,
        steps: Collection[int],
        observe: Callable[[int, LearnedDiffusion], Mapping[str, float] | None],
        history: History,
    ) -> None:
        self.steps = frozenset(steps)
        self.observe = observe
        self.history = history

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Observe if this step is one of those."""
        step = trainer.global_step
        if step not in self.steps:
            return
        model: Any = pl_module.model
        with _as_evaluated(trainer, pl_module):
            values = self.observe(step, model)
        if values:
            self.history.note(step, values)
            for logger in trainer.loggers:
                logger.log_metrics(dict(values), step)


class SampleGrids(Callback):
    """Draw a few images after every so many epochs, from the same start, for TensorBoard.

    Parameters
    ----------
    every : int
        Epochs between two.
    low, high : float
        Data units of black and white.
    seed : int
    count, sampling_steps : int
        Images, and DDIM steps to draw them.
    """

    def __init__(
        self,
        every: int,
        low: float,
        high: float,
        seed: int,
        count: int = 16,
        sampling_steps: int = 20,
    ) -> None:
        self.every = every
        self.low, self.high = low, high
        self.seed = seed
        self.count, self.sampling_steps = count, sampling_steps

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw if it is time."""
        if (trainer.current_epoch + 1) % self.every or trainer.logger is None:
            return
        model: Any = pl_module.model
        with _as_evaluated(trainer, pl_module):
            images = model.sample(
                self.count,
                sampler="ddim",
                sampling_steps=min(self.sampling_steps, model.process.diffusion_steps),
                generator=keyed_generator(self.seed, Purpose.GRIDS),
                progress=False,
            )
        grey = ((images - self.low) / max(self.high - self.low, 1e-12)).clamp(0, 1)
        if grey.shape[1] not in {1, 3}:
            grey = grey[:, :1]
        logger: Any = trainer.logger
        logger.experiment.add_images("samples", grey, trainer.global_step)


class ProgressBar(Callback):
    """Optimiser steps of `total`; `show` as for :func:`~ornstein.progress.progress_bar`."""

    def __init__(self, total: int, show: bool | None = None) -> None:
        self.total = total
        self.show = show
        self._bar: Any = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start where training starts."""
        self._bar = progress_bar(
            self.total, "step", self.show, trainer.global_step, label="training"
        )

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move on."""
        if self._bar is not None:
            self._bar.update()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def _as_evaluated(trainer: Trainer, module: LightningModule) -> Iterator[None]:
    """Averaged weights, if any, and evaluation mode."""
    averages = [c for c in getattr(trainer, "callbacks", []) if isinstance(c, EMA)]
    training = module.training
    with averages[0].averaged(module) if averages else nullcontext():
        module.eval()
        try:
            yield
        finally:
            module.train(training)
