"""Find the subcommand, run it, and turn an error into one clear line.

Exit status: 0 fine, 1 a check or a cell failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

__all__ = ["main"]

import importlib
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from ornstein import __version__
from ornstein.cli.messages import naming_file
from ornstein.cli.parsing import Parser, UsageError, call, command, given_files, joined_lists
from ornstein.cli.streams import drop_output, ends_as_interrupts, prepare_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = {
    "linear": "Monte Carlo study of the one-step linear denoiser against theory",
    "unet": "Study of a learned diffusion model: train, generate, compare with training set and "
    "truth",
    "steps": "Quality and memorization against the number of sampling steps S",
    "recursion": "Models trained on their own samples, generation after generation, against theory",
    "audit": "Has a model copied its training data? Verdicts from samples, and what they missed",
    "forecast": "How much data is enough? Theory on your own data, beside measured learning curves",
    "verify": "Every theory result against simulation: predicted, simulated, standard error, z",
    "data": "What a file or folder holds: how it is read, what is used, what looks wrong",
    "status": "Which cells of a study are planned, done and failed",
    "merge": "Join the shards of a study, or copies of it, and print its tables",
    "report": "What a folder holds as one HTML file: a study, audit, forecast or verify run",
    "explore": "The page on which one sees the theory move, with the points of a study if given",
    "export": "The cells of a study as one table: Parquet, CSV or npz",
}
"""Modules of this package with a function of their name, and what `--help` says of each."""
_BY_MODEL = {"steps", "recursion"}
"""Commands that are another function for another ``--model``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``ornstein`` with `arguments` (by default those of the process); return its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if not given:
        given = ["--help"]
    prepare_streams()
    try:
        with ends_as_interrupts():
            status = _parse(given)()
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        _say(str(interrupt) or "interrupted")
        return 130
    except BrokenPipeError:
        drop_output()
        return 0
    except (ValueError, TypeError, OSError, MemoryError, ImportError) as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {naming_file(_reason(error), given, given_files(given))}")
        return getattr(error, "exit_status", 2)
    except ArithmeticError as error:
        if debug:
            traceback.print_exc()
        _say(f"error: a number leaves the range of float64 ({error}): choose less extreme options")
        return 2
    return status


def _parse(given: list[str]) -> Callable[[], int]:
    """Return what is to run. The parser of the command is all that is built where it stands first.

    Below parsers of the levels above it, jsonargparse would do most of its work once a level.
    """
    first, *rest = given
    if first in COMMANDS:
        function = _function(first, given)
        parser = command(function, prog=f"ornstein {first}")
        return partial(call, function, parser.parse_args(joined_lists(rest, function)))
    if first == "predict" and rest:
        from ornstein.cli.predict import PREDICTIONS

        name, *rest = rest
        if name in PREDICTIONS:
            from ornstein.cli.predict.answering import answer, prediction_parser

            parser = prediction_parser(PREDICTIONS[name], prog=f"ornstein predict {name}")
            return partial(answer, PREDICTIONS[name], parser.parse_args(rest))
    return _without_command(given)


def _without_command(given: Sequence[str]) -> NoReturn:
    """Print help or the version, or say what stands where a command is expected."""
    parser = Parser(
        prog="ornstein",
        description="A laboratory of solvable diffusion models: theory, simulation, and how many "
        "standard errors lie between them. Add --debug for a traceback.",
    )
    parser.add_argument("--version", action="version", version=f"ornstein {__version__}")
    subcommands = parser.add_subcommands(metavar="COMMAND")
    empty = Parser()  # of all that are only named
    for name, summary in COMMANDS.items():
        subcommands.add_subcommand(name, empty, help=summary)
    # jsonargparse wants an outer subcommand in place before its own subcommands.
    predictions = Parser(description="Theory alone, one subcommand per result.")
    subcommands.add_subcommand("predict", predictions, help="Theory alone, without simulation")
    words = [index for index, word in enumerate(given, 1) if not word.startswith("-")]
    levels = 1
    if words and given[words[0] - 1] == "predict":
        _add_predictions(predictions)
        levels = 2
    # Options of a command that stands too late are not at fault.
    parser.parse_args(given[: words[levels - 1]] if len(words) >= levels else given)
    raise UsageError(f"{given[0]!r} stands before the command, expected after it")


def _function(name: str, given: Sequence[str]) -> Callable[..., int]:
    """The function of a command; of some it depends on their arguments."""
    function = getattr(importlib.import_module(f"ornstein.cli.{name}"), name)
    return function(given) if name in _BY_MODEL else function


def _add_predictions(predictions: Parser) -> None:
    """Add all predictions by name and summary."""
    from ornstein.cli.predict import PREDICTIONS

    names = predictions.add_subcommands(metavar="NAME")
    empty = Parser()
    for name, function in PREDICTIONS.items():
        # Under PYTHONOPTIMIZE=2 there are no docstrings.
        summary = (function.__doc__ or name).strip().splitlines()[0].rstrip(".")
        names.add_subcommand(name, empty, help=summary)


def _reason(error: Exception) -> str:
    """One line for the user; of a file that cannot be used, its name."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot read or write {str(error.filename)!r}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _say(message: str) -> None:
    print(f"ornstein: {message}", file=sys.stderr)
