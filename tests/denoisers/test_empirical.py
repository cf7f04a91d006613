"""The memorizing denoiser against 50 digits, scikit-learn's KDE, its own reverse process."""

import tracemalloc
from functools import cache
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import chisquare, kstest, norm
from sklearn.neighbors import KernelDensity
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from ornstein import Gaussian
from ornstein.denoisers import training_points
from ornstein.denoisers.distance_gaps import distance_gaps
from ornstein.denoisers.empirical import EmpiricalDenoiser
from ornstein.denoisers.posterior import (
    concentration,
    log_evidence,
    posterior_mean,
    posterior_weights,
)
from ornstein.denoisers.training_points import TrainingPoints
from ornstein.kernels.rounding import rounding_factor
from ornstein.theory.regimes import collapse_time

PATHS = {
    "as it chooses": {},
    "dense, fast": {"_FEW": -1.0, "_TOLERANCE": np.inf},
    "sparse, fast": {"_FEW": 1.0, "_TOLERANCE": np.inf},
    "sparse, from differences": {"_TOLERANCE": 0.0, "_FINE_TOLERANCE": np.inf},
    "sparse, doubled": {"_TOLERANCE": 0.0, "_FINE_TOLERANCE": 0.0},
    "small blocks": {"_BLOCK": 1, "_FEWEST_ROWS": 3, "_PAIRS": 1, "_SLAB": 30, "_LISTED": 9},
}


def brute(y: np.ndarray, train: np.ndarray, noise: float):
    """Weights, mean, log evidence and participation ratio of one query, in 50 digits."""
    return remembered(y.tobytes(), np.ascontiguousarray(train).tobytes(), float(noise))


@cache
def remembered(query_bytes: bytes, train_bytes: bytes, noise: float):
    y = np.frombuffer(query_bytes)
    train = np.frombuffer(train_bytes).reshape(-1, y.size)
    with mpmath.workdps(50):
        s = mpmath.mpf(noise)
        rows = [[mpmath.mpf(float(v)) for v in row] for row in train]
        query = [mpmath.mpf(float(v)) for v in y]
        squares = [
            mpmath.fsum((a - b) ** 2 for a, b in zip(query, row, strict=True)) for row in rows
        ]
        least = min(squares)
        raw = [mpmath.exp((least - square) / (2 * s**2)) for square in squares]
        total = mpmath.fsum(raw)
        weights = [w / total for w in raw]
        mean = [
            float(mpmath.fsum(w * row[k] for w, row in zip(weights, rows, strict=True)))
            for k in range(len(query))
        ]
        log = mpmath.log(total / len(rows)) - least / (2 * s**2)
        log -= len(query) * mpmath.log(2 * mpmath.pi * s**2) / 2
        effective = 1 / mpmath.fsum(w**2 for w in weights)
        return np.array([float(w) for w in weights]), np.array(mean), float(log), float(effective)


def compare(queries: np.ndarray, train: np.ndarray, noise) -> None:
    """All four functions against 50 digits: weights to 1e-11, the rest in their own scale."""
    noises = np.broadcast_to(noise, len(queries))
    truth = [brute(y, train, s) for y, s in zip(queries, noises, strict=True)]
    weights, mean, log, effective = (np.array(values) for values in zip(*truth, strict=True))
    np.testing.assert_allclose(posterior_weights(queries, train, noise), weights, atol=1e-11)
    spread = np.ptp(train, axis=0).max() + 1e-4 * np.abs(train).max()
    np.testing.assert_allclose(posterior_mean(queries, train, noise), mean, atol=1e-11 * spread)
    np.testing.assert_allclose(log_evidence(queries, train, noise), log, rtol=1e-13, atol=1e-10)
    found = concentration(queries, train, noise)
    np.testing.assert_allclose(found.effective_points, effective, rtol=1e-10)
    np.testing.assert_allclose(found.largest_weight, weights.max(axis=1), rtol=1e-11)


