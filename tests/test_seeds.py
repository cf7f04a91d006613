"""Equal seeds for different purposes give independent numbers; the same purpose, the same ones."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from ornstein import (
    EmpiricalDenoiser,
    Gaussian,
    LinearDiffusion,
    Mixture,
    OneStepDenoiser,
    delta,
    theory,
)
from ornstein.data.data_sets import DataSet
from ornstein.diffusion.schedules import KarrasSchedule
from ornstein.gaussians import kl_divergence
from ornstein.validation import as_generator

N, DIM = 400, 50


def one_step_noise(seed) -> np.ndarray:
    """The noise of the training pairs: for data of 0 the noised points are the noise."""
    model = OneStepDenoiser(random_state=seed)
    seen = []

    def spy(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        seen.append(rng.standard_normal(points.shape))
        return points + seen[-1]

    points = np.random.default_rng(5).standard_normal((N, DIM))
    model._points(points)
    model._begin()
    object.__setattr__(model._process, "noised", spy)
    model._absorb(points)
    return seen[0]


def one_step_sample(seed) -> np.ndarray:
    points = np.random.default_rng(5).standard_normal((N, DIM))
    model = OneStepDenoiser(random_state=seed).fit(points)
    x = model.sample(N) - model.intercept_
    y = np.linalg.solve(model.coef_, x.T).T
    return y - y.mean(axis=0)


def diffusion_sample(seed) -> np.ndarray:
    schedule = KarrasSchedule(largest=1e6)
    law = Gaussian.isotropic(DIM)
    model = LinearDiffusion.from_population(
        law, schedule=schedule, n_steps=200, sampler="heun", random_state=seed
    )
    return model.sample(N)


def empirical_sample(seed) -> np.ndarray:
    return EmpiricalDenoiser(random_state=seed).fit(np.zeros((3, DIM))).sample(N, noise=1.0)


def mixture_sample(seed) -> np.ndarray:
    return Mixture([Gaussian.isotropic(DIM)]).sample(N, seed)


def split_order(seed) -> np.ndarray:
    points = np.arange(N * DIM + 2.0).reshape(-1, 1)
    train, rest = DataSet(points).split(N * DIM, seed)
    order = train.ravel()
    assert len(rest) == 2
    return ((order - order.mean()) / order.std()).reshape(N, DIM)


STREAMS = {
    "Gaussian.sample": lambda seed: Gaussian.isotropic(DIM).sample(N, seed),
    "Mixture.sample": mixture_sample,
    "DataSet.split": split_order,
    "OneStepDenoiser.fit": one_step_noise,
    "OneStepDenoiser.sample": one_step_sample,
    "LinearDiffusion.sample": diffusion_sample,
    "EmpiricalDenoiser.sample": empirical_sample,
    "numpy": lambda seed: np.random.default_rng(seed).standard_normal((N, DIM)),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    return {name: draw(0) for name, draw in STREAMS.items()}


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(STREAMS, 2)))
def test_equal_seeds_give_uncorrelated_numbers(drawn, first: str, second: str) -> None:
    """|correlation| < 5/sqrt(N), over all numbers and within shifted rows."""
    a, b = drawn[first], drawn[second]
    for shift in (0, 1):
        left, right = a[shift:].ravel(), b[: len(b) - shift].ravel()
        assert abs(np.corrcoef(left, right)[0, 1]) < 5 / np.sqrt(left.size)
    # And in order of size: a permutation of the same normals is not hidden by its order.
    assert not np.array_equal(np.sort(a.ravel()), np.sort(b.ravel()))


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "numpy"])
def test_equal_seeds_repeat_and_others_do_not(drawn, name: str) -> None:
    again, other = STREAMS[name](0), STREAMS[name](1)
    np.testing.assert_array_equal(again, drawn[name])
    size = again.size
    assert abs(np.corrcoef(again.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(size)


def test_more_points_of_one_seed_begin_with_the_fewer() -> None:
    """As the docstring says: two sets of one seed overlap."""
    law = Gaussian.isotropic(3)
    np.testing.assert_array_equal(law.sample(400, rng=0)[:100], law.sample(100, rng=0))


def test_all_kinds_of_seeds() -> None:
    sequence = np.random.SeedSequence(7, spawn_key=(3,))
    for seed in (7, np.int64(7), [7, 2], sequence):
        first, second = (as_generator(seed, "a").random(4) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert (first != as_generator(seed, "b").random(4)).all()
    assert sequence.n_children_spawned == 0
    child = as_generator(np.random.SeedSequence(7, spawn_key=(4,)), "a")
    assert (child.random(4) != as_generator(sequence, "a").random(4)).all()
    generator = np.random.default_rng(1)
    assert as_generator(generator, "a") is generator
    state = np.random.RandomState(0)
    assert as_generator(state, "a").random() != as_generator(state, "a").random()
    assert as_generator(None, "a").random() != as_generator(None, "a").random()
    assert isinstance(as_generator(np.random.PCG64(0), "a"), np.random.Generator)


@pytest.mark.parametrize("seed", ["zero", 1.5, object(), {"a": 1}, [0.5]])
def test_what_is_no_seed_is_refused(seed) -> None:
    with pytest.raises(TypeError, match="no source of random numbers"):
        as_generator(seed, "a")


@pytest.mark.parametrize("seed", [-1, [3, -2], []])
def test_negative_seeds_are_refused(seed) -> None:
    with pytest.raises(ValueError, match="expected an int >= 0"):
        as_generator(seed, "a")


def test_streams_are_the_same_in_every_process() -> None:
    """Python's own hash of a string is not."""
    code = "from ornstein import Gaussian; print(Gaussian.isotropic(2).sample(2, rng=0).tolist())"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert runs == {f"{Gaussian.isotropic(2).sample(2, rng=0).tolist()}\n"}


