"""What a file or a folder holds, before it is used: arrays and images, or a table.

Values stay as they are stored (8 bits a pixel, or a file that is read where it is needed); a point
is a row of them divided by `scale`, in float64. So a file larger than memory can be looked at in
blocks of rows.
"""

from __future__ import annotations

__all__ = ["Contents", "ArrayContents", "TableContents"]

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ornstein.data.findings import Finding, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BLOCK_BYTES = 2**26
"""Of the float64 values of a block of rows."""
_AROUND = 2**16  # bytes that the system maps around a row that is read


class Contents(ABC):
    """Base of what can be read: its name, its kind, and what was found while reading."""

    name: str
    findings: tuple[Finding, ...]

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Number of points."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of a point; of a table (n_columns,)."""

    def require_usable(self) -> None:
        """Raise ValueError for the first finding that is a refusal."""
        refuse(self.findings, self.name)


@dataclass(frozen=True, eq=False)
class ArrayContents(Contents):
    """Numbers of one type: an array, or images.

    Parameters
    ----------
    name : str
    kind : {"array", "images"}
    values : ndarray of shape (n_points, ...)
        As stored; images have shape (n_points, channels, height, width).
    stored : str
        How they are stored, in words.
    scale : float
        Values are divided by it.
    findings : tuple of Finding
    row_names : tuple of str, optional
        Of the points, as files have names.
    labels : tuple of str, optional
        Class of each point.
    origin : Path, optional
        Where it was read.
    file : Path, optional
        A .npy file that `values` is a map of.
    axes : tuple of int, optional
        Order of the axes of that file in `values`.
    """

    name: str
    kind: Literal["array", "images"]
    values: NDArray[Any]
    stored: str
    scale: float = 1.0
    findings: tuple[Finding, ...] = ()
    row_names: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    origin: Path | None = None
    file: Path | None = None
    axes: tuple[int, ...] | None = None

    @property
    def n_rows(self) -> int:
        """Number of points."""
        return self.values.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a point."""
        return tuple(int(side) for side in self.values.shape[1:])

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values as stored."""
        return self.values.dtype

    def rows(self, index: Any) -> Array:
        """Points of a slice or an index, as float64 of shape (rows, dim)."""
        return _as_points(self._stored_rows(index), self.scale)

    def points(self) -> Array:
        """All points, of shape (n_points, dim)."""
        stored = self.values if self.file is None else self._mapped()
        return _as_points(np.asarray(stored), self.scale)

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """Points in blocks of rows, each with the index of its first row."""
        step = max(1, BLOCK_BYTES // (8 * max(1, self.dim)))
        for start in range(0, self.n_rows, step):
            yield start, self.rows(slice(start, start + step))

    def with_scale(self, scale: float, finding: Finding) -> ArrayContents:
        """The same divided by another number, with the finding that says so."""
        return replace(self, scale=scale, findings=(*self.findings, finding))

    def _stored_rows(self, index: Any) -> NDArray[Any]:
        """Rows as stored; of a mapped file through maps of their own, which end with them.

        Pages of a map that stays open would add up to the whole file.
        """
        if self.file is None:
            return self.values[index]
        if isinstance(index, slice):
            return np.array(self._mapped()[index])
        chosen = np.asarray(index)
        order = np.argsort(chosen)  # rows as they stand in the file
        found = np.empty((len(chosen), *self._mapped().shape[1:]), dtype=self.dtype)
        step = max(1, BLOCK_BYTES // (_AROUND + self.dim * self.dtype.itemsize))
        for start in range(0, len(chosen), step):
            part = order[start : start + step]
            found[part] = self._mapped()[chosen[part]]
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Of a mapped file its path, and of the values type and shape alone."""
        state = dict(self.__dict__)
        if self.file is not None:
            stand_in = np.zeros((), dtype=self.dtype), self.values.shape
            state |= {"values": stand_in, "file": self.file.resolve()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["file"] is not None:
            state["values"] = np.broadcast_to(*state["values"])
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def _mapped(self) -> NDArray[Any]:
        assert self.file is not None
        stored = np.load(self.file, mmap_mode="r", allow_pickle=False)
        return stored if self.axes is None else stored.transpose(self.axes)


def _as_points(stored: NDArray[Any], scale: float) -> Array:
    flat = stored.reshape(len(stored), math.prod(stored.shape[1:])).astype(np.float64)
    return flat if scale == 1.0 else flat / scale


@dataclass(frozen=True, eq=False)
class TableContents(Contents):
    """A table: columns of numbers, booleans, dates and categories.

    Parameters
    ----------
    name : str
    table : DataFrame
        Columns that are used, each of one kind.
    kinds : dict of str to str
        Of each column: ``number``, ``boolean``, ``date`` or ``category``.
    stored : str
        How it is stored, in words.
    set_aside : dict of str to str
        Columns that are not used, and why.
    findings : tuple of Finding
    origin : Path, optional
    """

    name: str
    table: Any
    kinds: dict[str, str]
    stored: str
    set_aside: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    origin: Path | None = None

    @property
    def n_rows(self) -> int:
        """Number of points."""
        return len(self.table)

    @property
    def shape(self) -> tuple[int, ...]:
        """Columns that are used."""
        return (len(self.kinds),)

    @property
    def is_numeric(self) -> bool:
        """Whether all columns are numbers or booleans, without missing values."""
        plain = all(kind in {"number", "boolean"} for kind in self.kinds.values())
        return plain and not self.missing()

    def missing(self) -> dict[str, int]:
        """Number of missing values of the columns that have any."""
        counts = self.table.isna().sum()
        return {str(name): int(count) for name, count in counts.items() if count}
