"""From a typed function with a numpydoc docstring to a subcommand, through jsonargparse.

Every option can come from ``--config FILE``; ``--print_config`` prints one. A parameter without a
default is positional, one or more if it is a list, and a list with a default any number; a bool is
a flag; underscores become
dashes. A parameter whose type is a dataclass stands for the fields of that class, documented in its
docstring: a set of options is written down once, and is what Python, the command line and
``config.yaml`` read.

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
    "arguments",
    "given_option",
    "joined_lists",
    "given_files",
    "integers",
    "reals",
    "names",
    "TextOption",
]

import argparse
import inspect
import itertools
import re
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, TypeVar, get_type_hints

import yaml
from jsonargparse import ArgumentParser, Namespace, set_dumper, set_loader

from ornstein.cli.messages import as_typed, one_line
from ornstein.cli.values import (
    CountOption,
    NumberOption,
    TextOption,
    UsageError,
    as_text,
    integers,
    names,
    number_kind,
    reader_of,
    reals,
)
from ornstein.settings_files import SettingsError, dump_settings, listed, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Result = TypeVar("Result")
COUNT: Any = int | Literal["n"]

set_loader("yaml", load_settings, exceptions=(yaml.YAMLError, SettingsError))
set_dumper("yaml", dump_settings)


class Parser(ArgumentParser):
    """An argument parser whose errors are exceptions of one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, allow_abbrev=False, **kwargs)
        self.function: Callable[..., Any] | None = None
        """The command whose options these are."""
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

    def dump(self, cfg: Namespace, *args: Any, **kwargs: Any) -> str:
        """Text of ``--print_config``, with what options of None stand for."""
        if self.function is not None:
            _fill(self.function, cfg)
        return super().dump(cfg, *args, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing a usage text and leaving."""
        raise UsageError(one_line(message, self.flags())) from ex

    def flags(self) -> list[str]:
        """All options, those of subcommands too."""
        own = [text for action in self._actions for text in action.option_strings]
        inner: Any = self._subcommands_action
        if inner is not None:
            own += [flag for parser in inner.choices.values() for flag in parser.flags()]
        return own

    def format_help(self, *args: Any, **kwargs: Any) -> str:
        """Help without empty statements: that an option has no default, or may be null."""
        text = super().format_help(*args, **kwargs)
        text = re.sub(r"\s*\|\s+null(?=[,)])", "", text)
        text = re.sub(r",\s+default:\s+null\)", ")", text)
        text = re.sub(
            r"\(type:\s+(?:Optional\[)?Literal\[(.*?)\]+", _choices, text, flags=re.DOTALL
        )
        text = re.sub(r"^ +\S.*\(one of [^)]*\)", _wrapped, text, flags=re.MULTILINE)
        return re.sub(r"^usage: .*?\n(?=\n)", _usage, text, flags=re.DOTALL)

    def format_usage(self, *args: Any, **kwargs: Any) -> str:
        """Usage with the options after the command, where they stand."""
        return re.sub(r"^usage: .*", _usage, super().format_usage(*args, **kwargs), flags=re.DOTALL)


class Option(NamedTuple):
    """An option of a command, or a positional argument if it has no default."""

    name: str
    kind: Any
    default: Any
    help: str
    group: str = ""
    """Parameter of the command that it is a field of, if that is a dataclass."""


@cache
def options_of(function: Callable[..., Any]) -> tuple[Option, ...]:
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
        # What is keyword-only comes last, though it may stand on a base class.
        for field in sorted(fields(kind), key=lambda each: bool(each.kw_only)):
            if not field.init:
                continue
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            found.append(
                Option(field.name, kinds[field.name], default, inner.get(field.name, ""), name)
            )
    return tuple(found)


def command(function: Callable[..., Any], prog: str | None = None) -> Parser:
    """Make a parser of a function's signature, with help from its docstring.

    `prog` is what stands before the options, ``ornstein linear``.
    """
    summary = (inspect.getdoc(function) or "").partition("\nParameters\n")[0]
    parser = Parser(prog=prog, description=" ".join(summary.split()))
    parser.function = function
    parser.add_argument("--config", action="config", help="read options from a YAML file")
    # Recorded in a study's config.yaml, which can be read again.
    parser.add_argument("--versions", type=dict[str, str] | None, help=argparse.SUPPRESS)
    for name, kind, default, text, _ in options_of(function):
        flag = f"--{name.replace('_', '-')}"
        number = number_kind(kind)
        if kind == list[str]:
            several: dict[str, Any] = {"nargs": "+"}
            if default is not inspect.Parameter.empty:
                several = {"nargs": "*", "default": default}
            parser.add_argument(name, type=str, help=text, **several)
        elif default is inspect.Parameter.empty:
            parser.add_argument(name, type=kind, help=text)
        elif default is False:
            parser.add_argument(flag, action="store_true", help=text)
        elif kind in {str, str | None} or reader_of(kind) is not None:
            parser.add_argument(flag, type=TextOption(), default=as_text(default), help=text)
        elif kind in {COUNT, COUNT | None}:
            parser.add_argument(flag, type=CountOption(), default=default, help=text)
        elif number is not None:
            parser.add_argument(flag, type=NumberOption(number), default=default, help=text)
        else:
            parser.add_argument(flag, type=kind, default=default, help=text)
    return parser


def call(function: Callable[..., Result], options: Namespace) -> Result:
    """Call a command with its parsed options."""
    try:
        return function(**arguments(function, options))
    except (ValueError, TypeError) as error:
        if str(error).startswith("--"):
            raise
        if len(error.args) == 1 and isinstance(error.args[0], str):
            known = [option.name for option in options_of(function)]
            error.args = (as_typed(error.args[0], known),)
        raise


def arguments(function: Callable[..., Any], options: Namespace) -> dict[str, Any]:
    """Arguments of a command, its dataclasses among them, from its parsed options."""
    values, groups = _values(function, options)
    hints = get_type_hints(function)
    return {**values, **{name: hints[name](**entries) for name, entries in groups.items()}}


def _values(
    function: Callable[..., Any], options: Namespace
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Arguments of a command, and fields of its dataclasses by argument."""
    values: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for name, kind, _, _, group in options_of(function):
        value, reader = getattr(options, name), reader_of(kind)
        if reader is not None and value is not None:
            value = reader(value, name.replace("_", "-"))
        (groups.setdefault(group, {}) if group else values)[name] = value
    return values, groups


def _fill(function: Callable[..., Any], options: Namespace) -> None:
    """Put in what options of None stand for, where the others say it."""
    hints = get_type_hints(function)
    try:
        groups = _values(function, options)[1]
    except UsageError:
        return
    for group, entries in groups.items():
        try:
            made = hints[group](**entries)
            found = {name: getattr(made, name) for name, value in entries.items() if value is None}
            if hints[group](**{**entries, **found}) != made:
                continue
        except (ValueError, TypeError, OSError):
            continue  # what is refused is printed as it was given
        for name, value in found.items():
            options[name] = listed(value) if isinstance(value, tuple) else value


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


def joined_lists(given: Sequence[str], function: Callable[..., Any]) -> list[str]:
    """Arguments in which a list of names that was given several times is one list.

    ``--target w2=0.1 --target auc=0.55`` becomes ``--target=w2=0.1,auc=0.55``. Of numbers the last
    list holds, as of all other options.
    """
    lists = {
        f"--{option.name.replace('_', '-')}"
        for option in options_of(function)
        if reader_of(option.kind) is names
    }
    others: list[str] = []
    found: dict[str, list[str]] = {}
    rest = iter(given)
    for word in rest:
        flag, equals, text = word.partition("=")
        if flag in lists:
            found.setdefault(flag, []).append(text if equals else next(rest, ""))
        else:
            others.append(word)
    if all(len(values) == 1 for values in found.values()):
        return list(given)
    return [*others, *(f"{flag}={','.join(values)}" for flag, values in found.items())]


def given_files(given: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Files that are given as ``--config``, and what they hold."""
    found = {}
    for argument, following in zip(given, [*given[1:], ""], strict=True):
        key, equals, text = argument.partition("=")
        if key == "--config":
            file = text if equals else following
            found[file] = _mapping_of(file)
    return found


def _mapping_of(path: str) -> Mapping[str, Any]:
    """Top level of a YAML file; empty if it has none, which the parser will say."""
    try:
        loaded = load_settings(Path(path).read_text())
    except (OSError, UnicodeDecodeError, SettingsError, yaml.YAMLError):
        return {}
    return loaded if isinstance(loaded, Mapping) else {}


def _choices(found: re.Match[str]) -> str:
    choices = re.sub(r"-\s+", "-", found.group(1))  # broken at a hyphen
    return f"(one of {' '.join(choices.split()).replace(chr(39), '')}"


def _usage(found: re.Match[str]) -> str:
    """The usage without options of the levels above, within 80 columns; no option is broken."""
    words = re.findall(r"\[[^]]*\]|\S+", found.group().replace(" [options]", ""))
    command = list(itertools.takewhile(lambda word: not word.startswith("["), words))
    whole = [" ".join(word.split()).replace(" ", "\0") for word in words]
    text = textwrap.fill(
        " ".join(whole),
        80,
        subsequent_indent=" " * (len(" ".join(command)) + 1),
        break_on_hyphens=False,
        break_long_words=False,
    )
    return text.replace("\0", " ") + "\n"


def _wrapped(found: re.Match[str]) -> str:
    """Lines of help as one, within 80 columns, at its own indent."""
    line = re.sub(r"\n +", " ", found.group())
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(
        line, 80, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


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
        elif line.startswith(" ") and line.strip():
            for name in names:
                helps[name] = f"{helps.get(name, '')} {line.strip()}".strip()
    # argparse formats help with %.
    return {name: text.replace("%", "%%") for name, text in helps.items()}
