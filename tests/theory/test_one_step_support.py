"""Edges and density of the one-step spectrum in 60 digits, from no noise to no data."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from ornstein.theory import one_step_spectrum, one_step_support


def random_pairs(count: int, seed: int) -> list[tuple[float, float]]:
    """Aspect ratio g and rho2: all over, at both sides of the threshold, near 0 and 1."""
    rng = np.random.default_rng(seed)
    rho2, small = rng.uniform(size=(8, count)), 10.0 ** rng.uniform(-15, 0, (8, count))
    pairs = [
        (rho2[1], rho2[0]),
        (rho2[0] * (1 - small[0]), rho2[0]),
        (rho2[0] * (1 + small[1]), rho2[0]),
        (1 - small[2], rho2[2]),
        (1 + small[3], rho2[3]),
        (rho2[5], 1 - small[4]),
        (small[5] ** 2, small[6] ** 2),
        (1 / small[7], rho2[6]),
    ]
    return [(g, r) for gs, rs in pairs for g, r in zip(gs, rs, strict=True) if g > 0 and 0 < r < 1]


def exact_support(g: float, rho2: float) -> tuple[float, float]:
    with mpmath.workdps(60):
        g, r = mpmath.mpf(g), mpmath.mpf(rho2)
        if g > 1:
            total = 2 + 4 * (2 - 1 / g) * (1 - r) / g / (1 - 1 / g) ** 2
            high = (total + mpmath.sqrt(total**2 - 4)) / 2
            return float(1 / mpmath.sqrt(high)), float(mpmath.sqrt(high))
        k, u, h = g - r, (1 - g) * r, 1 + g
        discriminant = [  # of the cubic in w, in s^2
            g**2 * (1 - g) ** 2,
            -18 * h * u * g + 4 * h**3 * u + 2 * h**2 * g * k - 12 * g**2 * k,
            -18 * h * u * k + h**2 * k**2 - 12 * g * k**2 - 27 * u**2,
            -4 * k**3,
        ]
        roots = mpmath.polyroots(discriminant, maxsteps=500, extraprec=400)
        edges = sorted(mpmath.re(z) for z in roots if abs(mpmath.im(z)) < 1e-30 * abs(z))
        low = 0 if g >= r else mpmath.sqrt(edges[-2])
        return float(low), float(mpmath.sqrt(edges[-1]))


def exact_density(s: float, g: float, rho2: float) -> float:
    with mpmath.workdps(80):
        s, g, r = mpmath.mpf(s), mpmath.mpf(g), mpmath.mpf(rho2)
        if g > 1:
            c, x = 1 / g, s**2
            room = 4 * c * (2 - c) * (1 - r) * x - ((1 - c) * (1 - x)) ** 2
            alpha = c * ((1 + x) ** 2 - 4 * r * x)
            return float((1 + x) * mpmath.sqrt(room) / (mpmath.pi * alpha * s)) if room > 0 else 0.0
        cubic = [-1, s + g * s, -g * s**2 + (1 - g) * r - (1 - r) * g, -s * (1 - g) * r]
        roots = mpmath.polyroots(cubic, maxsteps=1000, extraprec=400)
        w = max(roots, key=mpmath.im)
        inside = mpmath.im(w) > mpmath.mpf(10) ** -40 * abs(w)
        return float(-2 / mpmath.pi * mpmath.im(w / (w**2 - r))) if inside else 0.0


def test_edges_to_rounding() -> None:
    for g, rho2 in random_pairs(25, seed=0):
        found = one_step_support(g, rho2)
        assert found == pytest.approx(exact_support(g, rho2), rel=1e-13), (g, rho2)


def test_every_pair_has_a_support() -> None:
    """IndexError for 2004 of 20,000 pairs with g just below rho2."""
    for g, rho2 in random_pairs(2500, seed=1):
        low, high = one_step_support(g, rho2)
        assert 0 <= low < high or g < 1e-12 * rho2
        assert (low == 0) == (rho2 <= g <= 1)
    # Continuous at the threshold: s^2 = 4 k^3 / (27 u^2), k = rho2 - g, u = (1 - g) rho2.
    k = np.geomspace(1e-14, 1e-4, 60)
    low = np.array([one_step_support(0.5 - gap, 0.5)[0] for gap in k])
    near = np.sqrt(4 * (0.5 - (0.5 - k)) ** 3 / (27 * 0.25**2))
    np.testing.assert_allclose(low[:30], near[:30], rtol=1e-6)
    assert (np.diff(low) > 0).all()


def test_density_in_80_digits() -> None:
    for g, rho2 in random_pairs(3, seed=2):
        low, high = one_step_support(g, rho2)
        shares = np.array([1e-3, 0.1, 0.5, 0.9, 0.999])
        points = np.append(low + (high - low) * shares, [0.9 * low, 1.1 * high])
        if low == 0:
            points = np.append(points, [1e-30, high * 1e-9])
        found = one_step_spectrum(points, g, rho2)
        width = (high - low) / high
        for s, value in zip(points, found, strict=True):
            # Near an edge of a narrow support s itself is rounded.
            tolerance = 1e-11 + 1e-13 / max(width, 1e-15)
            assert value == pytest.approx(exact_density(s, g, rho2), rel=tolerance, abs=1e-14), (
                g,
                rho2,
                s,
            )


@pytest.mark.parametrize("g", [1e-9, 1e-3, 0.3, 0.5, 0.999, 1.0, 1.001, 30.0, 1e9])
def test_mass_and_edges_of_float64(g: float) -> None:
    low, high = one_step_support(g, 0.5)

    def density(angle: float) -> float:
        """In an angle, in which the edges are no roots."""
        if g == 1:
            return one_step_spectrum(np.tan(angle / 2), g, 0.5) * (1 + np.tan(angle / 2) ** 2) / 2
        s = np.sqrt(low**2 * np.cos(angle / 2) ** 2 + high**2 * np.sin(angle / 2) ** 2)
        slope = (high - low) * (high + low) * np.sin(angle) / (4 * s)
        return one_step_spectrum(s, g, 0.5) * slope

    mass = quad(density, 0, np.pi, limit=400, epsabs=1e-10, points=[1e-6, 1e-3, 0.1, 3.0])[0]
    assert mass == pytest.approx(1, abs=1e-6)
    with np.errstate(all="raise", under="ignore"):
        values = one_step_spectrum([0.0, 1e-300, 1e-30, 1.0, 1e30, 1e300], g, 0.5)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
