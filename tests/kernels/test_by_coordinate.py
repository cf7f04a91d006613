"""Sorted sums against all pairs, 50 digits and scipy; data that cluster, repeat or lie far away."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gaussian_kde, norm

from ornstein import Gaussian, Mixture
from ornstein.kernels.by_coordinate import (
    SELF_TERM,
    coordinate_cross,
    coordinate_cross_expected,
    coordinate_pairs,
    coordinate_pairs_expected,
    coordinate_terms,
    coordinate_units,
    population_units,
)
from ornstein.kernels.point_masses import compressed, distinct

SUMS, MASSES = "ornstein.kernels.by_coordinate", "ornstein.kernels.point_masses"


def all_pairs(X: np.ndarray, units: np.ndarray) -> np.ndarray:
    """A' by all differences, in the order in which they come."""
    n = len(X)
    values = []
    for x, unit in zip(X.T, units, strict=True):
        kernels = np.exp(-0.25 * ((x[:, None] - x) / unit * n) ** 2)
        np.fill_diagonal(kernels, 0.0)
        values.append(kernels.sum() / n**2 * n / math.sqrt(4 * math.pi))
    return np.array(values)


def all_crossed(X: np.ndarray, Y: np.ndarray, units: np.ndarray) -> np.ndarray:
    """C by all differences."""
    std = math.sqrt(1 / len(X) ** 2 + 1 / len(Y) ** 2)
    return np.array(
        [
            norm.pdf(np.subtract.outer(x, y) / unit, scale=std).mean()
            for x, y, unit in zip(X.T, Y.T, units, strict=True)
        ]
    )


def draw(kind: str, n: int, rng: np.random.Generator, dim: int = 4) -> np.ndarray:
    z = rng.standard_normal((n, dim))
    if kind == "gaussian":
        return z
    if kind == "integers":
        return np.round(3 * z)
    if kind == "heavy tails":
        return z**5
    if kind == "one value and a spread":
        return np.where(rng.random((n, dim)) < 0.8, 1.5, z)
    if kind == "a cluster and a spread":
        return np.where(rng.random((n, dim)) < 0.8, 1e-5 * z, 10 + z)
    assert kind == "two clusters with repeats"
    return 1e-7 * np.round(1000 * rng.random((n, dim))) + 5 * rng.integers(0, 2, (n, dim))


KINDS = [
    "gaussian",
    "integers",
    "heavy tails",
    "one value and a spread",
    "a cluster and a spread",
    "two clusters with repeats",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "m"), [(1, 2), (2, 3), (30, 700), (400, 400), (900, 50)])
