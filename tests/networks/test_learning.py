"""What training does: it learns a law from many points, and copies a few."""

import numpy as np
import pytest
import torch

from ornstein import Gaussian
from ornstein.memorization.neighbours import memorized_fraction
from ornstein.memorization.sample_delta import sample_delta
from ornstein.networks import (
    MLP,
    DiffusionProcess,
    LearnedDiffusion,
    TrainingConfig,
    UNet,
    seeded,
    train,
    train_replicates,
)

POPULATION = Gaussian.isotropic(64, mean=0.5, std=0.1)


def drawn(model: LearnedDiffusion, n: int) -> np.ndarray:
    images = model.sample(n, generator=torch.Generator().manual_seed(0))
    return images.flatten(1).double().numpy()


@pytest.mark.slow
def test_few_points_and_many_epochs_are_copied() -> None:
    points = POPULATION.sample(16, rng=0)
    config = TrainingConfig(epochs=400, learning_rate=1e-3, train_fraction=1.0, ema_decay=0.99)
    process = DiffusionProcess(200, prediction="sample")
    net = seeded(lambda: MLP(64, 256), 0)
    generated = drawn(train(net, points, config, process=process).model, 200)
    result = memorized_fraction(generated, points, POPULATION.sample(500, rng=1))
    assert result.fraction > 0.9
    assert result.held_out_fraction < 0.05
    assert sample_delta(generated, points, POPULATION, n_original=10_000).sign == -1


@pytest.mark.slow
def test_many_points_and_few_epochs_are_not_copied() -> None:
    points = POPULATION.sample(4000, rng=0)
    config = TrainingConfig(epochs=8, learning_rate=1e-3, train_fraction=1.0, ema_decay=0.99)
    net = seeded(lambda: MLP(64, 256), 0)
    generated = drawn(train(net, points, config).model, 500)
    result = memorized_fraction(generated, points, POPULATION.sample(500, rng=1))
    assert result.fraction <= result.held_out_high
    assert abs(generated.std() / 0.1 - 1) < 0.1


@pytest.mark.slow
def test_the_unet_copies_too() -> None:
    points = POPULATION.sample(16, rng=0).reshape(16, 1, 8, 8)
    config = TrainingConfig(epochs=1500, learning_rate=4e-3, train_fraction=1.0, ema_decay=0.99)
    process = DiffusionProcess(200, prediction="sample")
    net = seeded(lambda: UNet(width_multiplier=0.125), 0)
    generated = drawn(train(net, points, config, process=process).model, 100)
    assert memorized_fraction(generated, points.reshape(16, 64)).fraction > 0.9
    flat = points.reshape(16, 64)
    assert sample_delta(generated, flat, POPULATION, n_original=10_000).sign == -1


def two_clouds(n: int, rng: np.random.Generator) -> np.ndarray:
    """0.3 N(-1, 0.3^2) + 0.7 N(1, 0.5^2) in 4 dimensions."""
    first = rng.random((n, 1)) < 0.3
    noise = rng.standard_normal((n, 4))
    return np.where(first, -1 + 0.3 * noise, 1 + 0.5 * noise)


@pytest.mark.slow
def test_weights_means_and_widths_of_a_mixture_are_learned() -> None:
    """Within 10 percent, from 2000 generated points of each of two replicates."""
    data = [two_clouds(4000, np.random.default_rng(seed)) for seed in (0, 1)]
    nets = [seeded(lambda: MLP(4, 64), seed) for seed in (0, 1)]
    config = TrainingConfig(training_steps=2500, learning_rate=2e-3, ema_decay=0.995)
    for model in train_replicates(nets, data, [0, 1], config).models:
        generated = drawn(model, 2000)
        low = generated.mean(axis=1) < 0
        assert low.mean() == pytest.approx(0.3, rel=0.1)
        for cloud, mean, std in ((generated[low], -1, 0.3), (generated[~low], 1, 0.5)):
            np.testing.assert_allclose(cloud.mean(axis=0), mean, rtol=0.1)
            np.testing.assert_allclose(cloud.std(axis=0), std, rtol=0.1)
