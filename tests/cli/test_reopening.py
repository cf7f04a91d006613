"""A study again from its folder: each kind has its class, its options and its command."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from ornstein import studies
from ornstein.cli.main import _parse
from ornstein.cli.parsing import arguments
from ornstein.cli.reopening import _KINDS, reopen
from ornstein.engine.folder import write_settings
from ornstein.engine.precision import Precision
from ornstein.engine.study import Study
from ornstein.studies.steps.empirical import EmpiricalStepsOptions, EmpiricalStepsStudy

NETWORK = {"train_sizes": (8, 20), "pixels": 4, "training_steps": 7, "simulations": 2, "seed": 3}
EPOCHS = {**NETWORK, "training_steps": None}


def made() -> dict[str, Study]:
    neural = studies.NeuralOptions
    return {
        "linear": studies.LinearStudy(
            studies.LinearOptions(dim=3, train_sizes=(5, 10, 15, 20), std=(0.25,), time=1.5)
        ),
        "a mixture": studies.LinearStudy(
            studies.LinearOptions(dim=3, mean=(-1.0, 2.0), std=(0.5, 0.25), weights=(0.25, 0.75))
        ),
        "steps": studies.StepsStudy(
            studies.StepsOptions(dim=3, train_sizes=(9,), steps=(5, 7), samplers=("heun", "ddim"))
        ),
        "empirical-steps": EmpiricalStepsStudy(EmpiricalStepsOptions(dim=3, train_sizes=(9,))),
        "recursion": studies.RecursionStudy(
            studies.RecursionOptions(dim=3, train_sizes=(9,), known_mean=True)
        ),
        "unet": studies.UNetStudy(neural(**NETWORK)),
        "unet, mlp": studies.UNetStudy(neural(**EPOCHS, model="mlp", epochs=4)),
        "unet-snapshots": studies.SnapshotStudy(neural(**NETWORK, model="mlp")),
        "mlp-recursion": studies.NeuralRecursionStudy(
            studies.NeuralRecursionOptions(dim=3, train_sizes=(9,), generations=2, width=16)
        ),
        "unet-canaries": studies.CanaryStudy(neural(**NETWORK, model="mlp"), canaries=3),
        "unet-steps": studies.NeuralStepsStudy(studies.NeuralStepsOptions(**NETWORK, steps=(2, 5))),
    }


def test_no_kind_is_left_out() -> None:
    assert {study.name for study in made().values()} == set(_KINDS)


@pytest.mark.parametrize("kind", made())
def test_the_command_is_that_of_the_study(kind: str, tmp_path: Path) -> None:
    study = made()[kind]
    write_settings(tmp_path, study)
    again = reopen(tmp_path)
    assert type(again.study) is type(study)
    assert again.study.settings == study.settings
    assert again.study.identity == study.identity
    assert again.precision is None
    program, *words = shlex.split(again.command)
    assert program == "ornstein"
    function, options = _parse(words).args  # type: ignore[attr-defined]
    given = arguments(function, options)
    assert replace(study, options=given["options"]).settings == study.settings
    assert given.get("canaries") == getattr(study, "canaries", None)
    assert given.get("snapshots", False) == (kind == "unet-snapshots")


def test_targets_of_precision_are_kept(tmp_path: Path) -> None:
    study = made()["linear"]
    write_settings(tmp_path, study, Precision({"kl": 0.125, "delta": 0.25}, 700))
    again = reopen(tmp_path)
    assert again.precision == Precision({"kl": 0.125, "delta": 0.25}, 700)
    assert "--target-se kl=0.125,delta=0.25 --max-simulations 700" in again.command
    assert "--train-sizes 5:20:5 " in again.command
