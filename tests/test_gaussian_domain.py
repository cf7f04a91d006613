"""Laws, distances, kernels and Delta over their whole domain, to the edges of float64.

Scales from 1e-150 to 1e150, dimensions 1 and 2 among others, offsets, covariances of any condition:
against closed forms in hundreds of digits, with every warning an error.
"""

import itertools
import warnings

import mpmath
import numpy as np
import pytest

from ornstein import (
    Gaussian,
    LinearDiffusion,
    Mixture,
    OneStepDenoiser,
    delta,
    memorized_fraction,
    nearest_neighbours,
    sample_delta,
)
from ornstein import coordinate_delta as by_coordinate
from ornstein.covariances import Covariance
from ornstein.diffusion.samplers import Heun
from ornstein.diffusion.schedules import KarrasSchedule
from ornstein.gaussians import (
    hellinger_squared,
    kl_divergence,
    log_l2_squared,
    log_overlap,
    wasserstein_squared,
)
from ornstein.kernels.full_dimension import log_cross_pairs, log_pairs, log_pairs_expected
from ornstein.memorization.delta import KernelSet
from ornstein.memorization.sample_delta import log_sample_distance

DISTANCES = (kl_divergence, hellinger_squared, wasserstein_squared, log_l2_squared, log_overlap)
EDGES = (1e-150, 1e-20, 1e-9, 1.0, 1e20, 1e150)
# Where formulas change: l = ln w at +-0.5, w - 1 at +-0.5, |l| / 2 at 1; and nearly equal laws.
SWITCHES = [
    np.exp(0.25), np.exp(-0.25), np.sqrt(1.5), np.sqrt(0.5), np.e, 1 / np.e, 1 + 1e-12, 1 - 1e-9
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_silent_overflow():
    with np.errstate(over="warn", invalid="warn", divide="warn"):
        yield


def basis(dim: int, columns: int, seed: int) -> tuple[mpmath.matrix, np.ndarray]:
    """Orthonormal columns, in many digits and in float64."""
    normal = np.random.default_rng(seed).standard_normal((dim, columns))
    Q, _ = mpmath.qr(mpmath.matrix(normal.tolist()))
    Q = Q[:, :columns] if columns < dim else Q
    return Q, np.array(Q.tolist(), dtype=np.float64)


def closed_forms(m, sp: float, sq: float, dim: int) -> list[mpmath.mpf]:
    """The five numbers for ``N(m 1, sp^2 I)`` and ``N(0, sq^2 I)``."""
    P, Q = mpmath.mpf(sp**2), mpmath.mpf(sq**2)
    square, half = dim * mpmath.mpf(m) ** 2, mpmath.mpf(dim) / 2
    kl = half * (P / Q - 1 - mpmath.log(P / Q)) + square / Q / 2
    affinity = (2 * mpmath.sqrt(P * Q) / (P + Q)) ** half * mpmath.exp(-square / (P + Q) / 4)
    wasserstein = square + dim * (mpmath.sqrt(P) - mpmath.sqrt(Q)) ** 2
    overlap = (2 * mpmath.pi * (P + Q)) ** -half * mpmath.exp(-square / (P + Q) / 2)
    l2 = (4 * mpmath.pi * P) ** -half + (4 * mpmath.pi * Q) ** -half - 2 * overlap
    log_l2 = mpmath.log(l2) if l2 > 0 else -mpmath.inf
    log_overlap = -half * mpmath.log(2 * mpmath.pi * (P + Q)) - square / (P + Q) / 2
    return [kl, 1 - affinity, wasserstein, log_l2, log_overlap]


def as_float(value: mpmath.mpf) -> float:
    """Rounded, ``inf`` beyond the largest float64."""
    return float(value) if abs(value) < mpmath.mpf("1.797e308") else float(np.sign(value) * np.inf)


@pytest.mark.parametrize("dim", [1, 2, 7])
def test_distances_of_all_scales(dim: int) -> None:
    """The digits of the closed form, from laws 1e150 wide to laws 1e-150 wide, at any distance."""
    pairs = [*itertools.product(EDGES, EDGES), *((s, 1.0) for s in SWITCHES)]
    with mpmath.workdps(640):
        for sp, sq in pairs:
            for m in (0.0, 1e-3 * sp, 30 * sq, 1e150):
                p, q = Gaussian.isotropic(dim, m, sp), Gaussian.isotropic(dim, 0.0, sq)
                exact = [as_float(value) for value in closed_forms(m, sp, sq, dim)]
                for distance, truth in zip(DISTANCES, exact, strict=True):
                    found = distance(p, q)
                    logarithm = distance in {log_l2_squared, log_overlap}
                    tolerance = {"rel": 1e-13, "abs": 1e-12 if logarithm else 0.0}
                    assert found == pytest.approx(truth, **tolerance), (distance, sp, sq, m)


def test_narrow_laws_of_the_report() -> None:
    """1e-6, 1e-8 and 1e-9 gave 13.3155216, 17.868 and inf."""
    values = {1e-6: 13.315510557964774, 1e-8: 17.920680743952365, 1e-9: 20.223265836946411}
    for std, kl in values.items():
        found = kl_divergence(Gaussian(0.0, std**2), Gaussian(0.0, 1.0))
        assert found == pytest.approx(kl, rel=1e-15)


CONDITIONS = {
    "spiked": ([1e20, 3.0], 1.0),
    "nearly singular": ([1.0], 1e-20),
    "flat": ([1.0, 0.5, 2.0, 3.0], 0.0),
    "both ends": ([1e20, 1.0, 1.0, 1e-20], 0.0),
    "one small": ([1e-10], 1.0),
    "all of float64": ([1e100], 1e-100),
    "graded": ([1e8, 1.0, 1e-3, 1e-8], 0.0),
    "moderate": ([1e5, 1.0, 1e-3, 1e-6], 0.0),
}


@pytest.mark.parametrize("second", CONDITIONS)
@pytest.mark.parametrize("first", CONDITIONS)
def test_distances_of_covariances_of_any_condition(first: str, second: str) -> None:
    """In different bases, against determinants and inverses in 320 digits."""
    dim = 4
    with mpmath.workdps(320):
        laws, matrices = [], []
        shift = np.array([0.3, -0.2, 0.5, 0.1]) * 1e-3
        for seed, name in enumerate((first, second)):
            values, floor = CONDITIONS[name]
            Q, columns = basis(dim, len(values), seed)
            spread = mpmath.diag([mpmath.mpf(value) - mpmath.mpf(floor) for value in values])
            matrices.append(Q * spread * Q.T + mpmath.mpf(floor) * mpmath.eye(dim))
            covariance = Covariance(dim, np.array(values), columns, floor)
            laws.append(Gaussian(shift * (seed == 0), covariance))
        P, Q = matrices
        m = mpmath.matrix(shift.tolist())
        inverse, total = Q**-1, P + Q
        product, between = inverse * P, (m.T * total**-1 * m)[0]
        trace = sum(product[i, i] for i in range(dim))
        dets = [mpmath.det(matrix) for matrix in (P, Q, total)]
        kl = (trace - dim - mpmath.log(dets[0] / dets[1]) + (m.T * inverse * m)[0]) / 2
        affinity = (
            mpmath.root(dets[0] * dets[1], 4)
            / mpmath.sqrt(dets[2] / 2**dim)
            * mpmath.exp(-between / 4)
        )
        overlap = -(dim * mpmath.log(2 * mpmath.pi) + mpmath.log(dets[2]) + between) / 2
        selves = sum(1 / mpmath.sqrt((4 * mpmath.pi) ** dim * det) for det in dets[:2])
        exact = (kl, 1 - affinity, mpmath.log(selves - 2 * mpmath.exp(overlap)), overlap)
    found = [d(*laws) for d in (kl_divergence, hellinger_squared, log_l2_squared, log_overlap)]
    for value, truth in zip(found, exact, strict=True):
        assert value == pytest.approx(as_float(truth), rel=1e-6)


@pytest.mark.parametrize("name", CONDITIONS)
def test_covariances_of_one_basis_are_compared_along_it(name: str) -> None:
    """Small eigenvalues of both in one direction, where a dense sum loses them."""
    dim = 4
    values, floor = CONDITIONS[name]
    _, columns = basis(dim, len(values), 5)
    first = Covariance(dim, np.array(values), columns, floor)
    ratios = np.array([1.7, 0.4, 3.0, 0.9])[: first.modes.size]
    p, q = Gaussian(np.zeros(dim), first), Gaussian(np.zeros(dim), first.with_modes(
        ratios * first.modes))  # fmt: skip
    spread = np.append(ratios, np.full(dim - ratios.size, ratios[-1]))
    lam = np.append(first.eigenvalues, np.full(first.complement, floor))
    overlap = -0.5 * np.log(2 * np.pi * (1 + spread) * lam).sum()
    assert log_overlap(p, q) == pytest.approx(overlap, rel=1e-9)
    assert kl_divergence(p, q) == pytest.approx(
        0.5 * (1 / spread - 1 + np.log(spread)).sum(), rel=1e-9
    )
    affinity = np.sqrt(2 * np.sqrt(spread) / (1 + spread)).prod()
    assert hellinger_squared(p, q) == pytest.approx(1 - affinity, rel=1e-9)


@pytest.mark.parametrize("dim", [1, 2, 40])
def test_densities_of_all_scales(dim: int) -> None:
    rng = np.random.default_rng(dim)
    _, columns = basis(dim, dim, 3)
    with mpmath.workdps(60):
        for scale in EDGES:
            variances = scale**2 * np.geomspace(1e-3, 1e3, dim)
            law = Gaussian(rng.standard_normal(dim) * scale, Covariance(dim, variances, columns))
            points = law.mean + 30 * scale * rng.standard_normal((3, dim))
            centred = mpmath.matrix((points - law.mean).tolist()) * mpmath.matrix(columns.tolist())
            for row, found in enumerate(law.log_prob(points)):
                square = mpmath.fsum(centred[row, k] ** 2 / variances[k] for k in range(dim))
                logs = mpmath.fsum(mpmath.log(2 * mpmath.pi * mpmath.mpf(v)) for v in variances)
                assert found == pytest.approx(float(-(square + logs) / 2), rel=1e-11)
            x = law.sample(4000, rng) - law.mean
            assert np.sqrt(np.square(x / scale).mean()) == pytest.approx(law.std / scale, rel=0.1)


@pytest.mark.parametrize("dim", [1, 2, 60])
def test_delta_of_all_scales(dim: int) -> None:
    """The unit of length does not matter: densities change by ``scale^-d``, and nothing else."""
    rng = np.random.default_rng(dim)
    train, fresh, new = (3 + rng.standard_normal((n, dim)) for n in (12, 15, 10))
    new[:2] = train[:2] + 1e-6
    laws = [
        Gaussian.from_factor(np.full(dim, 3.1), rng.standard_normal((dim, rank)))
        for rank in (max(1, dim // 2), dim + 1)
    ]

    def values(s: float) -> tuple[list[float], list[float]]:
        """Logarithms of densities in units of 1, and what has no unit."""
        shift = dim * np.log(s)
        T, F, G = s * train, s * fresh, s * new
        mixture = Mixture.isotropic(dim, [3 * s, 4 * s], [s, 0.5 * s])
        moved = [Gaussian.from_factor(s * g.mean, s * g.covariance.factor()) for g in laws]
        results = [delta(g, T, mixture, n_original=20) for g in moved]
        results += [delta(g, T, F) for g in moved]
        results += [sample_delta(G, T, mixture, n_original=20), sample_delta(G, T, F)]
        logs = [value for r in results for value in (*r.log_terms, r.log_abs)]
        logs += [log_sample_distance(G, T, s), log_pairs(T, 0.3 * s)]
        logs += [KernelSet.of(T, s).log_l2_squared(moved[1])]
        logs += [log_cross_pairs(T, F, s, 2 * s), log_pairs_expected(mixture, 9, s)]
        plain = [r.sign for r in results] + [mixture.std / s]
        plain += [*by_coordinate(G, T, F), *by_coordinate(G, T, mixture, n_original=20)]
        return [log + shift for log in logs], plain

    base = values(1.0)
    for scale in EDGES:
        for found, truth in zip(values(scale), base, strict=True):
            np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-8)


def test_sets_of_very_different_scales_give_numbers() -> None:
    rng = np.random.default_rng(0)
    for a, b, c in itertools.product((1e-150, 1.0, 1e150), repeat=3):
        for dim in (1, 8):
            X, Y, Z = (s * rng.standard_normal((6, dim)) for s in (a, b, c))
            law = Gaussian.isotropic(dim, 0.0, c)
            signs = [
                delta(law, X, Y).sign,
                delta(law, X, Gaussian.isotropic(dim, c, b), n_original=9).sign,
                sample_delta(X, Y, law, n_original=5).sign,
                sample_delta(X, Y, Z).sign,
                by_coordinate(X, Y, law, n_original=5).sign,
                by_coordinate(X, Y, Z).sign,
            ]
            assert set(signs) <= {-1, 0, 1}
            assert not np.isnan(Mixture([law, Gaussian.isotropic(dim, b, a)]).log_prob(X)).any()


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e7, 1e10, 1e13])
def test_singular_laws_accept_their_own_samples(offset: float) -> None:
    """At 1e7 and beyond they lay off the law by rounding, and `score` was -inf."""
    for dim, n in ((2, 2), (5, 3), (50, 20), (100, 100)):
        X = offset + np.random.default_rng(dim).standard_normal((n, dim))
        models = [OneStepDenoiser(random_state=0)]
        models += [
            LinearDiffusion(name, 10, start=start, random_state=0)  # type: ignore[arg-type]
            for name in ("ddim", "ddpm")
            for start in ("standard", "marginal")
        ]
        for model in models:
            law = model.fit(X).generated_law_
            assert law.covariance.rank == n - 1
            assert model.score(model.sample(50)) == np.inf
            assert (law.log_prob(law.sample(50, rng=1)) == np.inf).all()
            size = np.sqrt(law.covariance.trace) + offset
            off = np.linalg.qr(law.covariance.factor(), mode="complete")[0][:, -1]
            assert (law.log_prob(law.mean + 1e-3 * size * off[None]) == -np.inf).all()