@pytest.fixture(params=list(PATHS))
def path(request, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to the weights that the block at hand could take."""
    for name, value in PATHS[request.param].items():
        monkeypatch.setattr(training_points, name, value)
    return request.param


@parametrize_with_checks([EmpiricalDenoiser(random_state=0)])
def test_scikit_learn_contract(estimator, check) -> None:
    check(estimator)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(("dim", "noise"), [(1, 0.3), (3, 1.0), (40, 2.0), (40, 6.0), (300, 9.0)])
def test_fifty_digits_on_every_path(dim: int, noise: float) -> None:
    rng = np.random.default_rng(dim)
    train = 10 + rng.standard_normal((12, dim))
    train[3] = train[2]
    queries = train[:7] + noise * rng.standard_normal((7, dim))
    compare(queries, train, noise)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("noise", [1e-12, 1e-6, 1e-2, 1.0, 1e3, 1e9])
@pytest.mark.parametrize("distance", [0.0, 1.0, 1e4, 1e9])
def test_fifty_digits_at_extremes(offset: float, noise: float, distance: float) -> None:
    """Weights that underflow, queries far away, points near each other and far from 0."""
    rng = np.random.default_rng(0)
    train = offset + rng.standard_normal((9, 6))
    train[1] = train[0] + 1e-9 * rng.standard_normal(6)  # a near pair
    train[2] = train[3]  # a duplicate
    direction = rng.standard_normal((5, 6))
    queries = train[:5] + noise * rng.standard_normal((5, 6)) + distance * direction
    compare(queries, train, noise)


def test_fifty_digits_between_near_ties() -> None:
    """Distances that agree to the last bit of float64, at a noise that tells them apart."""
    rng = np.random.default_rng(3)
    train = rng.standard_normal((8, 5))
    axis = train[1] - train[0]
    for noise in (1e-5, 1e-7, 1e-8):
        normal = rng.standard_normal((6, 5))
        normal -= np.outer(normal @ axis, axis) / (axis @ axis)
        queries = (train[0] + train[1]) / 2 + 0.1 * normal
        weights = posterior_weights(queries, train, noise)
        assert ((weights[:, :2] > 1e-3).all(axis=1) | (noise < 1e-6)).all()
        compare(queries, train, noise)


def test_fifty_digits_halfway_between_points() -> None:
    rng = np.random.default_rng(43)
    train = 1e4 * rng.standard_normal((12, 15))
    compare((train[:6] + train[6:]) / 2, train, 5e-3)


@pytest.mark.parametrize("distance", [1e5, 1e7, 1e9])
def test_fifty_digits_far_along_a_normal_of_the_data(distance: float) -> None:
    """Many points share the weight, by sums whose terms cancel to a part in 1e5 to 1e9."""
    rng = np.random.default_rng(44)
    normal = np.ones(7) / np.sqrt(7)
    train = rng.standard_normal((10, 7))
    train -= np.outer(train @ normal, normal)
    queries = distance * normal + rng.standard_normal((5, 7))
    compare(queries, train, 1.0)
    assert (concentration(queries, train, 1.0).effective_points > 1.2).any()


def test_an_outlier_spoils_neither_digits_nor_choice_of_path() -> None:
    rng = np.random.default_rng(4)
    train = np.concatenate([rng.standard_normal((11, 8)), np.full((1, 8), 1e9)])
    queries = np.concatenate([train[:4] + rng.standard_normal((4, 8)), train[-1:] + 1])
    compare(queries, train, 1.0)


def test_far_clusters_keep_their_digits() -> None:
    """Centring cannot help: rounding shows in every product, and many points matter."""
    rng = np.random.default_rng(5)
    train = rng.standard_normal((16, 10)) + 1e7 * np.repeat([[1.0], [-1.0]], 8, axis=0)
    compare(train[::3] + rng.standard_normal((6, 10)), train, 1.0)


def test_a_near_tie_among_decoys_that_rounding_puts_first() -> None:
    """Fast products err by 0.01 here, 1e12 nats; the tie is 0.7 nats wide."""
    c, delta = np.array([1e7, 0.0]), 1.2345e-7
    decoys = [[0.5 + 2.0**-12 * k, 0.0] for k in range(1, 9)]
    train = c + np.array([*decoys, [0.5, 0.0], [-0.5, delta]])
    train = np.concatenate([train, -train])
    queries = np.array([c, c + np.array([0, delta / 3]), -c])
    compare(queries, train, 1e-7)
    for noise in (3e-8, 1e-6):
        compare(queries, train, noise)


@pytest.mark.usefixtures("path")
def test_noise_of_each_query() -> None:
    rng = np.random.default_rng(6)
    train, queries = rng.standard_normal((10, 4)), rng.standard_normal((8, 4))
    noise = np.array([1e-9, 0.3, 1e9, 1.0, 0.5, 1e-3, 2.0, 30.0])
    compare(queries, train, noise)
    for function in (posterior_mean, posterior_weights, log_evidence):
        one_by_one = [function(y[None], train, s)[0] for y, s in zip(queries, noise, strict=True)]
        np.testing.assert_allclose(function(queries, train, noise), one_by_one, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 50),
    dim=st.integers(1, 20),
    log_noise=st.floats(-1.5, 2),
    seed=st.integers(0, 10**6),
)
def test_plain_softmax_where_it_serves(n: int, dim: int, log_noise: float, seed: int) -> None:
    """scipy's softmax of squared differences."""
    rng = np.random.default_rng(seed)
    s = 10.0**log_noise
    train, queries = rng.standard_normal((n, dim)), 2 * rng.standard_normal((5, dim))
    logits = -np.square(queries[:, None] - train).sum(axis=2) / (2 * s**2)
    weights = softmax(logits, axis=1)
    np.testing.assert_allclose(posterior_weights(queries, train, s), weights, atol=1e-11)
    np.testing.assert_allclose(posterior_mean(queries, train, s), weights @ train, atol=1e-10)


@pytest.mark.parametrize("dim", [1, 3, 30])
def test_evidence_is_scikit_learns_kernel_density(dim: int) -> None:
    """One leaf: with several, its tree adds and takes off bounds far above such densities."""
    rng = np.random.default_rng(0)
    train, queries = 5 + rng.standard_normal((200, dim)), 5 + rng.standard_normal((40, dim))
    for s in (0.2, 1.0, 5.0):
        oracle = KernelDensity(bandwidth=s, leaf_size=len(train)).fit(train)
        model = EmpiricalDenoiser(noise=s).fit(train)
        np.testing.assert_allclose(
            model.score_samples(queries), oracle.score_samples(queries), rtol=1e-10
        )
        assert model.score(queries) == pytest.approx(oracle.score(queries) / len(queries))
        np.testing.assert_allclose(
            model.noised_law().log_prob(queries), model.score_samples(queries), rtol=1e-11
        )


def test_tweedie() -> None:
    """D(y) = y + s^2 grad ln p(y), the gradient by central differences."""
    rng = np.random.default_rng(1)
    train, queries, step = rng.standard_normal((20, 4)), rng.standard_normal((6, 4)), 1e-4
    for s in (0.5, 1.0, 3.0):
        gradient = np.empty_like(queries)
        for k, e in enumerate(step * np.eye(4)):
            up, down = log_evidence(queries + e, train, s), log_evidence(queries - e, train, s)
            gradient[:, k] = (up - down) / (2 * step)
        np.testing.assert_allclose(
            posterior_mean(queries, train, s), queries + s**2 * gradient, atol=1e-6
        )


def test_no_denoiser_of_the_training_set_has_a_smaller_error() -> None:
    """The residual is uncorrelated with functions of the noisy point: a conditional mean."""
    rng = np.random.default_rng(2)
    train = rng.standard_normal((15, 3))
    clean = train[rng.integers(15, size=100_000)]
    noisy = clean + 0.7 * rng.standard_normal(clean.shape)
    residual = clean - posterior_mean(noisy, train, 0.7)
    for feature in (noisy, noisy**2, np.sin(3 * noisy), np.ones_like(noisy)):
        products = residual * feature
        assert (np.abs(products.mean(0)) < 5 * products.std(0) / np.sqrt(len(clean))).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**4), log_noise=st.floats(-3, 1), dim=st.integers(2, 30))
