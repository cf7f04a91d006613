"""Laws of row sizes, and tail factors of data of known ones."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import gamma
from tests.forecasting.populations import SPECTRA, draw

from ornstein.forecasting.estimate import Estimate, estimates, standardize
from ornstein.forecasting.row_sizes import Fluctuations, RowSizes, kernel_weights


@pytest.mark.parametrize("factor", [1.0, 1.01, 2.5, 20.0])
def test_moments_of_the_law(factor: float) -> None:
    law = RowSizes.of(factor)
    assert law.weights.sum() == pytest.approx(1)
    assert law.weights @ law.nodes == pytest.approx(1)
    assert law.weights @ law.nodes**2 == pytest.approx(factor, rel=1e-9)


def test_shrinkage_solves_its_equation_under_the_gamma_law() -> None:
    factor, load = 1.8, np.array([0.05, 0.4, 0.7])
    rho, slope = RowSizes.of(factor).shrinkage(load)
    law = gamma(1 / (factor - 1), scale=factor - 1)
    for index, c in enumerate(load):

        def excess(r: float, c: float = c) -> float:
            return quad(lambda t: t / (r + t * c) * law.pdf(t), 0, np.inf)[0] - 1

        assert rho[index] == pytest.approx(brentq(excess, 1e-6, 1), rel=1e-3)
    step = 1e-6
    numeric = (RowSizes.of(factor).shrinkage(load + step)[0] - rho) / step
    np.testing.assert_allclose(slope, numeric, rtol=1e-4)


def test_weights_are_those_of_the_quantities() -> None:
    values = np.array([4.0, 1.0])
    assert kernel_weights(values, "distance")[0, 1] == pytest.approx(4 / 5)
    assert kernel_weights(values, "consistency")[0, 1] == pytest.approx(4 / 9)
    expected = 4 / (5 * 2) * (1 / 5 + 1 / 2) / 2
    assert kernel_weights(values, 1.0)[0, 1] == pytest.approx(expected)


@pytest.mark.parametrize("quantity", ["distance", "consistency", 0.09])
def test_tail_factor_of_gaussian_data_is_1_and_of_others_what_it_is(quantity) -> None:
    rng, spectrum = np.random.default_rng(1), SPECTRA["two levels"]
    whole, parts = estimates(standardize(draw(spectrum, 600, rng)).points, rng)
    factor, deviations = whole.fluctuations.tail_factor(quantity)
    assert abs(deviations) < 3
    assert factor == pytest.approx(1, abs=0.02)
    assert whole.factor(quantity) == parts[0].factor(quantity) == 1
    points = draw(spectrum, 6000, rng, shape=2.0)  # E tau^2 = 1 + 1/2
    whole, parts = estimates(standardize(points).points, rng)
    assert whole.factor(quantity) == pytest.approx(1.5, rel=0.06)
    spread = np.std([part.factor(quantity) for part in parts])
    assert 0 < spread < 0.05


def of_factor(factor: float, spread: float, like: Estimate | None = None) -> Estimate:
    """An estimate whose data have this tail factor, beside Gaussian ones that vary by `spread`."""
    values, one = np.array([2.0, 1.0, 0.5]), 1.0 + 2.0 * np.eye(3)

    def moments(size: float) -> np.ndarray:
        return size * (one - np.eye(3)) + np.eye(3)

    gaussian = tuple(moments(size) for size in (1.0 - spread, 1.0 + spread))
    fluctuations = Fluctuations(values, moments(factor), gaussian)
    return Estimate(50, values, fluctuations, np.ones((1, 3)), like=like)


def test_whether_a_gaussian_is_refuted_is_asked_of_all_data() -> None:
    """Else the jackknife would compare parts with a tail factor and parts without one."""
    gaussian, heavy = of_factor(1.1, 0.1), of_factor(1.5, 0.01)
    assert heavy.fluctuations.tail_factor("distance")[0] == pytest.approx(1.5)
    assert (gaussian.factor("distance"), heavy.factor("distance")) == (1, pytest.approx(1.5))
    for part, expected in (
        (of_factor(1.4, 0.01, like=gaussian), 1.0),
        (of_factor(1.2, 0.5, like=heavy), 1.2),
        (of_factor(0.8, 0.5, like=heavy), 1.0),
    ):
        assert part.factor("distance") == pytest.approx(expected)
    rng = np.random.default_rng(2)
    whole, parts = estimates(standardize(rng.standard_normal((40, 3))).points, rng)
    assert whole.like is None
    assert all(part.like is whole for part in parts)
    assert [part.count for part in parts] == [36] * 10
