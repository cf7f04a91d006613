"""The one-step denoiser against scikit-learn's regression, its own samples, and the contract."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from ornstein import Gaussian, OneStepDenoiser
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.processes import OneStepNoising


@parametrize_with_checks([OneStepDenoiser(random_state=0)])
def test_scikit_learn_contract(estimator, check) -> None:
    check(estimator)


@settings(max_examples=80, deadline=None)
@given(n=st.integers(2, 60), dim=st.integers(1, 25), seed=st.integers(0, 10**6))
def test_fit_is_least_squares_of_minimum_norm(n: int, dim: int, seed: int) -> None:
    """scikit-learn's LinearRegression (an SVD solver) on the same pairs, on both sides of n = d."""
    rng = np.random.default_rng(seed)
    X = Gaussian.isotropic(dim, mean=10.0).sample(n, rng)
    process = OneStepNoising(1.0, 0.5)
    Y = process.noised(X, rng)
    statistics = PairStatistics.empty(dim)
    statistics.absorb(X, Y)
    fitted = fit_pairs(statistics, process)
    oracle = LinearRegression().fit(Y, X)
    B = oracle.coef_.reshape(dim, dim)
    loose = 1e-9 * np.linalg.cond(Y - Y.mean(0)) if n > dim + 1 else 1e-6
    scale = np.abs(B).max()
    np.testing.assert_allclose(fitted.coefficients, B, atol=(1e-9 + loose) * scale)
    mean = oracle.predict(process.signal * X.mean(0)[None])[0]
    v = process.signal**2 * X.var(axis=0, ddof=1).mean() + process.noise_variance
    law = fitted.generated_law
    reach = np.abs(mean).max() * scale
    np.testing.assert_allclose(law.mean, mean, atol=(1e-8 + 10 * loose) * reach)
    np.testing.assert_allclose(
        law.covariance.dense(), v * B @ B.T, atol=(1e-8 + 10 * loose) * v * scale**2 * dim
    )
    assert law.covariance.rank == min(n - 1, dim)


def test_covariance_is_B_Bt_and_not_its_transpose() -> None:
    X = Gaussian.isotropic(6).sample(9, 1)
    model = OneStepDenoiser(random_state=3).fit(X)
    generated = model.sample(200_000)
    C = model.generated_law_.covariance.dense()
    error = np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / len(generated))
    assert (np.abs(np.cov(generated.T) - C) < 5 * error).all()
    drift = generated.mean(0) - model.generated_law_.mean
    assert (np.abs(drift) < 5 * np.sqrt(np.diag(C) / len(generated))).all()
    transposed = model.coef_.T @ model.coef_ * C.trace() / np.trace(model.coef_ @ model.coef_.T)
    assert (np.abs(np.cov(generated.T) - transposed) > 5 * error).any()


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    dim=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_partial_fit_gives_what_fit_gives(sizes: list[int], dim: int, seed: int) -> None:
    sizes = [sizes[0] + 1, *sizes[1:]]
    X = Gaussian.power_law(dim, 1.0, mean=10.0).sample(sum(sizes), seed)
    whole = OneStepDenoiser(random_state=seed).fit(X)
    parts = OneStepDenoiser(random_state=seed)
    for batch in np.split(X, np.cumsum(sizes)[:-1]):
        parts.partial_fit(batch)
    assert parts.n_samples_seen_ == len(X)
    scale = np.abs(whole.coef_).max()
    np.testing.assert_allclose(parts.coef_, whole.coef_, atol=1e-7 * scale**2 + 1e-9)
    law, other = whole.generated_law_, parts.generated_law_
    assert law.covariance.rank == other.covariance.rank
    np.testing.assert_allclose(
        law.covariance.trace, other.covariance.trace, rtol=1e-6 * (1 + scale)
    )


def test_statistics_do_not_grow_with_n() -> None:
    statistics = PairStatistics.empty(5)
    rng = np.random.default_rng(0)
    for _ in range(50):
        X = rng.standard_normal((40, 5))
        statistics.absorb(X, X + rng.standard_normal(X.shape))
    assert statistics.count == 2000
    assert statistics.noised.shape == statistics.clean.shape == (5, 5)


def test_refitting_repeats_and_starts_afresh() -> None:
    X = Gaussian.isotropic(3).sample(20, 0)
    model = OneStepDenoiser(random_state=1).fit(X)
    first = model.coef_.copy()
    np.testing.assert_array_equal(model.fit(X).coef_, first)
    assert model.n_samples_seen_ == 20


def test_without_noise_the_model_reproduces_the_span_of_its_data() -> None:
    X = Gaussian.isotropic(8).sample(5, 2)
    model = OneStepDenoiser(noise_scale=0.0, random_state=0).fit(X)
    np.testing.assert_allclose(model.predict(np.exp(-2.0) * X), X, atol=1e-10)
    assert model.generated_law_.covariance.rank == 4


def test_constant_and_repeated_coordinates() -> None:
    X = Gaussian.isotropic(4).sample(30, 0)
    X = np.column_stack([X, np.full(30, 3.0), X[:, 0]])
    for scale in (1.0, 0.0):
        law = OneStepDenoiser(noise_scale=scale, random_state=0).fit(X).generated_law_
        assert law.mean[4] == pytest.approx(3.0)
        assert law.covariance.rank == 4
        assert np.isfinite(law.covariance.trace)


def test_float32_gives_nearly_the_same() -> None:
    X = Gaussian.isotropic(5).sample(50, 0)
    double = OneStepDenoiser(random_state=0).fit(X).coef_
    single = OneStepDenoiser(random_state=0).fit(X.astype(np.float32)).coef_
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_score_is_the_mean_log_likelihood() -> None:
    X = Gaussian.isotropic(3).sample(100, 0)
    model = OneStepDenoiser(random_state=0).fit(X)
    assert model.score(X) == pytest.approx(model.generated_law_.log_prob(X).mean())
    assert OneStepDenoiser(random_state=0).fit(X[:3]).score(X) == -np.inf


@pytest.mark.parametrize(
    ("X", "match"),
    [
        (np.ones((1, 3)), "minimum of 2"),
        (np.full((4, 2), np.nan), "NaN"),
        (np.array([[1.0, np.inf], [0, 1]]), "infinity"),
        (np.ones(4), "2D array"),
    ],
)
def test_bad_points_are_refused(X, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        OneStepDenoiser().fit(X)


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="time is 0"):
        OneStepDenoiser(time=0.0).fit(np.eye(3))
    with pytest.raises(ValueError, match="noise_scale is -1"):
        OneStepDenoiser(noise_scale=-1).fit(np.eye(3))
