r"""Many replicates of a small network, trained at once.

One small network leaves a machine idle between its small products. K of them, with their
parameters stacked along a first axis (``torch.func.stack_module_state``) and the loss mapped over
it (``torch.vmap``), make products K times as large. The total loss is the sum of K losses, each a
function of its own parameters only, and Adam works entry by entry: every replicate goes the way it
would go alone, with the batches it would have alone, up to rounding. Sampling is stacked in the
same way, with the noise that each would draw alone: after trainings of a few steps, hundreds of
sampling steps are most of the work.
"""

from __future__ import annotations

__all__ = ["ReplicatesResult", "train_replicates", "sample_replicates", "replicates_at_once"]

import copy
import time
from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch.func import functional_call, stack_module_state
from torch.nn.attention import SDPBackend, sdpa_kernel

from ornstein.diffusion.samplers import as_sampler
from ornstein.networks.learned import LearnedDiffusion, as_images
from ornstein.networks.process import DiffusionProcess
from ornstein.networks.sampling import evaluating, normal_draws, part_of, sampling_path
from ornstein.networks.starts import checked_start, first_points
from ornstein.networks.training.averaging import averaging_weight
from ornstein.networks.training.config import TrainingConfig
from ornstein.networks.training.data import TrainingBatch, TrainingStream, split_indices
from ornstein.networks.training.single import untrained
from ornstein.progress import progress_bar
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor, nn

    from ornstein.diffusion.samplers import Sampler
    from ornstein.networks.learned import Scaling


class ReplicatesResult(NamedTuple):
    """What training leaves, in the order of the replicates."""

    models: list[LearnedDiffusion]
    """On the CPU, in evaluation mode, with averaged weights if asked for."""
    histories: list[list[dict[str, float]]]
    """Rows by optimiser step: epoch, mean training loss, observations."""
    train_indices: list[Tensor]
    """Which of its images each was trained on."""
    seconds: float
    """Of this call."""


