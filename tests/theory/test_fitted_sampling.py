"""Samplers with the denoisers of n points: published numbers, simulation, limits, best steps."""

import math

import numpy as np
import pytest

from ornstein import Gaussian
from ornstein.denoisers.linear import empirical_law, generated_law, limit_law
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule, KarrasSchedule, as_schedule
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.theory import best_steps, sampler_quality, wishart_kl
from ornstein.theory.linear_denoisers.fitted_sampling import FittedSampler


def simulated(spectrum, n, sampler, schedule, n_steps, mean, start, ridge, replicates):
    """Distances of fitted models from the exact laws of the estimator, as (4, replicates)."""
    how, levels = as_sampler(sampler), as_schedule(schedule)
    population, rng = Gaussian(mean, spectrum), np.random.default_rng(0)
    trajectory, rows = how.trajectory(levels.levels(n_steps)), []
    for _ in range(replicates):
        data = empirical_law(population.sample(n, rng), ridge)
        limit = limit_law(data, how, levels, start)
        law = generated_law(data, trajectory, start)
        rows.append(
            (
                kl_divergence(law, population),
                hellinger_squared(law, population),
                wasserstein_squared(law, population),
                wasserstein_squared(law, limit),
            )
        )
    return np.array(rows).T


@pytest.mark.parametrize(
    ("sampler", "schedule", "expected"),
    [
        ("ddpm", "linear", [14.35, 5.51, 3.91]),
        ("ddpm:large", "linear", [6.00, 3.20, 3.52]),
        ("ddim", "linear", [11.27, 4.43, 3.73]),
        ("heun", "karras", [36.18, 3.62, 3.63]),
    ],
)
def test_check_values(sampler, schedule, expected):
    model = FittedSampler(
        np.ones(50), np.zeros(50), 200, as_sampler(sampler), as_schedule(schedule)
    )
    kl = [model.law(n_steps).kl() for n_steps in (5, 20, 100)]
    np.testing.assert_allclose(kl, expected, atol=0.006)


POWER_LAW = 5 / np.arange(1, 21)
SHORT = BetaSchedule("linear", 200)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spectrum", "n", "sampler", "schedule", "n_steps", "mean", "start", "ridge"),
    [
        (POWER_LAW, 60, "ddim", "linear", 20, 0.0, "standard", 0.0),
        # A short schedule starts where data of mean 2 are not: the mean counts.
        (POWER_LAW, 60, "ddim", SHORT, 20, 2.0, "standard", 0.0),
        (POWER_LAW, 80, "ddpm:large", "linear", 10, 0.0, "marginal", 0.0),
        (POWER_LAW, 80, "heun", "karras", 8, 2.0, "standard", 0.0),
        (np.ones(20), 60, "ddim:0.5", "linear", 15, 0.5, "standard", 0.0),
        # Fewer points than dimensions: KL is infinite, or finite with a ridge.
        (POWER_LAW, 12, "ddim", "linear", 30, 0.0, "standard", 0.0),
        (POWER_LAW, 15, "ddim", SHORT, 30, 1.0, "standard", 0.05),
        (np.append(POWER_LAW, np.zeros(5)), 50, "ddpm", "linear", 30, 0.0, "standard", 0.0),
    ],
)
def test_expected_distances_by_simulation(
    spectrum, n, sampler, schedule, n_steps, mean, start, ridge
):
    dim = spectrum.size
    found = simulated(spectrum, n, sampler, schedule, n_steps, np.full(dim, mean), start, ridge, 80)
    expected = sampler_quality(
        spectrum, n_steps, sampler, schedule, mean=mean, start=start, n_train=n, ridge=ridge
    )
    for name, values, theory in zip(expected._fields, found, expected, strict=True):
        if not np.isfinite(theory) or theory == 1:
            assert (values == theory).all(), name
            continue
        error = values.std() / np.sqrt(values.size)
        # 4 standard errors; what is left out is of relative order 1/n in the terms of order 1.
        assert abs(values.mean() - theory) < 4 * error + 2 / n**2, (name, values.mean(), theory)


