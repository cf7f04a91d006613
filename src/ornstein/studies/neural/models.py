"""Train the networks of cells, and generate from them: what a study asks of PyTorch.

A training that is expected to take long leaves checkpoints in the study folder, from which the same
cell goes on; they are removed when the cell is measured. Losses are logged as CSV in ``logs/``.
"""

from __future__ import annotations

__all__ = [
    "TrainedModel",
    "untrained",
    "train_models",
    "train_all",
    "generate",
    "untrained_network",
    "snapshot_steps",
    "torch_threads",
    "accelerated",
]

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.engine.summary import write_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ornstein.engine.store import Cell
    from ornstein.studies.neural.study import CellData, CellSeeds, NeuralStudy

    Array = NDArray[np.float64]
    Observe = Callable[[Sequence["TrainedModel"], int], Sequence[Mapping[str, float]]]


class TrainedModel(NamedTuple):
    """The model of a cell, trained or in training."""

    cell: Cell
    data: CellData
    seeds: CellSeeds
    model: Any
    """A :class:`~ornstein.networks.LearnedDiffusion`."""
    train: NDArray[np.float64]
    """Images that it is trained on, as points of shape (n_points, dim)."""
    history: Sequence[Mapping[str, float]] = ()
    """Losses and observations, by optimiser step."""
    seconds: float = float("nan")
    """Of training; an equal share, for networks trained at once."""
    checkpoint: Path | None = None
    """Of its training, if there is one."""
    part: str = ""
    """Which of several trainings of the cell, for the names of its files."""


def snapshot_steps(total: int) -> tuple[int, ...]:
    """Optimiser steps at which to look: 1, 2, 5 times powers of ten from 10 on, and the last.

    Examples
    --------
    >>> snapshot_steps(300)
    (10, 20, 50, 100, 200, 300)
    """
    powers = (10**k for k in range(1, len(str(total)) + 1))
    steps = [factor * power for power in powers for factor in (1, 2, 5)]
    return (*(step for step in steps if step < total), total)


def accelerated() -> bool:
    """Whether there is a GPU to train on."""
    import torch

    return torch.cuda.is_available()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Context in which PyTorch uses so many threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train_models(
    study: NeuralStudy,
    cells: Sequence[Cell],
    snapshots: Collection[int] = (),
    observe: Observe | None = None,
) -> list[TrainedModel]:
    """Train the networks of cells of one training size, several of them at once.

    Parameters
    ----------
    study : NeuralStudy
    cells : sequence of Cell
    snapshots : collection of int
        Optimiser steps at which to observe.
    observe : callable (models in training, step) -> sequence of mappings of str to float
        What it returns of each is noted in its history.
    """
    trainings = [untrained(study, cell, study.draw(cell), study.seeds(cell)) for cell in cells]
    return train_all(study, trainings, snapshots, observe)


def untrained(
    study: NeuralStudy, cell: Cell, data: CellData, seeds: CellSeeds, part: str = ""
) -> TrainedModel:
    """The network of a cell before its training, and the images that it will be trained on."""
    from ornstein.networks.training.data import split_indices

    rows, _ = split_indices(len(data.images), study.options.train_fraction, seeds.training)
    points = data.images[rows.numpy()].reshape(-1, study.dim)
    network = untrained_network(study, seeds.weights)
    return TrainedModel(cell, data, seeds, network, points, part=part)


def train_all(
    study: NeuralStudy,
    trainings: Sequence[TrainedModel],
    snapshots: Collection[int] = (),
    observe: Observe | None = None,
) -> list[TrainedModel]:
    """Train networks that are made, at once if they are several; see `train_models`."""
    from ornstein.networks import DiffusionProcess

    options = study.options

    def note(step: int, models: Sequence[Any]) -> Sequence[Mapping[str, float]]:
        assert observe is not None  # where there are snapshots
        pairs = zip(trainings, models, strict=True)
        return observe([start._replace(model=model) for start, model in pairs], step)

    how: dict[str, Any] = {
        "process": DiffusionProcess(options.diffusion_steps, prediction=options.prediction),
        "progress": study.execution.progress,
        "snapshots": snapshots,
    }
    if len(trainings) > 1:
        return _train_together(study, trainings, observe=note if snapshots else None, **how)
    alone = (lambda step, model: note(step, [model])[0]) if snapshots else None
    return [_train_one(study, trainings[0], observe=alone, **how)]


