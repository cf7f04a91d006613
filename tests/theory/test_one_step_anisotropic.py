"""The one-step model of any population spectrum, against draws of the model itself."""

from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ornstein import Gaussian, OneStepDenoiser, theory
from ornstein.data.files import load_data
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared

one_step = theory.one_step_anisotropic

POWER = 1.0 / np.arange(1, 101)
POWER *= 100 / POWER.sum()
HALVES = np.repeat([3.0, 0.3], 50)


def drawn(eigenvalues, n, runs, seed, time=2.0, noise_scale=1.0, points=None, fitted=True):
    """Distances of `runs` fits by least squares, as arrays; in the eigenbasis, no theory used."""
    rng = np.random.default_rng(seed)
    lam = np.asarray(eigenvalues, dtype=np.float64)
    d, seen = lam.size, lam > 0
    rank, root = int(seen.sum()), np.sqrt(lam[lam > 0])
    signal = np.exp(-time)
    noise = noise_scale * signal**2 * -np.expm1(-2 * time)
    if points is None:
        x = rng.standard_normal((runs, n, d)) * np.sqrt(lam)
    else:
        x = np.stack([points[rng.choice(len(points), n, replace=False)] for _ in range(runs)])
    y = signal * x + np.sqrt(noise) * rng.standard_normal(x.shape)
    xbar, ybar = x.mean(axis=1), y.mean(axis=1)
    x, y = x - xbar[:, None], y - ybar[:, None]
    if n > d:
        B = np.linalg.solve(np.swapaxes(y, 1, 2) @ y, np.swapaxes(y, 1, 2) @ x)
    else:
        B = np.linalg.pinv(y, rcond=1e-9) @ x
    mean = (xbar + np.einsum("ri,rij->rj", signal * xbar - ybar, B))[:, seen]
    v = signal**2 * (np.square(x).sum((1, 2)) / (n - 1) / d if fitted else lam.mean()) + noise
    F = np.swapaxes(B, 1, 2)[:, seen] * np.sqrt(np.broadcast_to(v, runs))[:, None, None]
    trace = np.square(F).sum((1, 2))
    scaled = root[:, None] * F
    squares = np.linalg.eigvalsh(scaled @ np.swapaxes(scaled, 1, 2))
    nuclear = np.sqrt(squares.clip(0.0)).sum(1)
    M = (F / root[:, None]) @ np.swapaxes(F / root[:, None], 1, 2)
    z = mean / root
    result = {
        "trace": trace / lam.sum(),
        "wasserstein_squared": trace + lam.sum() - 2 * nuclear + np.square(mean).sum(1),
        "start": v,
    }
    if n > rank:
        log_det = np.linalg.slogdet(M)[1]
        mixed = np.eye(rank) + M
        quadratic = np.einsum("ri,ri->r", z, np.linalg.solve(mixed, z[..., None])[..., 0])
        affinity = log_det / 4 - np.linalg.slogdet(mixed / 2)[1] / 2 - quadratic / 4
        whitened = np.trace(M, axis1=1, axis2=2) + np.square(z).sum(1)
        result |= {
            "log_det": log_det,
            "kl": (whitened - rank - log_det) / 2,
            "hellinger_squared": -np.expm1(affinity),
        }
    return result


def check(eigenvalues, n, runs, allowance, seed=0, **options):
    """Theory within 4 standard errors and an allowance per field."""
    given = {k: v for k, v in options.items() if k in {"time", "noise_scale"}}
    predicted = one_step(eigenvalues, n, fitted_variance=True, **given)
    measured = drawn(eigenvalues, n, runs, seed, **options)
    for name, slack in allowance.items():
        if name not in measured:
            continue
        values, value = measured[name], getattr(predicted, name)
        if not np.isfinite(value):
            continue
        error = values.std(ddof=1) / np.sqrt(runs)
        assert abs(values.mean() - value) < 4 * error + slack, (
            name,
            n,
            value,
            values.mean(),
            error,
        )


