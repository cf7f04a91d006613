"""P(Delta > 0) of a perfect model: against Delta itself, closed forms, and exchangeability."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from ornstein import Gaussian, Mixture, delta
from ornstein.intervals import wilson_interval
from ornstein.kernels.full_dimension import log_pairs
from ornstein.memorization import null
from ornstein.memorization.null import perfect_model_delta, perfect_model_deltas


@pytest.mark.parametrize(
    ("population", "n_original"),
    [
        (Gaussian.isotropic(30, mean=10.0, std=2.0), 300),
        (Gaussian(np.arange(5.0), np.array([4.0, 2.0, 1.0, 0.5, 0.1])), 22),
    ],
)
def test_counts_the_signs_of_delta(population: Gaussian, n_original: int) -> None:
    """The population as the law of :func:`ornstein.delta`, on the same training sets."""
    found = perfect_model_delta(population, 20, n_original, draws=100, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    signs = [
        delta(population, population.sample(20, rng), population, n_original=n_original).sign
        for _ in range(100)
    ]
    assert found.positive == sum(sign > 0 for sign in signs)
    assert 0 < found.positive < 100
    assert (found.fraction, found.draws) == (found.positive / 100, 100)
    assert (found.low, found.high) == wilson_interval(found.positive, 100)


def test_sampled_originals_are_those_of_delta() -> None:
    population = Gaussian.isotropic(6)
    found = perfect_model_delta(
        population, 9, 14, 50, rng=np.random.default_rng(5), original_mode="sampled", std=1.5
    )
    rng = np.random.default_rng(5)
    signs = [
        delta(population, population.sample(9, rng), population.sample(14, rng), std=1.5).sign
        for _ in range(50)
    ]
    assert found.positive == sum(sign > 0 for sign in signs)


@pytest.mark.parametrize("dim", [1, 10, 100])
def test_one_training_point_has_a_closed_form(dim: int) -> None:
    """Kernels of width std, no pairs: B(x) < E B says ``|x|^2 > 2 d ln(3/2)``, a chi-square."""
    draws = 4000
    found = perfect_model_delta(Gaussian.isotropic(dim, 7.0, 3.0), 1, 1, draws, rng=dim)
    exact = chi2.sf(2 * dim * math.log(1.5), dim)
    assert abs(found.fraction - exact) < 4 * math.sqrt(exact * (1 - exact) / draws)


def test_a_mixture_against_its_density_written_out() -> None:
    population = Mixture.isotropic(3, [0.0, 5.0], [1.0, 2.0], [0.25, 0.75])
    n, N, draws = 8, 30, 60
    found = perfect_model_delta(population, n, N, draws, rng=np.random.default_rng(1))
    rng = np.random.default_rng(1)
    eps2, fresh2 = ((population.std * size ** (-1 / 3)) ** 2 for size in (n, N))

    def normal(x: np.ndarray, mean: float, variance: float) -> np.ndarray:
        square = np.square(x - mean).sum(axis=-1)
        return np.exp(-square / (2 * variance)) / (2 * math.pi * variance) ** 1.5

    parts = [(0.25, 0.0, 1.0), (0.75, 5.0, 4.0)]
    centre = {mean: np.full(3, mean) for _, mean, _ in parts}
    expected = sum(
        w * v * (1 - 1 / N) * normal(centre[m], k, s + t + 2 * fresh2)
        - 2 * w * v * normal(centre[m], k, s + t + fresh2)
        for w, m, s in parts
        for v, k, t in parts
    )
    positive = 0
    for _ in range(draws):
        x = population.sample(n, rng)
        pairs = normal(x[:, None] - x, 0.0, 2 * eps2)
        seen = (pairs.sum() - np.trace(pairs)) / n**2
        seen -= 2 * sum(w * normal(x, m, s + eps2) for w, m, s in parts).mean()
        positive += seen > expected
    assert found.positive == positive
    assert 0 < positive < draws


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "n"), [(16, 40), (100, 60)])
def test_sampled_originals_of_equal_number_are_exchangeable(dim: int, n: int) -> None:
    found = perfect_model_delta(Gaussian.isotropic(dim), n, n, 2000, rng=n, original_mode="sampled")
    assert abs(found.fraction - 0.5) < 4 * math.sqrt(0.25 / 2000)


@pytest.mark.slow
def test_it_is_no_half_otherwise() -> None:
    """docs/memorization.md: d = 100, n = 150, in 4000 draws .965 for N = 10,000, .733 for N = n."""
    population = Gaussian.isotropic(100, mean=10.0)
    for n_original, fraction in ((10_000, 0.965), (150, 0.733)):
        found = perfect_model_delta(population, 150, n_original, 1000, rng=8)
        error = math.sqrt(fraction * (1 - fraction) * (1 / 1000 + 1 / 4000))
        assert abs(found.fraction - fraction) < 4 * error
        assert fraction - 0.5 > 10 * error


class TestManySizes:
    POPULATION = Gaussian(np.arange(5.0), np.array([4.0, 2.0, 1.0, 0.5, 0.1]))

    @pytest.mark.parametrize("n_original", [22, None])
    def test_they_are_the_signs_of_nested_sets(self, n_original: int | None) -> None:
        found = perfect_model_deltas(self.POPULATION, [20, 6], n_original, 40, seed=3)
        positive = [0, 0]
        for child in np.random.SeedSequence(3).spawn(40):
            train = self.POPULATION.sample(20, np.random.default_rng(child.spawn(2)[0]))
            for i, n in enumerate((20, 6)):
                count = n_original or n
                result = delta(self.POPULATION, train[:n], self.POPULATION, n_original=count)
                positive[i] += result.sign > 0
        assert [each.positive for each in found] == positive
        assert min(positive) > 0
        assert max(positive) < 40
        assert [(each.low, each.high) for each in found] == [
            wilson_interval(count, 40) for count in positive
        ]

    def test_more_sizes_do_not_change_a_smaller_one(self) -> None:
        few = perfect_model_deltas(self.POPULATION, [6, 20], 22, 40, seed=1)
        assert (
            perfect_model_deltas(self.POPULATION, [6, 11, 20, 50], 22, 40, seed=1)[::2][0]
            == (few[0])
        )

    def test_drawn_originals_serve_all_sizes(self) -> None:
        found = perfect_model_deltas(
            self.POPULATION, [6, 14, 20], 14, 30, seed=5, original_mode="sampled", std=1.2
        )
        # Exchangeable: exactly 1/2, nothing counted.
        assert found[1] == (0.5, 0.5, 0.5, 0, 0)
        positive = 0
        for child in np.random.SeedSequence(5).spawn(30):
            own, other = (np.random.default_rng(each) for each in child.spawn(2))
            train, fresh = self.POPULATION.sample(20, own), self.POPULATION.sample(14, other)
            positive += delta(self.POPULATION, train, fresh, std=1.2).sign > 0
        assert found[2].positive == positive

    def test_pairs_are_summed_only_where_they_decide(self, monkeypatch) -> None:
        calls = []

        def counted(points: np.ndarray, eps: float) -> float:
            calls.append(len(points))
            return log_pairs(points, eps)

        monkeypatch.setattr(null, "log_pairs", counted)
        (found,) = perfect_model_deltas(Gaussian.isotropic(100), [150], 10_000, 100)
        assert len(calls) == 100 - found.positive < 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_train": 0}, "n_train is 0, expected at least 1"),
        ({"n_original": 0}, "n_original is 0"),
        ({"draws": 0}, "draws is 0"),
        ({"original_mode": "mean"}, "original_mode is 'mean', expected 'expected' or 'sampled'"),
        ({"std": 0.0}, "data of some variance"),
    ],
)
def test_bad_numbers_are_refused(options: dict, message: str) -> None:
    given = {"n_train": 5, "n_original": 5, "draws": 2, **options}
    with pytest.raises(ValueError, match=message):
        perfect_model_delta(Gaussian.isotropic(3), **given)
