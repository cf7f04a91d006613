"""How data are to be read, where a file alone does not tell."""

from __future__ import annotations

__all__ = ["ReadingOptions", "settings_of"]

from dataclasses import dataclass, fields
from typing import Any, Literal

_KNOWN = {
    "channels": ("grey", "rgb"),
    "alpha": ("drop", "white", "black"),
    "layout": ("first", "last", "grey", "flat"),
    "decimal": (".", ","),
    "thousands": (".", ",", " ", "'"),
    "header": ("yes", "no"),
    "dates": ("day-first", "month-first"),
}


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How data are to be read, where a file alone does not tell; by default as it is found to be.

    Parameters
    ----------
    channels : str
        of images: grey, or rgb; by default as in the files, which must agree
    alpha : str
        of images with transparent pixels: drop it, or put them on white or black
    recursive : bool
        read images in subfolders too
    layout : str
        of arrays of images: channels first (n, C, H, W), last (n, H, W, C), grey (n, H, W), or flat
        for vectors
    separator : str
        between the cells of a table: one character, tab or space
    decimal : str
        sign before decimals in a table: . or ,
    thousands : str
        sign between thousands in a table
    encoding : str
        of the text of a table, as utf-8 or cp1252
    header : str
        whether the first row of a table names its columns: yes or no
    dates : str
        order of dates such as 03/04/2025: day-first or month-first

    Raises
    ------
    ValueError
        If a value is none of these.
    """

    channels: Literal["grey", "rgb"] | None = None
    alpha: Literal["drop", "white", "black"] | None = None
    recursive: bool = False
    layout: Literal["first", "last", "grey", "flat"] | None = None
    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: Literal["yes", "no"] | None = None
    dates: Literal["day-first", "month-first"] | None = None

    def __post_init__(self) -> None:
        for name, known in _KNOWN.items():
            value = getattr(self, name)
            if value is not None and value not in known:
                shown = ", ".join(map(repr, known)) if name in {"decimal", "thousands"} else None
                raise ValueError(
                    f"{name} is {value!r}, expected one of {shown or ', '.join(known)}"
                )
        separator = _SEPARATORS.get(self.separator or "", self.separator)
        object.__setattr__(self, "separator", separator)
        if separator is not None and len(separator) != 1:
            raise ValueError(
                f"separator is {separator!r}, expected one character, or the word tab or space"
            )
        if self.thousands is not None and self.thousands == self.decimal:
            raise ValueError(
                f"decimal and thousands are both {self.decimal!r}, expected different signs"
            )
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except LookupError:
                raise ValueError(
                    f"encoding is {self.encoding!r}, which is not known: give one as utf-8 or "
                    "cp1252"
                ) from None

    def reading_options(self) -> ReadingOptions:
        """These options alone, of an object that has others too."""
        names = [field.name for field in fields(ReadingOptions)]
        return ReadingOptions(**{name: getattr(self, name) for name in names})

    def given(self) -> dict[str, Any]:
        """Those that are not as by default.

        Examples
        --------
        >>> ReadingOptions(alpha="drop").given()
        {'alpha': 'drop'}
        """
        return {
            field.name: getattr(self, field.name)
            for field in fields(ReadingOptions)
            if getattr(self, field.name) != field.default
        }

    def require_data(self, data: str | None) -> None:
        """Raise ValueError if one is given and there are no data, on which it would have effect."""
        given = next(iter(self.given()), None)
        if data is None and given is not None:
            raise ValueError(
                f"{given} is given without data and would have no effect: give data as well, or "
                "leave it out"
            )

    def require_effect(self, kinds: set[str], name: str) -> None:
        """Raise ValueError if one is given that has no effect on data of these kinds.

        Parameters
        ----------
        kinds : set of str
            Of ``images``, ``array``, ``text``, ``sheet``, ``frame``.
        name : str
            Of the data, for the message.
        """
        for option in self.given():
            if kinds.isdisjoint(_EFFECTIVE[option]):
                raise ValueError(
                    f"{option} has no effect on {name}: it is for {_EFFECTIVE_WORDS[option]}, "
                    "leave it out"
                )


def settings_of(options: ReadingOptions) -> dict[str, Any]:
    """All settings of options that read data, without those of reading that are as by default.

    So a study of before an option was added is still the same study.
    """
    unset = {field.name for field in fields(ReadingOptions)} - options.given().keys()
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    return {name: value for name, value in values.items() if name not in unset}


_IMAGES, _TEXT = ("images",), ("text",)
_EFFECTIVE: dict[str, tuple[str, ...]] = {
    "channels": _IMAGES,
    "alpha": _IMAGES,
    "recursive": _IMAGES,
    "layout": ("array",),
    "separator": _TEXT,
    "decimal": _TEXT,
    "thousands": _TEXT,
    "encoding": _TEXT,
    "header": ("text", "sheet"),
    "dates": ("text", "sheet", "frame"),
}
_WORDS = {
    _IMAGES: "files of images",
    ("array",): "arrays",
    _TEXT: ".csv and .tsv files",
    ("text", "sheet"): ".csv, .tsv and .xlsx files",
    ("text", "sheet", "frame"): "tables",
}
_EFFECTIVE_WORDS = {option: _WORDS[kinds] for option, kinds in _EFFECTIVE.items()}
_SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " "}
