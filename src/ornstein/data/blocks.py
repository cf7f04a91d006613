r"""One pass over data in blocks of rows: range, moments, spectrum, and what marks each row.

A file larger than memory is read once, a block at a time. Sums are taken about the mean of the
first block, so that data far from 0 lose no digits. The covariance of up to
:data:`MOST_COORDINATES` coordinates is exact; for more of them the spectrum is that of a sample of
as many rows, from the matrix of their products, and is said to be.

*Effective dimension.* ``(tr Sigma)^2 / tr(Sigma^2)``, the number of equal eigenvalues that would
have the same two traces.
"""

from __future__ import annotations

__all__ = [
    "Survey",
    "Ranges",
    "survey",
    "sample_of_rows",
    "effective_dimension",
    "MOST_COORDINATES",
]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.data.duplicates import digest_pairs
from ornstein.progress import progress_bar
from ornstein.validation import as_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.data.contents import ArrayContents

    Array = NDArray[np.float64]

MOST_COORDINATES = 2048
_ORDINARY = 200  # binary exponents of values that are squared without further ado
_LARGEST = 1e150
_LARGE = 2**28  # bytes of float64 from which on a bar is shown


class Survey(NamedTuple):
    """What one pass over the rows of a set finds."""

    n_rows: int
    dim: int
    low: NDArray[np.float64]
    """Least finite value of each coordinate, shape (dim,); NaN where there is none."""
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    """Eigenvalues of the covariance (over n - 1), descending, shape (dim,) or of a sample fewer."""
    variance: float
    """Sum of the variances of the coordinates."""
    sampled: int | None
    """Rows that the spectrum is computed from, if not all."""
    n_nan: int
    n_infinite: int
    first_bad: tuple[int, int] | None
    """Row and coordinate of the first value that is not finite."""
    whole: bool
    """Whether all values are whole numbers."""
    digests: NDArray[np.uint64]
    """Of each row, shape (n_rows, 2): equal if and only if the rows are."""

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which coordinates are equal in all rows."""
        return self.low == self.high

    @property
    def bad_rows(self) -> int:
        """Values that are not finite."""
        return self.n_nan + self.n_infinite

    @property
    def is_measurable(self) -> bool:
        """Whether all values are finite, and their squares are, too."""
        return not self.bad_rows and _squares_are_finite(self.low, self.high)


def survey(contents: ArrayContents, show: bool | None = None) -> Survey:
    """Look at all rows once.

    Parameters
    ----------
    contents : ArrayContents
    show : bool, optional
        A progress bar; by default of large data, if stderr is a terminal.
    """
    n, dim = contents.n_rows, contents.dim
    ranges, moments = Ranges(dim), _Moments(dim)
    digests = np.empty((n, 2), dtype=np.uint64)
    quiet = False if 8 * n * dim < _LARGE else show
    with progress_bar(n, "rows", quiet, label="reading") as bar:
        for start, block in contents.blocks():
            digests[start : start + len(block)] = digest_pairs(block)
            moments.add(block[ranges.add(start, block)])
            bar.update(len(block))
    spectrum, sampled = moments.spectrum(), None
    if spectrum is None:
        spectrum, sampled = _sampled_spectrum(contents, moments.rows, moments.unit)
    empty = ranges.low > ranges.high
    constant = ranges.low == ranges.high
    ranges.low[empty] = ranges.high[empty] = np.nan
    # Of values beyond 1e150 squares are no float64, and below 1e-150 they are 0.
    with np.errstate(over="ignore", under="ignore"):
        return Survey(
            n_rows=n,
            dim=dim,
            low=ranges.low,
            high=ranges.high,
            mean=moments.mean / moments.unit,
            spectrum=np.maximum(spectrum, 0.0) / moments.unit / moments.unit,
            variance=float(moments.variances[~constant].sum() / moments.unit / moments.unit),
            sampled=sampled,
            n_nan=ranges.n_nan,
            n_infinite=ranges.n_infinite,
            first_bad=ranges.first_bad,
            whole=ranges.whole and moments.rows > 0,
            digests=digests,
        )


class Ranges:
    """Least and greatest finite values of each coordinate, and what is not finite."""

    def __init__(self, dim: int) -> None:
        self.n_rows, self.dim = 0, dim
        self.low, self.high = np.full(dim, np.inf), np.full(dim, -np.inf)
        self.n_nan = self.n_infinite = 0
        self.first_bad: tuple[int, int] | None = None
        self.whole = True

    def add(self, start: int, block: Array) -> Any:
        """Take in rows from `start` on; return which of them are finite."""
        self.n_rows += len(block)
        fine = np.isfinite(block)
        if fine.all():
            self.low = np.minimum(self.low, block.min(axis=0))
            self.high = np.maximum(self.high, block.max(axis=0))
            self.whole = self.whole and bool((block == np.floor(block)).all())
            return slice(None)
        nan = int(np.isnan(block).sum())
        self.n_nan, self.n_infinite = self.n_nan + nan, self.n_infinite + int((~fine).sum()) - nan
        if self.first_bad is None:
            row, column = np.argwhere(~fine)[0]
            self.first_bad = start + int(row), int(column)
        self.low = np.minimum(self.low, np.where(fine, block, np.inf).min(axis=0))
        self.high = np.maximum(self.high, np.where(fine, block, -np.inf).max(axis=0))
        values = block[fine]
        self.whole = self.whole and bool((values == np.floor(values)).all())
        return fine.all(axis=1)

    @property
    def bad_rows(self) -> int:
        """Values that are not finite."""
        return self.n_nan + self.n_infinite

    @property
    def is_measurable(self) -> bool:
        """Whether all values are finite, and their squares are, too."""
        return not self.bad_rows and _squares_are_finite(self.low, self.high)


class _Moments:
    """Sums of finite rows about the mean of the first ones, in a unit that makes them ordinary."""

    def __init__(self, dim: int) -> None:
        self.rows, self.unit, self.shift = 0, 1.0, np.zeros(dim)
        self.total, self.squares = np.zeros(dim), np.zeros(dim)
        self.products = np.zeros((dim, dim)) if dim <= MOST_COORDINATES else None

    def add(self, block: Array) -> None:
        """Take in rows; they are changed."""
        if not len(block):
            return
        if not self.rows:
            self.unit = _unit(block)
            self.shift = (block * self.unit).mean(axis=0)
        block *= self.unit
        block -= self.shift
        self.rows += len(block)
        self.total += block.sum(axis=0)
        # Rows far beyond the first ones may leave the range of squares, which is said of them.
        with np.errstate(over="ignore", invalid="ignore"):
            if self.products is None:
                self.squares += np.square(block).sum(axis=0)
            else:
                self.products += block.T @ block

    @property
    def mean(self) -> Array:
        """In the unit."""
        return self.shift + (self.total / self.rows if self.rows else np.nan)

    @property
    def variances(self) -> Array:
        """Of each coordinate, in the squared unit."""
        squares = self.squares if self.products is None else np.diag(self.products)
        if self.rows < 2:
            return np.zeros(len(squares))
        left = np.maximum(squares - self.total**2 / self.rows, 0.0) / (self.rows - 1)
        return np.where(np.isfinite(left), left, 0.0)

    def spectrum(self) -> Array | None:
        """Eigenvalues of the covariance, descending; None if that is not known."""
        if self.rows < 2:
            return np.zeros(len(self.total))
        if self.products is None:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            centred = self.products - np.outer(self.total, self.total) / self.rows
        if not np.isfinite(centred).all():
            return np.zeros(len(self.total))
        return _eigenvalues(centred / (self.rows - 1))


def sample_of_rows(n_rows: int, most: int, purpose: str) -> NDArray[np.intp]:
    """Indices of at most `most` rows, ascending; the same for the same numbers and purpose."""
    if n_rows <= most:
        return np.arange(n_rows)
    rng = as_generator(0, f"ornstein data, {purpose}")
    return np.sort(rng.choice(n_rows, most, replace=False))


def effective_dimension(spectrum: NDArray[np.float64]) -> float:
    """``(sum l)^2 / sum l^2``; 0 if all are 0, NaN if one is infinite.

    Examples
    --------
    >>> effective_dimension(np.array([2.0, 2.0, 0.0]))
    2.0
    """
    largest = spectrum.max(initial=0.0)
    if largest == 0 or not math.isfinite(largest):
        return 0.0 if largest == 0 else math.nan
    shares = spectrum / largest
    return float(shares.sum() ** 2 / np.square(shares).sum())


def _squares_are_finite(low: Array, high: Array) -> bool:
    return float(max(np.abs(low).max(), np.abs(high).max())) < _LARGEST


def _unit(block: Array) -> float:
    """A power of two that makes the values of a block of order 1, if they are far from it."""
    exponent = int(np.frexp(np.abs(block).max())[1])
    return 1.0 if abs(exponent) < _ORDINARY else math.ldexp(1.0, -max(exponent, -1000))


def _sampled_spectrum(contents: ArrayContents, used: int, unit: float) -> tuple[Array, int | None]:
    rows = sample_of_rows(contents.n_rows, MOST_COORDINATES, "spectrum")
    points = contents.rows(rows)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return np.zeros(1), len(points)
    points *= unit
    points -= points.mean(axis=0)
    spectrum = _eigenvalues(points @ points.T / (len(points) - 1))
    # The products of centred rows have one eigenvalue 0 that is none of the covariance.
    return spectrum[:-1], None if len(points) == used else len(points)


def _eigenvalues(matrix: Array) -> Array:
    from threadpoolctl import threadpool_limits

    # On cores that others use, too, threads of LAPACK wait for each other many times as long.
    with threadpool_limits(1):
        return np.asarray(np.linalg.eigvalsh(matrix)[::-1], dtype=np.float64)
