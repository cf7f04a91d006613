"""The page's live simulation: the fit of the package on the same points, and its own statistics."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.explorer.golden import MODULES, node

from ornstein import Gaussian, delta, theory
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.memorization.null import perfect_model_delta

PAGE = MODULES.parent / "page"
SPECTRA = {"equal": np.ones(6), "power law": 1 / np.arange(1, 7) / np.mean(1 / np.arange(1, 7))}


def simulated(**given: Any) -> dict[str, Any]:
    script = Path(__file__).with_name("simulate.mjs")
    done = subprocess.run(
        [node(), str(script), str(PAGE)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_a_law_is_that_of_the_package(spectrum: str) -> None:
    values, rng = SPECTRA[spectrum], np.random.default_rng(3)
    d, time, scale = values.size, 0.7, 1.3
    process, population = OneStepNoising(time, scale), Gaussian(np.zeros(d), values)
    asked, expected = [], []
    for n in (3, 5, 6, 9, 14, 60):
        train, noise = population.sample(n, rng=rng), rng.standard_normal((n, d))
        noised = process.signal * train + math.sqrt(process.noise_variance) * noise
        statistics = PairStatistics.empty(d)
        statistics.absorb(train, noised)
        law = fit_pairs(statistics, process).generated_law
        terms = delta(law, train, population, n_original=10_000).log_terms
        distances = [kl_divergence, wasserstein_squared, hellinger_squared]
        expected.append((law, [float(f(law, population)) for f in distances], terms))
        asked.append(
            {
                "train": train.ravel().tolist(),
                "noise": noise.ravel().tolist(),
                "n": n,
                "eigenvalues": values.tolist(),
                "time": time,
                "noise_scale": scale,
            }
        )
    for found, (law, distances, terms) in zip(simulated(laws=asked)["laws"], expected, strict=True):
        factor = np.reshape(found["factor"], (d, d))
        np.testing.assert_allclose(factor @ factor.T, law.covariance.dense(), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(found["mean"], law.mean, rtol=1e-8, atol=1e-10)
        names = ("kl", "wasserstein_squared", "hellinger_squared")
        ours = [float(found[name]) for name in names]
        np.testing.assert_allclose(ours, distances, rtol=1e-6)
        # Pairs of points that decide nothing are replaced by their mean.
        order = ("cross_train", "pairs_originals", "cross_originals")
        python = [terms.cross_train, terms.pairs_originals, terms.cross_originals]
        np.testing.assert_allclose([found["terms"][name] for name in order], python, rtol=1e-8)
        assert found["terms"]["pairs_train"] == pytest.approx(terms.pairs_train, rel=1e-8)


def test_eigenvalues_are_those_of_lapack() -> None:
    rng = np.random.default_rng(0)
    shapes = [(1, 3), (2, 2), (7, 3), (30, 40), (64, 64)]
    matrices = [factor @ factor.T for factor in map(rng.standard_normal, shapes)]
    matrices += [np.eye(5), np.zeros((4, 4)), np.diag([1.0, 1e-8, 3.0])]
    given = [{"matrix": m.ravel().tolist(), "d": len(m)} for m in matrices]
    for found, matrix in zip(simulated(matrices=given)["eigenvalues"], matrices, strict=True):
        expected = np.linalg.eigvalsh(matrix)
        np.testing.assert_allclose(found, expected, atol=1e-13 * max(1.0, expected[-1]))


def test_random_numbers_are_uniform_and_normal() -> None:
    found = simulated(random={"seeds": [5, 17], "count": 20_000})["random"]
    assert stats.kstest(found["uniform"], "uniform").pvalue > 1e-3
    assert stats.kstest(found["normal"], "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(found["normal"][1:], found["normal"][:-1])[0, 1]) < 4 / 140
    other = simulated(random={"seeds": [5, 18], "count": 20_000})["random"]
    assert abs(np.corrcoef(found["normal"], other["normal"])[0, 1]) < 4 / 140
    assert simulated(random={"seeds": [5, 17], "count": 20_000})["random"] == found


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_replicates_agree_with_theory_and_with_a_perfect_model(spectrum: str) -> None:
    values, runs = SPECTRA[spectrum], 400
    asked = {"eigenvalues": values.tolist(), "time": 2.0, "noise_scale": 1.0, "seed": 1}
    n = 30
    (found,) = simulated(replicates=[{**asked, "n": n, "runs": runs}])["replicates"]
    expected = theory.one_step_anisotropic(values, n)
    # Beside statistical errors those of theory, of order 1/d.
    for name, slack in (("kl", 0.05), ("wasserstein_squared", 0.05), ("hellinger_squared", 0.01)):
        sample = np.array([float(each[name]) for each in found])
        error = sample.std() / math.sqrt(runs)
        assert abs(sample.mean() - getattr(expected, name)) < 4 * error + slack
    perfect = np.mean([each["perfect"] for each in found])
    null = perfect_model_delta(Gaussian(np.zeros(6), values), n, 10_000, 2000, rng=0).fraction
    assert abs(perfect - null) < 4 * math.sqrt(null * (1 - null) / runs + 1e-4)


def test_one_draw_has_points_of_all_kinds() -> None:
    values = np.array([2.0, 1.0, 0.5, 0.5])
    asked = {"eigenvalues": values.tolist(), "time": 2.0, "noise_scale": 0.0, "seed": 2, "n": 4000}
    draw = simulated(draw=asked)["draw"]
    assert [len(draw[name]) // 4 for name in ("train", "generated", "fresh")] == [24, 24, 24]
    # Without noise the model generates a law of the root mean variance in every direction.
    np.testing.assert_allclose(draw["singular_values"], np.sqrt(1 / values), rtol=0.05)
