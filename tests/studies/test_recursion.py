"""The recursion study: generations against their theory and against the public functions."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ornstein import Gaussian, OneStepDenoiser
from ornstein.engine.study import Cell, cell_seed
from ornstein.gaussians import kl_divergence
from ornstein.studies.recursion.options import RecursionOptions
from ornstein.studies.recursion.prediction import limit, predicted
from ornstein.studies.recursion.study import MEASURED, RecursionStudy
from ornstein.theory import recursive_kl, recursive_one_step, recursive_variance

SMALL = RecursionOptions((12, 30), generations=3, dim=4, std=1.5, simulations=5, seed=2)


def moments(S: np.ndarray) -> list[float]:
    d = len(S)
    return [np.trace(S) / d, np.trace(S @ S) / d, (np.trace(S) / d) ** 2]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_cell_of_gaussians_written_out(known: bool, share: float) -> None:
    study = RecursionStudy(replace(SMALL, known_mean=known, fresh_fraction=share))
    cell = Cell(12, 1)
    values = study.measure(cell)
    assert list(values) == list(study.metrics)
    rng = np.random.default_rng(cell_seed(2, cell))
    population = law = Gaussian.isotropic(4, 0.0, 1.5)
    fresh = round(share * 12)
    for k in (1, 2, 3):
        old = law.sample(12 - fresh, rng)
        x = np.concatenate([population.sample(fresh, rng), old]) if fresh else old
        mean = np.zeros(4) if known else x.mean(axis=0)
        S = (x - mean).T @ (x - mean) / (12 if known else 11)
        law = Gaussian(mean, S)
        found = [values[f"{k}/{name}"] for name in MEASURED]
        expected = [kl_divergence(law, population), *moments(S / 1.5**2)]
        np.testing.assert_allclose(found, expected, rtol=1e-8)
        # The same law, but its factor may turn the points: go on from what the study drew.
        law = Gaussian.from_factor(mean, (x - mean).T / math.sqrt(12 if known else 11))


def test_a_cell_of_one_step_models_written_out() -> None:
    options = RecursionOptions((30,), 2, "one-step", 4, 1.5, time=1.2, noise_scale=0.7)
    cell = Cell(30, 0)
    values = RecursionStudy(options).measure(cell)
    rng = np.random.default_rng(cell_seed(0, cell))
    population = law = Gaussian.isotropic(4, 0.0, 1.5)
    for k in (1, 2):
        points = law.sample(30, rng)
        model = OneStepDenoiser(1.2, 0.7 * law.covariance.trace / 4, random_state=rng)
        law = model.fit(points).generated_law_
        found = [values[f"{k}/{name}"] for name in MEASURED]
        expected = [kl_divergence(law, population), *moments(law.covariance.dense() / 1.5**2)]
        np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"known_mean": True},
        {"known_mean": True, "fresh_fraction": 0.25},
        {"model": "one-step", "dim": 16, "train_sizes": (60,)},
    ],
)
def test_theory_beside_the_simulation(changes: dict) -> None:
    """Within 4.5 standard errors; one-step models 1/d as well."""
    base = {"train_sizes": (12, 40), "dim": 5, "simulations": 200, "seed": 5}
    options = replace(SMALL, **(base | changes))  # type: ignore[arg-type]
    if options.model == "one-step":
        options = replace(options, simulations=80)
    judged = 0
    for row in RecursionStudy(options).run(jobs=1).rows:
        for name in MEASURED:
            theory = row[f"{name}_theory"]
            if math.isnan(theory):
                continue
            slack = theory / options.dim if options.model == "one-step" else 0.0
            gap = abs(row[f"{name}_mean"] - theory)
            assert gap < 4.5 * row[f"{name}_se"] + slack, (name, row)
            judged += 1
    # KL and three traces, traces alone with fresh points, KL and trace of the one-step model.
    wanted = {"one-step": 6}.get(options.model, 18 if options.fresh_fraction else 24)
    assert judged == wanted


def test_where_there_is_theory() -> None:
    def known(n: int = 12, **changes: object) -> set[str]:
        study = RecursionStudy(replace(SMALL, **changes))  # type: ignore[arg-type]
        return {name for name, v in predicted(study, n).items() if not np.isnan(v).any()}

    assert known() == known(known_mean=True) == set(MEASURED)
    assert known(fresh_fraction=0.25, known_mean=True) == {"trace", "square", "trace_square"}
    assert known(fresh_fraction=0.25) == set()
    assert known(model="one-step") == {"kl", "trace"}
    assert known(model="one-step", fresh_fraction=0.25) == set()
    # A share that rounds to no point is none.
    assert known(fresh_fraction=0.03) == set(MEASURED)


def test_theory_is_that_of_the_functions() -> None:
    k = np.array([1, 2, 3])
    fitted = predicted(RecursionStudy(SMALL), 12)
    np.testing.assert_array_equal(fitted["kl"], recursive_kl(4, 12, k))
    np.testing.assert_array_equal(fitted["square"], recursive_variance(4, 11, k).square)
    known = predicted(RecursionStudy(replace(SMALL, known_mean=True)), 12)
    np.testing.assert_array_equal(known["kl"], recursive_kl(4, 12, k, fitted_mean=False))
    # 0.3 of 12 points are 4 after rounding.
    study = RecursionStudy(replace(SMALL, known_mean=True, fresh_fraction=0.3))
    law = recursive_variance(4, 12, k, 4 / 12)
    np.testing.assert_array_equal(predicted(study, 12)["trace_square"], law.trace_square)
    assert limit(study, 12) == recursive_variance(4, 12, math.inf, 4 / 12).square
    assert limit(RecursionStudy(SMALL), 12) == math.inf
    assert math.isnan(limit(RecursionStudy(replace(SMALL, fresh_fraction=0.3)), 12))
    options = replace(SMALL, model="one-step", time=1.2, noise_scale=0.7)
    found = predicted(RecursionStudy(options), 30)
    np.testing.assert_array_equal(found["kl"], recursive_one_step(4, 30, 3, 1.2, 0.7).kl)


def test_more_replicates_reuse_and_workers_agree(tmp_path: Path) -> None:
    study = RecursionStudy(SMALL)
    first = study.run(tmp_path, jobs=1)
    grown = RecursionStudy(replace(SMALL, simulations=7)).run(tmp_path, jobs=1)
    assert {row["simulations"] for row in grown.rows} == {7}
    two = study.run(jobs=2)
    pd.testing.assert_frame_equal(first.to_pandas(), two.to_pandas(), check_exact=True)
    names = {"study.sqlite", "config.yaml", "summary.csv", "figure.svg", "figure.png"}
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"generations": 0}, "generations is 0"),
        ({"dim": 0}, "dim is 0"),
        ({"std": 0.0}, "std is 0"),
        ({"model": "mlp"}, "model is 'mlp', expected 'gaussian' or 'one-step'"),
        ({"fresh_fraction": 1.2}, "fresh_fraction is 1.2, expected a number between 0 and 1"),
        ({"time": 2.0}, "time is 2 and model gaussian, where it would have no effect"),
        ({"noise_scale": 1.0}, "noise_scale is 1 and model gaussian"),
        ({"model": "one-step", "known_mean": True}, "known_mean would have no effect"),
        ({"model": "one-step", "time": 0.0}, "time is 0"),
        ({"train_sizes": (1,)}, "a training size is 1"),
    ],
)
def test_bad_configurations_are_refused(changes: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(SMALL, **changes)


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from ornstein.cli.main import main

    options = ["recursion", "--dim", "3", "--train-sizes", "5,20", "--generations", "2"]
    options += ["--known-mean", "--fresh-fraction", "0.2", "--simulations", "3", "--jobs", "1"]
    assert main([*options, "--out", str(tmp_path / "s")]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) < 160
    assert "known mean" in text
    config = ["recursion", "--config", str(tmp_path / "s/config.yaml"), "--jobs", "1"]
    before = (tmp_path / "s/summary.csv").read_bytes()
    assert main([*config, "--out", str(tmp_path / "s")]) == 0
    assert (tmp_path / "s/summary.csv").read_bytes() == before
    capsys.readouterr()
    assert main(["recursion", "--time", "2"]) == 2
    assert "would have no effect" in capsys.readouterr().err
