"""What generated points are measured against: exactness, invariances, expectations."""

import math

import numpy as np
import pytest

from ornstein import Gaussian
from ornstein.covariances import Covariance
from ornstein.data.data_sets import DataSet
from ornstein.data.sources import PopulationSource
from ornstein.denoisers.linear import LinearDiffusion
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule
from ornstein.gaussians import kl_divergence, wasserstein_squared
from ornstein.memorization.sample_delta import coordinate_delta
from ornstein.memorization.sample_measures import (
    component_moments,
    fitted_distances,
    kernel_measures,
    linear_distances,
    memorization,
)
from ornstein.mixtures import Mixture
from ornstein.studies.neural.unet import perfect_delta
from ornstein.theory.random_matrices.wishart import wishart_kl


def full(rng: np.random.Generator, dim: int) -> Gaussian:
    factor = 0.4 * rng.standard_normal((dim, dim)) + np.eye(dim)
    return Gaussian(0.3 * rng.standard_normal(dim), Covariance.full(factor @ factor.T))


class TestFittedDistances:
    @pytest.mark.parametrize("count", [17, 60])
    def test_kl_does_not_depend_on_the_number_of_points(self, count: int) -> None:
        rng = np.random.default_rng(1)
        law, reference = full(rng, 8), full(rng, 8)
        values = [fitted_distances(law.sample(count, rng), reference).kl for _ in range(1500)]
        error = np.std(values) / math.sqrt(len(values))
        exact = kl_divergence(law, reference)
        assert abs(np.mean(values) - exact) < 4 * error
        # What the correction takes off for the determinant alone is many errors.
        assert wishart_kl(8, count - 1).generated_population > 5 * error

    def test_wasserstein_to_first_order(self) -> None:
        rng = np.random.default_rng(2)
        law, reference = full(rng, 8), full(rng, 8)
        exact = wasserstein_squared(law, reference)
        for count, slack in ((40, 0.06), (200, 0.01)):
            values = []
            raw = []
            for _ in range(1500):
                points = law.sample(count, rng)
                values.append(fitted_distances(points, reference).wasserstein2)
                if len(raw) < 300:
                    fit = DataSet(points).moments()
                    raw.append(wasserstein_squared(fit, reference))
            error = np.std(values) / math.sqrt(len(values))
            assert abs(np.mean(values) - exact) < 4 * error + slack
            assert abs(np.mean(raw) - exact) > 8 * error

    def test_a_perfect_model_is_at_zero(self) -> None:
        rng = np.random.default_rng(3)
        law = Gaussian.isotropic(16, 0.5, 0.1)
        values = np.array([fitted_distances(law.sample(80, rng), law) for _ in range(600)])
        mean, error = values.mean(axis=0), values.std(axis=0) / math.sqrt(len(values))
        assert abs(mean[0]) < 4 * error[0]
        assert abs(mean[1]) < 4 * error[1] + 0.01 * 16 * 0.01

    def test_wasserstein_in_one_dimension(self) -> None:
        """Without the half sum of roots, which has weight here, 0.013 too much."""
        rng, law, count = np.random.default_rng(5), Gaussian.isotropic(1), 20
        draws = [fitted_distances(law.sample(count, rng), law) for _ in range(3000)]
        values = np.array([found.wasserstein2 for found in draws])
        error = values.std() / math.sqrt(len(values))
        assert error < 0.0015
        # What is left is of the next order in 1/nu.
        assert abs(values.mean()) < 4 * error + 1 / (count - 1) ** 2

    def test_units(self) -> None:
        rng = np.random.default_rng(4)
        law, reference = full(rng, 5), full(rng, 5)
        points = law.sample(50, rng)
        one = fitted_distances(points, reference)
        other = Gaussian(3 + 2 * reference.mean, reference.covariance.scale(4.0))
        two = fitted_distances(3 + 2 * points, other)
        assert two.kl == pytest.approx(one.kl, rel=1e-9)
        assert two.wasserstein2 == pytest.approx(4 * one.wasserstein2, rel=1e-9)

    def test_a_singular_reference_has_no_kl(self) -> None:
        rng = np.random.default_rng(5)
        reference = Gaussian(np.zeros(3), [1.0, 1.0, 0.0])
        found = fitted_distances(rng.standard_normal((50, 3)), reference)
        assert math.isnan(found.kl)
        assert math.isfinite(found.wasserstein2)


