"""Closed forms of ornstein.theory in 60 digits, on grids that reach the edges of float64."""

import itertools
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from ornstein import theory

WIDE = [0.0, 1e-300, 1e-100, 1e-30, 1e-9, 1e-3, 0.5, 1.0, 30.0, 1e6, 1e30, 1e100]


@pytest.fixture(autouse=True)
def sixty_digits():
    with mpmath.workdps(60):
        yield


def close(found: Any, exact: Any, rel: float = 1e-13, tiny: float = 1e-290) -> None:
    assert found == pytest.approx(float(exact), rel=rel, abs=tiny)


def test_weights_of_linear_denoisers() -> None:
    for lam, s, tau in itertools.product(WIDE, [0.0, 1e-100, 1e-3, 1.0, 1e100], WIDE):
        noise, total = mpf(s) ** 2, mpf(lam) + mpf(s) ** 2
        best = mpf(lam) / total if total else mpf(0)
        for start in (-0.5, 0.0, 1e-30, 1.0):
            gone = -mpmath.expm1(-2 * mpf(tau) * total)
            exact = best * gone + start * mpmath.exp(-2 * mpf(tau) * total)
            found = theory.denoiser_weight(lam, s, tau, init=start)
            close(found, exact, rel=1e-11, tiny=1e-15 * abs(start) + 1e-290)
        for start in (0.0, 1e-30, 1.0):
            grown = -mpmath.expm1(-8 * mpf(lam) * tau)
            inverse = grown / best if best else 8 * tau * noise
            bottom = mpmath.exp(-8 * mpf(lam) * tau) + start * inverse
            exact = start / bottom if start else mpf(0)
            close(theory.two_layer_weight(lam, s, tau, init=start), exact, rel=1e-11)


def test_generated_variance() -> None:
    for lam, tau, start in itertools.product(WIDE, WIDE, [0.0, 0.3, 1.0]):
        for low, high in ((0.002, 80.0), (1e-30, 1e30)):
            a, L, H = 2 * mpf(tau), mpf(low) ** 2, mpf(high) ** 2
            if a:
                drop = mpmath.e1(a * L) - mpmath.e1(a * H)
                learned = mpmath.e1(a * (L + lam)) - mpmath.e1(a * (H + lam))
            else:
                drop, learned = mpmath.log(H / L), mpmath.log((H + lam) / (L + lam))
            log = mpmath.log(H * (L + lam) / (H + lam)) + learned
            exact = mpmath.exp(log - (1 - start) * mpmath.exp(-a * lam) * drop)
            close(theory.generated_variance(lam, tau, 1.0, low, high, start), exact, rel=1e-11)
    assert theory.emergence_time(1e-300, 1e-5) == pytest.approx(float(mpmath.log(2) * 1.25e304))


def test_renormalized_noise_of_equal_eigenvalues() -> None:
    for lam, s2, n in itertools.product([1e-100, 1.0, 1e100], WIDE, [1e-6, 0.5, 1.5, 3.0, 1e9]):
        b = mpf(s2) + (2 / mpf(n) - 1) * mpf(lam)
        exact = (b + mpmath.sqrt(b**2 + 4 * mpf(s2) * mpf(lam))) / 2
        with mpmath.workdps(400):  # the root cancels for b < 0
            b = mpf(s2) + (2 / mpf(n) - 1) * mpf(lam)
            exact = (b + mpmath.sqrt(b**2 + 4 * mpf(s2) * mpf(lam))) / 2
        close(theory.renormalized_noise([lam, lam], s2, n), exact, rel=1e-12)


def test_overlap_of_two_halves() -> None:
    for c in [1e-12, 1e-3, 0.5, 1 - 1e-12, 1.0, 1 + 1e-12, 3.0, 1e9, 1e100]:
        exact = mpmath.hyp2f1(0.5, -0.5, 2, min(mpf(c), 1 / mpf(c))) ** 2 * min(1, 1 / mpf(c))
        close(theory.split_consistency(c), exact)


def test_collapse_and_cloning() -> None:
    for n, d, lam in itertools.product([1.0001, 2, 1e3, 1e30, 1e300], [1, 2, 64], [1e-9, 1, 1e9]):
        exact = mpmath.log1p(mpf(lam) / (mpf(n) ** (mpf(2) / d) - 1)) / 2
        close(theory.collapse_time(n, [lam] * d), exact, rel=1e-11)
    for t, m, s in [(0.0, 1.0, 1.0), (1e-9, 3.0, 1.0), (2.0, 8.0, 0.1), (30.0, 1e10, 1.0)]:
        v = -mpmath.expm1(-2 * mpf(t)) + mpf(s) ** 2 * mpmath.exp(-2 * mpf(t))
        a = mpf(m) * mpmath.exp(-mpf(t)) / mpmath.sqrt(v)

        def both(y, a=a):
            plus, minus = mpmath.npdf(y, a), mpmath.npdf(y, -a)
            return (plus**2 + minus**2) / (plus + minus) / 2

        exact = mpmath.quad(both, [-a - 12, -a, 0, a, a + 12])
        close(theory.cloning_probability(t, m, s), exact, rel=1e-12)


