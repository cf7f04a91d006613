"""Many sampling steps: the exact law against drawing points, step by step."""

from __future__ import annotations

__all__ = ["run"]

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.timing import best_of, exponent, once
from ornstein.denoisers.linear import LinearDiffusion, empirical_law, generated_law
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule
from ornstein.engine.study import Cell
from ornstein.gaussians import Gaussian
from ornstein.studies.steps.options import StepsOptions
from ornstein.studies.steps.study import StepsStudy

STEPS = (10, 100)
DRAWS = 10_000


def run() -> None:
    """Print all tables of this file."""
    with threadpool_limits(1):
        _against_sampling()
        _growth()
        _cells()


def _against_sampling() -> None:
    print(f"## The generated law of d = 100, n = 400: exact, or from {DRAWS} drawn points\n")
    print("One core, DDIM, linear schedule; of the points only mean and covariance.\n")
    print("| S | exact, ms | drawn, ms | ratio |\n|---|---|---|---|")
    X = Gaussian.isotropic(100).sample(400, 0)
    data = empirical_law(X)
    for steps in STEPS:
        trajectory = as_sampler("ddim").trajectory(as_schedule("linear").levels(steps))
        exact = best_of(lambda t=trajectory: generated_law(data, t), 5)
        model = LinearDiffusion("ddim", steps, random_state=0).fit(X)
        drawn = once(lambda m=model: np.cov(m.sample(DRAWS).T))
        print(f"| {steps} | {1e3 * exact:.2f} | {1e3 * drawn:.0f} | {drawn / exact:.0f} |")
    print()


def _growth() -> None:
    dims = (64, 256, 1024, 4096)
    print("## Exact law of 100 steps as d grows (isotropic population, one core)\n")
    trajectory = as_sampler("ddim").trajectory(as_schedule("linear").levels(100))
    populations = [Gaussian.isotropic(dim) for dim in dims]
    times = [best_of(lambda law=law: generated_law(law, trajectory), 5) for law in populations]
    print("| d | " + " | ".join(map(str, dims)) + " | exponent |\n" + "|---" * 6 + "|")
    cells = " | ".join(f"{1e3 * t:.2f}" for t in times)
    print(f"| ms | {cells} | {exponent(dims[-3:], times[-3:]):.2f} |\n")


def _cells() -> None:
    print("## One cell of the default study: 5 samplers, 8 numbers of steps and the limit\n")
    print("| population | n = 50 | 400 | 3000 |\n|---|---|---|---|")
    for population in ("isotropic", "power-law"):
        study = StepsStudy(
            StepsOptions(
                train_sizes=(50, 400, 3000),
                steps=(5, 10, 20, 50, 100, 200, 500, 1000),
                samplers=("ddpm", "ddpm:large", "ddim", "euler", "heun"),
                population=population,  # type: ignore[arg-type]
            )
        )
        times = [best_of(lambda s=study, n=n: s.measure(Cell(n, 0)), 2) for n in study.train_sizes]
        print(f"| {population}, ms | " + " | ".join(f"{1e3 * t:.0f}" for t in times) + " |")
    print()
