"""Losses, consistency and AUC of n points against simulation; targets against simulation."""

import numpy as np
import pytest
from tests.forecasting.populations import SPECTRA, covariances, distance, draw, mean_and_error

from ornstein import theory
from ornstein.forecasting.advice import modes, stopping
from ornstein.forecasting.estimate import Estimate, estimates, half_width, jackknife, standardize
from ornstein.forecasting.measuring import measure
from ornstein.forecasting.predictions import (
    OneStepProcess,
    best_loss,
    consistency,
    losses,
    membership_auc,
    most_revealing,
    one_step_wasserstein,
    wasserstein,
)
from ornstein.forecasting.quantities import quantities
from ornstein.forecasting.row_sizes import Fluctuations
from ornstein.forecasting.targets import points_needed, read_target

PROCESS = OneStepProcess()


def known(spectrum: np.ndarray) -> Estimate:
    """An estimate that is the truth: Gaussian rows of this spectrum, very many."""
    d = spectrum.size
    gaussian = 1.0 + 2.0 * np.eye(d)
    draws = tuple(gaussian * (1 + scale) for scale in (-1e-3, 1e-3))
    estimate = Estimate(10**9, spectrum, Fluctuations(spectrum, gaussian, draws), np.ones((1, d)))
    estimate.__dict__["population"] = spectrum
    return estimate


@pytest.mark.parametrize("name", SPECTRA)
def test_all_quantities_are_what_subsets_of_fresh_data_measure(name: str) -> None:
    spectrum, rng = SPECTRA[name], np.random.default_rng(4)
    sizes, attacked = (20, 45, 150), {20: 0.5, 45: 0.5, 150: 0.5}
    rows = [
        measure(draw(spectrum, 600, rng), sizes, PROCESS, attacked, 4, rng, False) for _ in range(5)
    ]
    truth = known(spectrum)
    for place, n in enumerate(sizes):
        for quantity in quantities(PROCESS, attacked):
            if quantity.name in {"w2", "one_step_w2"}:
                continue  # to all points, not to the population
            mean, error = mean_and_error([row[place].mean(quantity.name) for row in rows])
            predicted = quantity.fresh(truth, n)
            # The equivalents leave out what is of relative order 1/|n - d| at low noise.
            room = 0.03 if quantity.name == "auc" else (0.01 + 1 / abs(n - 30)) * mean
            assert abs(predicted - mean) < 5 * error + room, (quantity.name, n)


@pytest.mark.parametrize("n", [20, 45, 150])
def test_losses_of_a_known_mean_are_the_theory_package(n: int) -> None:
    """With a fitted mean they are those of n - 1 points, and a share 1/n of the residual."""
    spectrum, noise = SPECTRA["power law"], 0.3
    train, test = losses(known(spectrum), n, noise)
    expected = theory.denoising_losses(spectrum, noise**2, n - 1)
    residuals = theory.membership(spectrum, noise**2, n - 1)
    assert test == pytest.approx(expected.test + residuals.non_member_mean / n / 30, rel=1e-7)
    assert train == pytest.approx(expected.train - residuals.member_mean / n / 30, rel=1e-7)
    assert best_loss(known(spectrum), noise) == pytest.approx(expected.optimum)


def test_one_step_distance_is_that_of_its_theory() -> None:
    spectrum = SPECTRA["two levels"]
    expected = theory.one_step_anisotropic(spectrum, 90, 2.0, 1.0, fitted_variance=True)
    found = one_step_wasserstein(known(spectrum), 90, PROCESS)
    assert found == pytest.approx(expected.wasserstein_squared / 30)


def test_distances_of_most_of_the_points_are_those_of_a_finite_population() -> None:
    """50 of 60 points: of new points they would be 1.3 and 6 times as far."""
    rng = np.random.default_rng(0)
    points = standardize(draw(np.repeat([1.6, 0.4], 3), 60, rng)).points
    whole, _ = estimates(points, rng)
    (row,) = measure(points, (50,), PROCESS, {50: 0.5}, 80, rng, False)
    for quantity in quantities(PROCESS, {50: 0.5})[:2]:
        mean, error = row.mean(quantity.name), row.error(quantity.name)
        assert abs(quantity.subset(whole, 50) - mean) < 4 * error + 0.03 * mean, quantity.name
        assert quantity.fresh(whole, 50) > 1.25 * mean