def generate(
    study: NeuralStudy,
    trained: Sequence[TrainedModel],
    *,
    sampler: str | None = None,
    steps: int | None = None,
    count: int | None = None,
    stream: int = 0,
) -> list[Array]:
    """Generate points in data units with each model, arrays of shape (n_generated, dim).

    Parameters
    ----------
    study : NeuralStudy
    trained : sequence of TrainedModel
        Several are sampled at once, unless each has a grid of its own.
    sampler, steps, count
        By default those of the study; the count is of the points of each model.
    stream : int
        Another number, other random numbers.
    """
    from ornstein.networks import sample_replicates
    from ornstein.networks.randomness import keyed_generator

    chosen = study.options
    n = chosen.generated if count is None else count
    models = [each.model.to(_device(study)) for each in trained]
    seeds = [each.seeds.sampling for each in trained]
    generators = [keyed_generator(seed, stream) for seed in seeds]
    starts: Any = [chosen.start] * len(models)
    if chosen.start == "population":
        population: Any = study.source.population
        draws = (population.sample(n, np.random.default_rng([seed, stream])) for seed in seeds)
        starts = [points.reshape(-1, *study.shape) for points in draws]
    name = chosen.sampler if sampler is None else sampler
    schedules = [study.schedule_of(name, each.train) for each in trained]
    how: Any = {
        "sampler": name,
        "sampling_steps": chosen.chosen_steps if steps is None else steps,
    }
    # Replicates with grids of their own are asked at noises of their own.
    if len(models) == 1 or len(set(schedules)) > 1:
        each = zip(models, starts, generators, schedules, strict=True)
        images = [
            model.sample(n, start=start, generator=generator, schedule=own, progress=False, **how)
            for model, start, generator, own in each
        ]
    else:
        start = starts if chosen.start == "population" else chosen.start
        how["schedule"] = schedules[0]
        images = sample_replicates(models, n, start=start, generators=generators, **how)
    return [own.double().flatten(1).numpy() for own in images]


def untrained_network(study: NeuralStudy, seed: int) -> Any:
    """The network of a study with initial weights of that seed."""
    import torch

    from ornstein.networks import MLP, UNet, seeded

    # The seed of a cell is derived already, and used as it is.
    generator, width = torch.Generator().manual_seed(seed), study.options.width
    if study.options.model == "mlp":
        units = {} if width is None else {"width": int(width)}
        return seeded(MLP, generator, study.dim, **units)
    factor = 1.0 if width is None else width
    return seeded(UNet, generator, study.shape[0], width_multiplier=factor)


def _device(study: NeuralStudy) -> str:
    return "cuda" if study.execution.accelerator == "gpu" else "cpu"


def _name(start: TrainedModel) -> str:
    """Of the files of a training."""
    name = f"n{start.cell.train_size}-r{start.cell.replicate}"
    return f"{name}-{start.part}" if start.part else name


def _train_one(study: NeuralStudy, start: TrainedModel, **how: Any) -> TrainedModel:
    from ornstein.networks import train

    execution, folder, name = study.execution, study.execution.folder, _name(start)
    checkpoint = None if folder is None else folder / "checkpoints" / f"{name}.ckpt"
    if checkpoint is not None and not checkpoint.exists():
        expected = study.training_seconds(start.cell.train_size)
        # To repeat a short training is faster than to keep it: three times 50 MB of weights.
        checkpoint = checkpoint if expected >= execution.checkpoint_after else None

    config = study.options.training(start.seeds.training, execution.accelerator)
    result = train(
        start.model,
        start.data.images,
        replace(config, checkpoint_seconds=execution.checkpoint_after),
        checkpoint=checkpoint,
        csv=None if folder is None else folder / "logs" / f"{name}.csv",
        tensorboard=None if execution.tensorboard is None else execution.tensorboard / name,
        **how,
    )
    return start._replace(
        model=result.model, history=result.history, seconds=result.seconds, checkpoint=checkpoint
    )


def _train_together(
    study: NeuralStudy, starts: Sequence[TrainedModel], **how: Any
) -> list[TrainedModel]:
    from ornstein.networks import train_replicates

    folder = study.execution.folder
    result = train_replicates(
        [start.model for start in starts],
        [start.data.images for start in starts],
        [start.seeds.training for start in starts],
        study.options.training(0, study.execution.accelerator),
        device=_device(study),
        **how,
    )
    models = []
    for start, model, rows in zip(starts, result.models, result.histories, strict=True):
        share = result.seconds / len(starts)
        history = [*rows[:-1], {**rows[-1], **_validation(study, start, model)}]
        models.append(start._replace(model=model, history=history, seconds=share))
        if folder is not None:
            names = dict.fromkeys(name for row in history for name in row)
            filled = [{name: row.get(name, float("nan")) for name in names} for row in history]
            logs = folder / "logs"
            logs.mkdir(parents=True, exist_ok=True)
            write_csv(logs / f"{_name(start)}.csv", filled)
    return models


def _validation(study: NeuralStudy, start: TrainedModel, model: Any) -> dict[str, float]:
    """The validation loss of the end, at the noises of a training alone; empty without images."""
    from ornstein.networks.training.data import ValidationBatches, split_indices

    options, seed = study.options, start.seeds.training
    _, rows = split_indices(len(start.data.images), options.train_fraction, seed)
    if not len(rows):
        return {}
    images = model.to_network(start.data.images[rows.numpy()])
    total = 0.0
    for batch in ValidationBatches(images, options.diffusion_steps, options.batch_size, seed):
        total += float(model.process.losses(model.network, *batch).detach().double().sum())
    return {"validation_loss": total / len(rows)}
