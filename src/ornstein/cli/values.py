"""Values of options: numbers, texts, and lists such as ``25:1000:25``."""

from __future__ import annotations

__all__ = [
    "UsageError",
    "TextOption",
    "NumberOption",
    "CountOption",
    "WORDS",
    "integers",
    "reals",
    "names",
    "number_kind",
    "reader_of",
    "as_text",
]

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class UsageError(ValueError):
    """Arguments that cannot be understood; the message is for the user."""


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
        self.__name__ = WORDS[kind.__name__]

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


class CountOption:
    """Type of an option that is a whole number, or the word n: as many as training points.

    Examples
    --------
    >>> CountOption()("1e4"), CountOption()("n"), CountOption()(25)
    (10000, 'n', 25)
    """

    def __call__(self, value: Any) -> int | str:
        """Return the number or the word."""
        if isinstance(value, str) and value.strip() == "n":
            return "n"
        try:
            return NumberOption(int)(value)
        except (ValueError, TypeError):
            raise ValueError(f"given {str(value)!r}, expected {self!r}") from None

    def __repr__(self) -> str:
        return "a whole number or n"


WORDS = {"int": "a whole number", "float": "a number", "NoneType": "nothing"}


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


def number_kind(kind: Any) -> type | None:
    """``int`` or ``float``, of an option that is such a number or None."""
    for known in (int, float):
        if kind in {known, known | None}:
            return known
    return None


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


def reader_of(kind: Any) -> Callable[[str, str], tuple[Any, ...]] | None:
    """What reads the text of an option that is a tuple."""
    for known, reader in _READERS.items():
        if kind in {known, known | None}:
            return reader
    return None


def as_text(default: Any) -> Any:
    """A default as the command line would write it."""
    return ",".join(map(str, default)) if isinstance(default, tuple) else default


def _parts(text: str) -> list[str]:
    return [part.strip() for part in str(text).strip("[]() ").split(",") if part.strip()]
