"""The lines of docs/networks.md for Python run as they are written, on a small network."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from torch import Tensor, nn

PAGE = Path(__file__).parents[2] / "docs" / "networks.md"


class Module(nn.Module):
    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(x)


class Diffusers(nn.Module):
    def forward(self, x: Tensor, t: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=torch.tanh(x))


class D(nn.Module):
    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        return x / (1 + sigma.view(-1, 1, 1, 1) ** 2)


def test_code_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 2
    names = {
        "images": np.random.default_rng(0).random((6, 1, 8, 8)),
        "module": Module(),
        "unet": Diffusers(),
        "scheduler": DDPMScheduler(prediction_type="v_prediction"),
        "D": D(),
    }
    small = {
        "epochs=200": "epochs=1",
        "channels=1": "channels=1, width_multiplier=0.0625",
        "sample(64": "sample(3",
        "sampling_steps=50": "sampling_steps=2",
    }
    for block in blocks:
        for large, little in small.items():
            block = block.replace(large, little)  # noqa: PLW2901
        exec(block, names)
        assert names["generated"].shape == (3, 1, 8, 8)
        assert names["generated"].isfinite().all()
