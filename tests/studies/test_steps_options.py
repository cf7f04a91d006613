"""The steps study: grids of noise levels by name, options without effect, and refused ones."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from tests.studies.test_steps import SMALL

from ornstein.diffusion.grids import NoiseGrid
from ornstein.diffusion.schedules import karras_noises
from ornstein.studies.steps.options import StepsOptions
from ornstein.studies.steps.study import StepsStudy
from ornstein.studies.steps.summary import population_rows
from ornstein.theory import tangent_grid
from ornstein.theory.linear_denoisers.sampling import sampler_quality

GRIDDED = replace(SMALL, samplers=("ddpm", "euler", "heun"), population="power-law")


def test_grids_of_noise_levels_by_name() -> None:
    spectrum = StepsStudy(GRIDDED).source.covariance.eigenvalues
    levels = {
        "karras": karras_noises,
        "log": lambda steps: np.geomspace(80.0, 0.002, steps),
        # The last step is a jump to 0, as in Karras' schedule.
        "tangent": lambda steps: tangent_grid(spectrum, steps - 1),
    }
    found = {}
    for name, noises in levels.items():
        study = StepsStudy(replace(GRIDDED, grid=name))
        for row in population_rows(study):
            sampler, steps = str(row["sampler"]), row["steps"]
            found[name, sampler, steps] = row["kl_mean"]
            if steps != math.inf and sampler != "ddpm":
                grid = NoiseGrid(tuple(noises(int(steps))))
                quality = sampler_quality(spectrum, steps, sampler, grid, mean=study.source.mean)
                assert row["kl_mean"] == pytest.approx(quality.kl, rel=1e-9)
                assert row["wasserstein2_mean"] == pytest.approx(
                    quality.wasserstein_squared, rel=1e-9
                )
    # It is for Euler's method that the tangent grid is the best; DDPM has no such grid.
    for steps in (5.0, 20.0):
        assert found["tangent", "euler", steps] < 0.5 * found["karras", "euler", steps]
        assert found["tangent", "euler", steps] < 0.5 * found["log", "euler", steps]
        assert found["tangent", "ddpm", steps] == found["karras", "ddpm", steps]
    summary = StepsStudy(replace(GRIDDED, grid="tangent", train_sizes=(30,))).run(jobs=1)
    assert "linear (DDPM, DDIM), tangent (Euler, Heun)," in " ".join(summary.table().split())
    assert "tangent grid" in " ".join(summary.figure().get_suptitle().split())


def test_the_grid_of_karras_is_the_default() -> None:
    base, named = StepsStudy(GRIDDED), StepsStudy(replace(GRIDDED, grid="karras"))
    assert named.identity == base.identity
    # As folders have it that were made before there were grids.
    assert "grid" not in base.identity
    assert StepsStudy(replace(GRIDDED, grid="log")).identity["grid"] == "log"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"grid": "even"}, "grid is 'even', expected one of tangent, karras, log"),
        ({"grid": "log", "ode_schedule": "linear"}, "ode_schedule 'linear', which has noise"),
        ({"grid": "karras", "ode_schedule": "cosine"}, "leave one of them out"),
        ({"grid": "tangent", "samplers": ("ddpm", "ddim")}, "no effect on the samplers ddpm, ddim"),
    ],
)
def test_grids_without_effect_are_refused(changes: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(GRIDDED, **changes)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"samplers": ("heun",), "schedule": "cosine"}, "schedule is 'cosine', .* samplers heun:"),
        ({"samplers": ("ddim:0.5",), "ode_schedule": "cosine"}, "leave it out, or add euler"),
    ],
)
def test_schedules_without_effect_are_named(changes: dict, match: str) -> None:
    """And not refused: folders of older versions hold some."""
    found = StepsStudy(replace(SMALL, **changes, simulations=1)).run(jobs=1).notes
    assert any(re.search(match, note) for note in found)
    both = replace(SMALL, **changes | {"samplers": ("heun", "ddim:0.5")})
    assert both.without_effect() == []


def test_settings_name_everything() -> None:
    config = StepsStudy(SMALL).settings
    assert config["steps"] == (5, 20)
    assert config["model"] == "linear"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"steps": ()}, "steps is"),
        ({"steps": (5, 5)}, "none twice"),
        ({"steps": (5, 2000)}, "2000 sampling steps of 1000"),
        ({"steps": (0,)}, "a number of steps is 0"),
        ({"samplers": ("dpm",)}, "sampler is 'dpm'"),
        ({"train_sizes": (1,)}, "a training size is 1"),
        ({"population": "cauchy"}, "population is 'cauchy'"),
        ({"start": "cold"}, "start is 'cold'"),
        ({"schedule": "sine"}, "schedule is 'sine'"),
        ({"dim": 0}, "dim is 0"),
        ({"std": 0.0}, "std is 0"),
        ({"mean": math.nan}, "mean is nan"),
        ({"exponent": math.inf}, "exponent is inf"),
        ({"ridge": -1.0}, "ridge is -1"),
        ({"simulations": 0}, "simulations is 0"),
    ],
)
def test_bad_configurations_are_refused(changes: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(SMALL, **changes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spectrum": "power-law:1", "population": "power-law"}, "leave population out"),
        ({"spectrum": "power-law"}, "spectrum: given 'power-law', expected isotropic"),
        ({"spectrum": "2,1,0"}, "1 of the 3 eigenvalues of 2,1,0 are 0"),
        ({"spectrum": "2,1", "dim": 3}, "2 eigenvalue.* and --dim 3"),
        ({"spectrum": "2,1", "exponent": 2.0}, "exponent is 2 and population isotropic"),
    ],
)
def test_a_spectrum_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StepsOptions((20,), **options)
