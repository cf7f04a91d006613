"""The one-step model's expectations and spectra, against draws of the model itself."""

import numpy as np
import pytest
from scipy.integrate import quad

from ornstein import Gaussian, theory
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.processes import OneStepNoising

RHO2 = 0.504621


def simulated(dim: int, n: int, runs: int, seed: int, time=2.0, noise_scale=1.0, std=1.0):
    """Mean and standard error of each field over training sets; simulated by the estimator."""
    rng = np.random.default_rng(seed)
    population = Gaussian.isotropic(dim, mean=10.0, std=std)
    process = OneStepNoising(time, noise_scale)
    rows = []
    for _ in range(runs):
        X = population.sample(n, rng)
        statistics = PairStatistics.empty(dim)
        statistics.absorb(X, process.noised(X, rng))
        law = fit_pairs(statistics, process).generated_law
        rows.append(
            [
                kl_divergence(law, population),
                law.covariance.trace / (dim * std**2),
                law.covariance.log_det - 2 * dim * np.log(std),
                hellinger_squared(law, population),
                wasserstein_squared(law, population),
            ]
        )
    values = np.array(rows)
    with np.errstate(invalid="ignore"):
        error = values.std(axis=0, ddof=1) / np.sqrt(runs)
    names = ("kl", "trace", "log_det", "hellinger_squared", "wasserstein_squared")
    return dict(zip(names, zip(values.mean(axis=0), error, strict=True), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dim", "n", "options"),
    [
        (100, 130, {}),
        (100, 400, {}),
        (100, 130, {"noise_scale": 0.1}),
        (100, 200, {"noise_scale": 0.1}),
        (64, 640, {}),
        (40, 120, {"time": 0.5, "std": 3.0, "noise_scale": 2.0}),
    ],
)
def test_expectations_within_standard_errors(dim: int, n: int, options: dict) -> None:
    """4 standard errors and 0.7/d nats for what is asymptotic (see the modules)."""
    predicted = theory.one_step(dim, n, **options)
    measured = simulated(dim, n, 80, seed=n, **options)
    variance = options.get("std", 1.0) ** 2
    allowance = {
        "kl": 0.7 / dim,
        "log_det": 0.7 / dim,
        "trace": 0.0,
        "hellinger_squared": 0.05 / dim,
        "wasserstein_squared": variance / dim,
    }
    for name, (mean, error) in measured.items():
        gap = abs(mean - getattr(predicted, name))
        assert gap < 4 * error + allowance[name], (name, mean, error, getattr(predicted, name))


@pytest.mark.slow
def test_at_the_threshold_the_error_falls_with_dimension() -> None:
    for dim in (12, 48):
        n = round(theory.one_step(dim, 10).threshold)
        mean, error = simulated(dim, n, 400, seed=dim)["log_det"]
        assert abs(mean - theory.one_step(dim, n).log_det) < 4 * error + 0.3 * np.sqrt(8 / dim)


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "n"), [(100, 50), (60, 20)])
def test_fewer_points_than_dimensions(dim: int, n: int) -> None:
    predicted, measured = theory.one_step(dim, n), simulated(dim, n, 150, seed=n)
    assert predicted.kl == np.inf
    assert predicted.log_det == -np.inf
    assert predicted.hellinger_squared == 1.0
    for name, allowance in (("trace", 0.0), ("wasserstein_squared", 1 / dim)):
        mean, error = measured[name]
        assert abs(mean - getattr(predicted, name)) < 4 * error + allowance, name


def test_check_values_of_the_model() -> None:
    result = theory.one_step(100, [130, 400], noise_scale=[0.1, 1.0])
    np.testing.assert_allclose(result.kl, [16.818, 18.106], atol=0.03)
    limit = theory.one_step(100, 10**9)
    assert limit.signal_fraction == pytest.approx(RHO2, abs=1e-6)
    assert limit.threshold == pytest.approx(198.2, abs=0.05)
    assert limit.kl_infinite_data / 100 == pytest.approx(0.0942842, abs=1e-7)
    assert theory.one_step(64, 640).kl == pytest.approx(7.924, abs=0.01)


