"""Networks: their sizes, oracles for their parts, invariances, and what they refuse."""

import math

import pytest
import torch
from diffusers import UNet2DModel
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ornstein.networks import MLP, Adapter, UNet, seeded
from ornstein.networks.nets.blocks import SelfAttention, TimeEncoding, Up, sinusoidal_encoding


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_size_of_the_default_unet() -> None:
    network = UNet(channels=1)
    assert round(parameters(network) / 1e6, 2) == 12.92
    with torch.device("meta"), FlopCounterMode(display=False) as flops:
        UNet(channels=1)(torch.zeros(1, 1, 8, 8), torch.zeros(1))
    assert round(flops.get_total_flops() / 1e9, 3) == 0.184


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"channels": 3, "width_multiplier": 0.125}, (2, 3, 16, 24)),
        ({"width_multiplier": 0.125, "upsampling": "transposed"}, (1, 1, 8, 8)),
        ({"widths": (4, 8, 12, 20), "heads": 2}, (3, 1, 8, 16)),
        ({"width_multiplier": 1e-3, "heads": 1}, (3, 1, 8, 8)),
    ],
)
def test_any_channels_sides_and_widths(options: dict, shape: tuple[int, ...]) -> None:
    network = UNet(**options)
    answer = network(torch.randn(shape), torch.arange(shape[0]))
    assert answer.shape == shape
    assert answer.isfinite().all()
    again = UNet(**network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 8, 8, 1), (2, 64)])
def test_unet_refuses_other_shapes_in_one_line(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected \\(batch, 1, H, W\\)") as error:
        UNet(width_multiplier=0.0625)(torch.zeros(shape), torch.zeros(2))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("sides", [(28, 28), (9, 16), (8, 3), (1, 1)])
def test_unet_pads_with_zeros_and_crops(sides: tuple[int, int]) -> None:
    network = UNet(2, width_multiplier=0.0625)
    x, t = torch.randn(3, 2, *sides), torch.arange(3)
    padded = [-(-side // 8) * 8 for side in sides]
    top, left = ((whole - side) // 2 for whole, side in zip(padded, sides, strict=True))
    here = ..., slice(top, top + sides[0]), slice(left, left + sides[1])
    whole = torch.zeros(3, 2, *padded)
    whole[here] = x
    assert network(x, t).shape == x.shape
    torch.testing.assert_close(network(x, t), network(whole, t)[here], rtol=0, atol=0)


@pytest.mark.parametrize(
    "options",
    [
        {"widths": (8, 8, 8)},
        {"width_multiplier": 0.0},
        {"upsampling": "nearest"},
        {"channels": 0},
        {"heads": 0},
    ],
)
def test_unet_refuses_bad_options(options: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        UNet(**options)


@pytest.mark.parametrize("network", [UNet(width_multiplier=0.0625), MLP(64, width=16)])
def test_images_of_a_batch_do_not_see_each_other(network: nn.Module) -> None:
    x, t = torch.randn(5, 1, 8, 8), torch.tensor([3, 1, 4, 1, 5])
    together = network(x, t)
    alone = torch.cat([network(x[i : i + 1], t[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(together, alone)


def test_every_parameter_of_the_unet_learns() -> None:
    """With 16 x 16 pixels every attention layer has more than one token to look at."""
    network = UNet(width_multiplier=0.0625)
    network(torch.randn(2, 1, 16, 16), torch.tensor([3, 150])).square().sum().backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent


def test_time_reaches_the_answer() -> None:
    x = torch.randn(1, 1, 8, 8)
    network = UNet(width_multiplier=0.125)
    early, late = network(x, torch.tensor([0])), network(x, torch.tensor([199]))
    assert (early - late).abs().max() > 1e-3


def test_encoding_is_its_formula() -> None:
    t = torch.tensor([0, 1, 57, 199])
    encoded = TimeEncoding([6, 2])(t)
    for channels, values in zip((6, 2), encoded, strict=True):
        assert values.shape == (4, channels)
        for row, time in zip(values, t.tolist(), strict=True):
            rates = [10_000 ** (-2 * i / channels) for i in range(channels // 2)]
            expected = [math.sin(w * time) for w in rates] + [math.cos(w * time) for w in rates]
            torch.testing.assert_close(row, torch.tensor(expected), rtol=0, atol=1e-5)
    torch.testing.assert_close(sinusoidal_encoding(t, 6), encoded[0])
    with pytest.raises(ValueError, match="even"):
        TimeEncoding([5])


def test_attention_is_that_of_torch() -> None:
    """The same weights in ``nn.MultiheadAttention``, which nobody here wrote."""
    block = SelfAttention(12, heads=3)
    oracle = nn.MultiheadAttention(12, 3, batch_first=True)
    oracle.in_proj_weight.data = block.project_in.weight.data
    oracle.in_proj_bias.data = block.project_in.bias.data
    oracle.out_proj.load_state_dict(block.project_out.state_dict())
    x = torch.randn(2, 12, 4, 2)
    tokens = x.flatten(2).transpose(1, 2)
    normed = block.norm(tokens)
    tokens = tokens + oracle(normed, normed, normed)[0]
    tokens = tokens + block.feed_forward(tokens)
    expected = tokens.transpose(1, 2).reshape(x.shape)
    torch.testing.assert_close(block(x), expected, rtol=1e-5, atol=1e-5)


def test_attention_does_not_care_where_pixels_are() -> None:
    block = SelfAttention(8, heads=2)
    x = torch.randn(3, 8, 2, 4)
    order = torch.randperm(8)
    shuffled = x.flatten(2)[:, :, order].view_as(x)
    torch.testing.assert_close(block(shuffled), block(x).flatten(2)[:, :, order].view_as(x))


def test_bilinear_enlargement_keeps_a_constant() -> None:
    up = Up(3, 5, 4)
    constant = torch.full((1, 3, 4, 4), 2.5)
    torch.testing.assert_close(up.enlarge(constant), torch.full((1, 3, 8, 8), 2.5))


def test_mlp_starts_at_zero_takes_any_shape_and_refuses_other_sizes() -> None:
    network = MLP(dim=64, width=16, depth=1)
    assert not network(torch.randn(3, 1, 8, 8), torch.arange(3)).any()
    with pytest.raises(ValueError, match="expected 64"):
        network(torch.zeros(2, 63), torch.arange(2))


def test_adapter_takes_the_unet_of_diffusers() -> None:
    theirs = UNet2DModel(
        sample_size=8,
        in_channels=1,
        out_channels=1,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
    x, t = torch.randn(2, 1, 8, 8), torch.tensor([0, 7])
    torch.testing.assert_close(Adapter(theirs)(x, t), theirs(x, t).sample)


class _Answering(nn.Module):
    def __init__(self, answer) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: torch.Tensor, t: torch.Tensor):
        return self.answer


def test_adapter_says_what_it_cannot_take() -> None:
    x, t = torch.zeros(2, 3), torch.arange(2)
    assert torch.equal(Adapter(_Answering(x))(x, t), x)
    assert torch.equal(Adapter(_Answering((x, "more")))(x, t), x)
    with pytest.raises(TypeError, match="answered with str"):
        Adapter(_Answering("no"))(x, t)
    with pytest.raises(ValueError, match="expected the same shape"):
        Adapter(_Answering(torch.zeros(2, 4)))(x, t)


def test_initial_weights_follow_from_a_seed_and_disturb_nobody() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two, other = (seeded(lambda: MLP(3, 8), seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.enter.weight, two.enter.weight)
    assert not torch.equal(one.enter.weight, other.enter.weight)