def test_a_model_with_the_seed_of_its_data_has_the_kl_of_theory() -> None:
    """The example of the README: 18.11 nats; with shared noise it gave 9.64."""
    from ornstein.gaussians import kl_divergence

    population = Gaussian.isotropic(100, mean=10.0)
    values = [
        kl_divergence(
            OneStepDenoiser(random_state=seed).fit(population.sample(400, rng=seed)).generated_law_,
            population,
        )
        for seed in range(25)
    ]
    predicted, spread = theory.one_step(100, 400).kl, np.std(values, ddof=1)
    assert predicted == pytest.approx(18.108, abs=1e-3)
    assert abs(values[0] - predicted) < 4 * spread
    assert abs(np.mean(values) - predicted) < 4 * spread / np.sqrt(len(values))


def test_the_example_of_the_readme_is_near_theory() -> None:
    """With equal seeds for data and model; what it prints is in tests/test_documentation.py."""
    population = Gaussian.isotropic(100, mean=10.0)
    train = population.sample(400, rng=0)
    law = OneStepDenoiser(time=2.0, random_state=0).fit(train).generated_law_
    assert abs(kl_divergence(law, population) - 18.108) < 4 * 0.45


def test_a_diffusion_with_the_seed_of_its_data_does_not_return_them() -> None:
    population = Gaussian.isotropic(20, mean=3.0)
    train = population.sample(400, rng=0)
    new = LinearDiffusion(random_state=0).fit(train).sample(400)
    centred = [x - x.mean(axis=0) for x in (train, new)]
    assert abs(np.corrcoef(*(x.ravel() for x in centred))[0, 1]) < 5 / np.sqrt(train.size)


def test_studies_draw_from_one_generator_as_before() -> None:
    """A Generator is used as it is: no purpose enters."""
    law = Gaussian.isotropic(4)
    train = law.sample(9, np.random.default_rng(3))
    np.testing.assert_array_equal(train, np.random.default_rng(3).standard_normal((9, 4)))
    rng = np.random.default_rng(3)
    model = OneStepDenoiser(random_state=rng).fit(law.sample(9, rng))
    direct = np.random.default_rng(3)
    X = direct.standard_normal((9, 4))
    assert rng.bit_generator.state != direct.bit_generator.state
    direct.standard_normal((9, 4))
    assert rng.bit_generator.state == direct.bit_generator.state
    assert delta(model.generated_law_, X, law, n_original=9).sign in {-1, 1}
