"""Studies: what a cell measures, and how the rows of a table are made of cells.

Each has a frozen dataclass of options, and ``run`` gives its summary:

>>> from ornstein.studies import LinearOptions, LinearStudy
>>> summary = LinearStudy(LinearOptions(dim=4, train_sizes=(20,), simulations=2)).run(jobs=1)
>>> summary.rows[0]["simulations"]
2

Names are loaded when first used; those of networks need PyTorch only when they run.
"""

from __future__ import annotations

__all__ = [
    "LinearOptions",
    "LinearStudy",
    "StepsOptions",
    "StepsStudy",
    "RecursionOptions",
    "RecursionStudy",
    "NeuralOptions",
    "UNetStudy",
    "SnapshotStudy",
    "CanaryStudy",
    "NeuralStepsOptions",
    "NeuralStepsStudy",
    "NeuralRecursionOptions",
    "NeuralRecursionStudy",
]

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ornstein.studies.linear.options import LinearOptions
    from ornstein.studies.linear.study import LinearStudy
    from ornstein.studies.neural.canaries import CanaryStudy
    from ornstein.studies.neural.options import NeuralOptions
    from ornstein.studies.neural.recursion import NeuralRecursionStudy
    from ornstein.studies.neural.recursion_options import NeuralRecursionOptions
    from ornstein.studies.neural.snapshots import SnapshotStudy
    from ornstein.studies.neural.steps import NeuralStepsStudy
    from ornstein.studies.neural.steps_options import NeuralStepsOptions
    from ornstein.studies.neural.unet import UNetStudy
    from ornstein.studies.recursion.options import RecursionOptions
    from ornstein.studies.recursion.study import RecursionStudy
    from ornstein.studies.steps.options import StepsOptions
    from ornstein.studies.steps.study import StepsStudy

_HOMES = {
    "LinearOptions": "linear.options",
    "LinearStudy": "linear.study",
    "StepsOptions": "steps.options",
    "StepsStudy": "steps.study",
    "RecursionOptions": "recursion.options",
    "RecursionStudy": "recursion.study",
    "NeuralOptions": "neural.options",
    "UNetStudy": "neural.unet",
    "SnapshotStudy": "neural.snapshots",
    "CanaryStudy": "neural.canaries",
    "NeuralStepsOptions": "neural.steps_options",
    "NeuralStepsStudy": "neural.steps",
    "NeuralRecursionOptions": "neural.recursion_options",
    "NeuralRecursionStudy": "neural.recursion",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
