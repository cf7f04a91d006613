"""Grids of noise levels for a trained network: how far from the population at few steps.

A U-Net is trained on handwritten digits, and sampled from the same noise on each grid: Gaussian
fits of what is generated, and beside them the best linear denoiser of the same images, exactly.
"""

from __future__ import annotations

__all__ = ["run"]

from dataclasses import replace

import numpy as np

from ornstein.data.spectra import read_spectrum
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule
from ornstein.diffusion.trained_grids import TrainedGrid
from ornstein.engine.study import Cell
from ornstein.memorization.sample_measures import fitted_distances, linear_distances
from ornstein.studies.neural.models import generate, torch_threads, train_models
from ornstein.studies.neural.steps import NeuralStepsOptions, NeuralStepsStudy
from ornstein.theory import sampler_quality

_GRIDS = ("tangent", "karras", "log", None)
_STEPS = (5, 10, 20, 50)
_NETWORKS = 3
_OPTIONS = NeuralStepsOptions(
    train_sizes=(1200,),
    samplers=("euler",),
    steps=_STEPS,
    data="digits",
    width=0.25,
    training_steps=600,
    learning_rate=1e-3,
    ema_decay=0.98,
    train_fraction=1.0,
    start="marginal",
    generated=300,
)


def run() -> None:
    """Print the tables of this file."""
    _exact_kl()
    studies = {grid: NeuralStepsStudy(replace(_OPTIONS, grid=grid)) for grid in _GRIDS}
    found: dict[tuple[str, str | None, int], list[tuple[float, float]]] = {}
    for index in range(_NETWORKS):
        for key, pair in _of_network(studies, Cell(1200, index)).items():
            found.setdefault(key, []).append(pair)
    print(
        f"## W2^2 to the digits by grid: {_NETWORKS} U-Nets of {_OPTIONS.training_steps} optimiser "
        f"steps on {_OPTIONS.train_sizes[0]} images, {_OPTIONS.generated} generated\n"
    )
    print("Network, s.e. over networks; in brackets the best linear denoiser, exactly.\n")
    print("| sampler | S | tangent | Karras | log | every T/S-th | Karras - tangent |")
    print("|---|---|---|---|---|---|---|")
    for name in _OPTIONS.samplers:
        for steps in _STEPS:
            table = np.array([found[name, grid, steps] for grid in _GRIDS])
            cells = [_cell(row) for row in table]
            apart = _mean(table[1, :, 0] - table[0, :, 0])
            print(f"| {name} | {steps} | {' | '.join(cells)} | {apart} |")
    print()


def _exact_kl() -> None:
    """KL / d of Euler's method with the population's own denoisers, on a network's noises."""
    values = read_spectrum("digits")
    values = tuple((values[values > 0] / values.mean()).tolist())
    process = BetaSchedule("linear", _OPTIONS.diffusion_steps)
    print("## KL / d with the exact denoisers of a Gaussian with the covariance of the digits\n")
    print("| S | tangent | Karras | log | every T/S-th |\n|---|---|---|---|---|")
    for steps in _STEPS:
        schedules = [TrainedGrid(g, process, values) if g else process for g in _GRIDS]
        found = [
            sampler_quality(values, steps, "euler", schedule, start="marginal").kl / len(values)
            for schedule in schedules
        ]
        print(f"| {steps} | {' | '.join(f'{kl:.3g}' for kl in found)} |")
    print()


def _of_network(
    studies: dict[str | None, NeuralStepsStudy], cell: Cell
) -> dict[tuple[str, str | None, int], tuple[float, float]]:
    """W2^2 of the network and of the linear denoiser by sampler, grid and number of steps."""
    with torch_threads(1):
        (trained,) = train_models(studies[None], [cell])
        reference, values = studies[None].source.moments(), {}
        for grid, study in studies.items():
            ways = [(name, steps) for name in _OPTIONS.samplers for steps in _STEPS]
            for name, steps in ways:
                (points,) = generate(study, [trained], sampler=name, steps=steps)
                levels = study.schedule_of(name, trained.train).levels(steps)
                trajectory = as_sampler(name).trajectory(levels)
                linear = linear_distances(trained.train, reference, trajectory, "marginal")
                values[name, grid, steps] = (
                    fitted_distances(points, reference).wasserstein2,
                    linear.wasserstein2,
                )
    return values


def _cell(pairs: np.ndarray) -> str:
    return f"{_mean(pairs[:, 0])} ({pairs[:, 1].mean():.3g})"


def _mean(values: np.ndarray) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} ± {error:.3f}"
