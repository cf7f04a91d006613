"""Find the subcommand, run it, and turn an error into one clear line.

Exit status: 0 fine, 1 a check fell short or a cell failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

__all__ = ["main"]

import os
import sys
import traceback
from typing import TYPE_CHECKING

from ornstein import __version__
from ornstein.cli import commands, predict
from ornstein.cli.parsing import Parser, call, command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS: dict[str, Callable[..., int]] = {
    "linear": commands.linear,
    "status": commands.status,
}
PREDICTIONS: dict[str, Callable[..., int]] = {
    "one-step": predict.one_step,
    "spectrum": predict.spectrum,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``ornstein`` with `arguments` (by default those of the process); return its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if not given:
        given = ["--help"]
    try:
        function, options = _parse(given)
        status = call(function, options)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        _say(str(interrupt) or "interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, OSError, MemoryError) as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {' '.join(str(error).split()) or type(error).__name__}")
        return 2
    return status


def _parse(given: list[str]) -> tuple[Callable[..., int], object]:
    """Build only the parsers that the arguments need: each one costs start-up time."""
    parser = Parser(
        prog="ornstein",
        description="A laboratory of solvable diffusion models: theory, simulation, and how many "
        "standard errors lie between them. Add --debug for a traceback.",
    )
    parser.add_argument("--version", action="version", version=f"ornstein {__version__}")
    subcommands = parser.add_subcommands(metavar="COMMAND")
    for name, function in COMMANDS.items():
        subcommands.add_subcommand(name, command(function), help=_summary(function))
    # jsonargparse wants an outer subcommand in place before its own subcommands.
    predictions = Parser(description="Theory alone, one subcommand per result.")
    subcommands.add_subcommand("predict", predictions, help="theory alone, without simulation")
    results = predictions.add_subcommands(metavar="NAME")
    for name, function in PREDICTIONS.items():
        results.add_subcommand(name, command(function), help=_summary(function))
    options = parser.parse_args(given)
    chosen = options[options.subcommand]
    if options.subcommand == "predict":
        return PREDICTIONS[chosen.subcommand], chosen[chosen.subcommand]
    return COMMANDS[options.subcommand], chosen


def _summary(function: Callable[..., int]) -> str:
    first = (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return first[0].lower() + first[1:]


def _say(message: str) -> None:
    print(f"ornstein: {message}", file=sys.stderr)
