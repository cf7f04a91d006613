"""Networks trained on each other: generations written out, their measures, what is refused."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("lightning")

from ornstein import Gaussian
from ornstein.cli.main import main
from ornstein.engine.study import Cell
from ornstein.memorization.sample_measures import fitted_distances
from ornstein.networks import MLP, DiffusionProcess, TrainingConfig, seeded, train
from ornstein.networks.randomness import keyed_generator
from ornstein.studies.neural import recursion
from ornstein.studies.neural.options import Execution
from ornstein.studies.neural.recursion import NeuralRecursionStudy, moments
from ornstein.studies.neural.recursion_options import NeuralRecursionOptions
from ornstein.studies.recursion.study import MEASURED
from ornstein.theory import recursive_kl, recursive_variance

TINY = NeuralRecursionOptions(
    train_sizes=(12,),
    generations=2,
    dim=2,
    std=(1.5,),
    fresh_fraction=0.25,
    width=8,
    training_steps=6,
    batch_size=5,
    diffusion_steps=8,
    generated=30,
    simulations=2,
    seed=3,
)
COMMAND = [
    *("recursion", "--model", "mlp", "--dim", "2", "--train-sizes", "12", "--generations", "2"),
    *("--width", "8", "--training-steps", "6", "--diffusion-steps", "8", "--generated", "30"),
    *("--simulations", "2", "--jobs", "1"),
]


def test_a_cell_written_out() -> None:
    """With the public functions: who is trained on what, and what is measured."""
    import torch

    study, cell = NeuralRecursionStudy(TINY), Cell(12, 1)
    values = study.measure(cell)
    assert list(values) == list(study.metrics)
    population = Gaussian.isotropic(2, 0.0, 1.5)
    old = np.empty((0, 2))
    for k in (1, 2):
        # 3 of 12 are fresh from the second generation on, and all 12 of the first.
        seeds = study.seeds_of(cell, k)
        fresh = population.sample(12 - len(old), np.random.default_rng(seeds.data))
        network = seeded(MLP, torch.Generator().manual_seed(seeds.weights), 2, width=8)
        config = TrainingConfig(
            training_steps=6, batch_size=5, train_fraction=1.0, accelerator="cpu"
        )
        trained = train(
            network,
            np.concatenate([fresh, old]),
            replace(config, seed=seeds.training),
            process=DiffusionProcess(8),
            progress=False,
        )
        generator = keyed_generator(seeds.sampling, 0)
        points = trained.model.sample(39, generator=generator, progress=False).double().numpy()
        measured, old = points[:30], points[30:]
        found = [values[f"{k}/{name}"] for name in ("kl", "trace", "train_loss")]
        C = np.cov(measured.T / 1.5)
        wanted = [fitted_distances(measured, population).kl, np.trace(C) / 2]
        np.testing.assert_allclose(found, [*wanted, trained.history[-1]["train_loss"]], rtol=1e-6)
        assert values[f"{k}/square"] == pytest.approx(moments(measured / 1.5)["square"])
    others = [study.seeds_of(Cell(12, r), k).weights for r in (0, 1) for k in (1, 2)]
    assert len(set(others)) == 4


def test_moments_have_no_bias() -> None:
    """Of few points, within 4.5 standard errors of the moments of their law."""
    rng, S = np.random.default_rng(0), np.array([2.0, 0.5, 0.1])
    found = pd.DataFrame([moments(rng.standard_normal((6, 3)) * np.sqrt(S)) for _ in range(4000)])
    wanted = {"trace": S.sum() / 3, "square": (S**2).sum() / 3, "trace_square": (S.sum() / 3) ** 2}
    for name, value in wanted.items():
        error = found[name].std() / math.sqrt(len(found))
        assert abs(found[name].mean() - value) < 4.5 * error, name
        # What is corrected is many times that error.
        assert error < 0.03 * value


def test_networks_of_a_generation_at_once_and_alone() -> None:
    alone = NeuralRecursionStudy(TINY)
    together = NeuralRecursionStudy(TINY, Execution(replicate_batch=2))
    cells = [Cell(12, 0), Cell(12, 1)]
    for one, other in zip(map(alone.measure, cells), together.measure_batch(cells), strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_a_cell_that_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each generation has a checkpoint of its own; all are gone when the cell is measured."""
    execution = Execution(folder=tmp_path, checkpoint_after=0.0)
    study, calls = NeuralRecursionStudy(TINY, execution), []

    def cut_off(*given: Any, **how: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return generate(*given, **how)

    generate = recursion.generate
    with monkeypatch.context() as patch:
        patch.setattr(recursion, "generate", cut_off)
        with pytest.raises(KeyboardInterrupt):
            study.measure(Cell(12, 0))
    kept = sorted(path.name for path in (tmp_path / "checkpoints").glob("*.ckpt"))
    assert kept == ["n12-r0-g1.ckpt", "n12-r0-g2.ckpt"]
    assert study.measure(Cell(12, 0)) == NeuralRecursionStudy(TINY).measure(Cell(12, 0))
    assert not list((tmp_path / "checkpoints").glob("*.ckpt"))
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {
        "n12-r0-g1.csv",
        "n12-r0-g2.csv",
    }


def test_what_is_not_finite_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        recursion, "generate", lambda *_, count, **__: [np.full((count, 2), np.inf)]
    )
    with pytest.raises(ValueError, match="generation 1 generates values that are not finite"):
        NeuralRecursionStudy(TINY).measure(Cell(12, 0))