def test_invariance_under_shift_rotation_permutation_and_scale(seed, log_noise, dim) -> None:
    rng = np.random.default_rng(seed)
    s, n = 10.0**log_noise, 25
    train, queries = rng.standard_normal((n, dim)), rng.standard_normal((7, dim))
    queries[:4] = train[:4] + s * rng.standard_normal((4, dim))
    base = posterior_mean(queries, train, s)
    effective = concentration(queries, train, s).effective_points
    rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    shift, scale = rng.standard_normal(dim), 2.7
    order = rng.permutation(n)
    moved_queries = scale * queries @ rotation.T + shift
    moved_train = (scale * train @ rotation.T + shift)[order]
    moved = posterior_mean(moved_queries, moved_train, scale * s)
    # The moved points are themselves rounded: an exponent shifts by about 1e-15 / s^2.
    np.testing.assert_allclose(moved, scale * base @ rotation.T + shift, atol=1e-12 + 1e-13 / s**2)
    np.testing.assert_allclose(
        concentration(moved_queries, moved_train, scale * s).effective_points,
        effective,
        rtol=1e-12 + 1e-13 / s**2,
    )


@pytest.mark.parametrize("unit", [2.0**-900, 2.0**-500, 2.0**480])
def test_the_unit_of_length_does_not_matter(unit: float) -> None:
    rng = np.random.default_rng(7)
    train, queries = 3 + rng.standard_normal((12, 5)), 3 + rng.standard_normal((6, 5))
    for s in (1e-9, 1e-2, 1.0, 1e5):
        np.testing.assert_array_equal(
            posterior_mean(unit * queries, unit * train, unit * s),
            unit * posterior_mean(queries, train, s),
        )
        np.testing.assert_allclose(
            log_evidence(unit * queries, unit * train, unit * s) + 5 * np.log(unit),
            log_evidence(queries, train, s),
            rtol=1e-12,
        )