@pytest.mark.parametrize("offset", [1e7, 1e10, 1e13])
def test_singular_laws_far_from_the_origin_are_compared_within_their_subspace(offset) -> None:
    frame = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 2)))[0]
    inner = [Gaussian([0.0, 0.5], [1.0, 2.0]), Gaussian([0.3, -0.2], [[1.5, 0.2], [0.2, 0.7]])]
    p, q = (
        Gaussian.from_factor(offset + frame @ law.mean, frame @ law.covariance.factor())
        for law in inner
    )
    tolerance = 1e-15 * offset + 1e-9  # of means, of order 1, that are rounded
    for distance in (kl_divergence, hellinger_squared, wasserstein_squared):
        assert distance(p, q) == pytest.approx(distance(*inner), abs=20 * tolerance)
    # int p q is infinite where they meet, and 0 where they do not.
    apart = Gaussian(p.mean + 100 * tolerance * np.arange(6.0), p.covariance)
    assert log_overlap(p, q) == np.inf
    assert log_overlap(apart, q) == -np.inf
    assert kl_divergence(apart, q) == np.inf


# ---- what is no law


REFUSED = [
    (lambda: Gaussian([0.0, 0.0], [[1.0, 1j], [-1j, 1.0]]), TypeError, "complex"),
    (lambda: Gaussian([0j, 1j], 1.0), TypeError, "complex"),
    (lambda: Covariance.diagonal([1 + 0j]), TypeError, "complex"),
    (lambda: Covariance.from_factor([[1j]]), TypeError, "complex"),
    (lambda: Gaussian(np.ma.array([0.0, 9.0], mask=[0, 1]), 1.0), ValueError, "1 masked value"),
    (lambda: Gaussian([0.0], np.ma.array([[2.0]], mask=True)), ValueError, "masked"),
    (lambda: Gaussian.isotropic(2).log_prob(np.ma.masked_less([[0.0, 1.0]], 0.5)), ValueError,
     "masked"),
    (lambda: delta(Gaussian.isotropic(1), [np.ma.masked_array([1.0], [True])], [[1.0], [2.0]]),
     ValueError, "train has 1 masked"),
    (lambda: Gaussian(np.array(["2020-01-01"], "M8[D]"), 1.0), TypeError, "dates"),
    (lambda: Gaussian([0.0], np.array([3], "m8[s]")), TypeError, "durations"),
    (lambda: Gaussian.isotropic(1).log_prob(np.array([[np.datetime64("2020")]], object)),
     TypeError, "dates"),
    (lambda: OneStepDenoiser().fit(np.ma.masked_less(np.eye(3), 0.5)), ValueError, "masked"),
    (lambda: LinearDiffusion().fit(np.eye(3).astype("M8[D]")), TypeError, "dates"),
    (lambda: Gaussian.isotropic(3, std=-1.0), ValueError, "std is -1, expected"),
    (lambda: Gaussian.isotropic(3, std=np.nan), ValueError, "std is nan"),
    (lambda: Gaussian.isotropic(3, std=1e-160), ValueError, "whose square is one"),
    (lambda: Gaussian.isotropic(3, std=1e160), ValueError, "whose square is one"),
    (lambda: Gaussian.power_law(3, 1.0, std=-2.0), ValueError, "std is -2"),
    (lambda: Gaussian.power_law(100, 200.0), ValueError, "range of float64"),
    (lambda: Gaussian.power_law(100, -200.0), ValueError, "range of float64"),
    (lambda: Covariance.isotropic(2, 1.0).scale(-1.0), ValueError, "factor is -1"),
    (lambda: Covariance.isotropic(2, 1.0).add_isotropic(-2.0), ValueError, "variance is -2"),
    (lambda: Covariance.from_factor([[1.0], [0.0]], floor=-1.0), ValueError, "floor is -1"),
    (lambda: Covariance(2, np.ones(1), np.ones((2, 1)), -1.0), ValueError, "floor is -1"),
    (lambda: Covariance(2, -np.ones(2)), ValueError, "eigenvalues is -1"),
    (lambda: Covariance(3, np.ones(2)), ValueError, r"expected one of shape \(3, 2\)"),
    (lambda: Covariance(3, np.ones(2), np.ones((2, 2))), ValueError, r"shape \(3, 2\)"),
    (lambda: Covariance.full(np.eye(2) + 0.1, tolerance=-1.0), ValueError, "tolerance is -1"),
    (lambda: Gaussian("zero", 1.0), TypeError, "expected real numbers"),
    (lambda: Gaussian([[1.0], [1.0, 2.0]], 1.0), ValueError, "different lengths"),
    (lambda: Gaussian.isotropic("3"), TypeError, "whole number"),  # type: ignore[arg-type]
    (lambda: Gaussian.isotropic(2.5), TypeError, "whole number"),  # type: ignore[arg-type]
    (lambda: Gaussian.isotropic(2).sample(1j), TypeError, "whole number"),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED)
