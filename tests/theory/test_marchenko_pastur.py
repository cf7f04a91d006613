"""The Marchenko-Pastur rule against closed forms in 60 digits, up to the hard edge."""

import mpmath
import numpy as np
import pytest

from ornstein.theory import marchenko_pastur_mean, marchenko_pastur_quadrature

NEAR = [1 + sign * 10.0**-k for k in range(1, 16) for sign in (1, -1)]
EDGES = [1 - 2**-53, 1.0, 1 + 2**-52, 0.9, 0.905, 1.105, 1.11]
RATIOS = [10.0**k for k in range(-12, 13)] + NEAR + EDGES


def closed_forms(c: float, noise: float) -> list:
    """Mass, mean, mean of 1/x, of ln x and of 1/(x + noise), of the continuous part."""
    with mpmath.workdps(60):
        C, s = mpmath.mpf(c), mpmath.mpf(noise)

        def log_mean(y):
            return -1 - (1 - y) / y * mpmath.log(1 - y) if y < 1 else mpmath.mpf(-1)

        log = log_mean(C) if C <= 1 else (mpmath.log(C) + log_mean(1 / C)) / C
        inverse = 1 / (max(C, 1) * abs(1 - C)) if C != 1 else mpmath.inf
        gap = s + 1 - C
        resolvent = 2 / (gap + mpmath.sqrt(gap**2 + 4 * C * s)) - max(0, 1 - 1 / C) / s
        return [float(v) for v in (min(1, 1 / C), 1, inverse, log, resolvent)]


@pytest.mark.parametrize("noise", [1e-12, 1e-3, 1.0, 1e6])
def test_closed_forms_to_rounding(noise: float) -> None:
    """Mass was 1 + 1.2e-5 at c = 1.0001, and the mean of 1/x off by 2% at .999999."""
    for c in RATIOS:
        x, weights, atom = marchenko_pastur_quadrature(c)
        mass, mean, inverse, log, resolvent = closed_forms(c, noise)
        assert weights.sum() == pytest.approx(mass, rel=1e-14)
        assert weights @ x == pytest.approx(mean, rel=1e-14)
        assert weights @ np.log(x) == pytest.approx(log, rel=1e-13, abs=1e-15)
        assert weights @ (1 / (x + noise)) == pytest.approx(resolvent, rel=2e-14)
        assert atom == pytest.approx(1 - mass, rel=1e-14, abs=1e-16)
        if c != 1:
            assert weights @ (1 / x) == pytest.approx(inverse, rel=2e-14)


def test_moments_and_edges_of_float64() -> None:
    for c in (5e-324, 1e-300, 0.3, 1.0, 1.0001, 7.0, 1e300, 1.79e308):
        x, weights, atom = marchenko_pastur_quadrature(c)
        assert np.isfinite(x).all()
        assert weights.sum() + atom == pytest.approx(1, rel=1e-14)
        assert weights @ x == pytest.approx(1, rel=1e-14)
        low, high = (1 - np.sqrt(c)) ** 2, (1 + np.sqrt(c)) ** 2
        assert (x >= low * (1 - 1e-14)).all()
        assert (x <= high * (1 + 1e-14)).all()
        if c < 1e100:
            assert weights @ x**2 == pytest.approx(1 + c, rel=1e-14)
    assert marchenko_pastur_mean(lambda x: 1 / x, 1.5) == np.inf
    assert marchenko_pastur_mean(lambda x: 1 / x, 1.0) > 1e15
    assert marchenko_pastur_mean(np.exp, 0.999999) == pytest.approx(
        marchenko_pastur_mean(np.exp, 1.000001), rel=1e-5
    )