def test_sums_are_those_of_all_pairs(kind: str, n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    X, Y = draw(kind, n, rng), draw(kind, m, rng)
    units = coordinate_units(draw(kind, 500, rng))
    np.testing.assert_allclose(coordinate_pairs(X, units), all_pairs(X, units), rtol=1e-13)
    np.testing.assert_allclose(
        coordinate_cross(X, Y, units), all_crossed(X, Y, units), rtol=1e-13, atol=1e-30
    )
    np.testing.assert_allclose(
        coordinate_cross(Y, X, units), coordinate_cross(X, Y, units), rtol=1e-14, atol=1e-30
    )


@pytest.mark.parametrize("kind", KINDS)
def test_sums_in_fifty_digits(kind: str) -> None:
    rng = np.random.default_rng(7)
    X, Y, unit = draw(kind, 60, rng, 1), draw(kind, 45, rng, 1), 0.7
    with mpmath.workdps(50):
        n, m = mpmath.mpf(len(X)), mpmath.mpf(len(Y))
        x, y = ([mpmath.mpf(float(v)) / mpmath.mpf(unit) for v in Z[:, 0]] for Z in (X, Y))
        pairs = mpmath.fsum(mpmath.npdf(a - b, 0, mpmath.sqrt(2) / n) for a in x for b in x) / n**2
        pairs -= 1 / mpmath.sqrt(4 * mpmath.pi)
        std = mpmath.sqrt(1 / n**2 + 1 / m**2)
        cross = mpmath.fsum(mpmath.npdf(a - b, 0, std) for a in x for b in y) / n / m
    units = np.array([unit])
    assert coordinate_pairs(X, units)[0] == pytest.approx(float(pairs), rel=5e-15)
    assert coordinate_cross(X, Y, units)[0] == pytest.approx(float(cross), rel=5e-15)


def test_terms_agree_with_scipys_kde() -> None:
    """`integrate_kde` gives A whole, and C between kernels of two widths."""
    rng = np.random.default_rng(0)
    X, Y = 5 + 2 * rng.standard_normal((40, 3)), 5 + 2 * rng.standard_normal((15, 3))
    units = coordinate_units(X)
    terms = coordinate_terms(Y, X, X, units)
    for k in range(3):
        laws = []
        for Z in (X, Y):
            law = gaussian_kde(Z[:, k] / units[k])
            law.covariance = np.array([[1 / len(Z) ** 2]])
            law.cho_cov = np.array([[1 / len(Z)]])
            laws.append(law)
        p, q = laws
        assert SELF_TERM + terms.pairs_train[k] == pytest.approx(p.integrate_kde(p), rel=1e-12)
        assert SELF_TERM + terms.pairs_generated[k] == pytest.approx(q.integrate_kde(q), rel=1e-12)
        assert terms.cross_train[k] == pytest.approx(p.integrate_kde(q), rel=1e-12)


def test_distance_is_the_integral() -> None:
    """Nothing assumed but the definition: int (p_X - p_Y)^2 by quadrature."""
    rng = np.random.default_rng(1)
    X, Y, units = rng.standard_normal((4, 1)), rng.standard_normal((7, 1)), np.array([1.3])

    def gap(u: float) -> float:
        p, q = (norm.pdf(u - Z[:, 0] / 1.3, scale=1 / len(Z)).mean() for Z in (X, Y))
        return (p - q) ** 2

    oracle, _ = quad(gap, -6, 6, limit=500, epsabs=1e-12, epsrel=1e-11)
    pairs = coordinate_pairs(X, units) + coordinate_pairs(Y, units)
    ours = 2 * SELF_TERM + pairs - 2 * coordinate_cross(X, Y, units)
    assert ours[0] == pytest.approx(oracle, rel=1e-9)


def test_terms_are_the_sums_one_by_one() -> None:
    rng = np.random.default_rng(2)
    G, T, F = (draw("gaussian", n, rng) for n in (40, 70, 500))
    units = coordinate_units(F)
    terms = coordinate_terms(G, T, F, units)
    for value, X in zip(terms[:3], (G, T, F), strict=True):
        np.testing.assert_array_equal(value, coordinate_pairs(X, units))
    np.testing.assert_array_equal(terms.cross_train, coordinate_cross(T, G, units))
    np.testing.assert_array_equal(terms.cross_originals, coordinate_cross(F, G, units))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (SUMS, "_BLOCK", 1),
        (SUMS, "_FEW", 0),
        (SUMS, "_DENSE", 2.0),
        (SUMS, "_DENSE", 0.0),
        (SUMS, "_NEGLIGIBLE", 500.0),
        (MASSES, "_CLUSTER", 10**9),
        (MASSES, "_CLUSTER", 18),
    ],
)
def test_the_way_taken_does_not_show(monkeypatch, kind, module, name, value) -> None:
    rng = np.random.default_rng(3)
    X, Y = draw(kind, 300, rng), draw(kind, 25, rng)
    units = coordinate_units(X)
    pairs, cross = coordinate_pairs(X, units), coordinate_cross(X, Y, units)
    monkeypatch.setattr(f"{module}.{name}", value)
    np.testing.assert_allclose(coordinate_pairs(X, units), pairs, rtol=1e-14)
    np.testing.assert_allclose(coordinate_cross(X, Y, units), cross, rtol=1e-14)