def test_replicates_are_other_subsets_and_parts_are_random_ones() -> None:
    """Of sorted data: each subset is another, and each part as uneven as chance makes it."""
    rng = np.random.default_rng(3)
    points = np.sort(rng.standard_normal((80, 2)), axis=0)
    (row,) = measure(points, (20,), PROCESS, {20: 0.5}, 6, rng, False)
    for name in ("w2", "test_loss_0.3", "auc", "consistency"):
        assert len(set(row.values[name])) == 6, name
    whole, parts = estimates(standardize(points).points, rng)
    # A variance of 80 points is known to the root of 2/80; every tenth row would give a third.
    error = jackknife(whole.sample[0], [part.sample[0] for part in parts]) / whole.sample[0]
    assert error == pytest.approx(np.sqrt(2 / 80), rel=0.5)


def test_consistency_in_few_dimensions() -> None:
    """A variance fluctuates twice as much as a covariance: a third of the whole in d = 3."""
    spectrum, n, runs = np.array([2.0, 0.7, 0.3]), 40, 3000
    rows = np.random.default_rng(1).standard_normal((2, runs, n, 3)) * np.sqrt(spectrum)
    centred = rows - rows.mean(axis=2, keepdims=True)
    values, vectors = np.linalg.eigh(np.swapaxes(centred, 2, 3) @ centred / (n - 1))
    roots = vectors * np.sqrt(values)[:, :, None] @ np.swapaxes(vectors, 2, 3)
    apart = np.square(roots[0] - roots[1]).sum(axis=(1, 2)) / 6
    error = apart.std() / np.sqrt(runs)
    assert 1 - consistency(known(spectrum), n) == pytest.approx(
        apart.mean(), abs=4 * error + 0.03 * apart.mean()
    )
    assert error < 0.02 * apart.mean()


def test_auc_of_rows_of_unequal_size() -> None:
    spectrum, rng = SPECTRA["isotropic"], np.random.default_rng(5)
    points = standardize(draw(spectrum, 4000, rng, shape=1.0)).points
    whole, _ = estimates(points, rng)
    assert whole.factor("distance") == pytest.approx(2, rel=0.1)
    measured = measure(points, (100, 400), PROCESS, {100: 0.5, 400: 0.5}, 6, rng, False)
    for row in measured:
        predicted = membership_auc(whole, row.n, 0.5)
        assert abs(predicted - row.mean("auc")) < 5 * row.error("auc") + 0.02


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("target", ["w2=0.04", "excess-loss=0.08", "auc=0.7"])
def test_the_n_of_a_target_is_within_10_percent_of_the_simulated_one(name, target) -> None:
    """From N = 150 points in d = 30: at the n that is named, the simulated target holds."""
    spectrum, rng = SPECTRA[name], np.random.default_rng(6)
    data = standardize(draw(spectrum, 150, rng))
    whole, parts = estimates(data.points, rng)
    quantity, bound = read_target(target)
    found = points_needed(quantity, bound, whole, parts, PROCESS)
    assert found.low < found.n < found.high
    # The quantity against ln n, simulated at 10% fewer and 10% more points.
    at = []
    for n in (round(found.n / 1.1), round(found.n * 1.1)):
        if quantity == "w2":
            values = [distance(*each, spectrum) for each in covariances(spectrum, n, 60, rng)]
        elif quantity == "excess-loss":
            values = [excess(each, spectrum, 0.3) for each in covariances(spectrum, n, 60, rng)]
        else:
            noise = most_revealing(whole, n)[0] * data.unit
            values = [auc(spectrum, n, noise, rng) for _ in range(25)]
        at.append(np.mean(values))
    assert at[1] < bound < at[0]


def excess(fit: tuple[np.ndarray, np.ndarray], spectrum: np.ndarray, noise: float) -> float:
    """Test loss above the least, by matrices."""
    mean, covariance = fit
    v, one = noise**2, np.eye(spectrum.size)
    weight = covariance @ np.linalg.inv(covariance + v * one)
    lost = one - weight
    loss = np.trace(lost @ (np.diag(spectrum) + np.outer(mean, mean)) @ lost.T)
    loss += v * np.square(weight).sum()
    return float(loss / (v * spectrum / (spectrum + v)).sum() - 1)


