"""Commands whose options depend on ``--model``: a function for each, with one name."""

from __future__ import annotations

__all__ = ["command_of_model"]

from typing import TYPE_CHECKING, Any

from ornstein.cli.parsing import UsageError, given_option, options_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def command_of_model(
    given: Sequence[str], commands: Mapping[str, Callable[..., int]], default: str
) -> Callable[..., int]:
    """Return the command of the model that arguments, or their file, name.

    Parameters
    ----------
    given : sequence of str
        Arguments of the command line.
    commands : mapping of str to callable
        By model.
    default : str
        The model, where none is named.

    Raises
    ------
    UsageError
        If there is no such model, or an option is of another one.
    """
    model = given_option(given, "model", default)
    chosen = commands.get(model)
    if chosen is None:
        raise UsageError(f"--model: given {model!r}, expected one of {', '.join(commands)}")
    own = _names(chosen)
    for argument in given:
        option = argument.partition("=")[0].removeprefix("--").replace("-", "_")
        others = [name for name, other in commands.items() if option in _names(other)]
        if argument.startswith("--") and others and option not in own:
            raise UsageError(
                f"--{option.replace('_', '-')} is an option of --model {', '.join(others)} and "
                f"would have no effect with --model {model}"
            )
    return chosen


def _names(command: Callable[..., Any]) -> set[str]:
    return {option.name for option in options_of(command)}
