"""From a typed function with a numpydoc docstring to a subcommand, through jsonargparse.

Every option can come from ``--config FILE``; ``--print_config`` prints one. A parameter without a
default is positional; a bool is a flag; underscores become dashes. A parameter whose type is a
dataclass stands for the fields of that class, documented in its docstring: a set of options is
written down once, and is what Python, the command line and ``config.yaml`` read.

Tuples are written as text, ``25,50`` or ``25:100:25`` (stop included), ``ddpm,heun``.
"""

from __future__ import annotations

__all__ = [
    "UsageError",
    "Parser",
    "Option",
    "options_of",
    "command",
    "call",
    "given_option",
    "integers",
    "reals",
    "names",
    "as_json",
]

import argparse
import inspect
import json
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, get_type_hints

from jsonargparse import ArgumentParser, Namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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


class Option(NamedTuple):
    """An option of a command, or a positional argument if it has no default."""

    name: str
    kind: Any
    default: Any
    help: str
    group: str = ""
    """Parameter of the command that it is a field of, if that is a dataclass."""


def options_of(function: Callable[..., int]) -> list[Option]:
    """All options of a command, those of its dataclasses among them."""
    hints, helps = get_type_hints(function), _parameter_helps(inspect.getdoc(function) or "")
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints[name]
        if not (isinstance(kind, type) and is_dataclass(kind)):
            found.append(Option(name, kind, parameter.default, helps.get(name, "")))
            continue
        kinds, inner = get_type_hints(kind), {}
        for base in reversed(kind.__mro__):
            inner |= _parameter_helps(inspect.cleandoc(base.__doc__ or ""))
        for field in fields(kind):
            if not field.init:
                continue
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            found.append(
                Option(field.name, kinds[field.name], default, inner.get(field.name, ""), name)
            )
    return found


def command(function: Callable[..., int]) -> Parser:
    """Make a parser of a function's signature, with help from its docstring."""
    summary = (inspect.getdoc(function) or "").partition("\nParameters\n")[0]
    parser = Parser(
        description=" ".join(summary.split()),
        formatter_class=argparse.HelpFormatter,
    )
    parser.add_argument("--config", action="config", help="read options from a YAML file")
    # Recorded in a study's config.yaml, which can be read again.
    parser.add_argument("--versions", type=dict[str, str] | None, help=argparse.SUPPRESS)
    for name, kind, default, text, _ in options_of(function):
        flag = f"--{name.replace('_', '-')}"
        if default is inspect.Parameter.empty:
            parser.add_argument(name, type=kind, help=text)
        elif default is False:
            parser.add_argument(flag, action="store_true", help=text)
        elif kind in {str, str | None} or _reader(kind) is not None:
            parser.add_argument(flag, type=TextOption(), default=_text(default), help=text)
        else:
            parser.add_argument(flag, type=kind, default=default, help=text)
    return parser


def call(function: Callable[..., int], options: Namespace) -> int:
    """Call a command with its parsed options."""
    values: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for name, kind, _, _, group in options_of(function):
        value, reader = getattr(options, name), _reader(kind)
        if reader is not None and value is not None:
            value = reader(value, name.replace("_", "-"))
        (groups.setdefault(group, {}) if group else values)[name] = value
    hints = get_type_hints(function)
    made = {name: hints[name](**entries) for name, entries in groups.items()}
    return function(**values, **made)


def given_option(given: Sequence[str], name: str, default: str) -> str:
    """Value of an option before arguments are parsed: of the last argument that has it, or a file.

    Examples
    --------
    >>> given_option(["steps", "--model=mlp"], "model", "linear")
    'mlp'
    """
    value = default
    for argument, following in zip(given, [*given[1:], ""], strict=True):
        key, equals, text = argument.partition("=")
        if key == "--config":
            value = str(_mapping_of(text if equals else following).get(name, value))
        if key == f"--{name}":
            value = text if equals else following
    return value


def _mapping_of(path: str) -> Mapping[str, Any]:
    """Top level of a YAML file; empty if it has none, which the parser will say."""
    import yaml

    try:
        loaded = yaml.safe_load(Path(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return loaded if isinstance(loaded, Mapping) else {}


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


def names(text: str, name: str) -> tuple[str, ...]:
    """Read ``ddpm,heun``.

    Examples
    --------
    >>> names("ddpm, heun", "samplers")
    ('ddpm', 'heun')
    """
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise UsageError(f"--{name}: given {text!r}, expected names like ddpm,ddim,heun")
    return found


_READERS = {tuple[int, ...]: integers, tuple[float, ...]: reals, tuple[str, ...]: names}


def _reader(kind: Any) -> Callable[[str, str], tuple[Any, ...]] | None:
    """What reads the text of an option that is a tuple."""
    for known, reader in _READERS.items():
        if kind in {known, known | None}:
            return reader
    return None


def _text(default: Any) -> Any:
    return ",".join(map(str, default)) if isinstance(default, tuple) else default


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


def _parameter_helps(documented: str) -> dict[str, str]:
    """Descriptions of the Parameters section of a numpydoc docstring."""
    details = documented.partition("\nParameters\n")[2]
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
    kinds = re.findall(
        r"Expected an? (?:<class '([^']+)'>|typing\.Literal\[(.*?)\])(?=[.\s]|$)", message
    )
    if key and given and kinds:
        words = {"int": "a whole number", "float": "a number", "NoneType": "nothing"}
        expected = [words.get(plain, plain) or literal for plain, literal in kinds]
        option = key.group(1).rpartition(".")[2].replace("_", "-")
        return f"--{option}: given {given.group(1)!r}, expected {' or '.join(expected)}"
    line = " ".join(message.split())
    for pattern, plain in _REWORDED:
        line = re.sub(pattern, plain, line)
    return line
