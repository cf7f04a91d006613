"""Whole networks, forward and backward, against stored numbers, in milliseconds.

Weights and inputs come from numpy's generator. The numbers were computed in float64. They say that
a network is what it was when it was seen to learn (``test_learning.py``); its parts have oracles of
their own (``test_architectures.py``).
"""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ornstein.networks import MLP, UNet

SIZES = {"widths": (4, 8, 12, 16), "heads": 2}


def filled(network: nn.Module) -> nn.Module:
    """Every weight normal, with a variance of 1 over the number of inputs."""
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for _, p in sorted(network.named_parameters()):
            p.copy_(torch.from_numpy(rng.standard_normal(p.shape) / np.sqrt(p[0].numel())))
    return network


def points(*shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(1).standard_normal(shape)).float()


GOLDEN = {
    "bilinear": (
        UNet(2, **SIZES),
        (2, 2, 16, 8),
        [0.96321069, 1.4743984, -3.1550096, -3.3470337, 1.50769, -1.5857732, -1.5428031],
        (44.632871, 11.064765),
    ),
    "transposed": (
        UNet(2, **SIZES, upsampling="transposed"),
        (2, 2, 16, 8),
        [0.63445058, 0.65224378, -3.0677113, -3.416502, 1.5735424, -1.1669779, -0.62428111],
        (38.414474, 24.171564),
    ),
    "mlp": (
        MLP(6, 8, 2),
        (2, 6),
        [-0.59618433, 0.30943331, -0.87075383, -0.65691611, 0.52627982, -0.95799871],
        (3.3590299, 4.8245864),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_answers_and_gradients(name: str) -> None:
    network, shape, some, (size, slope) = GOLDEN[name]
    answer = filled(network)(points(*shape), torch.tensor([3, 150]))
    step = max(1, answer.numel() // 6)
    found = answer.detach().flatten()[::step]
    torch.testing.assert_close(found, torch.tensor(some), rtol=1e-5, atol=1e-5)
    assert float(answer.detach().norm()) == pytest.approx(size, rel=1e-5)
    network.zero_grad()
    answer.square().mean().backward()
    gradients = torch.stack([p.grad.norm() for p in network.parameters() if p.grad is not None])
    assert len(gradients) == len(list(network.parameters()))
    assert float(gradients.norm()) == pytest.approx(slope, rel=1e-5)


def test_the_mlp_is_its_formula() -> None:
    """Once more in numpy and float64."""
    network = filled(MLP(6, 8, 2))
    w = {name: p.detach().double().numpy() for name, p in network.named_parameters()}
    x, t = points(2, 6), torch.tensor([3, 150])
    rates = 10_000.0 ** (-np.arange(4) / 4)
    angles = t.numpy()[:, None] * rates
    encoding = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)

    def linear(h: np.ndarray, name: str) -> np.ndarray:
        return h @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(h: np.ndarray, name: str) -> np.ndarray:
        centred = h - h.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def gelu(h: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        return h * ndtr(h)

    h = linear(x.double().numpy(), "enter")
    for layer in range(2):
        inner = linear(norm(h + linear(encoding, "time"), f"norms.{layer}"), f"inner.{layer}")
        h = h + linear(gelu(inner), f"outer.{layer}")
    expected = linear(norm(h, "last_norm"), "leave")
    np.testing.assert_allclose(network(x, t).detach().numpy(), expected, rtol=1e-4, atol=1e-5)