def train_replicates(
    networks: Sequence[nn.Module],
    data: Sequence[ArrayLike],
    seeds: Sequence[int],
    config: TrainingConfig | None = None,
    *,
    process: DiffusionProcess | None = None,
    scaling: Scaling | None = None,
    snapshots: Collection[int] = (),
    observe: Callable[[int, list[LearnedDiffusion]], Sequence[Mapping[str, float]] | None]
    | None = None,
    device: str | torch.device = "cpu",
    progress: bool | None = None,
) -> ReplicatesResult:
    """Train K networks of one kind at once, each as it would be trained alone.

    There is no validation and there are no checkpoints: this is for trainings of seconds.

    Parameters
    ----------
    networks : sequence of nn.Module
        K networks, equal but for their weights; trained in place.
    data : sequence of K array-likes of shape (n, ...)
        In data units, all of one shape.
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
    """
    start = time.perf_counter()
    config = TrainingConfig() if config is None else config
    process = DiffusionProcess() if process is None else process
    images = [as_images(points) for points in data]
    _check(networks, images, seeds, config)
    configs = [replace(config, seed=seed) for seed in seeds]
    models = [
        untrained(network, copy.deepcopy(process), points, own, scaling).to(device).train()
        for network, points, own in zip(networks, images, configs, strict=True)
    ]
    chosen = [
        split_indices(len(p), own.train_fraction, own.seed)[0]
        for p, own in zip(images, configs, strict=True)
    ]
    streams = [
        TrainingStream(
            model.to_network(points[rows.numpy()]), process.steps, own.batch_size, own.seed
        )
        for model, points, rows, own in zip(models, images, chosen, configs, strict=True)
    ]
    stack = _Stack(models, config)
    histories: list[list[dict[str, float]]] = [[] for _ in models]
    epoch_length = len(streams[0])
    total = config.total_steps(len(chosen[0]))
    sums = torch.zeros(len(models), dtype=torch.float64, device=device)
    seen = 0
    with progress_bar(total, "step", progress) as bar:
        for step in range(total):
            parts = [stream.batch(step) for stream in streams]
            batch = TrainingBatch(*(torch.stack(tensors) for tensors in zip(*parts, strict=True)))
            size = batch.x0.shape[1]
            sums += size * stack.step(batch)
            seen += size
            if step + 1 in snapshots and observe is not None:
                with stack.evaluated():
                    values = observe(step + 1, models)
                for history, own in zip(histories, values or [], strict=False):
                    _note(history, step + 1, own)
            if (step + 1) % epoch_length == 0 or step + 1 == total:
                for history, loss in zip(histories, (sums / seen).tolist(), strict=True):
                    _note(history, step + 1, {"epoch": step // epoch_length, "train_loss": loss})
                sums.zero_()
                seen = 0
            bar.update()
    stack.write_back()
    for model in models:
        model.cpu().eval()
    return ReplicatesResult(models, histories, chosen, time.perf_counter() - start)


def sample_replicates(
    models: Sequence[LearnedDiffusion],
    n: int,
    *,
    generators: Sequence[torch.Generator],
    sampler: str | Sampler = "ddpm",
    steps: int | None = None,
    start: Literal["standard", "marginal"] | Sequence[ArrayLike] = "standard",
    batch_size: int = 1024,
) -> list[Tensor]:
    """Draw from K models at once what each would draw alone, up to rounding.

    Parameters
    ----------
    models : sequence of K LearnedDiffusion
        Of one kind, but for weights, scales and moments; on one device.
    n : int
        Images of each.
    generators : sequence of K torch.Generator
    sampler, steps
        As for a single model.
    start : {"standard", "marginal"}, or sequence of K array-likes of shape (n, ...)
        As for a single model; points in data units.
    batch_size : int
        Images of each model at once.

    Returns
    -------
    list of K Tensors of shape (n, ...)
        In data units, on the CPU.

    Raises
    ------
    ValueError
        If lengths disagree, or an argument is out of range.
    """
    given = [start] * len(models) if isinstance(start, str) else start
    if not models or not len(models) == len(generators) == len(given):
        raise ValueError(
            f"{len(models)} model(s), {len(generators)} generator(s) and {len(given)} start(s): "
            "expected as many of each, at least one"
        )
    count, size = as_count(n, "n"), as_count(batch_size, "batch_size")
    process = models[0].process
    levels = process.schedule.levels(process.steps if steps is None else steps)
    trajectory = as_sampler(sampler).trajectory(levels)
    starts = [
        checked_start(model.first(own), (count, *model.shape))
        for model, own in zip(models, given, strict=True)
    ]
    draws = [
        partial(normal_draws, generator, model)
        for model, generator in zip(models, generators, strict=True)
    ]
    with ExitStack() as stack:
        for model in models:
            stack.enter_context(evaluating(model.network))
        answers = _stacked_answers([model.network for model in models])
        batches = []
        for low in range(0, count, size):
            here = (min(size, count - low), *models[0].shape)
            first = [
                first_points(trajectory, part_of(own, low, size), draw(*here), draw)
                for draw, own in zip(draws, starts, strict=True)
            ]
            noise = partial(_stacked_draws, draws, here)
            path = sampling_path(answers, process, trajectory, torch.stack(first), noise)
            batches.append(deque(path, maxlen=1).pop().cpu())
    images = torch.cat(batches, dim=1)
    return [model.to_data(own) for model, own in zip(models, images, strict=True)]


def replicates_at_once(network: nn.Module, device: str | torch.device = "cpu") -> int:
    """How many replicates of `network` to train at once, if nobody says otherwise.

    On a CPU, what measured fastest (``python -m benchmarks networks``): 16 networks of less than a
    million parameters, which take 1.2 to 10 times less time than one by one; one larger network,
    whose products are large enough by themselves. Elsewhere as many as keep weights, gradients and
    moments within 4 GiB, at most 256.
    """
    size = sum(p.numel() for p in network.parameters())
    if torch.device(device).type == "cpu":
        return 16 if size < 1_000_000 else 1
    return max(1, min(256, 2**32 // (16 * size)))


class _Stack:
    """Stacked parameters of K models, their averages, and the optimiser."""

    def __init__(self, models: Sequence[LearnedDiffusion], config: TrainingConfig) -> None:
        self.models = models
        self.config = config
        parameters, self.buffers = stack_module_state([model.network for model in models])  # type: ignore[arg-type]
        self.parameters = {
            name: tensor.detach().requires_grad_() for name, tensor in parameters.items()
        }
        self.averages: dict[str, Tensor] = {}
        self.optimizer = torch.optim.Adam(
            list(self.parameters.values()), lr=config.learning_rate, fused=True
        )
        self.updates = 0
        # Only its structure is used.
        self.skeleton = copy.deepcopy(models[0].network).to("meta")
        self.losses = torch.vmap(self._loss, randomness="different")

    def step(self, batch: TrainingBatch) -> Tensor:
        """Take one optimiser step; returns the K losses before it."""
        device = batch.x0.device.type
        self.optimizer.zero_grad()
        half = self.config.precision == "bf16-mixed"
        # Of the ways to compute attention, the one that can be mapped.
        with torch.autocast(device, torch.bfloat16, enabled=half), sdpa_kernel(SDPBackend.MATH):
            losses = self.losses(self.parameters, self.buffers, *batch)
        losses.sum().backward()
        if self.config.gradient_clip is not None:
            self._clip(self.config.gradient_clip)
        self.optimizer.step()
        self.updates += 1
        if self.config.ema_decay:
            self._average()
        return losses.detach().double()

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Context in which the models have their present weights and are in evaluation mode."""
        self.write_back()
        for model in self.models:
            model.eval()
        yield
        for model in self.models:
            model.train()

    @torch.no_grad()
    def write_back(self) -> None:
        """Copy weights, averaged if asked for, to the models."""
        stacked = self.averages or self.parameters
        for index, model in enumerate(self.models):
            own = dict(model.network.named_parameters())
            for name, tensor in stacked.items():
                own[name].copy_(tensor[index])

    def _loss(self, parameters: Any, buffers: Any, x0: Tensor, k: Tensor, z: Tensor) -> Tensor:
        def network(x: Tensor, t: Tensor) -> Tensor:
            return functional_call(self.skeleton, (parameters, buffers), (x, t))

        return self.models[0].process.losses(network, x0, k, z).mean()

    @torch.no_grad()
    def _clip(self, largest: float) -> None:
        """Clip the gradient of each replicate by its own norm."""
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
        factors = (largest / (norms + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factors.view(-1, *(1,) * (gradient.ndim - 1)))

    @torch.no_grad()
    def _average(self) -> None:
        if not self.averages:
            self.averages = {name: p.detach().clone() for name, p in self.parameters.items()}
            return
        move = averaging_weight(self.config.ema_decay, self.updates)
        for name, average in self.averages.items():
            average.lerp_(self.parameters[name], move)


def _note(history: list[dict[str, float]], step: int, values: Mapping[str, float]) -> None:
    """Add values of an optimiser step, beside those already noted there."""
    if not history or history[-1]["step"] != step:
        history.append({"step": step})
    history[-1] |= {name: float(value) for name, value in values.items()}


def _stacked_answers(networks: Sequence[nn.Module]) -> Callable[[Tensor, Tensor], Tensor]:
    """``f(x, k)`` of K networks, for x of shape (K, n, ...) and one step for each, shape (K,)."""
    parameters, buffers = stack_module_state(list(networks))  # type: ignore[arg-type]
    skeleton = copy.deepcopy(networks[0]).to("meta")

    def answer(own: Any, fixed: Any, x: Tensor, k: Tensor) -> Tensor:
        return functional_call(skeleton, (own, fixed), (x, k.expand(len(x))))

    stacked = torch.vmap(answer)

    def answers(x: Tensor, k: Tensor) -> Tensor:
        with sdpa_kernel(SDPBackend.MATH):
            return stacked(parameters, buffers, x, k)

    return answers


def _stacked_draws(draws: Sequence[Callable[..., Tensor]], shape: Sequence[int]) -> Tensor:
    return torch.stack([draw(*shape) for draw in draws])


def _check(
    networks: Sequence[nn.Module],
    images: Sequence[NDArray[np.float64]],
    seeds: Sequence[int],
    config: TrainingConfig,
) -> None:
    if not networks or not len(networks) == len(images) == len(seeds):
        raise ValueError(
            f"{len(networks)} network(s), {len(images)} data set(s) and {len(seeds)} seed(s): "
            "expected as many of each, at least one"
        )
    shapes = sorted({points.shape for points in images})
    if len(shapes) > 1:
        raise ValueError(
            f"data sets have shapes {shapes[0]} and {shapes[1]}: replicates need one shape"
        )
    if config.precision == "16-mixed":
        raise ValueError("precision is '16-mixed': replicates train in '32-true' or 'bf16-mixed'")