def test_infinite_data_and_no_noise() -> None:
    result = theory.one_step(100, 10**9)
    assert result.kl == pytest.approx(result.kl_infinite_data, rel=1e-6)
    rho2 = result.signal_fraction
    assert result.hellinger_squared == pytest.approx(
        1 - (4 * rho2 / (1 + rho2) ** 2) ** 25, rel=1e-6
    )
    assert result.hellinger_squared == pytest.approx(0.943209, abs=1e-6)
    assert result.trace == pytest.approx(rho2, rel=1e-6)
    assert result.wasserstein_squared == pytest.approx(100 * (1 - np.sqrt(rho2)) ** 2, rel=1e-5)
    silent = theory.one_step(5, [3, 6, 7, 50], noise_scale=0.0)
    np.testing.assert_allclose(silent.trace, [2 / 5, 1, 1, 1])
    np.testing.assert_allclose(silent.log_det, [-np.inf, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("std", [0.3, 7.0])
def test_units_of_the_data_drop_out(std: float) -> None:
    """Scaling data and noise together changes Wasserstein by the square, and nothing else."""
    one, scaled = (theory.one_step(30, [10, 45, 90], 1.0, s**2, s) for s in (1.0, std))
    for name in ("signal_fraction", "kl", "trace", "log_det", "hellinger_squared"):
        np.testing.assert_allclose(getattr(scaled, name), getattr(one, name), rtol=1e-12)
    np.testing.assert_allclose(
        scaled.wasserstein_squared, std**2 * one.wasserstein_squared, rtol=1e-12
    )


def test_every_size_and_dimension_gives_numbers() -> None:
    n = np.array([2, 3, 4, 5, 9, 10, 50, 99, 100, 101, 102, 103, 150, 199, 10**3, 10**7])
    for dim in (1, 2, 5, 100, 1000):
        for noise_scale in (0.0, 1e-4, 1.0, 1e3):
            with np.errstate(all="ignore"):
                result = theory.one_step(dim, n, 2.0, noise_scale)
            for name, values in result._asdict().items():
                assert not np.isnan(values).any(), (dim, noise_scale, name)
            assert (result.wasserstein_squared >= 0).all()
            assert ((result.hellinger_squared >= 0) & (result.hellinger_squared <= 1)).all()


def test_kl_falls_above_the_number_of_dimensions() -> None:
    n = np.r_[103:300, 300:3000:20]
    kl = theory.one_step(100, n).kl
    assert (np.diff(kl) < 1e-9).all()


def test_theory_is_smooth_in_the_training_size() -> None:
    """No curve has a kink from one n to the next, away from n = d."""
    for n in (np.arange(20, 85), np.arange(120, 400)):
        result = theory.one_step(100, n)
        for values in (result.wasserstein_squared, result.trace):
            curvature = np.abs(np.diff(np.log(values), 2))
            assert (curvature[1:] < 1.3 * curvature[:-1] + 1e-4).all()


def integral(function, aspect_ratio: float, signal_fraction: float) -> float:
    low, high = theory.one_step_support(aspect_ratio, signal_fraction)

    def integrand(angle: float) -> float:
        s = low + (high - low) * np.sin(angle / 2) ** 2
        weight = (high - low) * np.sin(angle) / 2
        return function(s) * theory.one_step_spectrum(s, aspect_ratio, signal_fraction) * weight

    return quad(integrand, 0, np.pi, limit=300)[0]


MOMENTS = {
    "mass": lambda s: 1.0,
    "second": lambda s: s**2,
    "first": lambda s: s,
    "log": lambda s: np.log(s**2),
    "log1p": lambda s: np.log1p(s**2),
}


@pytest.mark.parametrize(
    ("aspect_ratio", "values"),
    [
        (0.8, {"mass": 1, "second": 2.4861, "first": 1.1958, "log": -0.4499, "log1p": 0.8380}),
        (2.0, {"mass": 1, "second": 1.4954, "first": 1.1098, "log": 0.0}),
    ],
)
def test_check_values_of_the_spectrum(aspect_ratio: float, values: dict[str, float]) -> None:
    for name, value in values.items():
        assert integral(MOMENTS[name], aspect_ratio, RHO2) == pytest.approx(value, abs=1e-4), name


@pytest.mark.parametrize("rho2", [0.05, RHO2, 0.97])
@pytest.mark.parametrize("aspect_ratio", [0.1, 0.5, 0.95, 1.05, 3.0, 20.0])
def test_moments_that_are_known_on_paper(aspect_ratio: float, rho2: float) -> None:
    g = aspect_ratio
    assert integral(MOMENTS["mass"], g, rho2) == pytest.approx(1, abs=1e-6)
    c = min(g, 1 / g)
    assert integral(MOMENTS["second"], g, rho2) == pytest.approx(
        rho2 + (1 - rho2) * min(1, g) / (1 - c), rel=1e-6
    )
    if g > 1:
        assert integral(MOMENTS["log"], g, rho2) == pytest.approx(0, abs=1e-6)
    elif g < rho2:
        assert integral(MOMENTS["log"], g, rho2) == pytest.approx(np.log(rho2), rel=1e-6)


@pytest.mark.parametrize("n_over_d", [0.3, 0.8, 1.3, 1.9, 2.5, 9.0])
def test_the_potential_is_the_spectrum_at_large_dimension(n_over_d: float) -> None:
    """Per dimension, the potential of a huge model is an integral over the density."""
    dim = 10**6
    n = int(n_over_d * dim) + 1
    g, q = dim / (n - 1), min(dim, n - 1)
    for t in (0.1, 1.0, 20.0):
        exact = integral(lambda s, t=t: np.log(t + s**2), g, RHO2)
        value = theory.one_step_log_potential(t, dim, n, RHO2) / q
        assert value == pytest.approx(exact, abs=1e-5)
    assert theory.one_step_nuclear_norm(dim, n, RHO2) / q == pytest.approx(
        integral(MOMENTS["first"], g, RHO2), abs=2e-5
    )
    if g < 1:
        log_det = theory.one_step_log_det(dim, n, RHO2) / dim
        assert log_det == pytest.approx(integral(MOMENTS["log"], g, RHO2), abs=1e-4)


@pytest.mark.parametrize(("aspect_ratio", "rho2"), [(0.3, RHO2), (0.8, RHO2), (2.0, RHO2)])
def test_density_against_a_histogram(aspect_ratio: float, rho2: float) -> None:
    """d = 400: counts per bin, whose fluctuations are far below Poisson's."""
    dim = 400
    nu = round(dim / aspect_ratio)
    rng = np.random.default_rng(1)
    Y = rng.standard_normal((nu, dim))
    X = np.sqrt(rho2) * Y + np.sqrt(1 - rho2) * rng.standard_normal((nu, dim))
    s = np.linalg.svd(np.linalg.lstsq(Y, X, rcond=None)[0], compute_uv=False)[: min(nu, dim)]
    low, high = theory.one_step_support(aspect_ratio, rho2)
    edges = np.linspace(low, high, 9)
    counts, _ = np.histogram(s, edges)
    for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True):
        mass = quad(lambda x: theory.one_step_spectrum(x, aspect_ratio, rho2), a, b, limit=200)[0]
        assert abs(count - mass * len(s)) < 4.0


def test_support_edges() -> None:
    low, high = theory.one_step_support(2.0, RHO2)
    # The edges solve x + 1/x = 2 + 4 c (2-c) (1-rho2) / (1-c)^2.
    assert (low**2, high**2) == pytest.approx((0.127933, 7.816615), abs=1e-6)
    assert low * high == pytest.approx(1)
    for g in (0.2, 0.7, 1.5):
        low, high = theory.one_step_support(g, RHO2)
        assert theory.one_step_spectrum([low * 0.999, high * 1.001], g, RHO2) == pytest.approx(
            [theory.one_step_spectrum(0.0, g, RHO2) if low == 0 else 0.0, 0.0], abs=1e-9
        )
        assert theory.one_step_spectrum(high * 0.999, g, RHO2) > 0
    # It reaches 0 exactly at the threshold.
    assert theory.one_step_support(RHO2 - 1e-3, RHO2)[0] > 0
    assert theory.one_step_support(RHO2 + 1e-3, RHO2)[0] == 0


@pytest.mark.slow
def test_covariances_of_the_potential() -> None:
    dim, n, runs = 60, 30, 1000
    rng = np.random.default_rng(3)
    Y = rng.standard_normal((runs, n - 1, dim))
    X = np.sqrt(0.5) * (Y + rng.standard_normal(Y.shape))
    squares = np.array(
        [
            np.linalg.svd(np.linalg.lstsq(y, x, rcond=None)[0], compute_uv=False)[: n - 1] ** 2
            for x, y in zip(X, Y, strict=True)
        ]
    )
    one, two = np.log(1 + squares).sum(1), np.log(0.1 + squares).sum(1)
    measured = np.cov(one, two)
    for (i, j), pair in {(0, 0): (1, 1), (0, 1): (1, 0.1), (1, 1): (0.1, 0.1)}.items():
        predicted = theory.one_step_potential_covariance(*pair, dim, n, 0.5)
        assert measured[i, j] == pytest.approx(predicted, rel=4 * np.sqrt(2 / runs) + 1 / dim)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: theory.one_step(0, 5), ValueError, "dim is 0"),
        (lambda: theory.one_step(2.5, 5), TypeError, r"dim is 2\.5"),
        (lambda: theory.one_step(3, 1), ValueError, "n_train is 1, expected at least 2"),
        (lambda: theory.one_step(3, np.nan), ValueError, "n_train is nan"),
        (lambda: theory.one_step(3, 5, time=0), ValueError, "time is 0"),
        (lambda: theory.one_step(3, 5, noise_scale=-1), ValueError, "noise_scale is -1"),
        (lambda: theory.one_step(3, 5, std=np.inf), ValueError, "std is inf"),
        (lambda: theory.one_step_spectrum(1.0, 0.0, 0.5), ValueError, "aspect_ratio is 0"),
        (lambda: theory.one_step_spectrum(1.0, 0.5, 1.5), ValueError, r"signal_fraction is 1\.5"),
        (lambda: theory.one_step_spectrum(-1.0, 0.5, 0.5), ValueError, "s is -1"),
    ],
)
def test_bad_parameters_are_one_clear_line(call, error, match: str) -> None:
    with pytest.raises(error, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)
