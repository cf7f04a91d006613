"""Gaussian laws against quadrature, POT, scipy and mpmath; invariances; singular laws."""

import mpmath
import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm, sqrtm
from scipy.stats import multivariate_normal

from ornstein.covariances import Covariance
from ornstein.gaussians import (
    Gaussian,
    hellinger_squared,
    kl_divergence,
    log_l2_squared,
    log_overlap,
    wasserstein_squared,
)

DISTANCES = [kl_divergence, hellinger_squared, wasserstein_squared, log_l2_squared]


def random_law(rng: np.random.Generator, dim: int, structure: str) -> Gaussian:
    mean = rng.standard_normal(dim)
    if structure == "isotropic":
        return Gaussian.isotropic(dim, mean, std=float(rng.uniform(0.5, 2)))
    if structure == "diagonal":
        return Gaussian(mean, rng.uniform(0.3, 3, dim))
    factor = rng.standard_normal((dim, dim + 2)) / np.sqrt(dim)
    if structure == "full":
        return Gaussian(mean, factor @ factor.T)
    covariance = Covariance.from_factor(factor[:, : max(1, dim // 2)], floor=0.0)
    return Gaussian(mean, covariance.add_isotropic(0.4) if structure == "low-rank+" else covariance)


REGULAR = ["isotropic", "diagonal", "full", "low-rank+"]


def dense_distances(p: Gaussian, q: Gaussian) -> tuple[float, float, float, float]:
    """Textbook formulas on dense matrices, in 40 digits."""
    with mpmath.workdps(40):
        P, Q = (mpmath.matrix(law.covariance.dense().tolist()) for law in (p, q))
        delta = mpmath.matrix((p.mean - q.mean).tolist())
        d = p.dim
        dp, dq, ds = mpmath.det(P), mpmath.det(Q), mpmath.det((P + Q) / 2)
        kl = (
            sum((Q**-1 * P)[i, i] for i in range(d))
            - d
            + mpmath.log(dq / dp)
            + (delta.T * Q**-1 * delta)[0]
        ) / 2
        between = (delta.T * (P + Q) ** -1 * delta)[0]
        affinity = (dp * dq) ** 0.25 / mpmath.sqrt(ds) * mpmath.exp(-between / 4)

        def integral(C: mpmath.matrix, quadratic: mpmath.mpf) -> mpmath.mpf:
            return mpmath.exp(-quadratic / 2) / mpmath.sqrt((2 * mpmath.pi) ** d * mpmath.det(C))

        l2 = integral(2 * P, 0) + integral(2 * Q, 0) - 2 * integral(P + Q, between)
        return float(kl), float(1 - affinity), float("nan"), float(mpmath.log(l2))


@pytest.mark.parametrize("second", REGULAR)
@pytest.mark.parametrize("first", REGULAR)
def test_distances_agree_with_dense_formulas_and_pot(first: str, second: str) -> None:
    rng = np.random.default_rng(3)
    p, q = random_law(rng, 5, first), random_law(rng, 5, second)
    kl, hellinger, _, log_l2 = dense_distances(p, q)
    assert kl_divergence(p, q) == pytest.approx(kl, rel=1e-11)
    assert hellinger_squared(p, q) == pytest.approx(hellinger, rel=1e-11)
    assert log_l2_squared(p, q) == pytest.approx(log_l2, rel=1e-11)
    oracle = ot.gaussian.bures_wasserstein_distance(
        p.mean, q.mean, p.covariance.dense(), q.covariance.dense()
    )
    assert wasserstein_squared(p, q) == pytest.approx(oracle**2, rel=1e-8)


def test_distances_are_the_integrals_they_stand_for() -> None:
    p, q = Gaussian(0.3, 1.7), Gaussian(-0.5, 0.6)

    def density(law: Gaussian, x: float) -> float:
        return float(np.exp(law.log_prob([[x]])[0]))

    def integrate(f):
        return quad(f, -12, 12, epsabs=1e-12, limit=200)[0]

    assert kl_divergence(p, q) == pytest.approx(
        integrate(lambda x: density(p, x) * np.log(density(p, x) / density(q, x))), rel=1e-8
    )
    assert hellinger_squared(p, q) == pytest.approx(
        1 - integrate(lambda x: np.sqrt(density(p, x) * density(q, x))), rel=1e-8
    )
    assert np.exp(log_l2_squared(p, q)) == pytest.approx(
        integrate(lambda x: (density(p, x) - density(q, x)) ** 2), rel=1e-8
    )
    assert np.exp(log_overlap(p, q)) == pytest.approx(
        integrate(lambda x: density(p, x) * density(q, x)), rel=1e-8
    )
    grid = (np.arange(200_000) + 0.5) / 200_000
    from scipy.special import ndtri

    coupled = (0.3 + np.sqrt(1.7) * ndtri(grid)) - (-0.5 + np.sqrt(0.6) * ndtri(grid))
    assert wasserstein_squared(p, q) == pytest.approx(np.mean(coupled**2), rel=1e-4)


def test_l2_in_two_dimensions_by_quadrature() -> None:
    rng = np.random.default_rng(5)
    p, q = random_law(rng, 2, "full"), random_law(rng, 2, "diagonal")

    # Of what is smooth and vanishes at the ends the sum of equal steps has all digits.
    side = np.linspace(-12, 12, 241)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    a, b = (np.exp(law.log_prob(grid)) for law in (p, q))
    value = ((a - b) ** 2).sum() * (side[1] - side[0]) ** 2
    assert np.exp(log_l2_squared(p, q)) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("structure", REGULAR)
def test_log_prob_agrees_with_scipy(structure: str) -> None:
    rng = np.random.default_rng(1)
    law = random_law(rng, 6, structure)
    x = rng.standard_normal((20, 6)) * 2
    oracle = multivariate_normal(law.mean, law.covariance.dense()).logpdf(x)
    np.testing.assert_allclose(law.log_prob(x), oracle, rtol=1e-11)


@pytest.mark.parametrize("structure", [*REGULAR, "low-rank"])
def test_samples_have_the_mean_and_covariance(structure: str) -> None:
    rng = np.random.default_rng(2)
    law = random_law(rng, 4, structure)
    n = 100_000
    x = law.sample(n, rng)
    C = law.covariance.dense()
    mean_error = np.sqrt(np.diag(C) / n)
    assert (np.abs(x.mean(0) - law.mean) < 5 * mean_error + 1e-12).all()
    # Var of a sample covariance entry: (C_ij^2 + C_ii C_jj) / n.
    error = np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / n)
    assert (np.abs(np.cov(x.T) - C) < 5 * error + 1e-12).all()


@pytest.mark.parametrize("structure", [*REGULAR, "low-rank"])
def test_covariance_algebra_agrees_with_dense(structure: str) -> None:
    rng = np.random.default_rng(4)
    C = random_law(rng, 5, structure).covariance
    dense = C.dense()
    np.testing.assert_allclose(C.factor() @ C.factor().T, dense, atol=1e-12)
    np.testing.assert_allclose(C.spectrum(), np.linalg.eigvalsh(dense), atol=1e-12)
    np.testing.assert_allclose(C.add_isotropic(0.7).dense(), dense + 0.7 * np.eye(5), atol=1e-12)
    np.testing.assert_allclose(C.scale(3).dense(), 3 * dense, atol=1e-12)
    np.testing.assert_allclose(C.variances, np.diag(dense), atol=1e-12)
    Q = C.eigenvectors()
    np.testing.assert_allclose(Q.T @ Q, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(np.abs(np.tril(Q.T @ dense @ Q, -1)), 0, atol=1e-12)
    assert C.trace == pytest.approx(np.trace(dense))
    assert C.rank == np.linalg.matrix_rank(dense)
    if C.rank == 5:
        assert C.log_det == pytest.approx(np.linalg.slogdet(dense)[1])
    again = Covariance.full(dense, tolerance=1e-12)
    np.testing.assert_allclose(again.dense(), dense, atol=1e-12)
    assert again.rank == C.rank


@pytest.mark.parametrize("structure", [*REGULAR, "low-rank", "full, singular"])
def test_functions_of_a_covariance_agree_with_scipys(structure: str) -> None:
    """Of one function for all rows, and of one of its own for each."""
    rng = np.random.default_rng(9)
    if structure == "full, singular":
        factor = rng.standard_normal((5, 3))
        C = Covariance.full(factor @ factor.T, tolerance=1e-12)
    else:
        C = random_law(rng, 5, structure).covariance
    dense, x = C.dense(), rng.standard_normal((3, 5))
    root = sqrtm(dense + 1e-15 * np.eye(5))
    np.testing.assert_allclose(C.apply(np.sqrt(C.modes), x), x @ root, atol=1e-7)
    np.testing.assert_allclose(C.with_modes(np.exp(C.modes)).dense(), expm(dense), rtol=1e-11)
    noise = np.array([0.1, 1.0, 7.0])[:, None]
    gains = C.apply(C.modes / (C.modes + noise), x)
    for row, y, s2 in zip(gains, x, noise, strict=True):
        np.testing.assert_allclose(row, dense @ np.linalg.solve(dense + s2 * np.eye(5), y))
    np.testing.assert_array_equal(C.apply(np.full(C.modes.size, 3.0), 1e9 + x), 3 * (1e9 + x))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), dim=st.integers(1, 6), data=st.data())
def test_invariances(seed: int, dim: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    p, q = (random_law(rng, dim, data.draw(st.sampled_from(REGULAR))) for _ in "pq")
    rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    shift, scale = rng.standard_normal(dim), float(rng.uniform(0.1, 10))

    def moved(law: Gaussian) -> Gaussian:
        C = scale**2 * rotation @ law.covariance.dense() @ rotation.T
        return Gaussian(scale * rotation @ law.mean + shift, C)

    p2, q2 = moved(p), moved(q)
    assert kl_divergence(p2, q2) == pytest.approx(kl_divergence(p, q), rel=1e-7)
    assert hellinger_squared(p2, q2) == pytest.approx(hellinger_squared(p, q), rel=1e-7)
    assert wasserstein_squared(p2, q2) == pytest.approx(
        scale**2 * wasserstein_squared(p, q), rel=1e-7, abs=1e-10
    )
    assert log_l2_squared(p2, q2) == pytest.approx(
        log_l2_squared(p, q) - dim * np.log(scale), abs=1e-7
    )
    for distance in (hellinger_squared, wasserstein_squared, log_l2_squared):
        assert distance(p, q) == pytest.approx(distance(q, p), rel=1e-9)
    assert kl_divergence(p, q) >= 0
    assert 0 <= hellinger_squared(p, q) <= 1


@pytest.mark.parametrize("structure", REGULAR)
def test_equal_laws_are_at_no_distance(structure: str) -> None:
    p = random_law(np.random.default_rng(0), 7, structure)
    assert kl_divergence(p, p) == pytest.approx(0, abs=1e-14)
    assert hellinger_squared(p, p) == pytest.approx(0, abs=1e-14)
    assert wasserstein_squared(p, p) == pytest.approx(0, abs=1e-25)
    assert log_l2_squared(p, p) < -30


def test_nearly_equal_laws_keep_their_digits() -> None:
    """Relative differences of 1e-9, where the textbook formulas return rounding noise."""
    rng = np.random.default_rng(8)
    p = random_law(rng, 4, "full")
    C = p.covariance.dense()
    q = Gaussian(p.mean + 1e-9, C + 1e-9 * np.diag([1.0, 2.0, 3.0, 4.0]))
    with mpmath.workdps(60):
        kl, hellinger, _, log_l2 = dense_distances(p, q)
    assert hellinger_squared(p, q) == pytest.approx(hellinger, rel=1e-4)
    assert log_l2_squared(p, q) == pytest.approx(log_l2, abs=1e-4)
    assert kl_divergence(p, q) == pytest.approx(kl, rel=1e-4)


def test_high_dimension_does_not_underflow() -> None:
    d = 2000
    p, q = Gaussian.isotropic(d), Gaussian.isotropic(d, mean=0.01, std=1.1)
    w = 1 / 1.21
    assert kl_divergence(p, q) == pytest.approx(
        0.5 * d * (w - 1 - np.log(w)) + 0.5 * d * 1e-4 * w, rel=1e-12
    )
    assert np.isfinite(log_l2_squared(p, q))
    assert np.isfinite(log_l2_squared(Gaussian.isotropic(d, std=1e-3), Gaussian.isotropic(d)))
    assert hellinger_squared(p, q) == pytest.approx(
        1 - np.exp(-d * np.log(2.21 / 2.2) / 2 - d * 1e-4 / 2.21 / 4), rel=1e-12
    )
    full = Gaussian(np.zeros(300), 1e-3 * np.eye(300))
    assert hellinger_squared(full, full) == pytest.approx(0, abs=1e-12)


def test_singular_laws_give_limits_never_nan() -> None:
    rng = np.random.default_rng(6)
    flat, other = random_law(rng, 5, "low-rank"), random_law(rng, 5, "low-rank")
    solid = Gaussian.isotropic(5)
    point = Gaussian(np.zeros(5), 0.0)
    for p, q in [(flat, solid), (solid, flat), (flat, other), (point, solid), (point, flat)]:
        assert kl_divergence(p, q) == np.inf
        assert hellinger_squared(p, q) == 1
        assert log_l2_squared(p, q) == np.inf
        assert np.isfinite(wasserstein_squared(p, q))
    with mpmath.workdps(40):
        values, _ = mpmath.eig(
            mpmath.matrix(flat.covariance.dense().tolist())
            * mpmath.matrix(other.covariance.dense().tolist())
        )
        fidelity = float(sum(mpmath.sqrt(abs(value)) for value in values))
    gap = flat.mean - other.mean
    expected = gap @ gap + flat.covariance.trace + other.covariance.trace - 2 * fidelity
    assert wasserstein_squared(flat, other) == pytest.approx(expected, rel=1e-7)
    assert wasserstein_squared(point, flat) == pytest.approx(
        flat.mean @ flat.mean + flat.covariance.trace
    )
    assert kl_divergence(point, point) == 0


def test_singular_laws_on_one_subspace_are_compared_within_it() -> None:
    rng = np.random.default_rng(7)
    frame, _ = np.linalg.qr(rng.standard_normal((6, 2)))
    inner_p, inner_q = random_law(rng, 2, "full"), random_law(rng, 2, "full")

    def embed(law: Gaussian) -> Gaussian:
        return Gaussian.from_factor(frame @ law.mean, frame @ law.covariance.factor())

    p, q = embed(inner_p), embed(inner_q)
    assert kl_divergence(p, q) == pytest.approx(kl_divergence(inner_p, inner_q), rel=1e-9)
    assert hellinger_squared(p, q) == pytest.approx(hellinger_squared(inner_p, inner_q), rel=1e-9)
    assert wasserstein_squared(p, q) == pytest.approx(
        wasserstein_squared(inner_p, inner_q), rel=1e-9
    )
    apart = Gaussian(p.mean + rng.standard_normal(6), p.covariance)
    assert kl_divergence(apart, q) == np.inf
    on, off = p.sample(3, rng), p.sample(3, rng) + rng.standard_normal(6)
    assert (p.log_prob(on) == np.inf).all()
    assert (p.log_prob(off) == -np.inf).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 1.0], [1.0, 2.0, 3.0]), "2 value"),
        (([0.0, np.nan], 1.0), "NaN"),
        (([0.0, 0.0], [[1.0, 0.5], [0.2, 1.0]]), "not symmetric"),
        (([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), "negative eigenvalue"),
        (([0.0, 0.0], [[1.0, 2.0]]), "expected"),
        (([0.0], -1.0), ">= 0"),
        (([0.0, 0.0], [[np.inf, 0.0], [0.0, 1.0]]), "infinite"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Gaussian(*arguments)
    assert "\n" not in str(caught.value)


def test_laws_of_different_dimension_are_refused() -> None:
    for distance in DISTANCES:
        with pytest.raises(ValueError, match="dimension 2 and 3"):
            distance(Gaussian.isotropic(2), Gaussian.isotropic(3))


def test_power_law_spectrum() -> None:
    law = Gaussian.power_law(4, 2.0)
    np.testing.assert_allclose(law.covariance.eigenvalues, [1, 1 / 4, 1 / 9, 1 / 16])
    assert Gaussian.power_law(50, 1.3, std=2.5).std == pytest.approx(2.5)
