"""What a folder was made by: its study, its options, versions, the command that repeats it."""

from __future__ import annotations

__all__ = ["Reopened", "reopen", "Run", "this_run", "command_words"]

import importlib
import shlex
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.cli.parsing import arguments, command, options_of
from ornstein.cli.values import as_text
from ornstein.engine.folder import versions_in_use
from ornstein.engine.running import cpu_type
from ornstein.engine.store import StudyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonargparse import Namespace

    from ornstein.engine.precision import Precision
    from ornstein.engine.study import Study

_KINDS = {
    "linear": ("linear", "linear", "linear.study", "LinearStudy"),
    "steps": ("steps", "linear_steps", "steps.study", "StepsStudy"),
    "empirical-steps": ("steps", "empirical_steps", "steps.empirical", "EmpiricalStepsStudy"),
    "recursion": ("recursion", "exact_recursion", "recursion.study", "RecursionStudy"),
    "mlp-recursion": (
        "recursion",
        "network_recursion",
        "neural.recursion",
        "NeuralRecursionStudy",
    ),
    "unet": ("unet", "unet", "neural.unet", "UNetStudy"),
    "unet-snapshots": ("unet", "unet", "neural.snapshots", "SnapshotStudy"),
    "unet-canaries": ("unet", "unet", "neural.canaries", "CanaryStudy"),
    "unet-steps": ("steps", "network_steps", "neural.steps", "NeuralStepsStudy"),
}
"""Module and function of the command, module and class of the study, by its name."""
_CHOOSES = "model"
"""Its default differs from what a command without it takes."""
_NOT_OF_THE_RESULT = {"out", "jobs", "versions", "json", "format", "style", "show_rows"}


class Run(NamedTuple):
    """What made a result, as it is kept beside it."""

    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    command: str


def this_run(name: str, function: Callable[..., Any], given: Mapping[str, Any]) -> Run:
    """Return what is kept of this run of a command.

    Parameters
    ----------
    name : str
        Of the command.
    function : callable
        That it calls.
    given : mapping
        All its arguments, by name; dataclasses stand for their options.
    """
    values = {
        option.name: as_text(
            getattr(given[option.group], option.name) if option.group else given[option.name]
        )
        for option in options_of(function)
    }
    words = command_words(name, function, values, command(function).get_defaults())
    settings = {key: value for key, value in values.items() if key not in _NOT_OF_THE_RESULT}
    return Run(settings, {**versions_in_use(), "CPU": cpu_type()}, shlex.join(["ornstein", *words]))


class Reopened(NamedTuple):
    """A study as its folder has it."""

    study: Study
    precision: Precision | None
    settings: Mapping[str, Any]
    """As ``config.yaml`` has them, without versions."""
    versions: Mapping[str, str]
    command: str
    """That repeats it, without a folder."""


def reopen(folder: Path) -> Reopened:
    """Return the study of a folder.

    Raises
    ------
    StudyError
        If its configuration is missing, or not one of a study.
    """
    config = folder / "config.yaml"
    if not config.is_file():
        raise StudyError(
            f"{str(folder)!r} has no config.yaml, which says what the study is: run its command "
            "again with --out, which writes it and computes nothing that is there"
        )
    kind = config.read_text().removeprefix("# ").partition(" study")[0]
    if kind not in _KINDS:
        raise StudyError(
            f"{str(config)!r} does not begin with the kind of a study, expected one of "
            f"{', '.join(_KINDS)}, as a study writes it"
        )
    module, name, home, own = _KINDS[kind]
    function: Callable[..., int] = getattr(importlib.import_module(f"ornstein.cli.{module}"), name)
    parser = command(function)
    options = parser.parse_args(["--config", str(config)])
    given = arguments(function, options)
    study = getattr(importlib.import_module(f"ornstein.studies.{home}"), own)
    made = study(**{each.name: given[each.name] for each in fields(study) if each.name in given})
    values = {option.name: getattr(options, option.name) for option in options_of(function)}
    words = command_words(module, function, values, parser.get_defaults())
    return Reopened(
        made,
        given["running"].chosen_precision(),
        {name: value for name, value in values.items() if name not in _NOT_OF_THE_RESULT},
        options.versions or {},
        shlex.join(["ornstein", *words]),
    )


def command_words(
    name: str, function: Callable[..., Any], values: Mapping[str, Any], defaults: Namespace
) -> list[str]:
    """Return a command with those of its options that are not the default.

    Parameters
    ----------
    name : str
        Of the command.
    function : callable
        That it calls.
    values : mapping
        Of its options, by name.
    defaults : Namespace
        As they are without arguments.
    """
    words = [name]
    for option in options_of(function):
        value, usual = values[option.name], getattr(defaults, option.name)
        usual_one = value == usual and option.name != _CHOOSES
        if value is None or usual_one or option.name in _NOT_OF_THE_RESULT:
            continue
        flag = f"--{option.name.replace('_', '-')}"
        words += [flag] if option.default is False else [flag, _short(str(value))]
    return words


def _short(text: str) -> str:
    """A list of whole numbers of equal steps as a range.

    Examples
    --------
    >>> _short("25,50,75,100"), _short("25,50,80"), _short("ddpm,heun")
    ('25:100:25', '25,50,80', 'ddpm,heun')
    """
    parts = text.split(",")
    if len(parts) < 4 or not all(part.isdecimal() for part in parts):
        return text
    numbers = [int(part) for part in parts]
    step = numbers[1] - numbers[0]
    whole = list(range(numbers[0], numbers[-1] + 1, step)) if step > 0 else []
    return f"{numbers[0]}:{numbers[-1]}:{step}" if whole == numbers else text
