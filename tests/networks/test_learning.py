"""What training does: it learns a law from many points, and copies a few.

As short as the effect allows: that a network is still the one that was seen to learn is pinned in
milliseconds by ``test_golden.py``.
"""

import numpy as np
import pytest

from ornstein import Gaussian
from ornstein.memorization.neighbours import memorized_fraction
from ornstein.memorization.sample_delta import sample_delta
from ornstein.networks import (
    MLP,
    DiffusionProcess,
    LearnedDiffusion,
    TrainingConfig,
    UNet,
    sample_replicates,
    seeded,
    train,
    train_replicates,
)

POPULATION = Gaussian.isotropic(64, mean=0.5, std=0.1)


def drawn(model: LearnedDiffusion, n: int, sampler: str, sampling_steps: int) -> np.ndarray:
    images = model.sample(n, sampler=sampler, sampling_steps=sampling_steps, generator=0)
    return images.flatten(1).double().numpy()


@pytest.mark.slow
def test_few_points_and_many_epochs_are_copied() -> None:
    points = POPULATION.sample(16, rng=0)
    config = TrainingConfig(epochs=200, learning_rate=2e-3, train_fraction=1.0, ema_decay=0.98)
    process = DiffusionProcess(200, prediction="sample")
    net = seeded(MLP, 0, dim=64, width=128)
    generated = drawn(train(net, points, config, process=process).model, 200, "ddim", 25)
    result = memorized_fraction(generated, points, POPULATION.sample(500, rng=1))
    assert result.fraction > 0.9
    assert result.held_out_fraction < 0.05
    assert sample_delta(generated, points, POPULATION, n_original=10_000).sign == -1


@pytest.mark.slow
def test_many_points_and_few_epochs_are_not_copied() -> None:
    points = POPULATION.sample(2000, rng=0)
    config = TrainingConfig(epochs=6, learning_rate=4e-3, train_fraction=1.0, ema_decay=0.95)
    net = seeded(MLP, 0, dim=64, width=128)
    generated = drawn(train(net, points, config).model, 500, "ddpm", 50)
    result = memorized_fraction(generated, points, POPULATION.sample(500, rng=1))
    assert result.fraction <= result.held_out_high
    assert abs(generated.std() / 0.1 - 1) < 0.1


@pytest.mark.slow
def test_the_unet_copies_too() -> None:
    """Two images, each eight times in a batch, so that a step sees several noises of both."""
    points = POPULATION.sample(2, rng=0)
    images = np.repeat(points, 8, axis=0).reshape(16, 1, 8, 8)
    config = TrainingConfig(
        training_steps=200, learning_rate=4e-3, train_fraction=1.0, ema_decay=0.97
    )
    process = DiffusionProcess(200, prediction="sample")
    net = seeded(UNet, 0, width_multiplier=0.125)
    generated = drawn(train(net, images, config, process=process).model, 50, "ddim", 20)
    assert memorized_fraction(generated, points).fraction > 0.9
    # Both of them are, neither seldom.
    gaps = np.linalg.norm(generated[:, None] - points, axis=2)
    assert 0.1 < (gaps[:, 0] < gaps[:, 1]).mean() < 0.9
    assert sample_delta(generated, points, POPULATION, n_original=10_000).sign == -1


def two_clouds(n: int, rng: np.random.Generator) -> np.ndarray:
    """0.3 N(-1, 0.3^2) + 0.7 N(1, 0.5^2) in 4 dimensions."""
    first = rng.random((n, 1)) < 0.3
    noise = rng.standard_normal((n, 4))
    return np.where(first, -1 + 0.3 * noise, 1 + 0.5 * noise)


@pytest.mark.slow
def test_weights_means_and_widths_of_a_mixture_are_learned() -> None:
    """Within 10 percent, from 2000 generated points of each of two replicates."""
    data = [two_clouds(4000, np.random.default_rng(seed)) for seed in (0, 1)]
    nets = [seeded(MLP, seed, dim=4, width=48, depth=1) for seed in (0, 1)]
    config = TrainingConfig(training_steps=400, learning_rate=1e-2, batch_size=256, ema_decay=0.99)
    process = DiffusionProcess(100, prediction="v")
    models = train_replicates(nets, data, [0, 1], config, process=process).models
    starts = [two_clouds(2000, np.random.default_rng(seed)) for seed in (9, 10)]
    drawn_together = sample_replicates(models, 2000, generators=0, sampling_steps=100, start=starts)
    for images in drawn_together:
        generated = images.double().numpy()
        low = generated.mean(axis=1) < 0
        assert low.mean() == pytest.approx(0.3, rel=0.1)
        for cloud, mean, std in ((generated[low], -1, 0.3), (generated[~low], 1, 0.5)):
            np.testing.assert_allclose(cloud.mean(axis=0), mean, rtol=0.1)
            np.testing.assert_allclose(cloud.std(axis=0), std, rtol=0.1)
