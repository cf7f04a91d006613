"""Populations with known truth: moments, densities, what is refused."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from ornstein.gaussians import Gaussian
from ornstein.mixtures import Mixture


def test_mixture_moments_and_density() -> None:
    mixture = Mixture.isotropic(2, [0.0, 10.0], [1.0, 2.0], [0.25, 0.75])
    x = mixture.sample(100_000, np.random.default_rng(0))
    spread = mixture.std
    np.testing.assert_allclose(x.mean(0), mixture.mean, atol=5 * spread / np.sqrt(100_000))
    assert np.sqrt(x.var(0).mean()) == pytest.approx(spread, rel=0.01)
    points = x[:7]
    oracle = np.log(
        0.25 * multivariate_normal([0, 0], np.eye(2)).pdf(points)
        + 0.75 * multivariate_normal([10, 10], 4 * np.eye(2)).pdf(points)
    )
    np.testing.assert_allclose(mixture.log_prob(points), oracle, rtol=1e-10)


def test_a_gaussian_is_a_mixture_of_one() -> None:
    law = Gaussian.power_law(5, 1.0, mean=2.0)
    mixture = Mixture([law])
    x = law.sample(9, 0)
    np.testing.assert_allclose(mixture.log_prob(x), law.log_prob(x))
    assert mixture.std == pytest.approx(law.std)
    np.testing.assert_allclose(mixture.mean, law.mean)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Mixture([]),
        lambda: Mixture.isotropic(2, [0.0, 1.0, 2.0], [1.0, 2.0]),
        lambda: Mixture.isotropic(2, [0.0, 1.0], [1.0, -1.0]),
        lambda: Mixture.isotropic(2, [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]),
        lambda: Mixture.isotropic(2, [0.0, 1.0], [1.0, 1.0], [1.0]),
        lambda: Mixture([Gaussian.isotropic(2), Gaussian.isotropic(3)]),
    ],
)
def test_bad_mixtures_are_refused(call) -> None:
    with pytest.raises(ValueError, match=r"expected|at least one"):
        call()


@pytest.mark.parametrize("weights", [[1.0, 3.0], [0.5, 0.4], [0.2, 0.2], [0.5, 0.50001]])
def test_weights_that_do_not_sum_to_one_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"weights sum to .*, expected 1: divide") as caught:
        Mixture.isotropic(2, [0.0, 1.0], [1.0], weights)
    assert "\n" not in str(caught.value)
    shares = [weight / sum(weights) for weight in weights]
    assert ", ".join(f"{share:g}" for share in shares) in str(caught.value)


def test_rounding_of_typed_weights_is_divided_out() -> None:
    mixture = Mixture.isotropic(2, [0.0, 1.0, 2.0], [1.0], [0.333333, 0.333333, 0.333333])
    np.testing.assert_array_equal(mixture.weights, 1 / 3)
    assert Mixture.isotropic(1, [0.0] * 7, [1.0]).weights.sum() == pytest.approx(1, abs=1e-15)


def test_one_std_is_that_of_all_components() -> None:
    mixture = Mixture.isotropic(2, [0.0, 1.0], [0.3])
    assert [component.std for component in mixture.components] == pytest.approx([0.3, 0.3])
