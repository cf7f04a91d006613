r"""Many replicates of a small network, trained at once.

The total loss of a :class:`~ornstein.networks.stacking.Stack` is the sum of K losses, each a
function of its own parameters only, and clipping and Adam treat each network by itself
(:mod:`ornstein.networks.training.optimiser`): every replicate goes the way it would go alone, with
the batches it would have alone, up to rounding.
"""

from __future__ import annotations

__all__ = ["ReplicatesResult", "train_replicates"]

import copy
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ornstein.networks.process import DiffusionProcess
from ornstein.networks.randomness import dropout_randomness
from ornstein.networks.stacking import Stack
from ornstein.networks.training.averaging import move_averages
from ornstein.networks.training.config import TrainingConfig
from ornstein.networks.training.data import TrainingBatch, TrainingStream, ValidationBatches
from ornstein.networks.training.history import EpochLosses, History
from ornstein.networks.training.optimiser import adam, clip_gradients
from ornstein.networks.training.preparing import prepare
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from ornstein.networks.images import Images
    from ornstein.networks.learned import LearnedDiffusion, Scaling
    from ornstein.networks.training.preparing import Prepared


class ReplicatesResult(NamedTuple):
    """What training leaves, in the order of the replicates."""

    models: list[LearnedDiffusion]
    """On the CPU, in evaluation mode, with averaged weights if asked for."""
    histories: list[list[dict[str, float]]]
    """Rows by optimiser step: epoch, mean losses, observations."""
    train_indices: list[Tensor]
    """Which of its images each was trained on."""
    seconds: float
    """Of this call."""


def train_replicates(
    networks: Sequence[nn.Module],
    data: Sequence[Images],
    seeds: Sequence[int],
    config: TrainingConfig | None = None,
    *,
    process: DiffusionProcess | None = None,
    scaling: Scaling | None = None,
    snapshots: Collection[int] = (),
    observe: Callable[[int, list[LearnedDiffusion]], Sequence[Mapping[str, float]] | None]
    | None = None,
    validate: bool = False,
    device: str | torch.device = "cpu",
    progress: bool | None = None,
) -> ReplicatesResult:
    """Train K networks of one kind at once, each as it would be trained alone.

    There are no checkpoints: this is for trainings of seconds. (Only dropout, in networks that have
    it, is another than it would be alone.)

    Parameters
    ----------
    networks : sequence of nn.Module
        K networks, equal except for their weights; trained in place.
    data : sequence of K array-likes of shape (n, ...), Datasets or DataLoaders
        In data units, all of one shape, as for a single training.
    seeds : sequence of K ints
        Each takes the place of ``config.seed``.
    config : TrainingConfig, optional
        ``precision`` 16-mixed is not for this; ``accelerator`` is replaced by `device`.
    process, scaling
        As for a single training.
    snapshots : collection of int
        Optimiser steps at which to observe.
    observe : callable (step, models) -> K mappings of str to float, or None
        Called there with all models.
    validate : bool
        Note validation losses, at the end of every ``config.validate_every`` epochs: those of a
        training alone. Off by default, since an epoch is often a single step.
    device : str or torch.device
    progress : bool, optional
        Show a progress bar on stderr; by default if that is a terminal.

    Returns
    -------
    ReplicatesResult

    Raises
    ------
    ValueError
        If lengths or shapes disagree.

    See Also
    --------
    ornstein.networks.train : One network, with checkpoints, logs and validation.
    """
    start = time.perf_counter()
    config = TrainingConfig() if config is None else config
    process = DiffusionProcess() if process is None else process
    _check(networks, data, seeds, config)
    configs = [replace(config, seed=seed) for seed in seeds]
    prepared = [
        prepare(network, points, own, copy.deepcopy(process), scaling, progress=progress)
        for network, points, own in zip(networks, data, configs, strict=True)
    ]
    _check_shapes(prepared)
    models = [each.model.to(device).train() for each in prepared]
    total = config.total_steps(len(prepared[0].train_indices))
    training = _StackedTraining(prepared, configs, validate=validate)
    histories = [History() for _ in models]
    with progress_bar(total, "step", progress, label="training") as bar:
        for step, means in training.steps(total):
            if step in snapshots and observe is not None:
                with training.evaluated():
                    _note(histories, step, observe(step, models))
            if means:
                _note(histories, step, means)
            bar.update()
    training.write_back()
    for model in models:
        model.cpu().eval()
    rows = [history.rows for history in histories]
    indices = [each.train_indices for each in prepared]
    return ReplicatesResult(models, rows, indices, time.perf_counter() - start)


