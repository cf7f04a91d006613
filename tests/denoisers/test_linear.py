"""The linear diffusion model against its own samples, its limits, and the scikit-learn contract."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from ornstein import Gaussian
from ornstein.denoisers.linear import (
    LinearDiffusion,
    denoise,
    empirical_law,
    generated_law,
    limit_law,
)
from ornstein.diffusion.samplers import as_sampler, denoising_path
from ornstein.diffusion.schedules import BetaSchedule, KarrasSchedule
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared

NAMES = ["ddpm", "ddpm:large", "ddim", "ddim:0.5", "euler", "heun"]


@parametrize_with_checks([LinearDiffusion(n_steps=5, random_state=0)])
def test_scikit_learn_contract(estimator, check) -> None:
    check(estimator)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 40),
    dim=st.integers(1, 20),
    offset=st.sampled_from([0.0, 10.0, 1e6]),
    ridge=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 1000),
)
def test_the_data_law_is_the_empirical_one(n, dim, offset, ridge, seed) -> None:
    X = Gaussian.power_law(dim, 1.0, mean=offset).sample(n, seed)
    law = empirical_law(X, ridge)
    oracle = EmpiricalCovariance().fit(X - offset)
    expected = oracle.covariance_ + ridge * np.eye(dim)
    np.testing.assert_allclose(law.covariance.dense(), expected, atol=1e-9)
    np.testing.assert_allclose(law.mean, oracle.location_ + offset, atol=1e-9)
    assert law.covariance.rank == (dim if ridge else min(n - 1, dim))


def test_the_denoiser_is_least_squares_over_all_noise() -> None:
    """Ridge regression on centred points with penalty n s^2 has the noise draws averaged out."""
    X = Gaussian.power_law(6, 1.0, mean=3.0).sample(30, 0)
    Y = X + np.random.default_rng(1).standard_normal(X.shape)
    for n in (30, 4):
        model = LinearDiffusion(n_steps=2).fit(X[:n])
        for s in (0.1, 1.0, 20.0):
            oracle = Ridge(alpha=n * s**2).fit(X[:n], X[:n])
            np.testing.assert_allclose(model.predict(Y, noise=s), oracle.predict(Y), rtol=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_denoiser_is_the_posterior_mean(ridge: float) -> None:
    law = empirical_law(Gaussian.isotropic(7).sample(4, 2), ridge)
    y = np.random.default_rng(0).standard_normal((5, 7))
    C = law.covariance.dense()
    noises = np.array([0.2, 0.5, 1.0, 3.0, 10.0])
    each = [
        law.mean + C @ np.linalg.solve(C + s**2 * np.eye(7), row - law.mean)
        for row, s in zip(y, noises, strict=True)
    ]
    np.testing.assert_allclose(denoise(law, y, noises), each, rtol=1e-10)
    np.testing.assert_allclose(denoise(law, y, 0.5), [*denoise(law, y, np.full(5, 0.5))])
    if ridge:
        np.testing.assert_allclose(denoise(law, y, 0.0), y)


@pytest.mark.slow
@pytest.mark.parametrize(("start", "n"), [("standard", 30), ("marginal", 3)])
@pytest.mark.parametrize("name", NAMES)
def test_samples_have_the_generated_law(name: str, start: str, n: int) -> None:
    """100,000 draws through the actual steps: all moments within 4 standard errors."""
    X = Gaussian.power_law(4, 1.0, mean=2.0).sample(n, 5)
    schedule = (
        KarrasSchedule(0.05, 8.0) if name in {"euler", "heun"} else BetaSchedule("linear", 50)
    )
    model = LinearDiffusion(name, 8, schedule, start, random_state=7).fit(X)  # type: ignore[arg-type]
    draws = model.sample(100_000)
    law = model.generated_law_
    C = law.covariance.dense()
    error = np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / len(draws))
    assert (np.abs(np.cov(draws.T) - C) <= 4 * error).all()
    drift = np.abs(draws.mean(axis=0) - law.mean)
    assert (drift <= 4 * np.sqrt(np.diag(C) / len(draws))).all()
    assert law.covariance.rank == min(n - 1, 4)
    if n <= 4:
        off_the_law = law.covariance.split(draws - law.mean)[1]
        assert off_the_law.max() < 1e-10


@pytest.mark.parametrize("n", [3, 30])
@pytest.mark.parametrize("name", NAMES)
def test_a_start_from_other_points_has_the_law_it_should(name: str, n: int) -> None:
    """Its covariance shares no axes with the data; 100,000 draws through the actual steps."""
    rng = np.random.default_rng(3)
    data = empirical_law(Gaussian.power_law(4, 1.0, mean=2.0).sample(n, 5))
    other = Gaussian(rng.standard_normal(4), np.cov(rng.standard_normal((4, 9))))
    levels = (KarrasSchedule(0.05, 8.0) if name in {"euler", "heun"} else BetaSchedule()).levels(6)
    trajectory = as_sampler(name).trajectory(levels)
    clean, z = other.sample(100_000, rng), rng.standard_normal((100_000, 4))
    first = levels.signal[0] * clean + levels.noise_std[0] * z
    *_, draws = denoising_path(
        trajectory,
        first,
        lambda y, s: denoise(data, y, s),
        lambda: rng.standard_normal(first.shape),
    )
    law = generated_law(data, trajectory, other)
    C = law.covariance.dense()
    error = np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / len(draws))
    assert (np.abs(np.cov(draws.T) - C) <= 4.5 * error + 1e-12).all()
    drift = np.abs(draws.mean(axis=0) - law.mean)
    assert (drift <= 4.5 * np.sqrt(np.diag(C) / len(draws)) + 1e-12).all()
    same = generated_law(data, trajectory, data)
    marginal = generated_law(data, trajectory, "marginal")
    np.testing.assert_allclose(same.covariance.dense(), marginal.covariance.dense(), atol=1e-12)
    np.testing.assert_allclose(same.mean, marginal.mean, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_law_of_many_steps_is_that_of_the_data(name: str) -> None:
    """From the noised data law; and whatever the start if the schedule reaches pure noise."""
    X = Gaussian.power_law(5, 1.0, mean=2.0).sample(40, 0)
    data = empirical_law(X)
    for schedule, start in ((BetaSchedule(), "marginal"), (BetaSchedule("cosine"), "standard")):
        limit = limit_law(data, as_sampler(name), schedule, start)
        assert kl_divergence(limit, data) < 1e-6
        if name == "heun" and start == "standard":
            continue  # its first steps are unstable on the cosine schedule
        model = LinearDiffusion(name, 1000, schedule, start).fit(X)  # type: ignore[arg-type]
        assert kl_divergence(model.generated_law_, data) < 1e-3
        assert kl_divergence(model.generated_law_, limit) < 1e-3


def test_few_points_many_dimensions() -> None:
    population = Gaussian.isotropic(12)
    X = population.sample(5, 0)
    law = LinearDiffusion(n_steps=50).fit(X).generated_law_
    assert law.covariance.rank == 4
    assert kl_divergence(law, population) == np.inf
    assert hellinger_squared(law, population) == 1.0
    assert 8 < wasserstein_squared(law, population) < 20
    assert np.isfinite(kl_divergence(LinearDiffusion(ridge=0.1).fit(X).generated_law_, population))


def test_from_population_is_what_many_points_tend_to() -> None:
    population = Gaussian.power_law(4, 1.0, mean=1.0)
    exact = LinearDiffusion.from_population(population, sampler="ddpm", n_steps=20)
    gaps = [
        wasserstein_squared(
            LinearDiffusion("ddpm", 20).fit(population.sample(n, 0)).generated_law_,
            exact.generated_law_,
        )
        for n in (10**3, 10**5)
    ]
    # Squared distances fall like 1/n.
    assert gaps[1] < 1e-3
    assert gaps[1] < gaps[0] / 20
    assert exact.sample(2).shape == (2, 4)
    widened = LinearDiffusion.from_population(population, ridge=0.5).data_law_
    np.testing.assert_allclose(
        widened.covariance.spectrum(), population.covariance.spectrum() + 0.5
    )


def test_rotating_the_data_rotates_the_model() -> None:
    rng = np.random.default_rng(0)
    X = Gaussian.power_law(5, 1.0, mean=2.0).sample(12, rng)
    Q, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    for start in ("standard", "marginal"):
        law = LinearDiffusion("heun", 6, "karras", start).fit(X).generated_law_
        turned = LinearDiffusion("heun", 6, "karras", start).fit(X @ Q.T).generated_law_
        np.testing.assert_allclose(turned.mean, Q @ law.mean)
        expected = Q @ law.covariance.dense() @ Q.T
        np.testing.assert_allclose(turned.covariance.dense(), expected, atol=1e-12)


def test_structure_of_the_covariance_does_not_matter() -> None:
    variances, mean = np.array([2.0, 1.0, 0.5]), np.array([1.0, 2.0, 3.0])
    diagonal = Gaussian(mean, variances)
    dense = Gaussian(mean, np.diag(variances))
    trajectory = as_sampler("ddpm").trajectory(BetaSchedule().levels(10))
    laws = [generated_law(data, trajectory) for data in (diagonal, dense)]
    np.testing.assert_allclose(laws[0].mean, laws[1].mean)
    np.testing.assert_allclose(*(law.covariance.dense() for law in laws), atol=1e-14)


def test_sampling_repeats_and_goes_on() -> None:
    X = Gaussian.isotropic(3).sample(20, 0)
    model = LinearDiffusion("ddpm", 5, random_state=1).fit(X)
    first, second = model.sample(4), model.sample(4)
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(model.fit(X).sample(4), first)
    assert model.sample(0).shape == (0, 3)


def test_score_is_the_mean_log_likelihood() -> None:
    X = Gaussian.isotropic(3).sample(100, 0)
    model = LinearDiffusion().fit(X)
    assert model.score(X) == pytest.approx(model.generated_law_.log_prob(X).mean())
    assert LinearDiffusion().fit(X[:3]).score(X) == -np.inf


def test_float32_gives_nearly_the_same() -> None:
    X = Gaussian.isotropic(5).sample(50, 0)
    laws = [LinearDiffusion().fit(Z).generated_law_ for Z in (X, X.astype(np.float32))]
    np.testing.assert_allclose(laws[1].mean, laws[0].mean, atol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"ridge": -1.0}, "ridge is -1"),
        ({"n_steps": 0}, "n_steps is 0"),
        ({"n_steps": 2000}, "2000 sampling steps of 1000"),
        ({"sampler": "dpm"}, "sampler is 'dpm'"),
        ({"schedule": "sine"}, "schedule is 'sine'"),
        ({"start": "cold"}, "start is 'cold'"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        LinearDiffusion(**parameters).fit(np.eye(3))
    with pytest.raises(ValueError, match=match):
        LinearDiffusion.from_population(Gaussian.isotropic(3), **parameters)
