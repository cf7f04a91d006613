"""The page's simulations: its random numbers, and what Python makes of the same points."""

import numpy as np
from scipy import linalg, stats
from tests.explorer.golden import Case, agree, evaluate
from tests.explorer.populations import spectrum

from ornstein import Gaussian
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.kernels.full_dimension import (
    log_cross,
    log_cross_expected,
    log_pairs,
    log_pairs_expected,
)

WORD = 2**32 - 1


def uniforms(seed: int, stream: int, count: int) -> list[float]:
    """The page's generator once more, in whole numbers of Python."""

    def mixed(bits: int) -> int:
        bits &= WORD
        bits = ((bits ^ bits >> 16) * 0x85EBCA6B) & WORD
        bits = ((bits ^ bits >> 13) * 0xC2B2AE35) & WORD
        return bits ^ bits >> 16

    a = mixed(seed ^ 0x9E3779B9)
    b = mixed((stream + 1) * 0x85EBCA6B & WORD ^ a)
    c = mixed(b ^ 0xC2B2AE35)
    counter = 1

    def word() -> int:
        nonlocal a, b, c, counter
        result = a + b + counter & WORD
        counter = counter + 1 & WORD
        a = b ^ b >> 9
        b = c + (c << 3) & WORD
        c = ((c << 21 | c >> 11) & WORD) + result & WORD
        return result

    for _ in range(15):
        word()
    return [((word() >> 5) * 2**26 + (word() >> 6)) / 2**53 for _ in range(count)]


def test_random_numbers():
    calls = [(seed, stream) for seed in (0, 1, 2**31 - 1) for stream in (0, 3)]
    found = evaluate([("uniform_numbers", [*call, 200]) for call in calls])
    for call, numbers in zip(calls, found, strict=True):
        assert numbers == uniforms(*call, 200)
    normals = np.array(evaluate([("normal_numbers", [7, s, 100_000]) for s in (0, 1)]))
    assert stats.kstest(normals[0], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(normals)[0, 1]) < 4e-5**0.5
    for moment, expected in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        values = normals[0] ** moment
        assert abs(values.mean() - expected) < 4 * values.std() / len(values) ** 0.5


def populations() -> list[tuple[np.ndarray, int, float, float]]:
    rng = np.random.default_rng(21)
    cases = [(np.ones(12), n, 2.0, scale) for n in (2, 5, 12, 13, 14, 40) for scale in (1.0, 0.0)]
    for _ in range(25):
        values = spectrum(rng, 60, decades=2.0)
        n = max(round(values.size * 10 ** rng.uniform(-1.0, 1.0)), 2)
        scale = float(values.mean() * 10 ** rng.uniform(-2.0, 1.0))
        cases.append((values, n, float(10 ** rng.uniform(-1.0, 0.5)), scale))
    return cases


def test_fits_distances_and_delta():
    settings = populations()
    drawn = evaluate([("simulate_one_step", [*s, 5]) for s in settings])
    cases = []
    for (values, n, time, scale), fit in zip(settings, drawn, strict=True):
        d = values.size
        train, noised = (np.reshape(fit[name], (n, d)) for name in ("train", "noised"))
        statistics = PairStatistics.empty(d)
        statistics.absorb(train, noised)
        expected = fit_pairs(statistics, OneStepNoising(time, scale))
        law, population = expected.generated_law, Gaussian(0.0, values)
        covariance = law.covariance.dense()
        largest = np.abs(covariance).max()
        # Inverse Gram matrices lose the square of a condition number.
        fields = {
            "coefficients": expected.coefficients.ravel(),
            "mean": law.mean,
            "covariance": covariance.ravel(),
        }
        size = {
            "coefficients": np.abs(expected.coefficients).max(),
            "mean": np.abs(law.mean).max(),
            "covariance": largest,
        }
        call = [train.ravel(), noised.ravel(), d, time, scale]
        cases.append(Case("fit_one_step", call, fields, size))

        mine = {name: fit[name] for name in ("mean", "covariance", "n_train", "train")}
        distances = {
            "kl": kl_divergence(law, population),
            "hellinger_squared": hellinger_squared(law, population),
            "wasserstein_squared": wasserstein_squared(law, population),
        }
        sizes = {"kl": d, "hellinger_squared": 1.0, "wasserstein_squared": values.sum() + largest}
        cases.append(Case("simulated_distances", [mine, values], distances, sizes))
        inside = values > 0
        rank = min(n - 1, np.count_nonzero(inside))
        for unit, root in (("population", values[inside]), ("scale", values.mean())):
            block = covariance[np.ix_(inside, inside)]
            block = block / np.sqrt(np.outer(root, root) if unit == "population" else root**2)
            singular = np.sqrt(linalg.eigvalsh(block)[::-1][:rank].clip(0))
            called = [mine, values, unit]
            cases.append(Case("simulated_singular_values", called, singular, 30 * singular.max()))
    agree(cases, at_least=200)