def test_what_is_no_law_is_refused_in_one_line(call, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_eigenvalues_that_are_cut_are_counted() -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    matrix = (rotation * [1.0, 1.0, 1e-3, 1e-18, 1e-18]) @ rotation.T
    with pytest.warns(UserWarning, match=r"2 of 5 eigenvalues .* the law is singular") as caught:
        law = Gaussian(np.zeros(5), matrix)
    assert "\n" not in str(caught[0].message)
    assert law.covariance.rank == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Gaussian(np.zeros(5), matrix, tolerance=1e-12).covariance.rank == 3
        assert Gaussian(np.zeros(5), matrix, tolerance=1e-2).covariance.rank == 2
        # What is given without rounding is taken without it.
        for covariance in ([1.0, 1e-18], np.diag([1.0, 1e-18])):
            law = Gaussian([0.0, 0.0], covariance)
            assert law.log_prob([[0.0, 0.0]])[0] == pytest.approx(-np.log(2 * np.pi * 1e-9))
        assert Gaussian(np.zeros(2), np.zeros((2, 2))).covariance.rank == 0
    factor = rotation * [1.0, 1.0, 1.0, 1e-8, 1e-8]
    assert Covariance.from_factor(factor).rank == 5
    assert Covariance.from_factor(factor, tolerance=1e-6).rank == 3


def test_a_law_does_not_change_with_the_arrays_it_was_given() -> None:
    mean, variances = np.zeros(2), np.ones(2)
    law = Gaussian(mean, variances)
    mean[0], variances[0] = 5.0, 7.0
    assert law.mean[0] == 0
    assert law.covariance.trace == 2


# ---- what is printed


def test_representations_fit_a_line() -> None:
    _, columns = basis(4, 2, 0)
    low = Covariance(4, np.array([1.0, 2.0]), columns, 0.5)
    expected = {
        repr(Gaussian.isotropic(100)): "Gaussian(dim=100, isotropic, mean 0, std 1)",
        repr(Gaussian.power_law(3, 1.0, mean=[0, 1, 2])): (
            "Gaussian(dim=3, diagonal, means 0 to 2, std 0.781736)"
        ),
        repr(Gaussian(0.5, low)): "Gaussian(dim=4, full, mean 0.5, std 1)",
        repr(Gaussian.from_factor(np.zeros(9), np.ones((9, 1)))): (
            "Gaussian(dim=9, singular of rank 1, mean 0, std 1)"
        ),
        repr(low): "Covariance(dim=4, 2 eigenvalues 1 to 2, 2 of 0.5)",
        repr(Covariance.diagonal([1.0, 3.0])): "Covariance(dim=2, diagonal, eigenvalues 1 to 3)",
        repr(Covariance.full([[1.0, 0.5], [0.5, 1.0]])): (
            "Covariance(dim=2, full, eigenvalues 0.5 to 1.5)"
        ),
        repr(Covariance.from_factor(np.zeros((3, 0)))): (
            "Covariance(dim=3, isotropic, variance 0)"
        ),
        repr(Mixture.isotropic(2, [0.0, 1.0, 5.0], [1.0], [0.5, 0.3, 0.2])): (
            "Mixture(dim=2, 3 components, weights 0.2 to 0.5, std 2.14709)"
        ),
    }
    for found, text in expected.items():
        assert found == text
        assert len(found) < 80


def test_results_fit_a_screen() -> None:
    rng = np.random.default_rng(0)
    X, fresh = rng.standard_normal((300, 200)), rng.standard_normal((300, 200))
    law = Gaussian.isotropic(200)
    levels = KarrasSchedule().levels(1000)
    results = [
        memorized_fraction(X, fresh),
        memorized_fraction(X, fresh, X),
        nearest_neighbours(X, fresh),
        delta(law, X, fresh),
        sample_delta(X, X, fresh),
        by_coordinate(X, X, fresh),
        KernelSet.of(X, 1.0),
        levels,
        Heun().trajectory(levels),
        OneStepDenoiser().fit(X),
        LinearDiffusion().fit(X).generated_law_,
    ]
    for result in results:
        text = repr(result)
        assert len(text) < 800
        assert text.count("\n") < 20
    assert repr(levels) == "NoiseLevels(1000 steps, noise 80 to 0.002, then 0)"
    assert repr(Heun().trajectory(levels)) == "Trajectory(1000 steps, 1999 evaluations)"
    assert "held out" in repr(results[1])
    assert "no held-out points" in repr(results[0])
