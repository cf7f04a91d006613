"""Find the subcommand, run it, and turn an error into one clear line.

Exit status: 0 fine, 1 a check fell short or a cell failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

__all__ = ["main"]

import os
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

from ornstein import __version__
from ornstein.cli import commands
from ornstein.cli.parsing import Parser, call, command
from ornstein.cli.predict import PREDICTIONS
from ornstein.cli.predict.answering import answer, prediction_parser
from ornstein.cli.steps import steps
from ornstein.cli.unet import unet
from ornstein.cli.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMMANDS: dict[str, Callable[..., int]] = {
    "linear": commands.linear,
    "unet": unet,
    "steps": steps,
    "verify": verify,
    "status": commands.status,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``ornstein`` with `arguments` (by default those of the process); return its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if not given:
        given = ["--help"]
    try:
        status = _parse(given)()
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        _say(str(interrupt) or "interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, OSError, MemoryError, ImportError) as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {_reason(error)}")
        return 2
    return status


def _parse(given: list[str]) -> Callable[[], int]:
    """Return what is to run. Only the parsers it needs are built: each costs start-up time."""
    parser = Parser(
        prog="ornstein",
        description="A laboratory of solvable diffusion models: theory, simulation, and how many "
        "standard errors lie between them. Add --debug for a traceback.",
    )
    parser.add_argument("--version", action="version", version=f"ornstein {__version__}")
    subcommands = parser.add_subcommands(metavar="COMMAND")
    _add_functions(subcommands, COMMANDS, given, command)
    # jsonargparse wants an outer subcommand in place before its own subcommands.
    predictions = Parser(description="Theory alone, one subcommand per result.")
    subcommands.add_subcommand("predict", predictions, help="Theory alone, without simulation")
    if "predict" in given:
        names = predictions.add_subcommands(metavar="NAME")
        _add_functions(names, PREDICTIONS, given, prediction_parser)
    options = parser.parse_args(given)
    chosen = options[options.subcommand]
    if options.subcommand == "predict":
        return partial(answer, PREDICTIONS[chosen.subcommand], chosen[chosen.subcommand])
    return partial(call, COMMANDS[options.subcommand], chosen)


def _add_functions(
    subcommands: Any,
    functions: Mapping[str, Callable[..., Any]],
    given: Sequence[str],
    build: Callable[[Callable[..., Any]], Parser],
) -> None:
    """Add every function by name and summary, and with its options if it is asked for."""
    for name, function in functions.items():
        parser = build(function) if name in given else Parser()
        subcommands.add_subcommand(name, parser, help=_summary(function))


def _summary(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").strip().splitlines()[0].rstrip(".")


def _reason(error: Exception) -> str:
    """One line for the user; of a file that cannot be used, its name."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot read or write {str(error.filename)!r}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _say(message: str) -> None:
    print(f"ornstein: {message}", file=sys.stderr)
