"""`LearnedDiffusion.denoise`: the estimate in data units; and what the membership attack sees."""

import numpy as np
import pytest
import torch
from torch import nn

from ornstein import Gaussian
from ornstein.memorization.attacked_models import attack_models
from ornstein.networks import (
    MLP,
    DiffusionProcess,
    LearnedDiffusion,
    Scaling,
    TrainingConfig,
    seeded,
    train,
)


class Shrinking(nn.Module):
    """The best network for N(0, I) in its own scale: it predicts the sample alpha x."""

    def __init__(self, process):
        super().__init__()
        self.signal = process.signal
        self.asked = []

    def forward(self, x, k):
        self.asked.append((tuple(x.shape), k.unique().tolist()))
        return self.signal[k].to(x.dtype).view(-1, *[1] * (x.ndim - 1)) * x


@pytest.mark.parametrize("shape", [(6,), (1, 2, 3)])
def test_it_is_the_posterior_mean_in_data_units(shape):
    process = DiffusionProcess(400, prediction="sample")
    network = Shrinking(process)
    model = LearnedDiffusion(network, process, shape, Scaling(5.0, 3.0))
    points = np.random.default_rng(0).standard_normal((40, 6)) * 3 + 5
    for noise in (0.3, 6.0):
        # Of N(5, 9): with noise as far as the nearest of the diffusion steps.
        step = process.nearest_step(noise / 3)
        s2 = float((process.noise_std[step] / process.signal[step]) ** 2)
        found = model.denoise(points, noise)
        np.testing.assert_allclose(found, 5 + (points - 5) / (1 + s2), rtol=1e-5)
        assert np.sqrt(s2) == pytest.approx(noise / 3, rel=0.1)
        assert network.asked.pop() == ((40, *shape), [step])
    images = points.reshape(40, *shape)
    np.testing.assert_array_equal(
        model.denoise(images, 0.3).ravel(), model.denoise(points, 0.3).ravel()
    )
    assert model.denoise(images, 0.3).shape == images.shape


def test_it_asks_in_parts_and_leaves_the_mode_alone():
    process = DiffusionProcess(50, prediction="v")
    model = seeded(LearnedDiffusion, torch.Generator().manual_seed(0), MLP(3, 16), process, (3,))
    points = np.random.default_rng(0).standard_normal((5000, 3))
    model.train()
    whole = model.denoise(points, 0.5)
    assert model.training
    np.testing.assert_allclose(whole[4500:], model.denoise(points[4500:], 0.5), atol=1e-6)
    # An untrained MLP answers 0: of v that is alpha x.
    k = process.nearest_step(0.5)
    np.testing.assert_allclose(whole, float(process.signal[k]) ** 2 * points, atol=1e-6)
    with pytest.raises(ValueError, match="noise is 0"):
        model.denoise(points, 0.0)


@pytest.mark.slow
def test_a_trained_mlp_leaks_less_of_more_points():
    def fit(points):
        network = seeded(MLP, torch.Generator().manual_seed(0), dim=8, width=64, depth=2)
        config = TrainingConfig(
            training_steps=200, learning_rate=3e-3, train_fraction=1.0, accelerator="cpu"
        )
        process = DiffusionProcess(100, prediction="v")
        return train(network, points, config, process=process, progress=False).model.denoise

    aucs = [
        attack_models({"mlp": fit}, Gaussian.isotropic(8), n, 0.3, random_state=1)["mlp"]
        for n in (20, 600)
    ]
    assert aucs[0].auc_low[0] > aucs[1].auc_high[0] + 0.1
