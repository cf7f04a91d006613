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
import difflib
import inspect
import json
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, get_type_hints

import yaml
from jsonargparse import ArgumentParser, Namespace, set_dumper, set_loader

from ornstein.settings_files import SettingsError, dump_settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_REWORDED = (
    (r'^Parser key "(?:\w+\.)*(\w+)": ', r"--\1: "),
    (r"^Problems parsing config: ", "--config: the file cannot be read as YAML: "),
    (
        r"^Unexpected config: ?(.*)",
        r"--config: the file holds '\1', expected lines like 'dim: 100'",
    ),
    (r"^the following arguments are required: (?:\w+\.)*(\w+)$", r"\1 is missing: see --help"),
    (r'^expected "(\w+)\.subcommand" to be one of \{(.*)\}, .*', r"\1: expected one of \2"),
)


set_loader("yaml", load_settings, exceptions=(yaml.YAMLError, SettingsError))
set_dumper("yaml", dump_settings)


class UsageError(ValueError):
    """Arguments that cannot be understood; the message is for the user."""


class Parser(ArgumentParser):
    """An argument parser whose errors are exceptions of one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, allow_abbrev=False, **kwargs)
        # A list such as -10,10 or -5:5:1 is a value, as a negative number is; not an option.
        self._negative_number_matcher = re.compile(r"^-[\d.][\d.,:eE+-]*$")

    def parse_args(self, *args: Any, **kwargs: Any) -> Namespace:
        """Parse, and name what kind of file a binary one was taken for."""
        try:
            return super().parse_args(*args, **kwargs)
        except UnicodeDecodeError as error:
            raise UsageError(
                f"--config: the file does not hold text ({error}): give YAML"
            ) from error

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing a usage text and leaving."""
        raise UsageError(_one_line(message, self.flags())) from ex

    def flags(self) -> list[str]:
        """All options, those of subcommands too."""
        own = [text for action in self._actions for text in action.option_strings]
        inner: Any = self._subcommands_action
        if inner is not None:
            own += [flag for parser in inner.choices.values() for flag in parser.flags()]
        return own

    def format_help(self, *args: Any, **kwargs: Any) -> str:
        """Help without what says nothing: that an option has no default, or may be null."""
        text = super().format_help(*args, **kwargs)
        text = re.sub(r"\s*\|\s+null(?=[,)])", "", text)
        text = re.sub(r",\s+default:\s+null\)", ")", text)
        text = re.sub(
            r"\(type:\s+(?:Optional\[)?Literal\[(.*?)\]+", _choices, text, flags=re.DOTALL
        )
        return re.sub(r"^usage: ornstein \[options\] ", "usage: ornstein ", text)

    def format_usage(self, *args: Any, **kwargs: Any) -> str:
        """Usage with the options after the command, where they stand."""
        return super().format_usage(*args, **kwargs).replace("ornstein [options] ", "ornstein ", 1)


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
        number = _number_kind(kind)
        if default is inspect.Parameter.empty:
            parser.add_argument(name, type=kind, help=text)
        elif default is False:
            parser.add_argument(flag, action="store_true", help=text)
        elif kind in {str, str | None} or _reader(kind) is not None:
            parser.add_argument(flag, type=TextOption(), default=_text(default), help=text)
        elif number is not None:
            parser.add_argument(flag, type=NumberOption(number), default=default, help=text)
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
    try:
        loaded = load_settings(Path(path).read_text())
    except (OSError, UnicodeDecodeError, SettingsError, yaml.YAMLError):
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