@pytest.mark.parametrize("noise", [5e-324, 1e-200, 1e-9, 1e-3])
def test_little_noise_gives_the_nearest_point_bit_by_bit(noise: float) -> None:
    rng = np.random.default_rng(8)
    train = 1e6 + rng.standard_normal((50, 7))
    queries = 1e6 + rng.standard_normal((20, 7))
    nearest = np.square(queries[:, None] - train).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(posterior_mean(queries, train, noise), train[nearest])
    np.testing.assert_array_equal(posterior_mean(train, train, noise), train)
    assert (log_evidence(train, train, noise) > 0).all()
    assert not np.isnan(log_evidence(queries, train, noise)).any()


def test_ties_are_averaged_and_duplicates_count_twice() -> None:
    square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [7.0, 7.0]])
    queries = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, -2.0]])
    for offset in (0.0, 2.0**20):
        found = posterior_mean(queries + offset, square + offset, 1e-8)
        np.testing.assert_allclose(found - offset, [[0, 0], [1, 0], [0, -1]], atol=1e-15)
    found = posterior_mean(queries[1:2], np.concatenate([square, square[:1]]), 1e-8)
    np.testing.assert_allclose(found, [[1, 1 / 3]], rtol=1e-14)
    np.testing.assert_allclose(
        concentration(queries, square, 1e-8).effective_points, [4, 2, 2], rtol=1e-14
    )


