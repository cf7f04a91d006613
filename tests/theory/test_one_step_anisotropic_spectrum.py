"""The density of singular values for any population spectrum: limits, moments, histograms."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss

from ornstein import OneStepDenoiser, theory
from ornstein.theory.one_step_model import anisotropic_spectrum
from ornstein.theory.one_step_model.noised_modes import linear_map, noised_modes
from ornstein.theory.one_step_model.saddle_point import (
    denominator,
    leading_excess,
    saddle_point,
)

density, support = theory.one_step_anisotropic_spectrum, theory.one_step_anisotropic_support

RHO2 = theory.one_step(10, 10).signal_fraction
HALVES = np.repeat([3.0, 0.3], 50)
NODES, WEIGHTS = leggauss(160)


def integral(function, edges, values, n: int, relative_to: str, low=0.0, high=np.inf) -> float:
    """Over the support within an interval; the edges are square roots."""
    total, angle = 0.0, np.pi * (NODES + 1) / 2
    for left, right in edges:
        a, b = max(left, low), min(right, high)
        if a < b:
            s = a + (b - a) * np.sin(angle / 2) ** 2
            f = density(s, values, n, relative_to=relative_to)
            total += (f * function(s) * np.sin(angle)) @ WEIGHTS * (b - a) * np.pi / 4
    return total


@pytest.mark.parametrize("relative_to", ["population", "scale"])
@pytest.mark.parametrize("n", [41, 121, 301])
def test_equal_eigenvalues_are_the_isotropic_spectrum(n: int, relative_to: str) -> None:
    s = np.array([0.01, 0.3, 0.6, 1.0, 1.7, 4.0, 30.0])
    expected = theory.one_step_spectrum(s, 100 / (n - 1), RHO2)
    values = density(s, np.full(100, 7.0), n, noise_scale=7.0, relative_to=relative_to)
    np.testing.assert_allclose(values, expected, atol=1e-10)
    edges = support(np.ones(100), n, relative_to=relative_to)
    np.testing.assert_allclose(edges, [theory.one_step_support(100 / (n - 1), RHO2)], rtol=1e-11)


@pytest.mark.parametrize("n", [300, 10_000, 1_000_000])
def test_with_much_noise_the_edges_are_those_of_equal_eigenvalues(n: int) -> None:
    """Of many points they lie about the value of infinitely many, which noise makes small."""
    expected = theory.one_step_support(50 / (n - 1), 1 / (1 - 20 * np.expm1(-4.0)))
    np.testing.assert_allclose(support(np.ones(50), n, noise_scale=20.0), [expected], rtol=1e-9)


def test_with_much_noise_edges_are_beside_simulated_ones() -> None:
    values = np.repeat([1.0, 0.3], 30)
    rng = np.random.default_rng(0)
    points = rng.standard_normal((20_000, 60)) * np.sqrt(values)
    law = OneStepDenoiser(noise_scale=20.0, random_state=rng).fit(points).generated_law_
    root = np.linalg.cholesky(law.covariance.dense() / np.sqrt(np.outer(values, values)))
    found = np.linalg.svd(root, compute_uv=False)
    edges = support(values, 20_000, noise_scale=20.0)
    assert (edges[0, 0], edges[-1, 1]) == pytest.approx((found.min(), found.max()), rel=0.05)
    inside = (found[:, None] > 0.97 * edges[:, 0]) & (found[:, None] < 1.03 * edges[:, 1])
    assert inside.any(axis=1).all()


@pytest.mark.parametrize(
    ("values", "n"),
    [(1 / np.arange(1, 41), 30), (np.repeat([3.0, 0.3], 50), 1001), (np.array([9.0, 2, 0, 0]), 40)],
)
def test_edges_are_those_of_brackets_cut_in_parts(values, n, monkeypatch) -> None:
    """Newton's method finds none that is not where the density begins, and is the more exact."""
    edges = support(values, n, relative_to="scale")
    calls = []
    monkeypatch.setattr(
        anisotropic_spectrum, "_folds", lambda K, s: calls.append(s) or np.full(s.shape, np.nan)
    )
    np.testing.assert_allclose(support(values, n, relative_to="scale"), edges, rtol=1e-7)
    assert len(calls) == 7