def test_a_cluster_becomes_few_masses() -> None:
    rng = np.random.default_rng(4)
    values = np.stack([1e6 + 1e-3 * rng.random(5000), rng.standard_normal(5000)])
    points = compressed(distinct(values), np.array([1e-3, 1e-4]))
    assert points.masses is not None
    assert points.offsets is not None
    counts = (points.masses != 0).sum(axis=1)
    assert counts[0] <= 36
    assert counts[1] == 5000
    np.testing.assert_allclose(points.masses.sum(axis=1), 5000, rtol=1e-13)
    # The nodes lie between the points, to much less than the spacing of float64 at 1e6.
    first = points.anchors[0, 0]
    assert first == values[0].min()
    present = points.masses[0] != 0
    place = (points.anchors[0] - first + points.offsets[0])[present]
    for k in (1, 2, 17):
        moment = (points.masses[0, present] * place**k).sum()
        assert moment == pytest.approx(((values[0] - first) ** k).sum(), rel=1e-12)


def test_work_is_bounded_whatever_the_data() -> None:
    """No kernel width holds more than 36 masses, however the points cluster."""
    rng = np.random.default_rng(5)
    values = np.stack(
        [rng.standard_normal(20_000), 1e-6 * rng.random(20_000), rng.standard_normal(20_000) ** 9]
    )
    widths = np.array([0.05, 0.05, 0.05])
    points = compressed(distinct(values), widths)
    for row, width in zip(points.positions, widths, strict=True):
        positions = row[np.isfinite(row)]
        inside = np.searchsorted(positions, positions + width) - np.arange(positions.size)
        assert inside.max() <= 2 * 36 + 1
        assert positions.size < 20_000


def test_points_that_share_a_box_by_rounding_alone_stay_apart() -> None:
    """Beyond 2^53 widths from the first point, the number of the box does not decide."""
    cluster, far = np.arange(50) / 64, 2.0**60 + 2.0**8 * np.arange(50)
    values = np.concatenate([[-(2.0**70)], cluster, far])[None]
    points = compressed(distinct(values), np.ones(1))
    assert points.masses is not None
    assert (points.masses != 0).sum() == 1 + 18 + 50
    assert (points.masses == 1).sum() == 1 + 50


def test_shift_permutation_and_scale() -> None:
    rng = np.random.default_rng(6)
    X = np.round(2**20 * rng.standard_normal((200, 3))) / 2**20
    Y = np.round(2**20 * rng.standard_normal((60, 3))) / 2**20
    units = np.array([1.0, 0.5, 3.0])
    pairs, cross = coordinate_pairs(X, units), coordinate_cross(X, Y, units)
    far = 2.0**30  # where float64 still holds these numbers
    np.testing.assert_array_equal(coordinate_pairs(rng.permutation(X), units), pairs)
    np.testing.assert_array_equal(coordinate_cross(rng.permutation(X), Y, units), cross)
    np.testing.assert_array_equal(coordinate_pairs(X + far, units), pairs)
    np.testing.assert_array_equal(coordinate_cross(X + far, Y + far, units), cross)
    np.testing.assert_array_equal(coordinate_pairs(-8 * X, 8 * units), pairs)
    np.testing.assert_allclose(coordinate_pairs(3.7 * X, 3.7 * units), pairs, rtol=1e-11)
    np.testing.assert_allclose(coordinate_cross(3.7 * X, 3.7 * Y, 3.7 * units), cross, rtol=1e-11)