def test_beside_it_stands_the_theory_of_gaussian_models() -> None:
    options = replace(TINY, fresh_fraction=0.0, train_sizes=(12, 20), train_fraction=0.75)
    summary = NeuralRecursionStudy(options).run(jobs=1)
    assert [(row["train_size"], row["generation"]) for row in summary.rows] == [
        (n, k) for n in (12, 20) for k in (1, 2)
    ]
    for row in summary.rows:
        # Trained on three quarters of n.
        n, k = row["train_size"] * 3 // 4, row["generation"]
        assert row["kl_gaussian"] == recursive_kl(2, n, k)
        law = recursive_variance(2, n - 1, k)
        assert (row["square_gaussian"], row["trace_square_gaussian"]) == pytest.approx(law)
        assert row["trace_gaussian"] == 1
    assert "part of n, the rest is for validation (12: 9, 20: 15)" in " ".join(summary.notes)
    fresh = NeuralRecursionStudy(TINY).run(jobs=1)
    assert all(math.isnan(row[f"{name}_gaussian"]) for row in fresh.rows for name in MEASURED)
    assert "fresh points: 3 of 12." in fresh.notes
    assert "Gaussian: there is no theory for a fitted mean with fresh points." in fresh.notes


def test_settings_and_identity() -> None:
    study = NeuralRecursionStudy(TINY)
    assert not {"data", "mean", "pixels", "originals", "channels"} & set(study.settings)
    assert not {"data", "mean", "pixels", "originals", "channels"} & set(study.identity)
    for changes in ({"dim": 3}, {"std": (1.0,)}, {"generations": 3}, {"width": 10}, {"seed": 4}):
        changed = NeuralRecursionStudy(replace(TINY, **changes))  # type: ignore[arg-type]
        assert changed.identity != study.identity
    more = NeuralRecursionStudy(replace(TINY, simulations=9, train_sizes=(12, 13)))
    assert more.identity == study.identity
    assert NeuralRecursionOptions().training_steps == 2000
    assert NeuralRecursionOptions(epochs=3).training_steps is None


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"generations": 0}, "generations is 0"),
        ({"dim": 0}, "dim is 0"),
        ({"model": "unet"}, "model is 'unet', expected 'mlp'"),
        ({"start": "population"}, "start is 'population', expected 'standard' or 'marginal'"),
        ({"std": (1.0, 2.0)}, "std has 2 entries, expected one"),
        ({"std": (-1.0,)}, "std"),
        ({"fresh_fraction": -0.1}, "fresh_fraction is -0.1, expected a number between 0 and 1"),
        ({"generated": 4}, "generated is 4, expected more than 2 d = 4"),
    ],
)
def test_bad_configurations_are_refused(changes: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        NeuralRecursionStudy(replace(TINY, **changes)).source  # noqa: B018


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = ["--out", str(tmp_path / "s")]
    assert main([*COMMAND, "--std", "0.5", *place]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80 or str(tmp_path) in text
    assert text.startswith("MLPs of width 8 trained on samples of the last one, from N(0, 0.5^2)")
    table = pd.read_csv(tmp_path / "s/summary.csv")
    assert list(table.columns[:6]) == [
        *("train_size", "generation", "simulations", "kl_mean", "kl_se", "kl_gaussian"),
    ]
    config = yaml.safe_load((tmp_path / "s/config.yaml").read_text())
    assert (config["model"], config["generations"]) == ("mlp", 2)
    before = (tmp_path / "s/summary.csv").read_bytes()
    again = ["recursion", "--config", str(tmp_path / "s/config.yaml"), "--jobs", "1", *place]
    assert main(again) == 0
    assert (tmp_path / "s/summary.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--model", "unet"], "--model: given 'unet', expected one of gaussian, one-step, mlp"),
        (["--epochs", "3"], "--epochs is an option of --model mlp and would have no effect with"),
        (
            ["--model", "mlp", "--known-mean"],
            "--known-mean is an option of --model gaussian, one-step and would have no effect",
        ),
        (["--model", "mlp", "--generated", "9"], "--generated is 9, expected more than 2 d = 16"),
        (["--model", "mlp", "--data", "digits"], "--data"),
    ],
)
def test_options_without_effect(
    capsys: pytest.CaptureFixture[str], given: list, message: str
) -> None:
    assert main(["recursion", *given]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
