"""From a typed function with a numpydoc docstring to a subcommand, through jsonargparse.

Every option can come from ``--config FILE``; ``--print_config`` prints one. A parameter without a
default is positional; a bool is a flag; underscores become dashes.
"""

from __future__ import annotations

__all__ = ["UsageError", "Parser", "command", "call", "TextOption", "integers", "reals", "as_json"]

import argparse
import inspect
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_type_hints

from jsonargparse import ArgumentParser, Namespace

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

_REWORDED = (
    (r'^Parser key "(?:\w+\.)*(\w+)": ', r"--\1: "),
    (r"^Problems parsing config: ", "--config: the file is no YAML: "),
    (
        r"^Unexpected config: ?(.*)",
        r"--config: the file holds '\1', expected lines like 'dim: 100'",
    ),
    (r"^the following arguments are required: (?:\w+\.)*(\w+)$", r"\1 is missing: see --help"),
    (r'^expected "(\w+)\.subcommand" to be one of \{(.*)\}, .*', r"\1: expected one of \2"),
)


class UsageError(ValueError):
    """Arguments that cannot be understood; the message is for the user."""


class Parser(ArgumentParser):
    """An argument parser whose errors are exceptions of one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A list such as -10,10 or -5:5:1 is a value, as a negative number is; not an option.
        self._negative_number_matcher = re.compile(r"^-[\d.][\d.,:eE+-]*$")

    def parse_args(self, *args: Any, **kwargs: Any) -> Namespace:
        """Parse, and name what kind of file a binary one was taken for."""
        try:
            return super().parse_args(*args, **kwargs)
        except UnicodeDecodeError as error:
            raise UsageError(f"--config: the file is no text ({error}): give YAML") from error

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing a usage text and leaving."""
        raise UsageError(_one_line(message)) from ex


def command(function: Callable[..., Any]) -> Parser:
    """Make a parser of a function's signature, with help from its docstring."""
    documented = inspect.getdoc(function) or ""
    summary, _, details = documented.partition("\nParameters\n")
    helps = _parameter_helps(details)
    parser = Parser(
        description=" ".join(summary.split()),
        formatter_class=argparse.HelpFormatter,
    )
    parser.add_argument("--config", action="config", help="read options from a YAML file")
    # Recorded in a study's config.yaml, which can be read again.
    parser.add_argument("--versions", type=dict[str, str] | None, help=argparse.SUPPRESS)
    hints = get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        text = helps.get(name, "")
        flag = f"--{name.replace('_', '-')}"
        if parameter.default is inspect.Parameter.empty:
            parser.add_argument(name, type=hints[name], help=text)
        elif parameter.default is False:
            parser.add_argument(flag, action="store_true", help=text)
        else:
            kind = TextOption() if hints[name] in {str, str | None} else hints[name]
            parser.add_argument(flag, type=kind, default=parameter.default, help=text)
    return parser


def call(function: Callable[..., Result], options: Namespace) -> Result:
    """Call a command with its parsed options."""
    names = inspect.signature(function).parameters
    return function(**{name: getattr(options, name) for name in names})


class TextOption:
    """Type of an option that is text; a file may also give a number or a list of numbers.

    Examples
    --------
    >>> TextOption()("0,10"), TextOption()(0.1), TextOption()([5, 7])
    ('0,10', '0.1', '5,7')
    """

    def __call__(self, value: Any) -> str:
        """Return the text that the command line would have held."""
        if isinstance(value, list):
            return ",".join(self(entry) for entry in value)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise TypeError(f"given {value!r}, expected text, a number or a list of numbers")
        return str(value)

    def __repr__(self) -> str:
        return "text"


def integers(text: str, name: str) -> tuple[int, ...]:
    """Read ``25,50,100`` or ``start:stop:step`` (stop included), or a mix of both.

    Examples
    --------
    >>> integers("10,25:100:25", "train-sizes")
    (10, 25, 50, 75, 100)
    """
    values: list[int] = []
    for part in _parts(text):
        bounds = part.split(":")
        try:
            numbers = [int(bound) for bound in bounds]
        except ValueError:
            numbers = []
        if len(numbers) == 1:
            values += numbers
        elif len(numbers) in {2, 3} and numbers[1] >= numbers[0] and (numbers[2:] or [1])[0] > 0:
            values += range(numbers[0], numbers[1] + 1, (numbers[2:] or [1])[0])
        else:
            raise UsageError(
                f"--{name}: given {part!r}, expected whole numbers like 25,50,100 "
                "or start:stop:step like 25:1000:25"
            )
    unique = tuple(dict.fromkeys(values))
    if not unique:
        raise UsageError(f"--{name}: given nothing, expected whole numbers like 25,50,100")
    return unique


def reals(text: str, name: str) -> tuple[float, ...]:
    """Read ``0,10`` or ``start:stop:step`` (stop included).

    Examples
    --------
    >>> reals("0:1:0.5,3", "mean")
    (0.0, 0.5, 1.0, 3.0)
    """
    values: list[float] = []
    for part in _parts(text):
        try:
            numbers = [float(bound) for bound in part.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) == 1:
            values += numbers
        elif len(numbers) == 3 and numbers[2] > 0 and numbers[1] >= numbers[0]:
            start, stop, step = numbers
            count = int((stop - start) / step + 1e-9) + 1
            values += [start + index * step for index in range(count)]
        else:
            raise UsageError(
                f"--{name}: given {part!r}, expected numbers like 0,10 or start:stop:step"
            )
    if not values:
        raise UsageError(f"--{name}: given nothing, expected numbers like 0,10")
    return tuple(values)


def as_json(document: Any) -> str:
    """Return strict JSON: infinities become strings, NaN null, tuples with names objects."""

    def plain(value: Any) -> Any:
        if hasattr(value, "_asdict"):
            value = value._asdict()
        if isinstance(value, Mapping):
            return {str(key): plain(entry) for key, entry in value.items()}
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, list | tuple):
            return [plain(entry) for entry in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
        return value

    return json.dumps(plain(document), allow_nan=False)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in str(text).strip("[]() ").split(",") if part.strip()]


def _parameter_helps(details: str) -> dict[str, str]:
    """Descriptions of the Parameters section of a numpydoc docstring."""
    helps: dict[str, str] = {}
    names: list[str] = []
    for line in details.splitlines()[1:]:
        if re.match(r"^[A-Z]\w+$", line):
            break
        if re.match(r"^\w.* : ", line):
            names = [name.strip() for name in line.split(" : ")[0].split(",")]
        elif line.strip():
            for name in names:
                helps[name] = f"{helps.get(name, '')} {line.strip()}".strip()
    # argparse formats help with %.
    return {name: text.replace("%", "%%") for name, text in helps.items()}


def _one_line(message: str) -> str:
    """Condense jsonargparse's message to what was given and what was expected."""
    key = re.search(r'Parser key "([^"]+)"', message)
    given = re.search(r"(?:Given value|Got value): (.*)", message)
    kinds = re.findall(r"Expected an? (?:<class '([^']+)'>|typing\.Literal\[(.*?)\]\.)", message)
    if key and given and kinds:
        words = {"int": "a whole number", "float": "a number", "NoneType": "nothing"}
        expected = [words.get(plain, plain) or literal for plain, literal in kinds]
        option = key.group(1).rpartition(".")[2].replace("_", "-")
        return f"--{option}: given {given.group(1)!r}, expected {' or '.join(expected)}"
    line = " ".join(message.split())
    for pattern, plain in _REWORDED:
        line = re.sub(pattern, plain, line)
    return line
