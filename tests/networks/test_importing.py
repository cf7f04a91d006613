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


def assert_one_line(result: subprocess.CompletedProcess[str], missing: str) -> None:
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    remedy = "pip install 'ornstein[networks]'"
    assert last == f"ImportError: the learned model needs {missing}: {remedy}"


def test_one_line_without_torch() -> None:
    code = "import ornstein\nfrom ornstein.networks import DiffusionProcess"
    assert_one_line(python(BLOCK.format(name="torch") + code), "torch")


def test_lightning_is_loaded_for_training_only_and_missed_in_one_line() -> None:
    code = """
import sys
import ornstein
from ornstein.networks import UNet, LearnedDiffusion, DiffusionProcess, from_pretrained
print("lightning" in sys.modules, "matplotlib" in sys.modules)
"""
    code += BLOCK.format(name="lightning") + "from ornstein.networks import train"
    result = python(code)
    assert result.stdout.split() == ["False", "False"]
    assert_one_line(result, "lightning")


def test_all_names_are_there() -> None:
    import ornstein.networks

    for name in ornstein.networks.__all__:
        assert getattr(ornstein.networks, name) is not None
    assert set(ornstein.networks.__all__) <= set(dir(ornstein.networks))
    with pytest.raises(AttributeError):
        _ = ornstein.networks.nonsense
