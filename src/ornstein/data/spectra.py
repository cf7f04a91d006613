"""A population covariance by name: its eigenvalues from ``isotropic``, ``power-law:A``, data.

And of two levels, ``two-level:RATIO:SHARE``.
"""

from __future__ import annotations

__all__ = ["read_spectrum", "describe_spectrum", "source_spectrum", "SPECTRUM_FORMS"]

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ornstein.data.contents import ArrayContents, TableContents
from ornstein.data.files import DATA_NAMES, data_set
from ornstein.data.mapped import MappedDataSet, is_large
from ornstein.data.reading import read
from ornstein.data.tables import numeric_points
from ornstein.validation import as_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.data.sources import Source

    Array = NDArray[np.float64]

SPECTRUM_FORMS = (
    "isotropic, power-law:EXPONENT, two-level:RATIO:SHARE, a comma list, a file, "
    f"{' or '.join(DATA_NAMES)}"
)
_NAMED = ("isotropic", "power-law", "two-level")
# A covariance of points knows its smaller eigenvalues to rounding only.
_ROUNDING = 1e-13


def read_spectrum(text: str, dim: int | None = None) -> Array:
    """Eigenvalues of a covariance, by name, from a list or from data.

    Parameters
    ----------
    text : str
        ``isotropic`` (all 1), ``power-law:A`` (``k^-A`` for k = 1 to `dim`), ``two-level:R:P`` (a
        share P of them R, by default half, but at least one; the others 1), a comma list of
        eigenvalues, or the path of a file: of one row or column of numbers, which are eigenvalues;
        or of points, one a row, whose covariance counts, as it does for the data sets ``digits``
        and ``patches``. Eigenvalues of points below 1e-13 of the largest are rounding, and 0.
    dim : int, optional
        Dimension of the first three, by default 100. The others have their own.

    Returns
    -------
    ndarray of shape (dim,)
        Finite, >= 0, at least one > 0; those of points in descending order.

    Raises
    ------
    ValueError
        If it is none of these, or `dim` contradicts it.

    Examples
    --------
    >>> read_spectrum("power-law:1", 4)
    array([1.    , 0.5   , 0.333333, 0.25  ])
    >>> read_spectrum("two-level:10:0.25", 4)
    array([10.,  1.,  1.,  1.])
    >>> read_spectrum("2,0.5,0")
    array([2. , 0.5, 0. ])
    """
    name = str(text).strip()
    kind, _, exponent = name.partition(":")
    if kind in _NAMED:
        values = _named(kind, exponent, as_count(100 if dim is None else dim, "dim"))
        if values is None:
            raise ValueError(f"spectrum: given {text!r}, expected {SPECTRUM_FORMS}")
        return values
    if name in DATA_NAMES or (name and Path(name).expanduser().exists()):
        values, what = _of_data(name), f"{Path(name).name} has {{}} eigenvalue(s)"
    else:
        values, what = _listed(name), "given {} eigenvalue(s)"
        if values is None:
            absent = ", and there is no file of that name:" if Path(name).suffix else ","
            raise ValueError(f"spectrum: given {text!r}{absent} expected {SPECTRUM_FORMS}")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() > 0):
        raise ValueError(f"spectrum: given {text!r}, expected numbers >= 0, not all of them 0")
    if dim is not None and dim != values.size:
        raise ValueError(
            f"spectrum: {what.format(values.size)} and --dim {dim}: leave --dim out, "
            "or give --spectrum isotropic or power-law:EXPONENT"
        )
    return values


def describe_spectrum(values: Array, text: str) -> str:
    """Say in a few words what population this is.

    Examples
    --------
    >>> describe_spectrum(np.array([1.0, 0.1, 0.0]), "1,0.1,0")
    'd = 3, spectrum 1,0.1,0'
    >>> describe_spectrum(np.ones(100), "isotropic")
    'd = 100, isotropic'
    """
    kind = str(text).strip()
    if kind.startswith(_NAMED):
        return f"d = {values.size}, {kind}"
    short = ",".join(f"{value:g}" for value in values)
    if _listed(kind) is None:
        kind = f"spectrum of {Path(kind).name}"
    elif values.size > 4:
        kind = f"spectrum from {values.min():g} to {values.max():g}"
    else:
        return f"d = {values.size}, spectrum {short}"
    zeros = int((values == 0).sum())
    return f"d = {values.size}, {kind}" + (f" ({zeros} of them 0)" if zeros else "")


def source_spectrum(source: Source) -> Array:
    """Eigenvalues of the covariance of a source, in descending order, without rounding.

    Those below 1e-13 of the largest are rounding, and 0.
    """
    values = np.sort(np.maximum(source.spectrum(), 0.0))[::-1].copy()
    return np.where(values > _ROUNDING * values[0], values, 0.0)


def _named(kind: str, exponent: str, dim: int) -> Array | None:
    if kind == "isotropic":
        return None if exponent else np.ones(dim)
    if kind == "two-level":
        return _two_level(exponent, dim)
    numbers = _listed(exponent)
    if numbers is None or numbers.size != 1 or not math.isfinite(numbers[0]):
        return None
    values = -float(numbers[0]) * np.log(np.arange(1.0, dim + 1.0))
    if values.max() >= math.log(1e300):
        return None
    return np.arange(1.0, dim + 1.0) ** -float(numbers[0])


def _two_level(text: str, dim: int) -> Array | None:
    """Of ``RATIO`` or ``RATIO:SHARE``; both levels occur, if there are two dimensions."""
    numbers = _listed(text.replace(":", ","))
    if numbers is None or numbers.size > 2:
        return None
    ratio, share = float(numbers[0]), float(numbers[1]) if numbers.size == 2 else 0.5
    if not (0 < ratio < math.inf and 0 < share < 1):
        return None
    # Halves go up, as they do in the explorer.
    large = min(max(math.floor(share * dim + 0.5), 1), max(dim - 1, 1))
    return np.where(np.arange(dim) < large, ratio, 1.0)


def _listed(text: str) -> Array | None:
    """The numbers of a comma list; None if it is not one."""
    parts = [part.strip() for part in text.strip("[]() ").split(",") if part.strip()]
    try:
        return np.array([float(part) for part in parts]) if parts else None
    except ValueError:
        return None


def _of_data(name: str) -> Array:
    row = _row_of(Path(name).expanduser())
    if row is not None:
        return row
    contents = read(name)
    if isinstance(contents, TableContents):
        numbers = numeric_points(contents)
    else:
        assert isinstance(contents, ArrayContents)
        if is_large(contents):
            return source_spectrum(MappedDataSet.read(contents))
        numbers = contents.points()
    if numbers.ndim == 1 or 1 in numbers.shape:
        return np.asarray(numbers, dtype=np.float64).ravel()
    return source_spectrum(data_set(contents))


def _row_of(path: Path) -> Array | None:
    """Numbers of a .npy file of one axis, which is no set of points."""
    if path.suffix.lower() != ".npy" or not path.is_file():
        return None
    try:
        numbers = np.load(path, allow_pickle=False)
        return np.asarray(numbers, dtype=np.float64) if numbers.ndim == 1 else None
    except (OSError, ValueError, TypeError, EOFError):
        return None  # the reader of data says what is wrong
