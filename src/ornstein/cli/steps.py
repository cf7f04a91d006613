"""``ornstein steps``: quality and memorization against the number of sampling steps.

What the options are depends on ``--model``: one command for each, with one name.
"""

from __future__ import annotations

__all__ = ["steps"]

from typing import TYPE_CHECKING, Literal

from ornstein.cli.models import command_of_model
from ornstein.cli.networks import NeuralRunOptions, require_networks, run_networks
from ornstein.cli.running import RunOptions, run_study
from ornstein.studies.neural.steps_options import NeuralStepsOptions
from ornstein.studies.steps.empirical_options import EmpiricalStepsOptions
from ornstein.studies.steps.options import StepsOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


Model = Literal["linear", "empirical", "unet", "mlp"]


def linear_steps(options: StepsOptions, running: RunOptions, model: Model = "linear") -> int:
    """Quality and memorization against the number of sampling steps S.

    For the linear model every generated law is exact, and only training sets are drawn; these are
    its options. Other models have others, which --model NAME --help lists. Prints tables, and
    leaves study.sqlite, config.yaml, summary.csv and figure.svg/.png in the study folder. The same
    command goes on where it was interrupted.

    Parameters
    ----------
    model : str
        linear: the best linear denoiser of n points; empirical: the posterior mean over n points,
        which has memorized them; unet, mlp: a trained network
    """
    from ornstein.studies.steps.study import StepsStudy

    assert model == "linear"  # chosen by `steps`
    return run_study(StepsStudy(options), running)


def empirical_steps(
    options: EmpiricalStepsOptions, running: RunOptions, model: Model = "empirical"
) -> int:
    """Quality and memorization of the memorizing optimum against the number of sampling steps S.

    The denoiser is the posterior mean over n training points. Prints tables, and leaves
    study.sqlite, config.yaml, summary.csv and figure.svg/.png in the study folder. The same command
    goes on where it was interrupted.

    Parameters
    ----------
    model : str
        empirical; others have other options
    """
    from ornstein.studies.steps.empirical import EmpiricalStepsStudy

    assert model == "empirical"  # chosen by `steps`
    return run_study(EmpiricalStepsStudy(options), running)


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
    "empirical": empirical_steps,
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
    return command_of_model(given, _MODELS, "linear")