def test_much_noise_gives_the_mean() -> None:
    rng = np.random.default_rng(9)
    train, queries = rng.standard_normal((30, 4)), rng.standard_normal((5, 4))
    for noise in (1e9, 1e160, 1e308):
        found = posterior_mean(queries, train, noise)
        np.testing.assert_allclose(found, np.tile(train.mean(axis=0), (5, 1)), atol=1e-15)
        np.testing.assert_allclose(
            concentration(queries, train, noise).effective_points, 30, rtol=1e-12
        )
    # To first order in 1 / s^2 the mean moves by Cov (y - mean) / s^2.
    s = 1e3
    first = (queries - train.mean(0)) @ np.cov(train.T, bias=True) / s**2
    third = np.mean(np.square(train - train.mean(0)).sum(1)[:, None] * (train - train.mean(0)), 0)
    moved = posterior_mean(queries, train, s) - train.mean(0)
    np.testing.assert_allclose(moved, first - third / (2 * s**2), atol=1e-10)


def test_equal_training_points() -> None:
    train = np.full((4, 3), 0.1)
    np.testing.assert_allclose(posterior_mean(np.ones((2, 3)), train, 1e-9), train[:2], rtol=1e-15)
    assert concentration(np.ones((1, 3)), train, 1e-9).effective_points == pytest.approx(4)


def test_single_training_point() -> None:
    """No posterior to speak of, and still a density; `fit` asks for two, as everywhere here."""
    np.testing.assert_array_equal(posterior_mean([[5.0, 1.0]], [[1.0, 2.0]], 3.0), [[1.0, 2.0]])
    expected = Gaussian.isotropic(2, [1.0, 2.0], 3.0).log_prob([[5.0, 1.0]])
    np.testing.assert_allclose(log_evidence([[5.0, 1.0]], [[1.0, 2.0]], 3.0), expected)
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        EmpiricalDenoiser().fit([[1.0, 2.0]])


