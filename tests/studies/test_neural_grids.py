"""``--grid`` for trained networks: which levels are visited, by whom, and what says so."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("lightning")

from ornstein.cli.main import main
from ornstein.denoisers.linear import empirical_law, generated_law
from ornstein.diffusion.grids import NoiseGrid
from ornstein.diffusion.samplers import Euler
from ornstein.diffusion.trained_grids import TrainedGrid
from ornstein.engine.study import Cell
from ornstein.gaussians import Gaussian, wasserstein_squared
from ornstein.networks.randomness import keyed_generator
from ornstein.studies.neural.models import generate, train_models
from ornstein.studies.neural.options import Execution, NeuralOptions
from ornstein.studies.neural.steps import NeuralStepsOptions, NeuralStepsStudy
from ornstein.studies.neural.unet import UNetStudy

TINY: dict[str, Any] = {
    "model": "mlp",
    "pixels": 2,
    "width": 16,
    "training_steps": 5,
    "originals": 50,
    "simulations": 2,
    "generated": 30,
}
STEPS = NeuralStepsOptions((12,), samplers=("euler", "ddim"), steps=(4,), grid="tangent", **TINY)
ONE = NeuralOptions((12,), sampler="heun", sampling_steps=4, grid="tangent", **TINY)


def test_the_grid_is_made_for_the_training_images_as_the_network_sees_them() -> None:
    study = NeuralStepsStudy(STEPS)
    (trained,) = train_models(study, [Cell(12, 0)])
    schedule = study.schedule_of("euler", trained.train)
    assert isinstance(schedule, TrainedGrid)
    factor = trained.model.moments.factor.flatten(1)
    np.testing.assert_allclose(
        np.sort(schedule.variances), np.linalg.eigvalsh((factor.T @ factor).numpy()), rtol=1e-6
    )
    # DDIM visits the levels of the process, as in a study of the linear denoiser.
    assert study.schedule_of("ddim", trained.train) == study.options.schedule
    others = [replace(STEPS, grid=name) for name in ("karras", "log", None)]
    chosen = [NeuralStepsStudy(own).schedule_of("euler", trained.train) for own in others]
    assert [own.name for own in chosen] == ["karras", "log", "linear"]
    # The network is asked at these levels.
    (made,) = generate(study, [trained], sampler="euler", steps=4)
    generator = keyed_generator(trained.seeds.sampling, 0)
    grid = NoiseGrid(tuple(schedule.levels(4).noise))
    by_hand = trained.model.sample(
        30, sampler="euler", sampling_steps=4, schedule=grid, generator=generator, progress=False
    )
    np.testing.assert_array_equal(made, by_hand.double().flatten(1).numpy())
    plain = NeuralStepsStudy(replace(STEPS, grid=None))
    assert not np.allclose(made, generate(plain, [trained], sampler="euler", steps=4)[0])


def test_constant_pixels_need_no_steps() -> None:
    study, rng = UNetStudy(ONE), np.random.default_rng(0)
    train = np.zeros((12, 4))
    train[:, :2] = 0.3 * rng.standard_normal((12, 2)) + 1.7
    schedule = study.schedule_of("heun", train)
    assert isinstance(schedule, TrainedGrid)
    assert np.count_nonzero(schedule.variances) == 2
    assert schedule.levels(5).noise[0] > 1


def test_the_linear_denoiser_visits_the_same_levels() -> None:
    study = NeuralStepsStudy(STEPS)
    values = study.measure(Cell(12, 0))
    rows = train_models(study, [Cell(12, 0)])[0].train
    assert len(rows) == 10  # of 12, the others are for validation
    scale = rows.std()
    grid = study.schedule_of("euler", rows).levels(4)
    inside = generated_law(empirical_law((rows - rows.mean()) / scale), Euler().trajectory(grid))
    law = Gaussian(rows.mean() + scale * inside.mean, inside.covariance.scale(scale**2))
    expected = wasserstein_squared(law, study.source.moments())
    assert values["euler/4/wasserstein2_linear"] == pytest.approx(expected, rel=1e-9)
    plain = NeuralStepsStudy(replace(STEPS, grid=None)).measure(Cell(12, 0))
    assert values["euler/4/wasserstein2_linear"] != plain["euler/4/wasserstein2_linear"]
    assert values["ddim/4/wasserstein2_linear"] == plain["ddim/4/wasserstein2_linear"]
    assert values["ddim/4/wasserstein2"] == plain["ddim/4/wasserstein2"]


@pytest.mark.parametrize("grid", ["tangent", "karras"])
def test_replicates_at_once_and_alone(grid: Any) -> None:
    study = UNetStudy(replace(ONE, grid=grid), Execution(replicate_batch=2))
    together = study.measure_batch([Cell(12, 0), Cell(12, 1)])
    for index, found in enumerate(together):
        alone = study.measure(Cell(12, index))
        for name in ("wasserstein2", "wasserstein2_linear", "delta"):
            assert found[name] == pytest.approx(alone[name], rel=1e-3), name


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"grid": "even"}, "grid is 'even', expected one of tangent, karras, log"),
        ({"sampler": "ddim"}, "no effect on the samplers ddim: add euler or heun"),
        ({"sampling_steps": None}, r"no effect on 200 sampling step\(s\) of 200: give a number"),
        ({"sampling_steps": 1}, r"no effect on 1 sampling step\(s\) of 200"),
    ],
)
def test_grids_without_effect_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(ONE, **options)


def test_steps_without_effect_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no effect on 1, 200 sampling step\(s\)"):
        replace(STEPS, steps=(1, 200))
    replace(STEPS, steps=(1, 5, 200))
    with pytest.raises(ValueError, match="no effect on the samplers ddim, ddpm"):
        replace(STEPS, samplers=("ddim", "ddpm"))


def test_folders_of_before_there_were_grids_are_still_the_same_study() -> None:
    for study in (UNetStudy(replace(ONE, grid=None)), NeuralStepsStudy(replace(STEPS, grid=None))):
        assert "grid" not in study.identity
    assert UNetStudy(ONE).identity["grid"] == "tangent"


def test_table_figure_and_settings_name_the_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Files of figures, which take longer than these studies, are tested elsewhere.
    monkeypatch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
    options = ["--model", "mlp", "--pixels", "2", "--width", "16", "--training-steps", "3"]
    options += ["--train-sizes", "12", "--generated", "30", "--simulations", "1", "--jobs", "1"]
    steps = [*options, "--samplers", "heun,ddim,euler", "--steps", "3,5", "--grid", "log"]
    assert main(["steps", *steps, "--out", str(tmp_path / "steps")]) == 0
    text = capsys.readouterr().out.partition("Written to")[0]
    assert "30 generated (heun, euler on the log grid) from the standard start" in text
    assert max(map(len, text.splitlines())) <= 80
    config = yaml.safe_load((tmp_path / "steps" / "config.yaml").read_text())
    assert config["grid"] == "log"
    one = [*options, "--sampler", "euler", "--sampling-steps", "3", "--grid", "tangent"]
    assert main(["unet", *one, "--json", "--out", str(tmp_path / "unet")]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["grid"] == "tangent"
    study = UNetStudy(replace(ONE, simulations=1))
    summary = study.run(jobs=1)
    assert "30 generated by heun in 4 steps on the tangent grid from" in summary.table()
    assert "heun on the tangent grid" in " ".join(summary.figure().get_suptitle().split())
