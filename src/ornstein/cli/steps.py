"""``ornstein steps``: quality and memorization against the number of sampling steps.

What the options are depends on ``--model``: one command for each, with one name.
"""

from __future__ import annotations

__all__ = ["steps"]

from typing import TYPE_CHECKING, Any, Literal

from ornstein.cli.networks import NeuralRunOptions, require_networks, run_networks
from ornstein.cli.parsing import UsageError, given_option, options_of
from ornstein.cli.running import RunOptions, run_study
from ornstein.studies.neural.steps import NeuralStepsOptions
from ornstein.studies.steps.options import StepsOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def linear_steps(
    options: StepsOptions, running: RunOptions, model: Literal["linear", "unet", "mlp"] = "linear"
) -> int:
    """Quality and memorization against the number of sampling steps S.

    For the linear model every generated law is exact, and only training sets are drawn; these are
    its options. A network (--model unet or mlp; add --help for its options) is trained once per
    cell and sampled with every sampler and S. Prints tables, and leaves study.sqlite, config.yaml,
    summary.csv and figure.svg/.png in the study folder. The same command goes on where it was
    interrupted.

    Parameters
    ----------
    model : str
        linear: the best linear denoiser of n points; unet, mlp: a trained network, beside it
    """
    from ornstein.studies.steps.study import StepsStudy

    assert model == "linear"  # chosen by `steps`
    return run_study(StepsStudy(options), running)


def network_steps(options: NeuralStepsOptions, running: NeuralRunOptions) -> int:
    """Quality and memorization of a trained network against the number of sampling steps S.

    The network is trained once per cell and sampled with every sampler and S. Prints tables, and
    leaves study.sqlite, config.yaml, summary.csv and figure.svg/.png in the study folder. The same
    command goes on where it was interrupted.
    """
    require_networks()
    from ornstein.studies.neural.steps import NeuralStepsStudy

    return run_networks(NeuralStepsStudy(options), running)


_MODELS: dict[str, Callable[..., int]] = {
    "linear": linear_steps,
    "unet": network_steps,
    "mlp": network_steps,
}


def steps(given: Sequence[str]) -> Callable[..., int]:
    """Return the command for the model that `given` arguments, or their file, name.

    Raises
    ------
    UsageError
        If there is no such model, or an option is of another one.
    """
    model = given_option(given, "model", "linear")
    chosen = _MODELS.get(model)
    if chosen is None:
        raise UsageError(f"--model: given {model!r}, expected one of {', '.join(_MODELS)}")
    own = _names(chosen)
    for name, other in _MODELS.items():
        for argument in given:
            option = argument.partition("=")[0].removeprefix("--").replace("-", "_")
            if argument.startswith("--") and option in _names(other) - own:
                raise UsageError(
                    f"--{option.replace('_', '-')} is an option of --model {name} and would have "
                    f"no effect with --model {model}"
                )
    return chosen


def _names(command: Callable[..., Any]) -> set[str]:
    return {option.name for option in options_of(command)}