def test_the_affinity_counts_fluctuations():
    """20000 empirical Gaussians of 25 points in 12 dimensions, their mean averaged exactly."""
    dim, n, replicates = 12, 25, 20_000
    points = np.random.default_rng(0).standard_normal((replicates, n - 1, dim))
    x = np.linalg.eigvalsh(points.swapaxes(1, 2) @ points / n)
    log_affinity = 0.25 * np.log(x).sum(1) - 0.5 * np.log((1 + x) / 2).sum(1)
    log_affinity -= 0.5 * np.log1p(0.5 / (n * (1 + x))).sum(1)
    measured = np.exp(log_affinity)
    found = sampler_quality(np.ones(dim), math.inf, start="marginal", n_train=n)
    error = measured.std() / np.sqrt(replicates)
    # The variance is resolved.
    assert measured.mean() - np.exp(log_affinity.mean()) > 8 * error
    assert abs(1 - found.hellinger_squared - measured.mean()) < 4 * error


def test_infinitely_many_steps_are_the_empirical_gaussian():
    """Its divergence is known exactly: Wishart's, and what the mean adds."""
    for dim, n in ((5, 20), (40, 60), (40, 4000)):
        nu = n - 1
        exact = wishart_kl(dim, nu).generated_population + 0.5 * dim * math.log(n / nu)
        for spectrum in (np.ones(dim), 1.5 ** -np.arange(dim)):
            model = FittedSampler(
                spectrum, np.zeros(dim), n, as_sampler("ddim"), as_schedule("linear"), "marginal"
            )
            assert model.law(np.inf).kl() == pytest.approx(exact, rel=1e-7)


def test_many_points_are_the_population():
    for mean in (0.0, 2.0):
        options = {"sampler": "ddim", "schedule": SHORT, "mean": mean}
        known = sampler_quality(POWER_LAW, 20, **options)
        fitted = sampler_quality(POWER_LAW, 20, **options, n_train=10**8)
        np.testing.assert_allclose(fitted, known, rtol=2e-5)
        assert sampler_quality(POWER_LAW, 20, **options, n_train=10**5).kl > known.kl


def test_scale_of_the_data_and_repeated_eigenvalues():
    """From the marginal start, scaling data and noises scales W2 alone."""
    base = {"sampler": "heun", "start": "marginal", "n_train": 30}
    one = sampler_quality([3.0, 1.0, 1.0], 10, schedule=KarrasSchedule(0.01, 50), **base)
    two = sampler_quality([12.0, 4.0, 4.0], 10, schedule=KarrasSchedule(0.02, 100), **base)
    assert two.kl == pytest.approx(one.kl, rel=1e-9)
    assert two.hellinger_squared == pytest.approx(one.hellinger_squared, rel=1e-6)
    assert two.wasserstein_squared == pytest.approx(4 * one.wasserstein_squared, rel=1e-6)
    shuffled = sampler_quality([1.0, 3.0, 1.0], 10, schedule=KarrasSchedule(0.01, 50), **base)
    np.testing.assert_allclose(shuffled, one, rtol=1e-12)
    near = sampler_quality([3.0, 1 + 1e-9, 1.0], 10, schedule=KarrasSchedule(0.01, 50), **base)
    np.testing.assert_allclose(near, one, rtol=1e-5)


def test_shapes_and_degenerate_laws():
    found = sampler_quality([1.0, 0.5], [[5, 20], [50, math.inf]], n_train=3)
    assert all(field.shape == (2, 2) for field in found)
    assert np.isfinite(found).all()
    assert (found.hellinger_squared < 1).all()
    assert found.discretization_squared[1, 1] == 0
    below = sampler_quality([1.0, 0.5, 0.1], 20, n_train=3)
    assert below.kl == math.inf
    assert below.hellinger_squared == 1
    assert 0 < below.wasserstein_squared < 2
    # A ridge fills the space: infinite where the population does not.
    assert math.isfinite(sampler_quality([1.0, 0.5, 0.1], 20, n_train=3, ridge=0.1).kl)
    assert sampler_quality([1.0, 0.5, 0.0], 20, n_train=30, ridge=0.1).kl == math.inf
    assert sampler_quality([0.0, 0.0], 20, n_train=30).wasserstein_squared == 0


