"""P(Delta > 0) of the one-step model: direct simulation, each part on its own, limits, refusals."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import gamma

from ornstein.theory import delta_positive_probability, expected_delta
from ornstein.theory.numerics.positive_sums import distribution_of_sum
from ornstein.theory.one_step_model import delta_probability
from ornstein.theory.one_step_model.cross_covariances import cross_covariances
from ornstein.theory.one_step_model.delta_probability import delta_probability_holds
from ornstein.theory.one_step_model.training_exponents import exponent_laws

TIME = 2.0


class Runs(NamedTuple):
    """Of many training sets."""

    positive: np.ndarray
    cross_train: np.ndarray
    cross_originals: np.ndarray
    exponents: np.ndarray


def simulated(dim, n, n_original, noise_scale, runs, seed):
    """Delta by its definition, from explicit least squares on N(0, I), originals in expectation."""
    rng = np.random.default_rng(seed)
    signal = np.exp(-TIME)
    noise = noise_scale * signal**2 * -np.expm1(-2 * TIME)
    x = rng.standard_normal((runs, n, dim))
    y = signal * x + np.sqrt(noise) * rng.standard_normal(x.shape)
    xbar, ybar = x.mean(axis=1), y.mean(axis=1)
    xc, yc = x - xbar[:, None], y - ybar[:, None]
    B = np.swapaxes(np.linalg.solve(np.swapaxes(yc, 1, 2) @ yc, np.swapaxes(yc, 1, 2) @ xc), 1, 2)
    mu = xbar + np.einsum("rij,rj->ri", B, signal * xbar - ybar)
    start = signal**2 * x.var(axis=1, ddof=1).mean(axis=1) + noise
    S = start[:, None, None] * B @ np.swapaxes(B, 1, 2)
    train, fresh = n ** (-2 / dim), n_original ** (-2 / dim)

    def exponents(gaps, width):
        M = S + width * np.eye(dim)
        solved = np.linalg.solve(M, np.swapaxes(gaps, 1, 2))
        return np.einsum("rni,rin->rn", gaps, solved), np.linalg.slogdet(2 * np.pi * M)[1]

    q, log_det = exponents(x - mu[:, None], train)
    cross_train = logsumexp(-q / 2, axis=1) - np.log(n) - log_det / 2
    far, log_det = exponents(-mu[:, None], 1 + fresh)
    cross_originals = -(far[:, 0] + log_det) / 2
    squares = np.square(xc).sum(axis=2)
    gaps = squares[:, :, None] + squares[:, None] - 2 * xc @ np.swapaxes(xc, 1, 2)
    kernels = np.exp(-gaps / (4 * train)).sum(axis=(1, 2)) - n
    pairs_train = kernels / n**2 * (4 * np.pi * train) ** (-dim / 2)
    pairs_originals = (1 - 1 / n_original) * (4 * np.pi * (1 + fresh)) ** (-dim / 2)
    delta = pairs_train - 2 * np.exp(cross_train) - pairs_originals + 2 * np.exp(cross_originals)
    return Runs(delta > 0, cross_train, cross_originals, q)


@pytest.mark.parametrize(
    ("dim", "n", "n_original", "noise_scale"),
    [
        (16, 19, 10_000, 1.0),
        (16, 24, 10_000, 1.0),
        (16, 28, 10_000, 1.0),
        (16, 40, 300, 1.0),
        (16, 20, 10_000, 0.1),
        (10, 20, 1_000_000, 5.0),
        (8, 60, 60, 1.0),
    ],
)
def test_simulated_share(dim, n, n_original, noise_scale):
    runs = 1200
    share = simulated(dim, n, n_original, noise_scale, runs, 1).positive.mean()
    found = delta_positive_probability(dim, n, n_original, TIME, noise_scale)
    assert abs(share - found) < 4 * np.sqrt(found * (1 - found) / runs) + 0.03


def test_simulated_share_in_many_dimensions():
    # The expected Delta is negative up to n = 490, when most of the training sets have it positive.
    share = simulated(100, 300, 10_000, 1.0, 150, 2).positive.mean()
    found = delta_positive_probability(100, [300, 400])
    assert abs(share - found[0]) < 4 * np.sqrt(0.25 / 150) + 0.02
    assert found[1] > 0.6
    assert expected_delta(100, 400).sign == -1


def test_published_simulations():
    # 400 simulations in d = 16 and 200 in d = 100 of the check values of section 3.
    found = delta_positive_probability([16, 16, 100, 100], [32, 64, 200, 600])
    assert found == pytest.approx([0.89, 0.99, 0.01, 0.82], abs=0.04)


def test_law_of_the_exponents():
    dim, n = 16, 32
    seen = simulated(dim, n, 10_000, 1.0, 800, 3).exponents
    rho2 = 1 / (1 - np.expm1(-2 * TIME))
    q, masses = (v[:, 0] for v in exponent_laws(*(np.array([v]) for v in (16.0, 32.0, rho2))))
    assert masses.sum() == pytest.approx(1.0, abs=1e-12)
    for level in (4.0, 6.0, 8.0, 10.0):
        below = (seen < level).mean(axis=1)
        error = below.std(ddof=1) / np.sqrt(len(below))
        # The model that fits a point less well is weighted less in theory: a shift of order 1/d.
        assert abs(below.mean() - masses[q < level].sum()) < 4 * error + 0.02
    # The transform, up to a factor of the weights of models.
    means = np.exp(-seen / 2).mean(axis=1)
    assert masses @ np.exp(-q / 2) == pytest.approx(means.mean(), rel=0.1)


@pytest.mark.parametrize(("dim", "n"), [(16, 32), (16, 64), (24, 96)])
def test_covariances_of_the_cross_terms(dim, n):
    runs = simulated(dim, n, 10_000, 1.0, 2500 if n < 90 else 1000, 4)
    rho2 = 1 / (1 - np.expm1(-2 * TIME))
    found, bare = cross_covariances(dim, n, rho2, 10_000)
    seen = np.cov(runs.cross_train, runs.cross_originals)
    # ln B(T) is ln E[B(T) | model] and what its few points add, of which b knows nothing.
    assert found[0, 1] == pytest.approx(seen[0, 1], rel=0.25)
    assert found[1, 1] == pytest.approx(seen[1, 1], rel=0.12)
    assert found[0, 0] < seen[0, 0]
    # The training variance counts.
    assert bare[1, 1] < 0.85 * found[1, 1]
    assert found[0, 1] == pytest.approx(found[1, 0], rel=1e-12)


def test_distribution_of_a_sum():
    nodes = 3000
    x = gamma(0.7).ppf((np.arange(nodes) + 0.5) / nodes)
    places = np.array([0.5, 3.0, 5.0, 9.0])
    found = distribution_of_sum(x, np.full(nodes, 1 / nodes), 6, places)
    np.testing.assert_allclose(found, gamma(4.2).cdf(places), atol=1e-3)
    # Heavy tails: a stable law of index 1/2, a sum of n is n^2 times one.
    spread = np.geomspace(1e-3, 1e14, 20_000)
    density = np.exp(-1 / (2 * spread)) / np.sqrt(2 * np.pi * spread)  # by ln x
    masses = density * np.log(spread[1] / spread[0])
    found = distribution_of_sum(spread, masses, 50, 2500 * places)
    alone = [masses[spread < t].sum() for t in places]
    np.testing.assert_allclose(found, alone, atol=2e-3)
    assert distribution_of_sum(np.array([1e6, 2e6]), np.array([0.5, 0.5]), 9, np.ones(1)) == 0.0


@pytest.fixture
def sums(monkeypatch):
    """Terms, their masses and numbers, of which sums were asked for."""
    seen = []

    def spied(terms, masses, count, places):
        seen.append((terms, masses, count))
        return distribution_of_sum(terms, masses, count, places)

    monkeypatch.setattr(delta_probability, "distribution_of_sum", spied)
    return seen


def test_the_means_of_the_logarithms_are_those_of_the_expectations(sums):
    """E[a - b] = ln E B(T) - Var(a)/2 - ln E B(O) + Var(b)/2: what the terms sum to."""
    delta_positive_probability(16, 24)
    terms, masses, _ = sums[0]
    noise = -np.expm1(-2 * TIME)
    _, bare = cross_covariances(16, 24, 1 / (1 + noise), 10_000)
    _, cross_train, _, cross_originals = expected_delta(16, 24).log_terms
    assert bare[0, 0] > 1.2 * bare[1, 1]
    expected = cross_train - bare[0, 0] / 2 - cross_originals + bare[1, 1] / 2
    assert np.log(24 * masses @ terms) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("n", "noise_scale"), [(19, 0.01), (24, 1.0)])
def test_the_average_over_models_by_drawing_them(sums, n, noise_scale):
    """Pairs (a, b) are drawn, where the theory integrates over b and over a - b given b."""
    found = delta_positive_probability(16, n, noise_scale=noise_scale)
    ratio = noise_scale * -np.expm1(-2 * TIME)
    covariance, bare = cross_covariances(16, n, 1 / (1 + ratio), 10_000)
    a, b = np.random.default_rng(0).multivariate_normal([0, 0], covariance, size=20_000).T
    pairs_train, _, pairs_originals, cross_originals = expected_delta(
        16, n, noise_scale=noise_scale
    ).log_terms
    least = cross_originals - bare[1, 1] / 2 + b
    below = 1 - 0.5 * (np.exp(pairs_originals - least) - np.exp(pairs_train - least))
    levels = np.log(np.maximum(below, 1e-30)) - (a - b)
    places = np.linspace(levels[below > 1e-9].min(), levels.max(), 200)
    shares = distribution_of_sum(*sums[0], np.exp(places))
    drawn = np.interp(levels, places, shares, left=0.0).mean()
    assert found == pytest.approx(drawn, abs=0.006)


def test_units_and_broadcasting():
    one = delta_positive_probability(16, [24, 40], 500, 0.7, 0.3)
    scaled = delta_positive_probability(16, [24, 40], 500, 0.7, 0.3 * 9, std=3.0)
    np.testing.assert_allclose(one, scaled, rtol=1e-9)
    grid = delta_positive_probability([[16], [20]], [24, 40], 500, 0.7, 0.3)
    assert grid.shape == (2, 2)
    np.testing.assert_allclose(grid[0], one, atol=1e-9)
    assert isinstance(delta_positive_probability(16, 30), float)
    assert delta_positive_probability(16, []).shape == (0,)


def test_more_originals_make_a_positive_delta_more_likely():
    found = delta_positive_probability(16, 32, [32, 300, 10_000, 10**6])
    assert (np.diff(found) > 0).all()
    assert found[0] < 0.05
    assert found[-1] > 0.98


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(delta_positive_probability, 7, 30), "dim is 7, expected 8 to 1000"),
        (partial(delta_positive_probability, 1001, 3000), "dim is 1001, expected 8 to 1000"),
        (
            partial(delta_positive_probability, 100, [300, 110]),
            "n_train is 110 where dim is 100, expected 1.15 dim to 100 dim",
        ),
        (
            partial(delta_positive_probability, 8, 801),
            "n_train is 801 where dim is 8, expected 1.15 dim to 100 dim",
        ),
        (partial(delta_positive_probability, 16, 30, 1), "n_original"),
        (partial(delta_positive_probability, 16, 30, time=0.0), "time"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_domain():
    sizes = [[18, 19, 1600, 1601]]
    assert delta_probability_holds(16, sizes).tolist() == [[False, True, True, False]]
    assert not delta_probability_holds([7, 1001], 2000).any()
    assert ((ends := delta_positive_probability(16, [19, 1600])) >= 0).all()
    assert (ends <= 1).all()