def auc(spectrum: np.ndarray, n: int, noise: float, rng: np.random.Generator) -> float:
    seen, fresh = draw(spectrum, n, rng), draw(spectrum, 1000, rng)
    lost = np.linalg.inv(np.cov(seen.T) / noise**2 + np.eye(spectrum.size))
    inner, outer = (np.square((part - seen.mean(0)) @ lost).sum(1) for part in (seen, fresh))
    return float((inner[:, None] < outer).mean())


class TestTargets:
    def test_beyond_100_times_the_data(self) -> None:
        rng = np.random.default_rng(7)
        whole, parts = estimates(standardize(rng.standard_normal((40, 5))).points, rng)
        found = points_needed("w2", 1e-6, whole, parts, PROCESS)
        assert np.isinf([found.n, found.high]).all()
        assert found.at_most == wasserstein(whole, 4000)
        assert found.at_data == wasserstein(whole, 40)

    def test_a_bound_that_every_size_keeps(self) -> None:
        rng = np.random.default_rng(7)
        whole, parts = estimates(standardize(rng.standard_normal((40, 5))).points, rng)
        assert points_needed("w2", 10.0, whole, parts, PROCESS).n == 3

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("w3=1", "expected NAME=BOUND with one of w2, one-step-w2, auc, consistency"),
            ("w2", "expected w2=BOUND with a number > 0"),
            ("w2=inf", "expected w2=BOUND with a number > 0"),
            ("auc=0.5", "expected auc=BOUND with a number between 0.5 and 1"),
            ("consistency=1", "between 0 and 1"),
        ],
    )
    def test_what_is_no_target(self, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            read_target(text)

    def test_names_with_underscores(self) -> None:
        assert read_target(" one_step_w2=0.2") == ("one-step-w2", 0.2)


class TestAdvice:
    def test_modes_against_simulation(self) -> None:
        spectrum, rng, n = SPECTRA["power law"], np.random.default_rng(8), 60
        kept, roots = [], []
        for _, covariance in covariances(spectrum, n, 100, rng):
            values, vectors = np.linalg.eigh(covariance)
            kept.append((vectors**2) @ (values / (values + 1)))
            roots.append((vectors**2) @ np.sqrt(values))
        for mode in modes(known(spectrum), n):
            k = mode.component - 1
            assert mode.share == pytest.approx(spectrum[k] / spectrum.sum())
            assert mode.ideal == pytest.approx(spectrum[k] / (spectrum[k] + 1))
            assert mode.kept == pytest.approx(np.mean(kept, axis=0)[k], rel=0.04)
            agreed = np.mean(roots, axis=0)[k] ** 2 / spectrum[k]
            assert mode.agreed == pytest.approx(agreed, rel=0.06)  # O(1/n) of small modes
            assert mode.over_shrinkage == pytest.approx(1 - mode.kept / mode.ideal)

    def test_stopping_of_equal_eigenvalues_is_the_theory_package(self) -> None:
        found = stopping(known(np.ones(60)), 31)
        expected = theory.early_stopping_minimum(2.0, 0.09, init=1.0)
        assert found.best == pytest.approx(expected.time, rel=0.03)
        assert found.best_loss == pytest.approx(expected.test, rel=1e-3)
        final = theory.early_stopping_losses(1e9, 2.0, 0.09, init=1.0)
        assert found.final_loss == pytest.approx(final.test, rel=1e-3)
        assert found.first < found.best < found.last < np.inf

    def test_no_stopping_with_many_points(self) -> None:
        assert np.isinf(stopping(known(np.ones(10)), 2000).last)


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(9).standard_normal(200)
    parts = [np.delete(values, slice(20 * k, 20 * k + 20)).mean() for k in range(10)]
    expected = values.std(ddof=1) / np.sqrt(200)
    assert jackknife(float(values.mean()), parts) == pytest.approx(expected, rel=0.5)
    groups = values.reshape(10, 20).mean(1)
    assert jackknife(0.0, parts) == pytest.approx(groups.std(ddof=1) / np.sqrt(10))
    assert half_width(1.0) == pytest.approx(2.262, abs=1e-3)
    assert np.isnan(jackknife(np.inf, parts))
