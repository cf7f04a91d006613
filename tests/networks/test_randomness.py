"""Equal seeds in two places are not equal noise; global generators are left alone."""

from itertools import combinations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ornstein.networks import (
    MLP,
    DiffusionProcess,
    LearnedDiffusion,
    TrainingConfig,
    sample_replicates,
    seeded,
    train,
    train_replicates,
)
from ornstein.networks.randomness import Purpose, as_torch_generator, keyed_generator
from ornstein.networks.training.data import TrainingStream, ValidationBatches, split_indices

N = 4000
DATA = np.random.default_rng(0).normal(0.5, 0.1, (40, 4))


class Nothing(nn.Module):
    """Predicts 0, so that a sample from a single step is its noise."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return torch.zeros_like(x)


def sampled(generator) -> Tensor:
    model = LearnedDiffusion(Nothing(), DiffusionProcess(2), (N,))
    return model.sample(1, sampler="ddim", sampling_steps=1, generator=generator)[0]


def numbers_of_seed(seed: int) -> dict[str, np.ndarray]:
    """What a user gets who gives one seed to everything, ``N`` numbers of each kind."""
    stream = TrainingStream(torch.zeros(1, N), 1000, 1, seed)
    model = LearnedDiffusion(Nothing(), DiffusionProcess(1000), (N,))
    noise: list[Tensor] = []
    model.process.losses = lambda network, x0, k, z: noise.append(z) or torch.zeros(1)  # type: ignore[method-assign]
    model.loss(np.zeros((1, N)), generator=seed)
    found = {
        "weights": seeded(torch.randn, seed, N),
        "training": stream.batch(0).z[0],
        "next step": stream.batch(1).z[0],
        "validation": ValidationBatches(torch.zeros(1, N), 1000, 1, seed).whole.z[0],
        "sampling": sampled(seed),
        "sampling, seeded by hand": sampled(torch.Generator().manual_seed(seed)),
        "loss": noise[0][0],
        "order": torch.randperm(N, generator=keyed_generator(seed, Purpose.ORDER, 0)),
        "split": split_indices(2 * N, 0.5, seed)[0],
        "first replicate": sample_replicates([model] * 2, 1, generators=seed, sampling_steps=1)[0][
            0
        ],
        "second replicate": sample_replicates([model] * 2, 1, generators=seed, sampling_steps=1)[1][
            0
        ],
    }
    return {name: values.detach().double().numpy() for name, values in found.items()}


@pytest.mark.parametrize("seed", [0, 1, 42])
def test_one_seed_for_everything_is_independent_noise_everywhere(seed: int) -> None:
    """Correlations of ``N`` numbers have a standard error of 1/sqrt(N)."""
    found = numbers_of_seed(seed)
    del found["split"]  # sorted
    for (one, a), (other, b) in combinations(found.items(), 2):
        correlation = float(np.corrcoef(a, b)[0, 1])
        assert abs(correlation) < 4.5 / np.sqrt(N), (one, other, correlation)


def test_every_purpose_has_its_own_stream() -> None:
    assert len(set(Purpose)) == len(Purpose.__members__)
    streams = {keyed_generator(0, purpose).initial_seed() for purpose in Purpose}
    places = {keyed_generator(0, purpose, k).initial_seed() for purpose in Purpose for k in (0, 1)}
    assert len(streams | places) == 3 * len(Purpose)


def test_a_generator_seeded_by_hand_is_that_of_torch() -> None:
    """The fault that ints avoid: weights and noise from the same numbers are correlated."""
    by_hand = [torch.Generator().manual_seed(0) for _ in range(2)]
    weights, noise = seeded(torch.rand, by_hand[0], N), sampled(by_hand[1])
    assert abs(float(torch.corrcoef(torch.stack([weights, noise]))[0, 1])) > 0.2
    torch.manual_seed(0)
    assert torch.equal(weights, torch.rand(N))


@pytest.mark.parametrize("place", ["sampling", "loss", "weights"])
def test_the_same_int_gives_the_same_numbers_and_another_others(place: str) -> None:
    one, two, other = (numbers_of_seed(seed)[place] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_replicates_with_a_list_of_ints_are_as_alone() -> None:
    models = [LearnedDiffusion(MLP(3, 8), DiffusionProcess(9), (3,)) for _ in range(2)]
    together = sample_replicates(models, 4, generators=[5, 6])
    for model, seed, found in zip(models, (5, 6), together, strict=True):
        torch.testing.assert_close(found, model.sample(4, generator=seed), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("generator", "error", "message"),
    [
        (-1, ValueError, "generator is -1, expected at least 0"),
        (0.5, TypeError, "generator is a float, expected an int or a torch.Generator"),
        ("0", TypeError, "generator is a str"),
    ],
)
def test_what_is_no_generator(generator, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sampled(generator)


def test_a_generator_advances_and_numpy_ints_are_ints() -> None:
    generator = torch.Generator().manual_seed(1)
    one, two = (seeded(MLP, generator, 3) for _ in range(2))
    assert not torch.equal(one.enter.weight, two.enter.weight)
    assert as_torch_generator(np.int64(7), 1).initial_seed() == keyed_generator(7, 1).initial_seed()


def test_seeded_passes_arguments_on() -> None:
    one, two = seeded(MLP, 3, 2, depth=1), seeded(lambda: MLP(2, depth=1), 3)
    assert one.config == two.config == {"dim": 2, "width": 128, "depth": 1}
    assert torch.equal(one.enter.weight, two.enter.weight)


class Dropping(nn.Module):
    """A network that draws random numbers while it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 4))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.layers(x)


def test_dropout_is_another_at_every_step() -> None:
    dropped: list[Tensor] = []

    class Recording(Dropping):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            if self.training:
                dropped.append(nn.functional.dropout(torch.ones(50), 0.5))
            return super().forward(x, t)

    train(seeded(Recording, 0), DATA, TrainingConfig(epochs=3, batch_size=16))
    assert len(torch.stack(dropped).unique(dim=0)) == len(dropped) == 9


class Stopped(Exception):  # noqa: N818 - not an error
    pass


def test_dropout_follows_from_the_seed_and_resumes(tmp_path) -> None:
    config = TrainingConfig(epochs=3, batch_size=16, checkpoint_seconds=0)
    nets = [seeded(Dropping, 0) for _ in range(4)]
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    one = train(nets[0], DATA, config).model
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(2)
    two = train(nets[1], DATA, config).model
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    other = train(nets[2], DATA, TrainingConfig(epochs=3, batch_size=16, seed=1)).model
    assert not torch.equal(next(one.parameters()), next(other.parameters()))

    def stop(step: int, model) -> None:
        raise Stopped

    options = {"checkpoint": tmp_path / "training.ckpt"}
    with pytest.raises(Stopped):
        train(nets[3], DATA, config, **options, snapshots=[6], observe=stop)
    resumed = train(seeded(Dropping, 0), DATA, config, **options).model
    assert all(map(torch.equal, one.parameters(), resumed.parameters()))


def test_dropout_of_replicates_is_reproducible() -> None:
    config, results = TrainingConfig(epochs=2), []
    for global_seed in (1, 2):
        nets = [seeded(Dropping, seed) for seed in (0, 1)]
        torch.manual_seed(global_seed)
        results.append(train_replicates(nets, [DATA, DATA], [0, 1], config).models)
    for one, two in zip(*results, strict=True):
        assert all(map(torch.equal, one.parameters(), two.parameters()))