def test_components_of_a_mixture() -> None:
    """Weights, means and deviations of the population's own points are the population's."""
    mixture = Mixture.isotropic(16, [0.2, 0.8], [0.1, 0.05], [0.3, 0.7])
    (w1, m1, s1), (w2, m2, s2) = component_moments(mixture.sample(4000, 0), mixture)
    assert abs(w1 - 0.3) < 4 * math.sqrt(0.21 / 4000)
    assert w1 + w2 == 1
    for mean, std, truth, count in ((m1, s1, (0.2, 0.1), 1200), (m2, s2, (0.8, 0.05), 2800)):
        assert abs(mean - truth[0]) < 4 * truth[1] / math.sqrt(16 * count)
        assert abs(std - truth[1]) < 4 * truth[1] / math.sqrt(2 * 16 * count)
    (w1, m1, s1), _ = component_moments(np.full((5, 16), 0.8), mixture)
    assert w1 == 0
    assert math.isnan(m1)
    assert math.isnan(s1)


def test_points_between_components_go_to_the_heavier_one() -> None:
    mixture = Mixture.isotropic(1, [0.0, 1.0], [1.0], [0.9, 0.1])
    # Where 0.9 exp(-x^2/2) = 0.1 exp(-(x-1)^2/2): x = 1/2 + ln 9.
    border = 0.5 + math.log(9)
    points = np.array([[0.6], [border - 0.01], [border + 0.01]])
    (weight, mean, _), _ = component_moments(points, mixture)
    assert weight == pytest.approx(2 / 3)
    assert mean == pytest.approx((0.6 + border - 0.01) / 2)


def test_moments_of_a_mixture() -> None:
    mixture = Mixture.isotropic(3, [0.0, 2.0], [1.0, 0.5], [0.25, 0.75])
    points = mixture.sample(200_000, 0)
    law = PopulationSource(mixture).moments()
    assert law.mean == pytest.approx(points.mean(axis=0), abs=0.02)
    assert law.covariance.dense() == pytest.approx(np.cov(points.T), abs=0.02)


class TestLinearDistances:
    schedule = BetaSchedule("linear", 50)

    def test_it_is_the_linear_diffusion_of_standardized_data(self) -> None:
        rng = np.random.default_rng(0)
        reference = Gaussian.isotropic(6, 4.0, 0.3)
        seen = reference.sample(40, rng)
        trajectory = as_sampler("ddpm").trajectory(self.schedule.levels(20))
        found = linear_distances(seen, reference, trajectory, "standard")
        scaled = (seen - seen.mean()) / seen.std()
        model = LinearDiffusion("ddpm", 20, self.schedule).fit(scaled)
        inside = Gaussian((reference.mean - seen.mean()) / seen.std(), (0.3 / seen.std()) ** 2)
        law = model.generated_law_
        assert found.kl == pytest.approx(kl_divergence(law, inside), rel=1e-9)
        scale = seen.std() ** 2
        expected = scale * wasserstein_squared(law, inside)
        assert found.wasserstein2 == pytest.approx(expected, rel=1e-9)

    def test_start_from_the_population_is_the_marginal_one_for_many_points(self) -> None:
        reference = Gaussian.isotropic(6, 4.0, 0.3)
        trajectory = as_sampler("ddim").trajectory(self.schedule.levels(3))
        seen = reference.sample(40_000, np.random.default_rng(0))
        known, estimated = (
            linear_distances(seen, reference, trajectory, start)
            for start in ("population", "marginal")
        )
        assert known.kl == pytest.approx(estimated.kl, rel=0.02)
        assert known.wasserstein2 == pytest.approx(estimated.wasserstein2, rel=0.02)
        few = linear_distances(seen[:50], reference, trajectory, "population")
        assert few.kl != pytest.approx(
            linear_distances(seen[:50], reference, trajectory, "marginal").kl, rel=0.02
        )

    def test_below_full_rank_kl_is_infinite(self) -> None:
        reference = Gaussian.isotropic(6, 4.0, 0.3)
        trajectory = as_sampler("ddim").trajectory(self.schedule.levels(20))
        seen = reference.sample(5, 0)
        found = linear_distances(seen, reference, trajectory, "standard")
        assert found.kl == math.inf
        assert math.isfinite(found.wasserstein2)