def test_infinite_data_and_traces_of_the_one_step_model() -> None:
    for scale, d in itertools.product([1e-300, 1e-20, 1e-8, 1e-3, 0.3, 1e6, 1e100], [1, 7, 10**9]):
        ratio = -mpf(scale) * mpmath.expm1(-4)
        rho2 = 1 / (1 + ratio)
        for n in (d + 3, 2 * d + 9, 10**15):
            found = theory.one_step(d, n, noise_scale=scale)
            close(found.signal_fraction, rho2)
            close(found.threshold, d / rho2)
            close(found.kl_infinite_data, mpf(d) / 2 * (mpmath.log1p(ratio) - ratio * rho2))
            close(found.trace, rho2 + (1 - rho2) * d / (mpf(n) - d - 2))
    for n in (8, 9, 10, 30):
        close(theory.one_step(7, n, noise_scale=0.0).kl, mpf(7) / (2 * n))


def test_generations() -> None:
    for d, n, k, share in [
        (8, 40, 10, 0.25), (1, 1, 3, 0.0), (1, 1, 3, 1.0), (100, 10**6, 10**6, 1e-9),
        (3, 10**15, 10**15, 0.0), (10**6, 40, 5, 0.25), (2, 10**9, 10**9, 1e-12),
    ]:  # fmt: skip
        m, dim = mpf(share) * n, mpf(d)
        kept = n - m
        fresh = [
            2 * m * kept * dim + m * (m + 1) * dim + m * dim**2,
            2 * m * kept * dim**2 + 2 * m * dim + (m * dim) ** 2,
        ]
        rows = [[kept * (kept + 1), kept, fresh[0]], [2 * kept, kept**2, fresh[1]], [0, 0, n**2]]
        power = mpmath.eye(3)
        step = mpmath.matrix(rows) / mpf(n) ** 2
        for bit in f"{k:b}":
            power = power * power * (step if bit == "1" else mpmath.eye(3))
        after = power * mpmath.matrix([dim, dim**2, 1])
        found = theory.recursive_variance(d, n, k, share)
        close(found.square, after[0] / dim, rel=1e-9)
        close(found.trace_square, after[1] / dim**2, rel=1e-9)
    for a, delta, k in itertools.product(
        [0.0, 1e-15, 0.3, 1.0], [0.0, 1e-12, 0.1, 1e3], [1, 10**6]
    ):
        r = (1 - mpf(a)) * mpmath.exp(-2 * mpf(delta))
        kept = (a * (1 - r**k) / (1 - r) if r != 1 else 0) + r**k
        found = theory.recursive_score_variance([4.0, 0.0], delta, k, a)
        close(found[0], 1 + 3 * kept)
        close(found[1], 1 - kept, rel=1e-9, tiny=2e-16)


def test_noise_shared_by_copies() -> None:
    for t in [1e-12, 1e-6, 0.1, 1.0, 10.0, 100.0]:
        with mpmath.workdps(400):  # the difference cancels
            rho = mpmath.exp(-2 * mpf(t))
            exact = (2 / mpmath.pi) * (mpmath.asin(rho) - rho) / (1 - 2 / mpmath.pi)
        close(theory.activation_constants("sign", t).kappa_noise, exact, rel=1e-12)


def test_named_inputs() -> None:
    """What an attack with independent oracles found."""
    found = theory.one_step(10**6, 10**6 - 1, noise_scale=[1e-30, 1e-12, 1e-8])
    assert np.isfinite(found.wasserstein_squared).all()
    with pytest.raises(ValueError, match=r"std is 1e\+308, expected"):
        theory.one_step(10, 50, std=1e308)
    with pytest.raises(ValueError, match=r"noise_scale is 1e\+300 where std is 1e-20, expected"):
        theory.one_step(10, 50, noise_scale=1e300, std=1e-20)
    losses = theory.random_feature_losses(np.geomspace(1e-8, 1e8, 65), 1, 300, 1e-20, 1, "identity")
    assert (np.asarray(losses.test) >= 0).all()
    for n, scale in itertools.product([10**4, 10**9, 10**15], [0.0, 1e-8]):
        delta = theory.expected_delta(1, n, noise_scale=scale)
        assert -1 <= delta.relative <= 1
    with pytest.raises(ValueError, match=r"signal_fraction is 1\.5, expected"):
        theory.one_step_log_det(10, 20, 1.5)
