"""What is loaded when, and what is said when PyTorch is missing."""

import subprocess
import sys

import pytest

BLOCK = """
import importlib.abc, sys
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {name!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Block())
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("missing", ["torch", "lightning"])
def test_one_line_when_it_is_not_installed(missing: str) -> None:
    code = "import ornstein\nfrom ornstein.networks import DiffusionProcess, train"
    result = python(BLOCK.format(name=missing) + code)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    remedy = "pip install 'ornstein[networks]'"
    assert last == f"ImportError: the learned model needs {missing}: {remedy}"


def test_lightning_is_loaded_for_training_only() -> None:
    code = """
import sys
import ornstein
from ornstein.networks import UNet, LearnedDiffusion, DiffusionProcess, from_pretrained
print("lightning" in sys.modules, "matplotlib" in sys.modules)
"""
    assert python(code).stdout.split() == ["False", "False"]


def test_all_names_are_there() -> None:
    import ornstein.networks

    for name in ornstein.networks.__all__:
        assert getattr(ornstein.networks, name) is not None
    assert set(ornstein.networks.__all__) <= set(dir(ornstein.networks))
    with pytest.raises(AttributeError):
        _ = ornstein.networks.nonsense