class NumberOption:
    """Type of an option that is a number; whole ones may be written as 1e4.

    Examples
    --------
    >>> NumberOption(int)("1e4"), NumberOption(int)(10_000.0), NumberOption(float)(3)
    (10000, 10000, 3.0)
    """

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.__name__ = _WORDS[kind.__name__]

    def __call__(self, value: Any) -> Any:
        """Return the number that a text, or a number in a file, stands for."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise TypeError(self._message(value))
        try:
            number = _whole(value) if self.kind is int else float(value)
        except (ValueError, OverflowError):
            raise ValueError(self._message(value)) from None
        if self.kind is float and math.isnan(number):
            raise ValueError(self._message(value))
        return number

    def __repr__(self) -> str:
        return self.__name__

    def _message(self, value: Any) -> str:
        return f"given {str(value)!r}, expected {self.__name__}"


_WORDS = {"int": "a whole number", "float": "a number", "NoneType": "nothing"}


def _whole(value: str | float) -> int:
    """A whole number of its text, with or without an exponent.

    Examples
    --------
    >>> _whole("25"), _whole("1e4"), _whole(3.0)
    (25, 10000, 3)
    """
    try:
        return int(value) if isinstance(value, str) else int(str(value))
    except ValueError:
        number = float(value)
        if not number.is_integer():
            raise ValueError(value) from None
        return int(number)


def _number_kind(kind: Any) -> type | None:
    """``int`` or ``float``, of an option that is such a number or None."""
    for known in (int, float):
        if kind in {known, known | None}:
            return known
    return None


def _choices(found: re.Match[str]) -> str:
    return f"(one of {' '.join(found.group(1).split()).replace(chr(39), '')}"


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
            numbers = [_whole(bound) for bound in bounds]
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


_GENERAL = ("--help", "--version", "--versions", "--config", "--print_config")


def _nearest(wrong: str, known: Sequence[str]) -> str:
    """Which of the `known` names was probably meant; empty if none is near."""
    starts = [name for name in known if wrong.startswith(name) or name.startswith(wrong)]
    near = starts or difflib.get_close_matches(wrong, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else ""


def _one_line(message: str, known: Sequence[str] = ()) -> str:
    """Condense jsonargparse's message to what was given and what was expected.

    Of an option that does not exist, the nearest of the `known` ones is named.
    """
    unknown = re.match(r"^[Uu]nrecognized arguments: (--[\w-]+)", message)
    if unknown is None:
        unknown = re.search(r"does not accept (?:option|key) '([\w.-]+)'", message)
    if unknown is not None:
        option = f"--{unknown.group(1).removeprefix('--').rpartition('.')[2].replace('_', '-')}"
        meant = _nearest(option, [flag for flag in known if flag not in _GENERAL])
        return f"{option} is not an option{f': {meant}' if meant else '; see --help'}"
    invalid = re.match(r"^argument (--[\w-]+|\w+): invalid (.*) value: (.*)$", message)
    if invalid:
        return f"{invalid.group(1)}: given {invalid.group(3)}, expected {invalid.group(2)}"
    choice = re.match(r"^argument (\w+): invalid choice: '(.*?)' \(choose from (.*)\)$", message)
    if choice:
        kind, wrong, choices = choice.groups()
        known = re.findall(r"'(.*?)'", choices)
        meant = _nearest(wrong, known) or f"expected one of {', '.join(known)}"
        return f"{wrong!r} is not a {'command' if kind == 'COMMAND' else 'name'}: {meant}"
    own = re.search(
        r"Parser key \"(?:\w+\.)*(\w+)\":.*?(given '.*?', expected [^.\n]*)", message, re.DOTALL
    )
    if own:
        return f"--{own.group(1).replace('_', '-')}: {own.group(2).strip()}"
    key = re.search(r'Parser key "([^"]+)"', message)
    given = re.search(r"(?:Given value|Got value): (.*)", message)
    kinds = re.findall(
        r"Expected an? (?:<class '([^']+)'>|typing\.Literal\[(.*?)\])(?=[.\s]|$)", message
    )
    if key and given and kinds:
        expected = [_WORDS.get(plain, plain) or literal for plain, literal in kinds]
        expected = [word for word in expected if word != "nothing"] or expected
        option = key.group(1).rpartition(".")[2].replace("_", "-")
        return f"--{option}: given {given.group(1)!r}, expected {' or '.join(expected)}"
    line = " ".join(message.split())
    for pattern, plain in _REWORDED:
        line = re.sub(pattern, plain, line)
    return line