def test_bad_input_is_one_clear_line():
    with pytest.raises(ValueError, match="n_train is 1, expected at least 2"):
        sampler_quality([1.0], 5, n_train=1)
    with pytest.raises(TypeError, match=r"n_train is 2\.5"):
        sampler_quality([1.0], 5, n_train=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ridge is -1"):
        sampler_quality([1.0], 5, ridge=-1)
    with pytest.raises(ValueError, match="eigenvalues are all 0"):
        best_steps([0.0], 5)
    with pytest.raises(ValueError, match="most is 0"):
        best_steps([1.0], 5, most=0)


def test_a_ridge_of_the_population_is_added_to_its_denoisers():
    quality = sampler_quality([1.0, 0.2], math.inf, start="marginal", ridge=0.1)
    ratio = np.array([1.1, 1.5])
    assert quality.kl == pytest.approx(0.5 * (ratio - 1 - np.log(ratio)).sum(), rel=1e-9)


ISOTROPIC, DECAYING = np.ones(20), Gaussian.power_law(20, 1.0, std=1.0).covariance.eigenvalues


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "schedule", "spectrum", "per_dim"),
    [
        (sampler, schedule, ISOTROPIC, per_dim)
        for sampler, schedule in (
            ("ddpm:large", "linear"),
            ("heun", "karras"),
            ("ddim:0.5", "linear"),
        )
        for per_dim in (2, 10, 40)
    ]
    + [("ddpm:large", "linear", DECAYING, 10)],
)
def test_the_best_number_of_steps_is_that_of_simulations(sampler, schedule, spectrum, per_dim):
    """No other is better by 3 standard errors of a mean over 30 training sets, in pairs."""
    n = 20 * per_dim
    best = best_steps(spectrum, n, sampler, schedule)
    how, levels = as_sampler(sampler), as_schedule(schedule)
    others = [best.steps * factor for factor in (0.6, 0.8, 1.25, 1.6)]
    if best.steps == math.inf:
        others = [30, 100, 300, 1000]
    counts = [best.steps, math.inf, *(int(count) for count in others)]
    paths = [
        None if count == math.inf else how.trajectory(levels.levels(int(count))) for count in counts
    ]
    population, rng = Gaussian(np.zeros(20), spectrum), np.random.default_rng(per_dim)
    rows = []
    for _ in range(30):
        data = empirical_law(population.sample(n, rng))
        laws = (
            limit_law(data, how, levels) if path is None else generated_law(data, path)
            for path in paths
        )
        rows.append([kl_divergence(law, population) for law in laws])
    measured = np.array(rows)
    excess = measured[:, 1:] - measured[:, :1]
    error = excess.std(axis=0) / np.sqrt(30)
    assert (excess.mean(axis=0) > -3 * error - 1e-12).all()
    # How much is lost with infinitely many steps, which training sets agree on.
    lost = best.kl_limit - best.kl
    assert abs(excess[:, 0].mean() - lost) < 4 * error[0] + 1e-12
    assert lost > 0 or best.steps == math.inf
    for value, values in ((best.kl, measured[:, 0]), (best.kl_limit, measured[:, 1])):
        assert abs(values.mean() - value) < 4 * values.std() / np.sqrt(30)


def test_best_steps_grow_with_the_points_as_the_order_says():
    """Heun is of second order: S* grows like sqrt(n/d); losing variance, DDIM has none."""
    found = [best_steps(np.ones(50), n, "heun", "karras").steps for n in (200, 800, 3200)]
    assert found[1] / found[0] == pytest.approx(2, abs=0.15)
    assert found[2] / found[1] == pytest.approx(2, abs=0.15)
    assert best_steps(np.ones(50), 200, "ddpm:large").steps == 14
    for sampler in ("ddpm", "ddim", "ddim:0.5"):
        best = best_steps(np.ones(50), 200, sampler, most=100)
        assert best.steps == math.inf
        assert best.kl == best.kl_limit
    assert best_steps(np.ones(50), 40, "ddpm:large") == (math.inf, math.inf, math.inf)


def test_best_steps_are_found_among_all():
    """Against every number of steps, one by one."""
    model = FittedSampler(
        POWER_LAW, np.zeros(20), 90, as_sampler("ddpm:large"), as_schedule("linear")
    )
    kl = [model.law(steps).kl() for steps in range(1, 61)]
    best = best_steps(POWER_LAW, 90, "ddpm:large")
    assert best.steps == 1 + int(np.argmin(kl))
    assert best.kl == pytest.approx(min(kl), rel=1e-12)
    assert best_steps(POWER_LAW, 90, "ddpm:large", most=12).steps == 12


def test_the_empirical_gaussian_itself_whatever_the_spectrum() -> None:
    """With f(C) = C the distances that are invariant are those of equal eigenvalues."""
    options = {"sampler": "ddim", "n_train": 20, "start": "marginal"}
    equal = sampler_quality(np.ones(12), np.inf, **options)
    other = sampler_quality(1.0 / np.arange(1, 13), np.inf, **options)
    assert other.kl == pytest.approx(equal.kl, rel=1e-8)
    assert other.hellinger_squared == pytest.approx(equal.hellinger_squared, rel=1e-8)