def test_kernel_terms_of_few_points_and_singular_laws():
    rng = np.random.default_rng(23)
    cases = []
    for n, d in ((1, 3), (2, 3), (3, 1), (7, 20), (40, 6)):
        points, factor = rng.standard_normal((n, d)), rng.standard_normal((d, max(d // 2, 1)))
        mean, eps, spread = (
            rng.standard_normal(d),
            float(rng.uniform(0.3, 1.0)),
            rng.gamma(2.0, size=d),
        )
        law = Gaussian.from_factor(mean, factor)
        covariance = (factor @ factor.T).ravel()
        # Logarithms of densities, which cross zero.
        cases += [
            Case("log_pairs", [points.ravel(), d, eps], log_pairs(points, eps), 1.0),
            Case(
                "log_pairs_expected",
                [spread, n, eps],
                log_pairs_expected(Gaussian(np.zeros(d), spread), n, eps),
                float(d),
            ),
            Case("bandwidth", [eps, n, d], eps * n ** (-1 / d)),
            Case(
                "log_cross",
                [mean, covariance, points.ravel(), eps],
                log_cross(law, points, eps),
                float(d),
            ),
            Case(
                "log_cross_expected",
                [mean, covariance, spread, eps],
                log_cross_expected(law, Gaussian(np.zeros(d), spread), eps),
                float(d),
            ),
        ]
    agree(cases, at_least=15)


def test_generated_points_follow_the_law():
    values = np.array([4.0, 1.0, 1.0, 0.25])
    fit = evaluate([("simulate_one_step", [values, 30, 1.0, 1.0, 3])])[0]
    points = np.reshape(evaluate([("generated_points", [fit, 40_000, 3])])[0], (-1, 4))
    covariance = np.reshape(fit["covariance"], (4, 4))
    # The starts are not the numbers that the training points were drawn or noised with.
    coefficients = np.reshape(fit["coefficients"], (4, 4)) * fit["start_variance"] ** 0.5
    starts = np.linalg.solve(coefficients, (points[:30] - fit["mean"]).T).T
    train, noised = (np.reshape(fit[name], (30, 4)) for name in ("train", "noised"))
    for drawn in (train / values**0.5, noised - np.exp(-1.0) * train):
        assert abs(np.corrcoef(starts.ravel(), drawn.ravel())[0, 1]) < 4 / 120**0.5
    error = np.sqrt(np.diag(covariance) / len(points))
    assert (np.abs(points.mean(0) - fit["mean"]) < 4 * error).all()
    spread = np.sqrt((covariance**2 + np.outer(*[np.diag(covariance)] * 2)) / len(points))
    assert (np.abs(np.cov(points.T) - covariance) < 4 * spread).all()
    fresh = np.reshape(evaluate([("fresh_points", [values, 20_000, 9])])[0], (-1, 4))
    assert np.allclose(fresh.var(0), values, rtol=4 * (2 / len(fresh)) ** 0.5)


def test_distances_of_any_two_gaussians():
    rng = np.random.default_rng(22)
    cases = []
    for d in (1, 2, 3, 5, 20):
        for _ in range(12):
            P, Q = (np.cov(rng.standard_normal((d, 3 * d + 2))).reshape(d, d) for _ in range(2))
            gap = rng.standard_normal(d)
            p, q = Gaussian(gap, P), Gaussian(np.zeros(d), Q)
            expected = {
                "kl": kl_divergence(p, q),
                "hellinger_squared": hellinger_squared(p, q),
                "wasserstein_squared": wasserstein_squared(p, q),
            }
            cases.append(
                Case("gaussian_distances", [P.ravel(), Q.ravel(), gap], expected, 1e-2 * d)
            )
    agree(cases, at_least=180)
