"""The page's live simulation: its replicates against theory, and their signs of Delta."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.golden import MODULES, evaluate, node_output

from ornstein import Gaussian, delta, theory
from ornstein.covariances import Covariance
from ornstein.memorization.null import perfect_model_delta

WORKER = MODULES.parent / "page" / "simulation_worker.js"
SPECTRA = {"equal": np.ones(6), "power law": 1 / np.arange(1, 7) / np.mean(1 / np.arange(1, 7))}


def simulated(task: dict[str, Any], sizes: list[int], runs: int) -> dict[str, Any]:
    script = Path(__file__).with_name("simulate.mjs")
    given = json.dumps({"task": task, "sizes": sizes, "runs": runs})
    return json.loads(node_output([script, WORKER], given, seconds=120))


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_replicates_agree_with_theory_and_with_a_perfect_model(spectrum: str) -> None:
    values, runs, n = SPECTRA[spectrum], 400, 30
    task = {"eigenvalues": values.tolist(), "time": 2.0, "noise_scale": 1.0, "seed": 1}
    (found,) = simulated(task, [n], runs)["replicates"]
    expected = theory.one_step_anisotropic(values, n)
    # Beside statistical errors those of theory, of order 1/d.
    for name, slack in (("kl", 0.05), ("wasserstein_squared", 0.05), ("hellinger_squared", 0.01)):
        sample = np.array([each[name] for each in found])
        error = sample.std() / math.sqrt(runs)
        assert abs(sample.mean() - getattr(expected, name)) < 4 * error + slack
    perfect = np.mean([each["perfect"] for each in found])
    null = perfect_model_delta(Gaussian(np.zeros(6), values), n, 10_000, 2000, rng=0).fraction
    assert abs(perfect - null) < 4 * math.sqrt(null * (1 - null) / runs + 1e-4)


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_signs_of_delta_are_those_of_the_package(spectrum: str) -> None:
    values, runs, sizes = SPECTRA[spectrum], 25, [4, 9, 14, 60]
    task = {"eigenvalues": values.tolist(), "time": 1.0, "noise_scale": 1.5, "seed": 2}
    found = simulated(task, sizes, runs)["replicates"]
    population = Gaussian(np.zeros(6), values)
    signs = set()
    for n, ours in zip(sizes, found, strict=True):
        seeds = [3 * 100_003 + run for run in range(runs)]
        fits = evaluate([("simulate_one_step", [values, n, 1.0, 1.5, seed]) for seed in seeds])
        for fit, mine in zip(fits, ours, strict=True):
            train = np.reshape(fit["train"], (n, 6))
            factor = np.reshape(fit["coefficients"], (6, 6)) * math.sqrt(fit["start_variance"])
            law = Gaussian(fit["mean"], Covariance.from_factor(factor))
            for model, name in ((law, "delta"), (population, "perfect")):
                sign = delta(model, train, population, n_original=10_000).sign
                assert mine[name] == (sign > 0)
                signs.add((name, sign))
    assert len(signs) == 4


def test_one_draw_has_points_of_all_kinds() -> None:
    values = np.array([2.0, 1.0, 0.5, 0.5])
    task = {"eigenvalues": values.tolist(), "time": 2.0, "noise_scale": 0.0, "seed": 2}
    draw = simulated(task, [4000], 0)["draw"]
    assert [len(draw[name]) // 4 for name in ("train", "generated", "fresh")] == [24, 24, 24]
    # Without noise the model generates a law of the root mean variance in every direction.
    singular = np.sort(draw["singular_values"])
    np.testing.assert_allclose(singular, np.sort(np.sqrt(1 / values)), rtol=0.05)
    few = simulated(task, [3], 0)["draw"]
    assert (len(few["train"]), len(few["singular_values"])) == (3 * 4, 2)