def test_a_cluster_far_from_the_origin_keeps_its_digits() -> None:
    rng = np.random.default_rng(8)
    cluster = np.round(2**20 * 1e-3 * rng.random((3000, 1))) / 2**20 + 2.0**-20 * rng.random((1, 1))
    X = np.round(cluster * 2**22) / 2**22
    units = np.array([1e3])
    np.testing.assert_array_equal(coordinate_pairs(X + 2.0**30, units), coordinate_pairs(X, units))


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=12),
)
def test_the_originals_own_pairs_never_vanish(values: list[float]) -> None:
    """A' >= 2 e^-3 SELF_TERM / N in their own unit: the floor beside which the rest is judged."""
    X = np.array(values)[:, None]
    units = coordinate_units(X)
    if units[0] > 0:
        n = len(values)
        bound = 2 * math.exp(-3 * n / (n + 1)) * SELF_TERM / n
        assert coordinate_pairs(X, units)[0] >= bound * (1 - 1e-9)


def test_two_points_in_their_own_unit() -> None:
    """Where the floor is reached: A' = e^-2 / sqrt(4 pi)."""
    X = np.array([[3.0], [10.0]])
    value = coordinate_pairs(X, coordinate_units(X))[0]
    assert value == pytest.approx(math.exp(-2) / math.sqrt(4 * math.pi), rel=1e-14)


@pytest.mark.parametrize("scale", [1e-180, 1e-3, 1.0, 1e180])
def test_units_are_standard_deviations(scale: float) -> None:
    X = np.random.default_rng(0).standard_normal((50, 3))
    X[:, 1] = 0.1  # its mean is not 0.1
    units = coordinate_units(scale * X)
    assert units[1] == 0
    np.testing.assert_allclose(units[[0, 2]] / scale, X[:, [0, 2]].std(axis=0, ddof=1), rtol=1e-13)


def test_many_points_approach_the_integral_of_the_law() -> None:
    """As N grows, A' and C go to int p^2 = 1 / sqrt(4 pi), one coordinate in its unit."""
    rng = np.random.default_rng(9)
    X, Y = rng.standard_normal((20_000, 8)), rng.standard_normal((20_000, 8))
    for values in (coordinate_pairs(X, np.ones(8)), coordinate_cross(X, Y, np.ones(8))):
        error = values.std(ddof=1) / math.sqrt(8)
        assert error < 2e-3
        assert abs(values.mean() - SELF_TERM) < 4 * error


@pytest.mark.parametrize("n", [2, 25])
@pytest.mark.parametrize(
    "population",
    [
        Gaussian([1.0, -2.0], [[2.0, 0.9], [0.9, 1.0]]),
        Gaussian.from_factor([0.0, 5.0], [[1.0], [2.0]]),
        Mixture.isotropic(2, [0.0, 3.0], [1.0, 0.3], [0.4, 0.6]),
    ],
)
def test_expected_terms_are_the_mean_over_draws(population, n: int) -> None:
    rng = np.random.default_rng(10)
    repeats = 1500 if n > 2 else 3000
    units = population_units(population)
    np.testing.assert_allclose(units, population.sample(200_000, 0).std(axis=0), rtol=0.01)
    G = population.sample(6, rng)
    draws = [population.sample(n, rng) for _ in range(repeats)]
    for values, expected in [
        (
            [coordinate_pairs(X, units) for X in draws],
            coordinate_pairs_expected(population, n, units),
        ),
        (
            [coordinate_cross(X, G, units) for X in draws],
            coordinate_cross_expected(G, population, n, units),
        ),
    ]:
        array = np.array(values)
        error = array.std(axis=0, ddof=1) / math.sqrt(repeats)
        assert (error < 0.05 * expected).all()
        assert (np.abs(array.mean(axis=0) - expected) < 4 * error).all()


def test_single_points_have_no_pairs() -> None:
    assert coordinate_pairs(np.ones((1, 2)), np.ones(2)).tolist() == [0.0, 0.0]


def test_points_beyond_all_reach_are_no_error() -> None:
    X = np.array([[0.0], [1e-3], [1e300], [-1e300]])
    assert np.isfinite(coordinate_pairs(X, np.array([1e-250]))).all()
    assert coordinate_cross(X, X + 1.0, np.array([1e-250]))[0] >= 0
