"""What happens beside training: a history, observations, sample grids, a progress bar.

All of them see the averaged weights where there are any, and none draws random numbers that
training would miss.
"""
# ruff: noqa: ARG002 - Lightning hands everything to every hook

from __future__ import annotations

__all__ = ["History", "Observations", "SampleGrids", "ProgressBar"]

import csv
import os
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback

from ornstein.networks.randomness import keyed_generator
from ornstein.networks.training.averaging import EMA
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from lightning.pytorch import LightningModule, Trainer

    from ornstein.networks.learned import LearnedDiffusion

_SECONDS_BETWEEN_WRITES = 5.0


class History(Callback):
    """Losses of every epoch and all observations, by optimiser step; kept as CSV if told where.

    It travels in checkpoints: after a resumed run it is the history of an unbroken one.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self._written = time.monotonic()
        self._sums: dict[str, float] = {}

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Note values at an optimiser step, beside those already noted there."""
        if not self.rows or self.rows[-1]["step"] != step:
            self.rows.append({"step": step})
        self.rows[-1].update({name: float(value) for name, value in values.items()})
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Write the CSV file, whole or not at all."""
        if self.path is None or not self.rows:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.tmp")
        with draft.open("w", newline="") as stream:
            names = dict.fromkeys(name for row in self.rows for name in row)
            writer = csv.DictWriter(stream, list(names), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        os.replace(draft, self.path)  # noqa: PTH105 - atomic on every platform
        self._written = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Sum up the losses of an epoch."""
        self._accumulate("train_loss", outputs["loss"], batch)

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
        self._accumulate("validation_loss", outputs, batch)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the mean losses."""
        names = ("train_loss", "validation_loss")
        losses = {
            name: self._sums[name] / self._sums[f"{name}_count"]
            for name in names
            if name in self._sums
        }
        self._sums = {}
        self.add(trainer.global_step, {"epoch": trainer.current_epoch, **losses})

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file a last time."""
        self.write()

    def state_dict(self) -> dict[str, Any]:
        """Rows, and sums of the epoch under way."""
        sums = {name: float(value) for name, value in self._sums.items()}
        return {"rows": [dict(row) for row in self.rows], "sums": sums}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.rows, self._sums = state_dict["rows"], state_dict["sums"]

    def _accumulate(self, name: str, loss: Any, batch: Any) -> None:
        # Still a tensor: reading it here would make the device wait at every step.
        size = len(batch.x0)
        self._sums[name] = self._sums.get(name, 0.0) + size * loss.detach().double()
        self._sums[f"{name}_count"] = self._sums.get(f"{name}_count", 0) + size


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
            self.history.add(step, values)
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
    count, steps : int
        Images, and DDIM steps to draw them.
    """

    def __init__(
        self, every: int, low: float, high: float, seed: int, count: int = 16, steps: int = 20
    ) -> None:
        self.every = every
        self.low, self.high = low, high
        self.seed = seed
        self.count, self.steps = count, steps

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw if it is time."""
        if (trainer.current_epoch + 1) % self.every or trainer.logger is None:
            return
        model: Any = pl_module.model
        with _as_evaluated(trainer, pl_module):
            images = model.sample(
                self.count,
                sampler="ddim",
                steps=min(self.steps, model.process.steps),
                generator=keyed_generator(self.seed, 0),
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
        self._bar = progress_bar(self.total, "step", self.show, trainer.global_step)

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