@pytest.mark.parametrize(("n", "relative_to"), [(41, "scale"), (141, "population"), (601, "scale")])
def test_moments_are_those_of_the_potential(n: int, relative_to: str) -> None:
    """Mass 1; trace and ``ln det(1 + K K^T)`` of the real principle, never continued."""
    for values in (HALVES, np.r_[np.repeat([2.0, 0.5], 40), np.zeros(20)]):
        K = linear_map(
            noised_modes(values, 2.0, 1.0), n - 1.0, {"population": -1.0, "scale": 0.0}[relative_to]
        )
        q = min(K.dof, K.rows)
        point = saddle_point(K, np.ones(1))
        logs = leading_excess(K, point, denominator(K, point))[0] / q
        given = support(values, n, relative_to=relative_to), values, n, relative_to
        # Together: the density takes its time.
        whole, mean_log, second = integral(
            lambda s: np.stack([np.ones_like(s), np.log1p(s * s), s * s]), *given
        )
        assert whole == pytest.approx(1, abs=2e-5)
        assert mean_log == pytest.approx(logs, abs=2e-5)
        if n > K.columns + 1:
            trace = K.support @ (
                K.signal + K.residual * (K.weight @ K.inverse) / (K.dof - K.columns)
            )
            assert second == pytest.approx(trace / q, rel=1e-4)


@pytest.mark.parametrize(
    ("n", "relative_to"), [(101, "population"), (321, "scale"), (1601, "scale")]
)
def test_density_against_a_histogram(n: int, relative_to: str) -> None:
    """d = 200: counts per bin, whose fluctuations are far below Poisson's."""
    values = np.repeat([3.0, 0.3], 100)
    rng, mu = np.random.default_rng(1), -np.expm1(-4.0)
    x = rng.standard_normal((n, 200)) * np.sqrt(values)
    y = x + np.sqrt(mu) * rng.standard_normal((n, 200))
    B = np.linalg.lstsq(y - y.mean(0), x - x.mean(0), rcond=1e-9)[0].T
    unit = np.sqrt(values if relative_to == "population" else values.mean())
    F = np.sqrt(values.mean() + mu) * B / np.reshape(np.broadcast_to(unit, 200), (200, 1))
    s = np.linalg.svd(F, compute_uv=False)[: min(n - 1, 200)]
    edges = support(values, n, relative_to=relative_to)
    assert s.min() > edges[0, 0] * 0.9
    assert s.max() < edges[-1, 1] * 1.1
    bins = np.linspace(edges[0, 0], edges[-1, 1], 8)
    for low, high in pairwise(bins):
        mass = integral(np.ones_like, edges, values, n, relative_to, low, high)
        assert abs(((s >= low) & (s < high)).sum() - mass * len(s)) < 4.0
    # Two levels are two bands once there is enough data to tell them apart.
    assert len(edges) == (2 if n > 1000 and relative_to == "scale" else 1)


def test_the_support_reaches_zero_below_the_threshold() -> None:
    threshold = theory.one_step_anisotropic(HALVES, 9).threshold
    for n in (110, int(threshold) - 5):
        assert support(HALVES, n)[0, 0] == 0
        assert density(1e-6, HALVES, n) > 0.01
    for n in (51, int(threshold) + 20):
        low = support(HALVES, n)[0, 0]
        assert low > 0
        assert density(0.97 * low, HALVES, n) == 0
        assert density(1.03 * low, HALVES, n) > 0


def test_unit_order_and_shape() -> None:
    s = np.array([[0.4, 0.9], [1.3, 2.0]])
    one = density(s, HALVES, 151)
    assert one.shape == (2, 2)
    np.testing.assert_allclose(density(s, 1e4 * HALVES[::-1], 151, noise_scale=1e4), one, rtol=1e-9)
    assert isinstance(density(1.0, HALVES, 151), float)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: density(0.0, HALVES, 50), "s is 0"),
        (lambda: density(1.0, HALVES, 1), "n_train is 1"),
        (lambda: density(1.0, HALVES, 50, noise_scale=0.0), "noise_scale is 0, expected > 0"),
        (lambda: density(1.0, HALVES, 50, relative_to="unit"), "relative_to is 'unit'"),
        (lambda: support([0.0], 50), "eigenvalues are all 0"),
    ],
)
def test_bad_parameters_are_one_clear_line(call, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)
