"""Models on disk: the same model back, plain JSON and safetensors, clear refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from ornstein.networks import (
    MLP,
    Adapter,
    DiffusionProcess,
    LearnedDiffusion,
    Scaling,
    TrainingConfig,
    UNet,
    from_pretrained,
    save_pretrained,
    train,
)


def sample(model: LearnedDiffusion) -> torch.Tensor:
    return model.sample(
        3, sampling_steps=4, start="marginal", generator=torch.Generator().manual_seed(0)
    )


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (MLP(dim=4, width=8, depth=2), (4,)),
        (UNet(2, width_multiplier=0.0625, upsampling="transposed"), (2, 8, 16)),
    ],
)
def test_round_trip(network: nn.Module, shape: tuple[int, ...], tmp_path: Path) -> None:
    process = DiffusionProcess(20, 1e-3, 0.1, "v")
    data = np.random.default_rng(0).random((6, *shape))
    model = train(
        network, data, TrainingConfig(epochs=1), process=process, scaling=Scaling.unit_interval()
    ).model
    save_pretrained(model, tmp_path / "deep" / "model")
    again = from_pretrained(tmp_path / "deep" / "model")
    assert torch.equal(sample(again), sample(model))
    assert again.scaling == model.scaling
    assert again.process.config == process.config
    assert not again.training
    save_pretrained(again, tmp_path / "second")
    for name in ("config.json", "model.safetensors"):
        first = (tmp_path / "deep" / "model" / name).read_bytes()
        assert (tmp_path / "second" / name).read_bytes() == first


def test_there_is_no_pickle(tmp_path: Path) -> None:
    save_pretrained(LearnedDiffusion(MLP(3, 8), DiffusionProcess(5), (3,)), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["network"] == "MLP"
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert "network.enter.weight" in file.keys()  # noqa: SIM118 - not a mapping
    content = (tmp_path / "model.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert all(entry.keys() >= {"dtype", "shape"} for entry in header.values())


class Elsewhere(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def test_networks_from_elsewhere_are_given_again(tmp_path: Path) -> None:
    model = LearnedDiffusion(Adapter(Elsewhere()), DiffusionProcess(5), (3,))
    save_pretrained(model, tmp_path)
    with pytest.raises(ValueError, match="from elsewhere: give one like it"):
        from_pretrained(tmp_path)
    again = from_pretrained(tmp_path, network=Adapter(Elsewhere()))
    assert torch.equal(again.network.module.layer.weight, model.network.module.layer.weight)
    with pytest.raises(ValueError, match="do not fit Elsewhere") as error:
        from_pretrained(tmp_path, network=Adapter(Elsewhere(4)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("broken", ["nothing", "no weights", "config", "weights", "old"])
def test_no_model_there(broken: str, tmp_path: Path) -> None:
    if broken != "nothing":
        save_pretrained(LearnedDiffusion(MLP(3, 8), DiffusionProcess(5), (3,)), tmp_path)
    if broken == "no weights":
        (tmp_path / "model.safetensors").unlink()
    if broken == "config":
        (tmp_path / "config.json").write_text("{")
    if broken == "weights":
        (tmp_path / "model.safetensors").write_bytes(b"\x00" * 40)
    if broken == "old":
        (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="no learned model in") as error:
        from_pretrained(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write a model"):
        save_pretrained(
            LearnedDiffusion(MLP(3, 8), DiffusionProcess(5), (3,)), tmp_path / "file" / "model"
        )
