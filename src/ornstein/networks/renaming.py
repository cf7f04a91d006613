"""Arguments that had another name: the old one is accepted, with a warning.

``steps`` meant four things. They are ``diffusion_steps`` (T, of the process), ``sampling_steps``
(of a sampler), ``training_steps`` (how many optimiser steps) and, of an observation, the optimiser
step. The other names are those of :class:`~ornstein.diffusion.schedules.BetaSchedule` and of the
command line.
"""

from __future__ import annotations

__all__ = ["renamed", "renamed_keys", "renamed_property", "PROCESS_NAMES", "CONFIG_NAMES"]

import functools
import warnings
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
R = TypeVar("R")

PROCESS_NAMES = {
    "steps": "diffusion_steps",
    "beta_small": "beta_start",
    "beta_large": "beta_end",
    "prediction_type": "prediction",
}
"""Old and new names of what describes a process."""
CONFIG_NAMES = {"max_steps": "training_steps"}
"""Old and new names of what describes a training."""


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that it takes some arguments under their old names too.

    Parameters
    ----------
    **names : str
        ``old="new"``.

    Raises
    ------
    TypeError
        When called, if an argument is given under both names.

    Examples
    --------
    >>> @renamed(size="n_train")
    ... def half(n_train):
    ...     return n_train / 2
    >>> import warnings
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     half(size=8), str(caught[0].message)
    (4.0, 'the argument size is called n_train now')
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            given: dict[str, Any] = kwargs
            for old in names.keys() & given.keys():
                new = names[old]
                if given.get(new) is not None:
                    raise TypeError(f"given both {new} and {old}, its old name: give {new} alone")
                _warn(f"the argument {old}", new, 3)
                given[new] = given.pop(old)
            return function(*args, **kwargs)

        return called

    return decorate


def renamed_property(old: str, new: str) -> property:
    """A property that reads the attribute `new`, with a warning."""

    def read(self: Any) -> Any:
        _warn(f"the attribute {old}", new, 3)
        return getattr(self, new)

    return property(read, doc=f"Old name of ``{new}``.")


def renamed_keys(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """`values` as read from a file, with new names for the old ones."""
    return {names.get(name, name): value for name, value in values.items()}


def _warn(what: str, new: str, level: int) -> None:
    warnings.warn(f"{what} is called {new} now", DeprecationWarning, stacklevel=level)
