"""Grids among the noises that a network was trained at."""

import numpy as np
import pytest

from ornstein.diffusion.schedules import BetaSchedule, KarrasSchedule
from ornstein.diffusion.trained_grids import GRIDS, TrainedGrid
from ornstein.theory import sampler_quality, tangent_grid

PROCESS = BetaSchedule("linear", 200)
KNOWN = PROCESS.levels(200).noise
POWER = 20 / np.arange(1, 65)


def kl(schedule: TrainedGrid | BetaSchedule, steps: int) -> float:
    return float(sampler_quality(POWER, steps, "euler", schedule, start="marginal").kl)


@pytest.mark.parametrize("grid", GRIDS)
def test_levels_are_noises_of_the_process_each_once(grid: str) -> None:
    schedule = TrainedGrid(grid, PROCESS, tuple(POWER))
    assert schedule.name == grid
    for steps in (1, 2, 7, 60, 199, 200):
        noise = schedule.levels(steps).noise
        assert len(noise) == steps + 1
        assert set(noise) <= set(KNOWN)
        assert noise[0] == KNOWN[0]
        assert (np.diff(noise) < 0).all()  # as NoiseLevels says too
    np.testing.assert_array_equal(schedule.levels(200).noise, KNOWN)
    assert schedule.noise_range() == (1.0, KNOWN[0], KNOWN[-2])
    with pytest.raises(ValueError, match="201 sampling steps of 200"):
        schedule.levels(201)


def test_they_are_near_those_of_the_grid() -> None:
    # Where noises lie close, rounding moves a level by less than half of a gap.
    high, low = float(KNOWN[0]), float(KNOWN[-2])
    wanted = {
        "karras": KarrasSchedule(low, high).levels(8).noise[:-1],
        "log": np.geomspace(high, low, 8),
        "tangent": tangent_grid(POWER, 8, 0.0, high)[:-1],
    }
    for grid, noises in wanted.items():
        found = TrainedGrid(grid, PROCESS, tuple(POWER)).levels(8).noise[:-1]
        gaps = np.abs(np.log(found[:, None] / KNOWN[:-1]))
        gaps[gaps == 0] = np.inf
        assert (np.abs(np.log(found / noises)) <= 0.51 * gaps.min(1) + 1e-9).all(), grid


def test_the_tangent_grid_loses_less_than_others() -> None:
    tangent = TrainedGrid("tangent", PROCESS, tuple(POWER))
    for steps in (3, 5, 10, 20, 50):
        least = kl(tangent, steps)
        assert least < 0.8 * kl(TrainedGrid("karras", PROCESS), steps)
        assert least < 0.8 * kl(TrainedGrid("log", PROCESS), steps)
        assert least < 0.9 * kl(PROCESS, steps)
        # And than that of another spectrum.
        assert least < 0.98 * kl(TrainedGrid("tangent", PROCESS, tuple(0.01 * POWER)), steps)


def test_what_is_no_grid() -> None:
    with pytest.raises(ValueError, match="grid is 'even', expected one of tangent, karras, log"):
        TrainedGrid("even", PROCESS)
    with pytest.raises(ValueError, match="no diffusion_steps of its own"):
        TrainedGrid("log", BetaSchedule("linear", None))