@pytest.mark.parametrize("s", [0.3, 2.6, 3.2, 20.0])
def test_paths_and_blocks_agree(s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    train = 10 + rng.standard_normal((70, 600))
    queries = train[:20] + s * rng.standard_normal((20, 600))
    base = posterior_mean(queries, train, s), log_evidence(queries, train, s)
    for settings_ in PATHS.values():
        with monkeypatch.context() as patch:
            for name, value in settings_.items():
                patch.setattr(training_points, name, value)
            np.testing.assert_allclose(posterior_mean(queries, train, s), base[0], rtol=1e-12)
            np.testing.assert_allclose(log_evidence(queries, train, s), base[1], rtol=1e-13)


def test_threads_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slabs of rows go to as many threads as BLAS would use."""
    monkeypatch.setattr(training_points, "_SLAB", 300)
    rng = np.random.default_rng(15)
    train, queries = rng.standard_normal((90, 20)), rng.standard_normal((40, 20))
    found = []
    for threads in (1, 3):
        with threadpool_limits(threads):
            found.append([posterior_mean(queries, train, s) for s in (0.1, 1.0, 10.0)])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-12, atol=1e-13)


def test_memory_does_not_grow_with_the_number_of_queries(monkeypatch) -> None:
    monkeypatch.setattr(training_points, "_BLOCK", 2**14)
    rng = np.random.default_rng(11)
    train = TrainingPoints.of(rng.standard_normal((400, 2)))
    peaks = []
    for count in (500, 5000):
        queries = rng.standard_normal((count, 2))
        tracemalloc.start()
        log_evidence(queries, train, 0.5)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 5000 * 8 * 12  # a few vectors, not 5000 x 400 weights


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    near=st.floats(-12, 0),
    offset=st.floats(0, 9),
    distance=st.floats(0, 9),
    halfway=st.booleans(),
)
def test_distance_gaps_are_exact(seed, near, offset, distance, halfway) -> None:
    rng = np.random.default_rng(seed)
    r = 10.0**offset + rng.standard_normal((1, 5))
    p = r + 10.0**near * rng.standard_normal((1, 5))
    y = (r + p) / 2 if halfway else r + 10.0**distance * rng.standard_normal((1, 5))
    with mpmath.workdps(60):
        exact = mpmath.fsum(
            (mpmath.mpf(float(c)) - mpmath.mpf(float(a))) ** 2
            - (mpmath.mpf(float(c)) - mpmath.mpf(float(b))) ** 2
            for a, b, c in zip(p[0], r[0], y[0], strict=True)
        )
    sizes = np.linalg.norm(r - p) * (np.linalg.norm(y - p) + np.linalg.norm(y - r))
    doubled = distance_gaps(y, p, r, np.zeros(1))[0]
    assert doubled == pytest.approx(float(exact), rel=1e-15, abs=1e-28 * sizes)
    tolerance = np.full(1, sizes * 2.0**-60)
    assert abs(distance_gaps(y, p, r, tolerance)[0] - float(exact)) <= tolerance[0] + 1e-15 * abs(
        float(exact)
    )
    plain = distance_gaps(y, p, r, np.full(1, np.inf))[0]
    assert abs(plain - float(exact)) <= rounding_factor(3) * sizes  # a tree over 5 terms


def reverse_process(train: np.ndarray, start: np.ndarray, noises: np.ndarray) -> np.ndarray:
    """Probability flow dx/ds = (x - D(x; s)) / s, by Heun's method."""
    x = start
    for s, t in pairwise(noises):
        slope = (x - posterior_mean(x, train, s)) / s
        guess = x + (t - s) * slope
        x = x + (t - s) * (slope + (guess - posterior_mean(guess, train, t)) / t) / 2
    return x


def test_the_reverse_process_generates_the_law_that_sample_draws() -> None:
    train = np.array([[-2.0], [-0.5], [0.1], [3.0]])
    rng = np.random.default_rng(12)
    s_start, s_stop, count = 200.0, 0.4, 4000
    start = s_start * rng.standard_normal((count, 1)) + train[rng.integers(4, size=(count, 1)), 0]
    stopped = reverse_process(train, start, np.geomspace(s_start, s_stop, 150))

    def cdf(x: np.ndarray) -> np.ndarray:
        return norm.cdf((x[:, None] - train[:, 0]) / s_stop).mean(axis=1)

    assert kstest(stopped[:, 0], cdf).pvalue > 0.01
    model = EmpiricalDenoiser(noise=s_stop, random_state=0).fit(train)
    assert kstest(model.sample(count, noise=s_stop)[:, 0], cdf).pvalue > 0.01
    assert kstest(model.noised_law().sample(count, rng)[:, 0], cdf).pvalue > 0.01
    ended = reverse_process(train, stopped, np.geomspace(s_stop, 1e-3, 150))
    gaps = np.abs(ended - train[:, 0])
    # A few trajectories are still between two points, where their basins meet.
    assert np.mean(gaps.min(axis=1) < 0.01) > 0.99
    assert chisquare(np.bincount(gaps.argmin(axis=1))).pvalue > 0.01
    drawn = model.sample(count)
    assert np.isin(drawn, train).all()
    assert chisquare(np.bincount(np.abs(drawn - train[:, 0]).argmin(axis=1))).pvalue > 0.01


def test_samples_repeat_with_their_seed() -> None:
    X = Gaussian.isotropic(3).sample(20, 0)
    first, second = (EmpiricalDenoiser(random_state=4).fit(X).sample(5, noise=0.1) for _ in "ab")
    np.testing.assert_array_equal(first, second)
    assert EmpiricalDenoiser().fit(X).sample(0).shape == (0, 3)


def test_the_model_keeps_its_own_copy() -> None:
    X = Gaussian.isotropic(3).sample(20, 0)
    model = EmpiricalDenoiser(noise=1e-6).fit(X)
    before = X.copy()
    X[:] = 0
    np.testing.assert_array_equal(model.predict(before), before)


def test_float32_gives_what_its_values_give() -> None:
    X = Gaussian.isotropic(5, mean=10.0).sample(50, 0).astype(np.float32)
    for s in (0.1, 1.0):
        single = EmpiricalDenoiser(noise=s).fit(X)
        double = EmpiricalDenoiser(noise=s).fit(X.astype(np.float64))
        np.testing.assert_array_equal(single.predict(X), double.predict(X.astype(np.float64)))
        np.testing.assert_array_equal(posterior_mean(X, X, s), double.predict(X))


@pytest.mark.slow
@pytest.mark.parametrize(("exponent", "weight"), [(0.0, 0.57), (0.3, None)])
def test_own_weight_passes_one_half_at_the_collapse_time(exponent, weight) -> None:
    """The posterior weight of the point behind a noisy one (docs/theory.md, section 9)."""
    rng = np.random.default_rng(13)
    dim, n, repeats = 64, 1000, 60
    spectrum = np.arange(1, dim + 1) ** -exponent
    t_C = collapse_time(n, spectrum)
    means = []
    for factor in (0.6, 1.0, 1.6):
        s = np.sqrt(np.expm1(2 * factor * t_C))
        own = np.empty((repeats, 50))
        for draw in own:
            x = np.sqrt(spectrum) * rng.standard_normal((n, dim))
            y = x[: draw.size] + s * rng.standard_normal((draw.size, dim))
            draw[:] = np.diagonal(posterior_weights(y, x, s))
        means.append(own.mean())
        error = own.mean(axis=1).std(ddof=1) / np.sqrt(repeats)
        if factor == 1.0 and weight is not None:
            assert abs(own.mean() - weight) < 0.005 + 4 * error  # the sheet gives two digits
            assert error < 0.01
    assert means[0] > 0.9
    assert 0.4 < means[1] < 0.65
    assert means[2] < 0.2


@pytest.mark.parametrize(
    ("call", "kind", "match"),
    [
        (lambda X: EmpiricalDenoiser().fit(np.full((4, 2), np.nan)), ValueError, "NaN"),
        (lambda X: EmpiricalDenoiser().fit([[1.0, np.inf], [0, 1]]), ValueError, "infinity"),
        (lambda X: EmpiricalDenoiser().fit(np.ones(4)), ValueError, "2D array"),
        (lambda X: EmpiricalDenoiser().fit([["a", "b"], ["c", "d"]]), ValueError, "could not conv"),
        (lambda X: EmpiricalDenoiser(noise=0.0).fit(X), ValueError, "noise is 0, expected"),
        (lambda X: EmpiricalDenoiser().fit(X).set_params(noise=-1).predict(X), ValueError, "is -1"),
        (lambda X: EmpiricalDenoiser().fit(X).predict(X[:, :2]), ValueError, "expecting 3"),
        (lambda X: EmpiricalDenoiser().fit(X).sample(-1), ValueError, "n is -1"),
        (lambda X: EmpiricalDenoiser().fit(X).sample(1, noise=-2), ValueError, "noise is -2"),
        (lambda X: posterior_mean(X, X, [1.0, 2.0]), ValueError, r"shape \(2,\), expected a numb"),
        (lambda X: posterior_mean(X, X, np.nan), ValueError, "noise is nan"),
        (lambda X: posterior_mean(X[:, :2], X, 1.0), ValueError, "expected 3"),
        (lambda X: posterior_mean(X[0], X, 1.0), ValueError, "expected \\(n_points, dim\\)"),
        (lambda X: posterior_mean(X, [["a"] * 3], 1.0), TypeError, "expected real numbers"),
        (lambda X: posterior_mean(X, 1e200 * X, 1.0), ValueError, "would overflow"),
        (lambda X: posterior_mean(1e20 * X, 1e-140 * X, 1.0), ValueError, "in the same unit"),
    ],
)
def test_bad_input_is_one_clear_line(call, kind, match: str) -> None:
    with pytest.raises(kind, match=match):
        call(Gaussian.isotropic(3).sample(10, 0))