@cache
def spectra(d: int) -> dict[str, np.ndarray]:
    k = np.arange(1.0, d + 1)
    some = {
        "isotropic": np.ones(d),
        "two levels": np.repeat([3.0, 0.3], d // 2),
        "power 0.5": k**-0.5,
        "power 1": 1 / k,
        "power 1.5": k**-1.5,
        "power 2": k**-2,
        "spiked": np.where(k <= 2, 20.0, 1.0),
        "with zeros": np.where(k <= 0.6 * d, k**-0.5, 0.0),
        "12 decades": np.geomspace(1, 1e-12, d),
        "digits": np.linalg.eigvalsh(np.cov(load_digits().data.T))[3 :: 61 // d],
        "patches": np.linalg.eigvalsh(np.cov(load_data("patches").points.T))[:: 64 // d],
    }
    return {name: values / values.mean() for name, values in some.items()}


ALLOWANCE = {
    "trace": 0.0,
    "log_det": 0.03,
    "kl": 0.02,
    "hellinger_squared": 0.002,
    "wasserstein_squared": 0.03,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", spectra(30))
def test_expectations_within_standard_errors(name: str) -> None:
    """d = 30; what is asymptotic may err by 1/d, or by 0.25 / sqrt(d) near the threshold."""
    values = spectra(30)[name]
    d = values.size
    threshold = one_step(values, 10).threshold
    for i, n in enumerate([d // 5, 2 * d // 3, d + 6, 2 * d, 4 * d, 15 * d]):
        near = np.isfinite(threshold) and 0.5 < n / threshold < 2
        allowance = ALLOWANCE if not near else ALLOWANCE | {"log_det": 0.05, "kl": 0.03}
        # The trace below d is O(1/d) of what is random in it.
        if n <= d:
            allowance = allowance | {"trace": 0.004}
        check(values, n, 100, allowance, seed=i)


def test_values_of_the_model() -> None:
    """Means over 100 simulations of d = 100 (power law of trace 100; two halves)."""
    result = one_step(POWER, [40, 180, 400])
    # sum (1 + mu / lambda_k) = 100 + mu H_100 / 100 * 5050, H_100 = 5.187378.
    mu = -np.expm1(-4.0)
    assert result.threshold == pytest.approx(100 + mu * 5.187378 * 50.5, abs=1e-4)
    np.testing.assert_allclose(result.trace * 100, [43.52, 89.39, 46.684], rtol=0.005)
    np.testing.assert_allclose(result.trace[1:] * 100, [89.433, 46.723], atol=5e-4)
    np.testing.assert_allclose(result.wasserstein_squared, [52.82, 31.67, 23.07], rtol=0.003)
    assert result.kl[0] == np.inf
    np.testing.assert_allclose(result.kl[1:], [61.08, 33.82], atol=0.3)
    assert result.log_det[2] + np.log(POWER).sum() == pytest.approx(-168.13, abs=0.4)
    assert one_step(HALVES, 400).kl == pytest.approx(22.350, abs=0.06)
    assert one_step(HALVES, 900).hellinger_squared == pytest.approx(0.9938, abs=1e-4)
    assert one_step(HALVES, 9).threshold == pytest.approx(279.975, abs=1e-3)


@pytest.mark.parametrize(("std", "time", "noise_scale"), [(1.0, 2.0, 1.0), (3.0, 0.4, 2.5)])
def test_equal_eigenvalues_are_the_isotropic_model(std, time, noise_scale) -> None:
    n = np.array([2, 20, 50, 98, 99, 100, 101, 102, 103, 130, 199, 240, 400, 1000, 10**5])
    one = one_step(np.full(100, std**2), n, time, noise_scale)
    two = theory.one_step(100, n, time, noise_scale, std)
    np.testing.assert_allclose(one.trace, two.trace, rtol=1e-10)
    np.testing.assert_allclose(one.signal_fraction, np.full(100, two.signal_fraction[0]))
    assert one.threshold == pytest.approx(two.threshold[0], rel=1e-12)
    assert one.kl_infinite_data == pytest.approx(two.kl_infinite_data[0], rel=1e-12)
    np.testing.assert_allclose(one.wasserstein_squared, two.wasserstein_squared, rtol=1e-3)
    np.testing.assert_allclose(one.hellinger_squared, two.hellinger_squared, atol=2e-4)
    # It errs by O(d^-1/2) in the window around the threshold; the other is exact.
    np.testing.assert_allclose(one.log_det, two.log_det, atol=0.1)
    far = n > 1.7 * one.threshold
    np.testing.assert_allclose(one.log_det[far], two.log_det[far], atol=1e-3)
    np.testing.assert_allclose(one.kl[far], two.kl[far], atol=1e-3)


def test_infinite_data_and_no_noise() -> None:
    for values in (POWER, HALVES, np.r_[POWER, np.zeros(20)]):
        result = one_step(values, 10**9)
        fraction, positive = result.signal_fraction, values > 0
        limit = (values.mean() - np.expm1(-4.0)) * fraction**2
        ratio = limit[positive] / values[positive]
        expected = (ratio - 1 - np.log(ratio)).sum() / 2
        assert result.kl_infinite_data == pytest.approx(expected, rel=1e-12)
        assert result.kl == pytest.approx(expected, rel=1e-5)
        assert result.trace == pytest.approx(limit.sum() / values.sum(), rel=1e-6)
        bures = np.square(np.sqrt(limit) - np.sqrt(values)).sum()
        assert result.wasserstein_squared == pytest.approx(bures, rel=1e-5)
        affinity = np.prod(np.sqrt(2 * np.sqrt(ratio) / (1 + ratio)))
        assert 1 - result.hellinger_squared == pytest.approx(affinity, rel=1e-4)
    # Without noise the map is the identity, and the isotropic start comes out.
    result = one_step([2.0, 1.0, 0.0, 0.0], [2, 3, 4, 50], noise_scale=0.0)
    np.testing.assert_allclose(result.signal_fraction, [1, 1, 0, 0])
    np.testing.assert_allclose(result.trace[1:], 0.75 * 2 / 3)
    np.testing.assert_allclose(result.log_det, [-np.inf, *[np.log(0.75**2 / 2)] * 3])
    assert result.threshold == 2


@pytest.mark.parametrize("options", [{"time": 0.3}, {"noise_scale": 0.05}, {"noise_scale": 30.0}])
def test_other_times_and_noises(options) -> None:
    values = np.geomspace(5.0, 0.05, 12)
    allowance = {"trace": 0.0, "log_det": 0.1, "kl": 0.06, "wasserstein_squared": 0.1}
    for n in (20, 60):
        check(values, n, 1500, allowance, seed=n, **options)


def test_the_estimator_on_a_rotated_population() -> None:
    """The package's own denoiser and distances, on a full covariance with a mean."""
    rng = np.random.default_rng(5)
    values = np.geomspace(4.0, 0.1, 10)
    Q = np.linalg.qr(rng.standard_normal((10, 10)))[0]
    population = Gaussian(rng.standard_normal(10), Q @ np.diag(values) @ Q.T)
    predicted, rows = one_step(values, 40), []
    for _ in range(400):
        model = OneStepDenoiser(random_state=rng).fit(population.sample(40, rng))
        law = model.generated_law_
        rows.append(
            [
                kl_divergence(law, population),
                law.covariance.trace / values.sum(),
                hellinger_squared(law, population),
                wasserstein_squared(law, population),
            ]
        )
    mean, error = np.mean(rows, axis=0), np.std(rows, axis=0) / 20
    expected = [predicted[i] for i in (2, 3, 5, 6)]
    assert (np.abs(mean - expected) < 4 * error + [0.1, 0.01, 0.005, 0.1]).all()


def test_eigenvalues_zero_are_columns_to_regress_on() -> None:
    """They do not drop out, and KL is finite from n - 1 = rank on."""
    values = np.r_[np.ones(5), 0.0, 0.0, 0.0, 0.0]
    small = {"trace": 0.0, "log_det": 0.12, "kl": 0.15, "hellinger_squared": 0.01}
    for n in (6, 7, 8, 12, 20, 60):
        check(values, n, 3000, small, seed=n)
    result = one_step(values, [5, 6, 9, 10, 11, 12])
    np.testing.assert_array_equal(np.isinf(result.kl), [True, False, True, True, True, False])
    assert result.threshold == np.inf
    dropped = one_step(np.ones(5), 20, noise_scale=9 / 5)
    assert abs(dropped.kl - one_step(values, 20).kl) > 0.1


@pytest.mark.parametrize("name", ["two levels", "power 1", "12 decades"])
def test_log_determinant_through_the_threshold(name: str) -> None:
    """d = 12, from ``det(D T^-1/2 L + R^1/2 N)``: the fitted map in law, L of Bartlett."""
    d, runs = 12, 4000
    values = spectra(d)[name]
    mu, rng = -np.expm1(-4.0), np.random.default_rng(1)
    noised = values + mu
    D, R = values / noised, mu * values / noised
    threshold = one_step(values, 9).threshold
    for factor in (0.6, 0.9, 1.0, 1.1, 1.3, 2.0):
        n = max(round(threshold * factor), d + 4)
        L = np.tril(rng.standard_normal((runs, d, d)), -1)
        diagonal = np.sqrt(rng.chisquare(n - 1 - np.arange(d), size=(runs, d)))
        L[:, np.arange(d), np.arange(d)] = diagonal
        noisy = np.sqrt(R)[:, None] * rng.standard_normal((runs, d, d))
        logs = 2 * np.linalg.slogdet((D * np.sqrt(noised))[:, None] * L + noisy)[1]
        logs = logs - 2 * np.log(diagonal).sum(1) + np.log((1 + mu) / values / noised).sum()
        error = logs.std() / np.sqrt(runs)
        ratio = mu / values
        width = np.sqrt(np.square(ratio).sum() / ratio.sum() ** 2 + 1 / (n - 1 - d))
        assert abs(logs.mean() - one_step(values, n).log_det) < 4 * error + 0.25 * width


def test_units_and_order_of_the_eigenvalues_drop_out() -> None:
    n = np.array([3, 9, 14, 30, 200])
    values = np.r_[np.geomspace(3.0, 0.1, 8), 0.0, 0.0]
    one = one_step(values, n)
    order = np.random.default_rng(0).permutation(10)
    mixed = one_step(values[order], n)
    np.testing.assert_array_equal(mixed.signal_fraction, one.signal_fraction[order])
    scaled = one_step(1e-7 * values, n, noise_scale=1e-7)
    for name in ("kl", "trace", "log_det", "hellinger_squared", "wasserstein_squared"):
        np.testing.assert_allclose(getattr(mixed, name), getattr(one, name), rtol=1e-12)
        unit = 1e-7 if name == "wasserstein_squared" else 1.0
        np.testing.assert_allclose(getattr(scaled, name), unit * getattr(one, name), rtol=1e-9)
    assert isinstance(one_step(values, 30).kl, float)
    assert one_step(values, n.reshape(5, 1)).kl.shape == (5, 1)


def test_every_spectrum_and_size_gives_numbers() -> None:
    rng = np.random.default_rng(7)
    for d in (1, 2, 3, 10):
        n = np.unique([2, *range(max(d - 1, 2), d + 5), 10 * d, 10**4, 10**8])
        for values in (np.ones(d), 10 ** rng.uniform(-12, 0, d), rng.chisquare(1, d), POWER[:d]):
            zero = values * (np.arange(d) % 3 < 1)
            for spectrum in (values, zero) if d > 1 else (values,):
                noise_scale = spectrum.mean() * 10 ** rng.uniform(-10, 6)
                for size in (None, 2 * 10**8):
                    result = one_step(spectrum, n, 2.0, noise_scale, population_size=size)
                    for name, numbers in result._asdict().items():
                        assert not np.isnan(numbers).any(), (d, spectrum, noise_scale, name)
                    assert (result.wasserstein_squared >= 0).all()
                    assert (result.hellinger_squared >= 0).all()
                    assert (result.hellinger_squared <= 1).all()


@pytest.mark.parametrize("values", [POWER, HALVES, np.where(np.arange(100) < 60, POWER, 0.0)])
def test_smooth_in_the_training_size(values: np.ndarray) -> None:
    """No jump and no kink from one n to the next; the trace grows to n = d and falls after."""
    for n in (np.arange(40, 59), np.arange(108, 125), np.arange(270, 290), np.arange(347, 367)):
        result = one_step(values, n)
        log_affinity = np.log1p(-np.minimum(result.hellinger_squared, 1 - 1e-14))
        for curve in (np.log(result.wasserstein_squared), np.log(result.trace), result.log_det):
            if np.isfinite(curve).all():
                third = np.abs(np.diff(curve, 3))
                assert (third[1:] < 2 * third[:-1] + 2e-3).all()
        assert (np.diff(result.trace) * (1 if n[0] < 100 else -1) > 0).all()
        assert n[0] < 100 or (np.abs(np.diff(log_affinity, 3)) < 0.05).all()
    assert (np.diff(one_step(values, np.arange(103, 300, 9)).kl) < 0).all()


def test_variances_of_the_training_set_set_the_start() -> None:
    """The part of each mean that follows from the fluctuations of v, by a control variate."""
    values = np.array([8.0, 1.0, 0.5, 0.3, 0.2, 0.1])
    for n in (4, 14):
        runs = 8000
        fitted = drawn(values, n, runs, seed=n)
        fixed = drawn(values, n, runs, seed=n, fitted=False)
        plain, full = one_step(values, n), one_step(values, n, fitted_variance=True)
        v = fitted["start"] - fixed["start"]
        for name in ("trace", "wasserstein_squared"):
            change = fitted[name] - fixed[name]
            change = change - np.cov(change, v)[0, 1] / v.var() * v
            predicted = getattr(full, name) - getattr(plain, name)
            error = change.std() / np.sqrt(runs)
            slack = 0.0 if n > 7 and name == "trace" else 0.2 * abs(predicted)
            assert abs(change.mean() - predicted) < 4 * error + slack, (n, name)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n"), [("power 1", 8), ("power 1", 40), ("two levels", 150)])
def test_without_replacement(name: str, n: int) -> None:
    """d = 20 of N = 150 points: far outside errors of independent draws, near this theory."""
    d, N, runs = 20, 150, 500
    values, rng = spectra(d)[name], np.random.default_rng(2)
    points = rng.standard_normal((N, d))
    points -= points.mean(axis=0)
    # Columns of an orthonormal basis: their sample covariance is exactly diagonal.
    points = np.linalg.qr(points)[0] * np.sqrt((N - 1) * values)
    measured = drawn(values, n, runs, seed=n, points=points)
    predicted = one_step(values, n, population_size=N, fitted_variance=True)
    independent = one_step(values, n, fitted_variance=True)
    relative = {"trace": 0.01, "wasserstein_squared": 0.03, "log_det": 0.05, "kl": 0.08}
    for key, share in relative.items():
        if key in measured:
            mean, value = measured[key].mean(), getattr(predicted, key)
            error = measured[key].std() / np.sqrt(runs)
            assert abs(mean - value) < 4 * error + share * abs(mean), (key, mean, value)
    if n == N:
        for key in ("trace", "wasserstein_squared", "log_det", "kl"):
            gap = abs(measured[key].mean() - getattr(predicted, key))
            assert gap < 0.3 * abs(measured[key].mean() - getattr(independent, key)), key
        assert (measured["start"].std() / measured["start"].mean()) < 1e-12


@pytest.mark.slow
def test_digits_drawn_without_replacement() -> None:
    """61 varying pixels of 1797 images, scaled to mean variance 1; not Gaussian at all."""
    X = load_digits().data
    X = X[:, X.std(axis=0) > 0]
    X = X - X.mean(axis=0)
    covariance = np.cov(X.T)
    values, basis = np.linalg.eigh(covariance / np.trace(covariance) * 61)
    points = X @ basis / np.sqrt(np.trace(covariance) / 61)
    for n in (20, 32, 45, 75, 100, 150, 300, 700, 1500):
        runs = 60 if 40 < n < 82 else 40
        measured = drawn(values, n, runs, seed=n, points=points)
        predicted = one_step(values, n, population_size=len(points), fitted_variance=True)
        for key, share in (
            ("wasserstein_squared", 0.08 if abs(n - 61) < 20 else 0.05),
            ("trace", 0.02),
        ):
            mean = measured[key].mean()
            error = measured[key].std() / np.sqrt(runs)
            gap = abs(getattr(predicted, key) - mean)
            assert gap < max(share * mean, 3 * error), (n, key)
        if n > 200:
            assert (
                abs(predicted.wasserstein_squared / measured["wasserstein_squared"].mean() - 1)
                < 0.01
            )


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: one_step([1.0, -1.0], 5), ValueError, "eigenvalues is -1"),
        (lambda: one_step([0.0, 0.0], 5), ValueError, "eigenvalues are all 0"),
        (lambda: one_step([], 5), ValueError, "eigenvalues has shape"),
        (lambda: one_step([1.0], 1), ValueError, "n_train is 1, expected at least 2"),
        (lambda: one_step([1.0], 2.5), TypeError, r"n_train is 2\.5"),
        (lambda: one_step([1.0], 5, time=0.0), ValueError, "time is 0"),
        (lambda: one_step([1.0], 5, noise_scale=-1.0), ValueError, "noise_scale is -1"),
        (lambda: one_step([1.0], 9, population_size=8), ValueError, "n_train is 9, expected at"),
    ],
)
def test_bad_parameters_are_one_clear_line(call, error, match: str) -> None:
    with pytest.raises(error, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)
