"""``ornstein recursion``: models trained on their own samples, generation after generation.

What the options are depends on ``--model``: one command for each, with one name.
"""

from __future__ import annotations

__all__ = ["recursion"]

from typing import TYPE_CHECKING

from ornstein.cli.models import command_of_model
from ornstein.cli.networks import NeuralRunOptions, require_networks, run_networks
from ornstein.cli.running import RunOptions, run_study
from ornstein.studies.neural.recursion_options import NeuralRecursionOptions
from ornstein.studies.recursion.options import RecursionOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def exact_recursion(options: RecursionOptions, running: RunOptions) -> int:
    """Models trained on samples of the last model, generation after generation, against theory.

    Gaussian and one-step models have laws that are exact; these are their options. Networks have
    others, which --model mlp --help lists. Prints a table for each training size, and leaves
    study.sqlite, config.yaml, summary.csv and figure.svg/.png in the study folder. The same command
    goes on where it was interrupted.
    """
    from ornstein.studies.recursion.study import RecursionStudy

    return run_study(RecursionStudy(options), running)


def network_recursion(options: NeuralRecursionOptions, running: NeuralRunOptions) -> int:
    """Networks trained on samples of the last network, generation after generation.

    Theory of a Gaussian model stands beside them as a reference. Prints a table for each training
    size, and leaves study.sqlite, config.yaml, summary.csv, figure.svg/.png and logs/ in the study
    folder. The same command goes on where it was interrupted.
    """
    require_networks()
    from ornstein.studies.neural.recursion import NeuralRecursionStudy

    return run_networks(NeuralRecursionStudy(options), running)


_MODELS: dict[str, Callable[..., int]] = {
    "gaussian": exact_recursion,
    "one-step": exact_recursion,
    "mlp": network_recursion,
}


def recursion(given: Sequence[str]) -> Callable[..., int]:
    """Return the command for the model that `given` arguments, or their file, name.

    Raises
    ------
    UsageError
        If there is no such model, or an option is of another one.
    """
    return command_of_model(given, _MODELS, "gaussian")
