"""Advice, targets and assumptions by their definitions, with numbers that are told apart."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest
from tests.forecasting.test_predictions import PROCESS, known

from ornstein import theory
from ornstein.forecasting import advice, assumptions, targets
from ornstein.forecasting.advice import collapse, sampling, stopping
from ornstein.forecasting.assumptions import check_assumptions
from ornstein.forecasting.curve import Comparison
from ornstein.forecasting.estimate import Estimate, Standardized
from ornstein.forecasting.predictions import one_step_wasserstein
from ornstein.forecasting.row_sizes import Fluctuations
from ornstein.forecasting.targets import points_needed

NEAR = Comparison(10, "auc", 2.0, 0.01, 2.01, 0.01)


def test_collapse_is_where_the_volumes_of_the_noised_points_fill_that_of_the_data() -> None:
    spectrum = np.array([2.0, 1.0, 0.5, 0.5])
    found = collapse(known(spectrum), 40, unit=3.0)
    variance = (found.noise / 3.0) ** 2
    assert np.log1p(spectrum / variance).sum() == pytest.approx(2 * np.log(40))
    assert np.expm1(2 * found.time) == pytest.approx(variance)


def test_steps_are_those_of_the_leading_components_at_n_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spectrum = np.array([70, 20, 9.5, 0.5]) / 25
    found = sampling(known(spectrum), 12, unit=2.0)
    assert found.components == 3  # 99.5% of the variance; two have 90%

    def kl(steps: int) -> float:
        return theory.sampler_quality(spectrum[:3], steps, "heun", "karras", n_train=12).kl

    assert found.kl_limit == pytest.approx(kl(400), rel=1e-3)
    assert found.kl == pytest.approx(kl(int(found.steps)), rel=1e-6)
    assert found.kl < found.kl_limit
    assert found.enough == 10  # the first after 7 of those that are tried
    # Not within 5% of the least.
    assert 1.05 * found.kl < kl(10) < 1.05 * found.kl_limit < kl(7)
    assert found.grid[0] > 100 * found.grid[-1] > 0
    # Of 20 points it is 14: 10 would be enough for the population itself.
    best = SimpleNamespace(steps=18.0, kl=0.2371, kl_limit=0.2427)  # as best_steps finds
    monkeypatch.setattr(advice, "best_steps", lambda *_, **__: best)
    assert sampling(known(spectrum), 20, unit=2.0).enough == 14


def test_the_window_of_stopping_is_within_one_percent_of_the_least_loss() -> None:
    found = stopping(known(np.ones(60)), 31)

    def loss(time: float) -> float:
        return float(theory.early_stopping_losses(time, 2.0, 0.09, init=1.0).test)

    limit = 1.01 * found.best_loss
    assert loss(found.first) <= 1.001 * limit
    assert loss(found.last) <= 1.001 * limit
    assert loss(found.first / 1.1) > limit
    assert loss(1.1 * found.last) > limit


def test_a_peak_of_the_one_step_distance_is_not_stepped_over() -> None:
    """At n = d + 1, three sizes wide: 11 points are needed, though 3 would do."""
    spectrum = np.repeat([1.8, 0.2], [3, 5])
    whole = dataclasses.replace(known(spectrum), count=15)
    whole.__dict__["population"] = spectrum
    at = [one_step_wasserstein(whole, n, PROCESS) for n in (6, 10, 11)]
    assert at[0] < at[2] < 5 < at[1]
    assert points_needed("one-step-w2", 5.0, whole, [whole, whole], PROCESS).n == 11


def test_the_band_is_of_students_law_over_the_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    """c/n <= 0.5 from n = 100 on for c = 50; parts of 49 and 51, with the error 3/n."""
    monkeypatch.setattr(targets, "target_value", lambda *_: lambda e, n: e.c / n)
    whole, *parts = (SimpleNamespace(count=100, c=c) for c in (50, *5 * (49, 51)))
    found = points_needed("w2", 0.5, whole, parts, PROCESS)  # type: ignore[arg-type]
    assert found[2] == 100
    spread = 2.262 * 3 / 50  # the slope in ln n is -50/n
    assert (found.low, found.high) == pytest.approx(
        (100 * np.exp(-spread), 100 * np.exp(spread)), rel=1e-3
    )
    assert (found.at_data, found.at_most) == (0.5, 0.005)


def test_a_band_that_leaves_the_range_has_no_end() -> None:
    """The upper end lies beyond 100 times the data: it is not known."""
    spectrum, estimates = np.array([1.5, 1.0, 0.5]), []
    for factor in (1.0, 0.7, 1.3):
        each = dataclasses.replace(known(spectrum), count=4)
        each.__dict__["population"] = spectrum * np.array([factor, 1.0, 1 / factor])
        estimates.append(each)
    whole, *parts = estimates
    found = points_needed("w2", 0.0055, whole, parts * 5, PROCESS)
    assert 280 < found.low < 300 < found.n < 400
    assert np.isinf(found.high)


def assumed(points: np.ndarray, whole: Estimate) -> dict[str, assumptions.Assumption]:
    found = check_assumptions(Standardized(points, 1.0, 0), whole, [NEAR])
    return {each.name: each for each in found}


def estimate(count: int, values: np.ndarray, fourth: np.ndarray) -> Estimate:
    moments = np.ones((values.size, values.size))
    np.fill_diagonal(moments, fourth)
    gaussian = tuple(np.ones_like(moments) + (2.0 + e) * np.eye(values.size) for e in (-0.1, 0.1))
    fluctuations = Fluctuations(values, moments, gaussian)
    return Estimate(count, values, fluctuations, np.ones((1, values.size)))


def test_shapes_of_the_leading_components_are_those_of_a_gaussian_or_not() -> None:
    points = np.random.default_rng(0).standard_normal((50, 4))
    values = np.array([6.0, 3.0, 0.9, 0.1])
    # 90% of the variance are of two components; fourth moments of a Gaussian are 3.
    found = assumed(points, estimate(50, values, np.array([1.25, 8.5, 99.0, 99.0])))
    shape = found["Gaussian components"]
    assert shape.holds == "in part"
    assert shape.check == (
        "2 of the 2 principal components with 90% of the variance have an excess kurtosis beyond "
        "1.5 (largest 5.50)"
    )
    found = assumed(points, estimate(50, values, np.array([4.25, 1.75, 99.0, 99.0])))
    assert found["Gaussian components"].holds == "yes"
    assert "0 of the 2" in found["Gaussian components"].check


@pytest.mark.parametrize("n", [12, 80])
def test_the_correlation_of_neighbours_has_its_standard_deviation(n: int) -> None:
    """Of independent rows of a wide spectrum, more and fewer than dimensions."""
    rng, seen = np.random.default_rng(n), []
    for _ in range(400):
        points = rng.standard_normal((n, 20)) / np.arange(1, 21)
        check = assumptions._independent(points - points.mean(axis=0)).check
        (number,) = re.findall(r"\((.*) standard deviations", check.replace("\n", " "))
        seen.append(float(number))
    # Centring makes neighbours differ, by -1/n; 400 values have a standard deviation within 15%.
    assert np.std(seen) == pytest.approx(1, abs=0.25)
    assert abs(np.mean(seen)) < 0.6


@pytest.mark.parametrize(("repeated", "holds"), [(2, "yes"), (3, "in part")])
def test_one_percent_of_rows_may_repeat(repeated: int, holds: str) -> None:
    points = np.random.default_rng(0).standard_normal((200, 2))
    points[100 : 100 + repeated] = points[:repeated]
    found = assumptions._distinct(points)
    assert (found.holds, found.check) == (holds, f"{repeated} of 200 rows repeat an earlier one")


@pytest.mark.parametrize(
    ("count", "holds"), [(10, "no"), (11, "in part"), (39, "in part"), (40, "yes")]
)
def test_four_times_as_many_points_as_dimensions_are_enough(count: int, holds: str) -> None:
    data = Standardized(np.zeros((count, 10)), 1.0, 0)
    found = assumptions._enough(data, estimate(count, np.ones(10), np.full(10, 3.0)))
    assert found.holds == holds
