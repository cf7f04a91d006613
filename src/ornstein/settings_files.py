"""Settings as YAML files: what is written reads back as what it was.

Plain words are read as YAML 1.2 does, in its core schema: ``10:50:10`` is text (YAML 1.1 takes it
for a number of base 60), ``010`` is ten, ``1e4`` is a number, ``yes`` is text. Settings need no
aliases and little nesting, so files with aliases, or nested deeply, are refused: a few lines of
them can stand for more than the memory holds.
"""

from __future__ import annotations

__all__ = ["load_settings", "dump_settings", "listed", "SettingsError"]

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEPTH = 8
_SCHEMA = (
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        (
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
)


class SettingsError(ValueError):
    """A file of settings that cannot be read; the message is for the user."""


class _Loader(yaml.SafeLoader):
    """Core schema; neither aliases nor deep nesting."""

    depth = 0
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - of this class, not its parent

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise SettingsError("the file has an alias (*name): write the value out")
        self.depth += 1
        if self.depth > _DEPTH:
            raise SettingsError(f"the file is nested more than {_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Dumper(yaml.SafeDumper):
    """Quotes text that the loader would take for something else."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - of this class, not its parent

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _whole_number(loader: yaml.SafeLoader, node: Any) -> int:
    """Ten from 010, which YAML 1.1 takes for eight."""
    return int(loader.construct_scalar(node))


def _number(loader: yaml.SafeLoader, node: Any) -> float:
    return float(str(loader.construct_scalar(node)).replace(".inf", "inf").replace(".nan", "nan"))


for _class in (_Loader, _Dumper):
    for _tag, _pattern, _first in _SCHEMA:
        _class.add_implicit_resolver(_tag, re.compile(_pattern), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def load_settings(text: str) -> Any:
    """Read a YAML document.

    Parameters
    ----------
    text : str

    Raises
    ------
    SettingsError
        If it has aliases, or is nested too deeply.
    yaml.YAMLError
        If it is not YAML.

    Examples
    --------
    >>> load_settings("{sizes: 10:50:10, dim: 010, count: 1e4, on: yes}")
    {'sizes': '10:50:10', 'dim': 10, 'count': 10000.0, 'on': 'yes'}
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader


def dump_settings(settings: Any) -> str:
    """Write a YAML document that `load_settings` reads back as it was.

    Examples
    --------
    >>> print(dump_settings({"sizes": "10:50:10", "text": "1e4", "count": 10000.0}), end="")
    sizes: 10:50:10
    text: '1e4'
    count: 10000.0
    """
    return yaml.dump(settings, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def listed(entries: Iterable[float | str]) -> str:
    """Write numbers or words as the command line has them: all digits, and 10 rather than 10.0.

    Examples
    --------
    >>> listed((10.0, 0.1, 1e-7)), listed(("ddpm", "heun"))
    ('10,0.1,1e-07', 'ddpm,heun')
    """
    return ",".join(map(_plain, entries))


def _plain(entry: float | str) -> str:
    if isinstance(entry, str):
        return entry
    return str(int(entry)) if float(entry).is_integer() else repr(entry)