class TestKernelMeasures:
    def brute(self, a: np.ndarray, b: np.ndarray, std: float) -> float:
        """``int (p_a - p_b)^2`` by all pairs."""
        dim = a.shape[1]
        widths = [std * len(x) ** (-1 / dim) for x in (a, b)]
        total = 0.0
        for x, ex, sx in ((a, widths[0], 1 / len(a)), (b, widths[1], -1 / len(b))):
            for y, ey, sy in ((a, widths[0], 1 / len(a)), (b, widths[1], -1 / len(b))):
                v = ex**2 + ey**2
                gaps = np.square(x[:, None] - y).sum(axis=2)
                total += sx * sy * (np.exp(-0.5 * gaps / v) / (2 * np.pi * v) ** (dim / 2)).sum()
        return total

    def test_full_dimension_against_all_pairs(self) -> None:
        rng = np.random.default_rng(0)
        generated, seen, originals = (rng.standard_normal((n, 3)) for n in (10, 20, 30))
        found = kernel_measures(generated, seen, originals, 0, 1.3)
        train, fresh = self.brute(generated, seen, 1.3), self.brute(generated, originals, 1.3)
        assert found["log_l2_train"] == pytest.approx(math.log(train), rel=1e-10)
        assert found["log_l2_original"] == pytest.approx(math.log(fresh), rel=1e-10)
        assert found["full_delta_sign"] == np.sign(train - fresh)
        # Delta leaves the self-terms out, which depend on N only through rounding.
        assert found["full_delta_log_abs"] == pytest.approx(math.log(abs(train - fresh)), rel=1e-8)

    def test_expected_originals_are_the_mean_over_originals(self) -> None:
        rng = np.random.default_rng(1)
        population = Gaussian.isotropic(3, 1.0, 2.0)
        generated, seen = population.sample(10, rng), population.sample(20, rng)
        expected = kernel_measures(generated, seen, population, 40, 2.0)
        draws = [
            math.exp(kernel_measures(generated, seen, population.sample(40, rng), 0, 2.0)[name])
            for name in ["log_l2_original"]
            for _ in range(400)
        ]
        error = np.std(draws) / math.sqrt(len(draws))
        assert abs(np.mean(draws) - math.exp(expected["log_l2_original"])) < 4 * error

    def test_delta_is_the_difference_of_the_distances(self) -> None:
        rng = np.random.default_rng(2)
        population = Gaussian.isotropic(8, 0.5, 0.1)
        generated, seen = population.sample(10, rng), population.sample(50, rng)
        found = kernel_measures(generated, seen, population, 10_000, 0.1)
        gap = found["distance_train"] - found["distance_original"]
        assert found["delta"] == pytest.approx(gap, rel=1e-9)
        assert found["delta_sign"] == np.sign(gap)

    def test_all_sets_are_on_one_scale(self) -> None:
        rng = np.random.default_rng(3)
        sets = [rng.random((n, 4)) for n in (10, 30, 40)]
        one = kernel_measures(*sets, 0, 0.3)
        two = kernel_measures(*(5 + 255 * points for points in sets), 0, 255 * 0.3)
        for name in ("distance_original", "distance_train", "delta"):
            assert two[name] == pytest.approx(one[name], rel=1e-8)


@pytest.mark.parametrize("n_original", [20, 2000])
def test_where_delta_of_a_perfect_model_stands(n_original: int) -> None:
    rng = np.random.default_rng(0)
    population = Gaussian.isotropic(32, 0.5, 0.1)
    n, values = 20, []
    for _ in range(1500):
        generated, seen = population.sample(10, rng), population.sample(n, rng)
        values.append(coordinate_delta(generated, seen, population, n_original=n_original).delta)
    error = np.std(values) / math.sqrt(len(values))
    assert abs(np.mean(values) - perfect_delta(n, n_original)) < 4 * error
    if n_original > n:
        assert perfect_delta(n, n_original) < -10 * error


def test_memorization_needs_two_distinct_points() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((5, 3))
    for seen in (points[:1], np.repeat(points[:1], 4, axis=0)):
        assert all(map(math.isnan, memorization(points, seen, points).values()))
    copied = memorization(points[:3], points, rng.standard_normal((50, 3)))
    assert copied["memorized"] == 1
    assert copied["baseline"] < 1
