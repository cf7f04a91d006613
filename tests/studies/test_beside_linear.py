"""Distances of a network and of the linear model beside it: which is which, in every study."""

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from ornstein.engine.study import Cell
from ornstein.memorization.sample_measures import FITTED, FittedDistances, beside_linear
from ornstein.studies.neural import steps, unet
from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.steps import NeuralStepsOptions, NeuralStepsStudy
from ornstein.studies.neural.unet import UNetStudy
from ornstein.studies.steps import empirical
from ornstein.studies.steps.empirical import EmpiricalStepsOptions, EmpiricalStepsStudy

NETWORK, LINEAR = FittedDistances(1.25, 2.5), FittedDistances(10.5, 20.75)
EXPECTED = {"kl": 1.25, "wasserstein2": 2.5, "kl_linear": 10.5, "wasserstein2_linear": 20.75}
SMALL: dict[str, Any] = {
    "model": "mlp",
    "pixels": 2,
    "width": 8,
    "training_steps": 1,
    "diffusion_steps": 10,
    "originals": 20,
    "generated": 12,
    "simulations": 1,
}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Distances that cannot be confused, in place of measured ones."""
    for module in (unet, steps):
        monkeypatch.setattr(module, "fitted_distances", lambda *_: NETWORK)
        monkeypatch.setattr(module, "linear_distances", lambda *_: LINEAR)


def test_names() -> None:
    assert dict(beside_linear(NETWORK, LINEAR)) == EXPECTED
    assert set(FITTED) == set(EXPECTED)


@pytest.mark.usefixtures("known")
def test_unet() -> None:
    measured = UNetStudy(NeuralOptions((10,), **SMALL)).measure(Cell(10, 0))
    assert {name: measured[name] for name in EXPECTED} == EXPECTED


@pytest.mark.usefixtures("known")
def test_steps_of_networks() -> None:
    options = NeuralStepsOptions((10,), samplers=("ddim", "ddpm"), steps=(3, 5), **SMALL)
    measured = NeuralStepsStudy(options).measure(Cell(10, 0))
    for place in ("ddim/3", "ddim/5", "ddpm/3", "ddpm/5"):
        assert {name: measured[f"{place}/{name}"] for name in EXPECTED} == EXPECTED


def test_the_linear_model_is_of_the_same_sampler_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is asked for with the trajectory of its own S."""
    asked: list[int] = []

    def counted(_train: Any, _reference: Any, trajectory: Any, _start: Any) -> FittedDistances:
        asked.append(len(trajectory.levels.signal))
        return LINEAR

    monkeypatch.setattr(steps, "linear_distances", counted)
    options = NeuralStepsOptions((10,), samplers=("ddim",), steps=(3, 5), **SMALL)
    NeuralStepsStudy(options).measure(Cell(10, 0))
    assert sorted(asked) == [4, 6]


def test_steps_of_the_memorizing_denoiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The linear model's distances are those of its exact law, from the same training set."""
    monkeypatch.setattr(empirical, "fitted_distances", lambda *_: NETWORK)
    options = EmpiricalStepsOptions((30,), dim=3, samplers=("ddim",), steps=(4,), generated=12)
    study = EmpiricalStepsStudy(options)
    measured = study.measure(Cell(30, 0))
    assert (measured["ddim/4/kl"], measured["ddim/4/wasserstein2"]) == (1.25, 2.5)
    assert 0 < measured["ddim/4/kl_linear"] != 1.25
    assert 0 < measured["ddim/4/wasserstein2_linear"] != 2.5
