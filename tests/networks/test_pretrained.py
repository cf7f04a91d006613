"""Models on disk: the same model back, plain JSON and safetensors, clear refusals."""

import json
import math
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
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


def config_with(**changes):
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps(config))

    return change


def config_without(key: str):
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        del config[key]
        (folder / "config.json").write_text(json.dumps(config))

    return change


def config_is(text: str | bytes):
    content = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / "config.json").write_bytes(content)


def weights_are(content: bytes):
    return lambda folder: (folder / "model.safetensors").write_bytes(content)


def cut(share: float):
    def change(folder: Path) -> None:
        content = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(content[: int(share * len(content))])

    return change


def pickled(folder: Path) -> None:
    torch.save({"network.enter.weight": torch.zeros(2)}, folder / "model.safetensors")


def tensors(**changes):
    """Tensors of the file replaced, or taken away (None)."""

    def change(folder: Path) -> None:
        known = load_file(folder / "model.safetensors")
        for name, tensor in changes.items():
            key = name.replace("__", ".")
            if tensor is None:
                del known[key]
            else:
                known[key] = tensor
        save_file(known, folder / "model.safetensors")

    return change


def old_pickle(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps({"weights": [0.0]}))


BROKEN = {
    "no folder": (shutil.rmtree, r"config.json cannot be read \(No such file"),
    "no weights": (
        lambda folder: (folder / "model.safetensors").unlink(),
        r"model.safetensors cannot be read \(No such file",
    ),
    "half a configuration": (config_is('{"format":'), "config.json is no JSON"),
    "a list": (config_is("[1, 2]"), "config.json is not of this package"),
    "bytes": (config_is(b"\xff\xfe\x00"), "config.json is no JSON"),
    "foreign": (config_is('{"in_channels": 3}'), "config.json is not of this package"),
    "of diffusers": (
        config_is('{"_class_name": "UNet2DModel", "in_channels": 3}'),
        "it is of diffusers: load it with diffusers' UNet2DModel.from_pretrained",
    ),
    "future": (
        config_with(format="ornstein learned diffusion, 3", ornstein="9.1"),
        r"has version 3 of the format \(of ornstein 9.1\), expected 1 and 2: update ornstein",
    ),
    "no process": (config_without("process"), "config.json lacks process"),
    "other process": (config_with(process={"speed": 3}), "an invalid value .*speed"),
    "bad process": (config_with(process={"diffusion_steps": -3}), "diffusion_steps is -3"),
    "bad shape": (config_with(shape=3), "an invalid value"),
    "bad scale": (config_with(scaling={"shift": 0.0, "scale": 0.0}), "scale is 0"),
    "no number": (config_with(scaling={"shift": math.nan, "scale": 1.0}), "shift has NaN"),
    "other arguments": (
        config_with(network_config={"size": 3}),
        "an invalid value .*size",
    ),
    "zeros": (weights_are(b"\x00" * 40), "cut short or no safetensors"),
    "nothing": (weights_are(b""), "cut short or no safetensors"),
    "cut in the tensors": (cut(0.9), "cut short or no safetensors"),
    "cut in the header": (cut(0.01), "cut short or no safetensors"),
    "pickle": (pickled, "is a pickle, as torch.save makes it"),
    "older pickle": (old_pickle, "is a pickle, as torch.save makes it"),
    "tensor missing": (tensors(network__enter__bias=None), "network.enter.bias is missing"),
    "moments missing": (tensors(mean=None, std=None), "mean is missing, and 1 more"),
    "tensor of another network": (tensors(extra=torch.zeros(2)), "extra is not expected"),
    "tensor of another shape": (
        tensors(network__enter__weight=torch.zeros(8, 4)),
        r"network.enter.weight has shape \(8, 4\), expected \(8, 3\)",
    ),
    "moments of another shape": (
        tensors(factor=torch.zeros(2, 4, dtype=torch.float64)),
        r"factor has shape \(2, 4\), expected \(2, 3\)",
    ),
    "other width": (
        config_with(network_config={"dim": 3, "width": 16, "depth": 3}),
        r"do not fit MLP: network.\S+ has shape",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_in_one_line(name: str, tmp_path: Path) -> None:
    break_it, message = BROKEN[name]
    model = train(MLP(3, 8), np.eye(4)[:, :3], TrainingConfig(epochs=1)).model
    save_pretrained(model, tmp_path / "model")
    assert len(from_pretrained(tmp_path / "model").factor)
    break_it(tmp_path / "model")
    with pytest.raises(ValueError, match=message) as error:
        from_pretrained(tmp_path / "model")
    assert "\n" not in str(error.value)
    assert str(tmp_path / "model") in str(error.value)


def test_files_of_version_1_are_read(tmp_path: Path) -> None:
    """Before names of processes changed; betas were linear, and adapters were not named."""
    process = DiffusionProcess(20, 1e-3, 0.1, "v")
    for folder, network in (("own", MLP(3, 8)), ("theirs", Adapter(Elsewhere()))):
        model = LearnedDiffusion(network, process, (3,), Scaling(1.0, 2.0))
        save_pretrained(model, tmp_path / folder)
        config_without("wrapper")(tmp_path / folder)
        config_with(
            format="ornstein learned diffusion, 1",
            process={"steps": 20, "beta_small": 1e-3, "beta_large": 0.1, "prediction_type": "v"},
        )(tmp_path / folder)
        given = None if folder == "own" else Elsewhere()
        again = from_pretrained(tmp_path / folder, given)
        assert type(again.network) is type(network)
        assert again.process.config == process.config
        drawn = [each.sample(2, generator=0) for each in (model, again)]
        assert torch.equal(*drawn)


def test_weights_that_are_shared_are_saved(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(3, 3)
            self.two = self.one

        def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return self.two(self.one(x))

    model = LearnedDiffusion(Tied(), DiffusionProcess(5), (3,))
    save_pretrained(model, tmp_path)
    drawn = [each.sample(2, generator=0) for each in (model, from_pretrained(tmp_path, Tied()))]
    assert torch.equal(*drawn)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write a model"):
        save_pretrained(
            LearnedDiffusion(MLP(3, 8), DiffusionProcess(5), (3,)), tmp_path / "file" / "model"
        )
