"""What the parser says of wrong arguments: one line, with what was given and what was expected."""

from __future__ import annotations

__all__ = ["one_line", "as_typed", "naming_file"]

import difflib
import re
from typing import TYPE_CHECKING

from ornstein.cli.values import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
_GENERAL = ("--help", "--version", "--versions", "--config", "--print_config")


def _nearest(wrong: str, known: Sequence[str]) -> str:
    """Which of the `known` names was probably meant; empty if none is near."""
    starts = [name for name in known if wrong.startswith(name) or name.startswith(wrong)]
    near = starts or difflib.get_close_matches(wrong, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else ""


def one_line(message: str, known: Sequence[str] = ()) -> str:
    """Condense jsonargparse's message to what was given and what was expected.

    Of an option that does not exist, the nearest of the `known` ones is named.
    """
    unknown = re.match(r"^[Uu]nrecognized arguments: (--[\w-]+)", message)
    if unknown is None:
        unknown = re.search(r"^Option '([\w.-]+)' is not accepted", message)
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
        expected = [WORDS.get(plain, plain) or literal for plain, literal in kinds]
        expected = [word for word in expected if word != "nothing"] or expected
        option = key.group(1).rpartition(".")[2].replace("_", "-")
        return f"--{option}: given {given.group(1)!r}, expected {' or '.join(expected)}"
    line = " ".join(message.split())
    for pattern, plain in _REWORDED:
        line = re.sub(pattern, plain, line)
    return line


def as_typed(message: str, options: Iterable[str]) -> str:
    """Name the options in a message of Python as they are typed.

    Of two words a name is known anywhere; of one word, which may stand for something else, at the
    places that such messages have for it.

    Examples
    --------
    >>> as_typed("train_sizes is empty: give mean, or leave data out", ["train_sizes", "data"])
    '--train-sizes is empty: give mean, or leave --data out'
    >>> as_typed("dim is 0, expected at least 1", ["dim"])
    '--dim is 0, expected at least 1'
    """
    for name in options:
        flag = f"--{name.replace('_', '-')}"
        places = (rf"(?<![\w./-]){name}(?![\w./])",)
        if "_" not in name:
            places = (
                rf"^{name}(?=(?:: | is | has | and \w+(?: |$)))",
                rf"(?<= and ){name}(?= (?:is|are) )",
                rf"(?<=: ){name}(?= is )",
                rf"(?<=give ){name}(?= )",
                rf"(?<=leave ){name}(?= out)",
            )
        message = re.sub("|".join(places), flag, message)
    return message


def naming_file(message: str, given: Sequence[str], settings: Mapping[str, Mapping]) -> str:
    """Name the file that a message is about: one of ``--config``, or of an option that it holds.

    Parameters
    ----------
    message : str
    given : sequence of str
        Arguments.
    settings : mapping of str to mapping
        Files given as ``--config``, and what they hold.

    Examples
    --------
    >>> settings = {"a.yaml": {"dim": 0}}
    >>> naming_file("--dim is 0, expected at least 1", ["linear", "--config=a.yaml"], settings)
    '--config a.yaml: dim is 0, expected at least 1'
    """
    found = re.match(r"^--([\w-]+)", message)
    if found is None or not settings:
        return message
    if found.group(1) == "config":
        return message.replace("--config", f"--config {list(settings)[-1]}", 1)
    typed = {argument.partition("=")[0] for argument in given}
    key = found.group(1).replace("-", "_")
    if found.group() in typed:
        return message
    for file in reversed(list(settings)):
        if key in {str(name).replace("-", "_") for name in settings[file]}:
            plain = message.removeprefix("--").replace("did you mean --", "did you mean ")
            return f"--config {file}: {plain}"
    return message
