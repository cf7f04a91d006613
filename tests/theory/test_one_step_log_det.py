"""The exact mean log-determinant: rational arithmetic, limits, simulation, every size."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.special import digamma

from ornstein.theory import (
    one_step,
    one_step_anisotropic,
    one_step_log_affinity,
    one_step_log_det,
    wishart_log_det,
)
from ornstein.theory.one_step_model.exact_log_determinant import exact_log_det


def canonical_correlations(dim: int, n: int, rho2: float, runs: int, seed: int):
    """``A A^T`` of columns X, Y of correlation rho: singular values of A, of shape (runs, dim)."""
    rng = np.random.default_rng(seed)
    Y = rng.standard_normal((runs, dim, n - 1))
    X = np.sqrt(rho2) * Y + np.sqrt(1 - rho2) * rng.standard_normal(Y.shape)
    A = np.linalg.solve(Y @ Y.transpose(0, 2, 1), Y @ X.transpose(0, 2, 1))
    return np.linalg.svd(A, compute_uv=False)


# ---- the sum over partitions that it comes from


def partition_coefficients(d: int, m: int, orders: int) -> list[Fraction]:
    """Coefficients of ``u^j`` in d/dh 2F1(-h, -m/2; d/2; u I) at h = 0, from zonal polynomials."""
    totals = [Fraction(0)] * (orders + 1)
    for total in range(1, orders + 1):
        for first in range(1, total + 1):
            for second in range(min(first, total - first) + 1):
                ones = total - first - second
                if ones and not second:
                    continue
                rows = [first, *([second] if second else []), *([1] * ones)]
                if len(rows) > d:
                    continue
                boxes = [(i, j) for i, row in enumerate(rows) for j in range(row)]
                factors = [Fraction(-i, 2) + j for i, j in boxes]
                if factors.count(Fraction(0)) != 1:
                    continue
                term = -(Fraction(4) ** total)
                for (i, j), factor in zip(boxes, factors, strict=True):
                    term *= (factor or 1) * (Fraction(-m - i, 2) + j)
                doubled = [2 * row for row in rows]
                for i, row in enumerate(doubled):
                    for j in range(row):
                        below = sum(other > j for other in doubled[i + 1 :])
                        term /= row - j + below
                totals[total] += term
    return totals


def equation_coefficients(d: int, m: int, orders: int) -> list[Fraction]:
    """The same from the differential equation of the module."""
    rising = [Fraction(1)]
    for k in range(m):
        rising.append(rising[-1] * (d - 1 + k) / (k + 1))
    in_y = [-comb(m - k, 2) * rising[k + 1] for k in range(m - 1)] or [Fraction(0)]
    in_y[0] += Fraction(m * d, 2) - comb(m, 2)
    in_u = [Fraction(0)] * (orders + m)
    for k, value in enumerate(in_y):
        for i in range(k + 1):
            in_u[i] += value * comb(k, i) * (-1) ** i
    found, last = [Fraction(0)] + [Fraction(m, j) for j in range(1, d + 1)], Fraction(0)
    for j in range(d + 1, orders + 1):
        drift = j - 1 - Fraction(d, 2) - Fraction(m - 1, 2)
        last = (in_u[j - d - 1] + last * drift) / (j - Fraction(d, 2))
        found.append(last / j)
    return found[: orders + 1]


@pytest.mark.parametrize("m", range(1, 8))
def test_the_equation_is_the_sum_over_partitions(m: int) -> None:
    for d in range(1, 6):
        assert equation_coefficients(d, m, d + 7) == partition_coefficients(d, m, d + 7)


def test_few_dimensions_from_the_series() -> None:
    for d, m in ((1, 1), (1, 4), (2, 3), (3, 1), (3, 6), (5, 2), (5, 7)):
        series = [float(value) for value in equation_coefficients(d, m, 60)]
        for rho2 in (0.01, 0.2, 0.4):
            start = wishart_log_det(d, d).mean - wishart_log_det(d, d + m).mean
            exact = start + sum(value * rho2**j for j, value in enumerate(series))
            assert one_step_log_det(d, d + m + 1, rho2) == pytest.approx(exact, rel=1e-12)


# ---- closed forms and limits


@pytest.mark.parametrize("d", [1, 2, 3, 30, 1000])
def test_two_more_points(d: int) -> None:
    """A constant 0.5 nats off, whatever d, at nu - d = 2 and tau = 1/2."""
    j = np.arange(1, d + 1)
    for rho2 in (1e-9, 0.1, 0.5, 2 * d / (2 * d + 1), 1 - 1e-9):
        exact = float((np.expm1(j * np.log(rho2)) / j).sum() * 2)
        assert one_step_log_det(d, d + 3, rho2) == pytest.approx(exact, rel=1e-11)
    assert (np.asarray(one_step_log_det(d, d + 1, [1e-9, 0.5, 1.0])) == 0).all()


SIZES = [1, 2, 3, 7, 30, 100, 1000, 10**4, 10**6, 10**9]


@pytest.mark.parametrize("d", SIZES)
def test_from_no_noise_to_no_signal(d: int) -> None:
    tiny = np.array([1e-300, 1e-30])
    for m in SIZES:
        start = wishart_log_det(d, d).mean - wishart_log_det(d, d + m).mean
        found = exact_log_det(d, m, tiny, 1 - tiny)
        np.testing.assert_allclose(found, start, rtol=1e-8, atol=1e-15 * d)
        # The integral of the equation reaches that limit last.
        early = np.geomspace(1e-14, 1e-6, 5) / m
        step = np.asarray(exact_log_det(d, m, early, 1 - early)) - start
        np.testing.assert_allclose(step, m * early, atol=1e-7 * max(abs(start), 1) + 1e-14 * d)
        if m > 1:
            slope = exact_log_det(d, m, 1 - 1e-20 * np.ones(1), 1e-20 * np.ones(1)) / -1e-20
            assert slope[0] == pytest.approx(d * m / (m - 1), rel=1e-9)


def test_smooth_and_monotone_in_the_noise_and_in_n() -> None:
    """There was a jump of 0.13 nats at g = rho2, n = d + 2."""
    for d in (1, 2, 10, 100, 3000):
        for m in (1, 2, 5, 100, 3000):
            x = np.linspace(-40, 40, 1601)
            u, y = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(x))
            values = exact_log_det(d, m, u, y)
            assert (np.diff(values) >= -1e-12 * abs(values[0])).all()
            assert np.abs(np.diff(values, 3)).max() < 0.01 + 0.003 * min(d, m)
    n = np.arange(12, 400)
    for rho2 in (1e-3, 0.5, 0.99):
        values = np.asarray(one_step_log_det(10, n, rho2))
        assert np.abs(np.diff(values, 4)[8:]).max() < 1e-2


@pytest.mark.parametrize(
    ("d", "n", "rho2"),
    [(1, 3, 0.5), (1, 6, 0.5), (2, 4, 0.3), (2, 5, 0.8), (3, 7, 0.05), (10, 13, 0.95),
     (10, 12, 0.5), (10, 14, 0.504621), (6, 30, 0.7)],
)  # fmt: skip
def test_simulated_canonical_correlations(d: int, n: int, rho2: float) -> None:
    runs = 8000
    values = 2 * np.log(canonical_correlations(d, n, rho2, runs, seed=n)).sum(1)
    error = values.std(ddof=1) / np.sqrt(runs)
    assert abs(values.mean() - one_step_log_det(d, n, rho2)) < 4 * error


def test_mean_of_one_coordinate() -> None:
    # For d = 1, E ln r^2 without noise to digamma functions: rho2 -> 0 at every n.
    for nu in (1, 2, 5, 50):
        exact = float(digamma(0.5) - digamma(nu / 2))
        assert one_step_log_det(1, nu + 1, 1e-12) == pytest.approx(exact, abs=1e-9)


# ---- Hellinger, where few singular values make all of it


GRID = [
    (30, 31, 1e-8), (30, 32, 1e-8), (10, 12, 0.01), (5, 7, 0.1), (5, 6, 0.01), (10, 11, 0.1),
    (10, 13, 0.05), (20, 22, 0.02), (8, 14, 0.3), (12, 40, 1.0), (1, 3, 0.3), (2, 4, 0.1),
    (2, 3, 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("d", "n", "ratio"), GRID)
def test_affinity_for_few_points_and_little_noise(d: int, n: int, ratio: float) -> None:
    """The first were .570, 0, .125 and .268 where simulations have .118, .114, .273 and .387."""
    rho2, runs = 1 / (1 + ratio), 1500
    s2 = canonical_correlations(d, n, rho2, runs, seed=d) ** 2
    b = 1 + (1 - rho2) / (2 * n)
    logs = 0.5 * (np.log(2 * np.sqrt(s2) / (b * s2 + 1 + 1 / (2 * n)))).sum(1)
    values = np.exp(logs)
    error = values.std(ddof=1) / np.sqrt(runs)
    allowance = {1: 0.05, 2: 0.03}.get(d, 0.015)
    found = np.exp(one_step_log_affinity(d, n, rho2))
    assert abs(found - values.mean()) < 4 * error + allowance


def test_hellinger_of_the_attack() -> None:
    cases = {(30, 31, 1e-8): 0.118, (30, 32, 1e-8): 0.114, (10, 12, 0.01): 0.273,
             (5, 7, 0.1): 0.387}  # fmt: skip
    for (d, n, scale), simulated in cases.items():
        found = one_step(d, n, noise_scale=scale).hellinger_squared
        assert found == pytest.approx(simulated, abs=0.03)  # with v of the training points


# ---- any spectrum


@pytest.mark.parametrize("more", [0, 1, 2, 4])
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 0.03, 0.3])
def test_any_spectrum_for_few_points_and_little_noise(more: int, scale: float) -> None:
    """ln det was 0.3 nats off, and Hellinger 0.17, for n next to d."""
    spectrum = 20 / np.arange(1, 21.0) / (1 / np.arange(1, 21.0)).sum()
    dim, runs = spectrum.size, 600
    n, noise = dim + more + 1, -scale * np.expm1(-4.0)
    rho2 = spectrum / (spectrum + noise)
    rng = np.random.default_rng(more)
    shape = (runs, dim, n - 1)
    Y = rng.standard_normal(shape) * np.sqrt(spectrum + noise)[:, None]
    X = rho2[:, None] * Y + np.sqrt(noise * rho2)[:, None] * rng.standard_normal(shape)
    B = np.linalg.solve(Y @ Y.transpose(0, 2, 1), Y @ X.transpose(0, 2, 1)).transpose(0, 2, 1)
    s = np.linalg.svd(np.sqrt((1 + noise) / spectrum)[:, None] * B, compute_uv=False)
    found = one_step_anisotropic(spectrum, n, noise_scale=scale)
    log_dets = 2 * np.log(s).sum(1)
    error = log_dets.std(ddof=1) / np.sqrt(runs)
    assert abs(log_dets.mean() - found.log_det) < 4 * error + 0.15
    b = 1 + noise / (2 * n * (1 + noise))
    affinities = np.exp(0.5 * np.log(2 * s / (b * s**2 + 1 + 1 / (2 * n))).sum(1))
    error = affinities.std(ddof=1) / np.sqrt(runs)
    assert abs(1 - affinities.mean() - found.hellinger_squared) < 4 * error + 0.015
