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
    "survey",
    "sample_of_rows",
    "effective_dimension",
    "row_digests",
    "MOST_COORDINATES",
]

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.progress import progress_bar
from ornstein.validation import as_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.data.contents import ArrayContents

    Array = NDArray[np.float64]

MOST_COORDINATES = 2048
_DIGEST = 16  # bytes
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


def survey(contents: ArrayContents, show: bool | None = None) -> Survey:
    """Look at all rows once.

    Parameters
    ----------
    contents : ArrayContents
    show : bool, optional
        A progress bar; by default of large data, if stderr is a terminal.
    """
    n, dim = contents.n_rows, contents.dim
    low, high = np.full(dim, np.inf), np.full(dim, -np.inf)
    shift, total = np.zeros(dim), np.zeros(dim)
    products = np.zeros((dim, dim)) if dim <= MOST_COORDINATES else None
    squares = np.zeros(dim)
    digests = np.empty((n, 2), dtype=np.uint64)
    n_nan = n_infinite = used = 0
    first_bad: tuple[int, int] | None = None
    whole = True
    quiet = False if 8 * n * dim < _LARGE else show
    with progress_bar(n, "rows", quiet, label="reading") as bar:
        for start, block in contents.blocks():
            digests[start : start + len(block)] = row_digests(block)
            fine = np.isfinite(block)
            if not fine.all():
                nan = int(np.isnan(block).sum())
                n_nan, n_infinite = n_nan + nan, n_infinite + int((~fine).sum()) - nan
                if first_bad is None:
                    row, column = np.argwhere(~fine)[0]
                    first_bad = start + int(row), int(column)
                low = np.fmin(low, np.where(fine, block, np.inf).min(axis=0))
                high = np.fmax(high, np.where(fine, block, -np.inf).max(axis=0))
                block = block[fine.all(axis=1)]  # noqa: PLW2901
            elif len(block):
                low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
            if len(block):
                whole = whole and bool((block == np.floor(block)).all())
                if not used:
                    shift = block.mean(axis=0)
                block -= shift  # noqa: PLW2901 - a copy, made for this pass
                used += len(block)
                total += block.sum(axis=0)
                if products is None:
                    squares += np.square(block).sum(axis=0)
                else:
                    products += block.T @ block
            bar.update(min(len(block) or 1, n - bar.n))
    mean = total / max(used, 1)
    if products is not None:
        squares = np.diag(products).copy()
    variances = np.maximum(squares - used * mean**2, 0.0) / max(used - 1, 1)
    variances[low == high] = 0.0
    if products is not None:
        products -= used * np.outer(mean, mean)
        spectrum = _eigenvalues(products / max(used - 1, 1))
        sampled = None
    else:
        spectrum, sampled = _sampled_spectrum(contents, used)
    empty = low > high
    low[empty] = high[empty] = np.nan
    return Survey(
        n_rows=n,
        dim=dim,
        low=low,
        high=high,
        mean=shift + mean,
        spectrum=np.maximum(spectrum, 0.0),
        variance=float(variances.sum()),
        sampled=sampled,
        n_nan=n_nan,
        n_infinite=n_infinite,
        first_bad=first_bad,
        whole=whole and used > 0,
        digests=digests,
    )


def sample_of_rows(n_rows: int, most: int, purpose: str) -> NDArray[np.intp]:
    """Indices of at most `most` rows, ascending; the same for the same numbers and purpose."""
    if n_rows <= most:
        return np.arange(n_rows)
    rng = as_generator(0, f"ornstein data, {purpose}")
    return np.sort(rng.choice(n_rows, most, replace=False))


def effective_dimension(spectrum: NDArray[np.float64]) -> float:
    """``(sum l)^2 / sum l^2``; 0 if all are 0.

    Examples
    --------
    >>> effective_dimension(np.array([2.0, 2.0, 0.0]))
    2.0
    """
    largest = spectrum.max(initial=0.0)
    if largest == 0:
        return 0.0
    shares = spectrum / largest
    return float(shares.sum() ** 2 / np.square(shares).sum())


def _sampled_spectrum(contents: ArrayContents, used: int) -> tuple[Array, int | None]:
    rows = sample_of_rows(contents.n_rows, MOST_COORDINATES, "spectrum")
    points = contents.rows(rows)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return np.zeros(1), len(points)
    points -= points.mean(axis=0)
    spectrum = _eigenvalues(points @ points.T / (len(points) - 1))
    # The products of centred rows have one eigenvalue 0 that is none of the covariance.
    return spectrum[:-1], None if len(points) == used else len(points)


def _eigenvalues(matrix: Array) -> Array:
    return np.asarray(np.linalg.eigvalsh(matrix)[::-1], dtype=np.float64)


def row_digests(block: Array) -> NDArray[np.uint64]:
    """Digests of rows, shape (n_rows, 2): equal if and only if the rows are (NaN apart)."""
    # Adding 0 turns -0 into 0: they are equal, and their bytes are not.
    plain = np.ascontiguousarray(block + 0.0)
    joined = b"".join(hashlib.blake2b(row, digest_size=_DIGEST).digest() for row in plain)
    return np.frombuffer(joined, dtype=np.uint64).reshape(len(block), 2)