class _StackedTraining:
    """Stacked weights of K models in training, their averages, the optimiser, and the batches."""

    def __init__(
        self, prepared: Sequence[Prepared], configs: Sequence[TrainingConfig], *, validate: bool
    ) -> None:
        self.models = [each.model for each in prepared]
        self.config = configs[0]
        options = [
            {
                "diffusion_steps": each.model.process.diffusion_steps,
                "batch_size": own.batch_size,
                "seed": own.seed,
            }
            for each, own in zip(prepared, configs, strict=True)
        ]
        self.streams = [
            TrainingStream(_images(each, each.train_indices), **own)
            for each, own in zip(prepared, options, strict=True)
        ]
        self.held_out: list[TrainingBatch] = []
        if validate and len(prepared[0].validation_indices):
            parts = (
                ValidationBatches(_images(each, each.validation_indices), **own)
                for each, own in zip(prepared, options, strict=True)
            )
            self.held_out = [_stacked(batches) for batches in zip(*parts, strict=True)]
        self.stack = Stack([model.network for model in self.models])
        self.averages: dict[str, Tensor] = {}
        self.optimizer = adam(self.stack.parameters.values(), self.config)
        self.updates = 0
        self.losses = torch.vmap(self._loss, randomness="different")

    def steps(self, total: int) -> Iterator[tuple[int, list[dict[str, float]]]]:
        """Train; yield every optimiser step, and at the end of an epoch what to note of it."""
        losses, length = EpochLosses(), len(self.streams[0])
        for step in range(1, total + 1):
            batch = _stacked(stream.batch(step - 1) for stream in self.streams)
            losses.add("train_loss", self.step(batch), batch.x0.shape[1])
            if step % length and step < total:
                yield step, []
                continue
            epoch = (step - 1) // length
            if (epoch + 1) % self.config.validate_every == 0:
                for part in self.held_out:
                    losses.add("validation_loss", self.loss(part), part.x0.shape[1])
            means = losses.close()
            rows = zip(*means.values(), strict=True)
            yield step, [{"epoch": epoch, **dict(zip(means, row, strict=True))} for row in rows]

    def step(self, batch: TrainingBatch) -> Tensor:
        """Take one optimiser step; return the K losses before it."""
        self.optimizer.zero_grad()
        parameters = self.stack.parameters
        # What networks draw by themselves is reproducible, but not what each would draw alone.
        place = self.config.seed, self.updates
        with dropout_randomness(self.models[0].network, *place, batch.x0.device):
            losses = self._mapped(parameters, batch)
        losses.sum().backward()
        if self.config.gradient_clip is not None:
            clip_gradients(parameters.values(), self.config.gradient_clip, stacked=True)
        self.optimizer.step()
        self.updates += 1
        if self.config.ema_decay and self.updates == 1:
            self.averages = {name: p.detach().clone() for name, p in parameters.items()}
        elif self.config.ema_decay:
            weights, decay = parameters.values(), self.config.ema_decay
            move_averages(self.averages.values(), weights, decay, self.updates)
        return losses

    @torch.no_grad()
    def loss(self, batch: TrainingBatch) -> Tensor:
        """The K losses of the averaged weights, if any, in evaluation mode."""
        self.stack.train(False)
        losses = self._mapped(self.averages or self.stack.parameters, batch)
        self.stack.train()
        return losses

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Context in which the models have their present weights and are in evaluation mode."""
        self.write_back()
        for model in self.models:
            model.eval()
        try:
            yield
        finally:
            for model in self.models:
                model.train()

    def write_back(self) -> None:
        """Copy weights, averaged if asked for, to the models."""
        self.stack.write_back(self.averages or self.stack.parameters)

    def _mapped(self, parameters: Mapping[str, Tensor], batch: TrainingBatch) -> Tensor:
        half = self.config.precision == "bf16-mixed"
        autocast = torch.autocast(batch.x0.device.type, torch.bfloat16, enabled=half)
        with autocast, self.stack.mapping():
            return self.losses(parameters, self.stack.buffers, *batch)

    def _loss(self, parameters: Any, buffers: Any, x0: Tensor, k: Tensor, z: Tensor) -> Tensor:
        def network(x: Tensor, t: Tensor) -> Tensor:
            return self.stack.answer(parameters, buffers, x, t)

        return self.models[0].process.losses(network, x0, k, z).mean()


def _images(prepared: Prepared, rows: Tensor) -> Tensor:
    """The images of these rows as the network sees them, on its device."""
    return prepared.model.to_network(prepared.images[rows.numpy()])


def _stacked(batches: Iterable[TrainingBatch]) -> TrainingBatch:
    return TrainingBatch(*(torch.stack(tensors) for tensors in zip(*batches, strict=True)))


def _note(
    histories: Sequence[History], step: int, values: Sequence[Mapping[str, float]] | None
) -> None:
    if values is None:
        return
    if len(values) != len(histories):
        raise ValueError(
            f"observe returned {len(values)} value(s) for {len(histories)} model(s): expected a "
            "mapping for each, or None"
        )
    for history, own in zip(histories, values, strict=True):
        history.note(step, own)


def _check(
    networks: Sequence[nn.Module],
    data: Sequence[Images],
    seeds: Sequence[int],
    config: TrainingConfig,
) -> None:
    if not networks or not len(networks) == len(data) == len(seeds):
        raise ValueError(
            f"{len(networks)} network(s), {len(data)} data set(s) and {len(seeds)} seed(s): "
            "expected as many of each, at least one"
        )
    if config.precision == "16-mixed":
        raise ValueError("precision is '16-mixed': replicates train in '32-true' or 'bf16-mixed'")


def _check_shapes(prepared: Sequence[Prepared]) -> None:
    shapes = sorted({each.images.shape for each in prepared})
    if len(shapes) > 1:
        raise ValueError(
            f"data sets have shapes {shapes[0]} and {shapes[1]}: replicates need one shape"
        )
