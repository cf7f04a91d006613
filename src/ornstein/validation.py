"""What a caller may hand in, and the one clear line they read when it is something else.

Every message says what was given, what was expected and what to do. Fewer points than
dimensions is never an error: it is half of the subject.

What numpy would silently turn into real numbers is refused by :func:`as_real`, through which all
arrays come: the imaginary part of complex numbers, the mask of masked arrays, dates as day numbers.
"""

from __future__ import annotations

__all__ = [
    "as_real",
    "as_points",
    "as_vector",
    "as_positive",
    "as_positive_number",
    "as_between",
    "as_number",
    "as_spectrum",
    "as_count",
    "as_counts",
    "as_generator",
    "float_or_array",
]

import hashlib
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LARGEST_COUNT = 2.0**53
_NEVER_MASKED = (np.ndarray, float, np.float64, np.float32)


def as_real(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return `values` as an array of float64, of any shape.

    Parameters
    ----------
    values : array-like
        Real numbers; text that reads as numbers will do.
    name : str
        What the caller calls it, for the message.

    Raises
    ------
    TypeError
        If it holds complex numbers, dates or durations, or what is no number.
    ValueError
        If values are masked, or rows have different lengths.
    """
    if type(values) in _NEVER_MASKED and np.asarray(values).dtype.kind in "iuf":
        return np.asarray(values, dtype=np.float64)  # most calls, and the checks below take longer
    refuse_masked(values, name)
    if values is None:
        raise TypeError(f"{name} is None, expected real numbers")
    try:
        given = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths, expected an array") from None
    if given.dtype.kind == "c":
        raise TypeError(
            f"{name} holds complex values, expected real numbers: give real and imaginary parts as "
            "columns"
        )
    refuse_dates(given, name)
    if given.dtype.kind in "biuf":
        return given.astype(np.float64, copy=False)
    try:
        return given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"{name} holds values of type {given.dtype}, expected real numbers: "
            "drop or encode its text columns"
        ) from None


def refuse_masked(values: Any, name: str) -> None:
    """Raise ValueError if values are masked: numpy would take what is behind the mask."""
    parts = values if isinstance(values, (list, tuple)) else (values,)
    masked = sum(int(np.ma.count_masked(part)) for part in parts if np.ma.isMaskedArray(part))
    if masked:
        raise ValueError(f"{name} has {masked} masked value(s), expected none: fill or drop them")


def refuse_dates(values: NDArray[Any], name: str) -> None:
    """Raise TypeError for dates and durations: numpy would count days, or nanoseconds."""
    times = (np.datetime64, np.timedelta64)
    if values.dtype.kind in "mM" or (
        values.dtype == object and any(isinstance(value, times) for value in values.flat)
    ):
        raise TypeError(
            f"{name} holds dates or durations, expected real numbers: "
            "turn them into numbers of a unit, as (dates - dates[0]) / np.timedelta64(1, 'D')"
        )


def as_points(
    points: ArrayLike, name: str = "points", *, dim: int | None = None, at_least: int = 1
) -> NDArray[np.float64]:
    """Return `points` as a finite float64 array of shape (n_points, dim).

    Parameters
    ----------
    points : array-like of shape (n_points, dim), or (n_points, ...) which is flattened
        One data point per row.
    name : str
        What the caller calls it, for the message.
    dim : int, optional
        The dimension that is expected.
    at_least : int
        The fewest rows that make sense.

    Raises
    ------
    TypeError
        If the values are no real numbers.
    ValueError
        If the shape is wrong, a value is NaN or infinite, or rows are too few.
    """
    given = as_real(points, name)
    if given.ndim < 2:
        raise ValueError(
            f"{name} has shape {given.shape}, expected (n_points, dim): "
            "for one coordinate use array.reshape(-1, 1), for one point array.reshape(1, -1)"
        )
    flat = given.reshape(given.shape[0], math.prod(given.shape[1:]))
    flat = np.ascontiguousarray(flat)
    if flat.shape[1] == 0:
        raise ValueError(f"{name} has shape {given.shape}, expected at least one coordinate")
    if flat.shape[0] < at_least:
        raise ValueError(
            f"{name} has {flat.shape[0]} point(s), expected at least {at_least}: give more rows"
        )
    if dim is not None and flat.shape[1] != dim:
        raise ValueError(
            f"{name} has {flat.shape[1]} coordinates per point, expected {dim}: "
            "all arrays of one comparison need the same dimension"
        )
    bad = ~np.isfinite(flat)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"{name} has {int(bad.sum())} NaN or infinite value(s), the first at row {row}, "
            f"column {column}: drop or impute them"
        )
    return flat


def as_vector(values: ArrayLike, name: str, *, dim: int | None = None) -> NDArray[np.float64]:
    """Return `values` as a finite float64 vector; a number is repeated `dim` times.

    Raises
    ------
    ValueError
        If it is no vector, has the wrong length, or a value is not finite.
    """
    vector = _as_numbers(values, name)
    if vector.ndim == 0 and dim is not None:
        vector = np.full(dim, vector)
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} has shape {vector.shape}, expected a vector")
    if dim is not None and vector.size != dim:
        raise ValueError(f"{name} has {vector.size} value(s), expected {dim}")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name} has NaN or infinite values, expected finite numbers")
    return vector


def as_positive(value: ArrayLike, name: str, *, zero: bool = False) -> NDArray[np.float64]:
    """Return a number or an array of numbers, all finite and > 0 (>= 0 with `zero`).

    Raises
    ------
    TypeError
        If it holds no real numbers.
    ValueError
        If any is not.
    """
    if isinstance(value, float) and 0 < value < math.inf:  # np.float64 is one
        return np.asarray(value)
    array = _as_numbers(value, name)
    fine = np.isfinite(array) & ((array >= 0) if zero else (array > 0))
    if not fine.all():
        first = array[~fine].flat[0]
        raise ValueError(f"{name} is {first:g}, expected a finite number {'>=' if zero else '>'} 0")
    return array


def as_between(value: ArrayLike, name: str, low: float, high: float) -> NDArray[np.float64]:
    """Return a number or an array of numbers from `low` to `high`, both included.

    Raises
    ------
    TypeError
        If it holds no real numbers.
    ValueError
        If any is out of the range, or NaN.
    """
    array = _as_numbers(value, name)
    fine = (array >= low) & (array <= high)
    if not fine.all():
        first = array[~fine].flat[0]
        raise ValueError(f"{name} is {first:g}, expected a number from {low:g} to {high:g}")
    return array


def _as_numbers(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Real numbers; True and False are none, nor is text."""
    array = as_real(value, name)
    given = array if array is value else np.asarray(value)
    if given.dtype.kind in "bSU":
        what = f"is {value!r}" if given.ndim == 0 else f"holds values of type {given.dtype}"
        raise TypeError(f"{name} {what}, expected real numbers")
    return array


def as_number(value: ArrayLike, name: str) -> float:
    """Return a float; what it has to be is for the caller to check.

    Raises
    ------
    TypeError
        If it is no single real number.
    """
    array = _as_numbers(value, name)
    if array.ndim:
        raise TypeError(f"{name} has shape {array.shape}, expected one number")
    return float(array)


def as_positive_number(value: ArrayLike, name: str, *, zero: bool = False) -> float:
    """Return one finite number > 0 (>= 0 with `zero`).

    Raises
    ------
    TypeError
        If it is no single real number.
    ValueError
        If it is out of range.
    """
    return float(as_positive(as_number(value, name), name, zero=zero))


def as_count(value: Any, name: str, *, at_least: int = 1) -> int:
    """Return `value` as an int of `at_least` or more.

    Raises
    ------
    TypeError
        If it is no whole number.
    ValueError
        If it is too small.
    """
    refuse_masked(value, name)
    try:
        whole = not isinstance(value, (bool, str, bytes)) and float(value).is_integer()
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise TypeError(f"{name} is {value!r}, expected a whole number")
    number = int(value)
    if number < at_least:
        raise ValueError(f"{name} is {value}, expected at least {at_least}")
    return number


def as_counts(value: ArrayLike, name: str, *, at_least: int = 1) -> NDArray[np.float64]:
    """Return an array of whole numbers of `at_least` or more, as floats for arithmetic.

    Raises
    ------
    TypeError
        If any is no whole number.
    ValueError
        If any is too small, not finite, or above 2^53, beyond which float64 skips whole numbers.
    """
    counts = as_positive(value, name, zero=True)
    fractional = counts[counts != np.floor(counts)]
    if fractional.size:
        raise TypeError(f"{name} is {fractional.flat[0]:g}, expected whole numbers")
    if (counts < at_least).any():
        raise ValueError(f"{name} is {counts.min():g}, expected at least {at_least}")
    if (counts > _LARGEST_COUNT).any():
        raise ValueError(
            f"{name} is {counts.max():g}, expected at most 2^53 = 9.007e15: beyond, not all whole "
            "numbers are exact"
        )
    return counts


def as_spectrum(eigenvalues: ArrayLike) -> NDArray[np.float64]:
    """Return the eigenvalues of a covariance, a vector of finite numbers >= 0.

    Raises
    ------
    ValueError
        If they are not.
    """
    return as_positive(as_vector(eigenvalues, "eigenvalues"), "eigenvalues", zero=True)


def as_generator(random_state: Any, purpose: str) -> np.random.Generator:
    """Return a `numpy.random.Generator`, never the global one, for one purpose.

    From a seed, each purpose gets a stream of its own: with ``rng=0`` for the data and
    ``random_state=0`` for the model, the noise of the model is independent of the data.

    Parameters
    ----------
    random_state : None, int, sequence of ints, SeedSequence, Generator or RandomState
        None draws fresh entropy. A Generator is used as it is and advances, whatever the purpose.
        A RandomState (which scikit-learn hands around) advances and seeds a new Generator. All
        others are seeds: the same seed and purpose give the same numbers.
    purpose : str
        What the numbers are for, as ``"Gaussian.sample"``; no two places share one.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If a seed is negative.

    Examples
    --------
    >>> a, b = (as_generator(0, purpose).random() for purpose in ("data", "noise"))
    >>> a == b, a == as_generator(0, "data").random()
    (False, True)
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(0, 2**32, size=4, dtype=np.uint32))
    if isinstance(random_state, np.random.BitGenerator):
        return np.random.Generator(random_state)
    if random_state is None:
        return np.random.default_rng()
    if not isinstance(random_state, np.random.SeedSequence):
        random_state = np.random.SeedSequence(_as_seed(random_state))
    # SHA-256 is the same on every machine and in every process, Python's hash() is not.
    words = np.frombuffer(hashlib.sha256(purpose.encode()).digest()[:16], dtype="<u4")
    key = (*random_state.spawn_key, *words.tolist())
    return np.random.default_rng(
        np.random.SeedSequence(
            random_state.entropy, spawn_key=key, pool_size=random_state.pool_size
        )
    )


def _as_seed(seed: Any) -> int | list[int]:
    try:
        words = [operator.index(word) for word in np.atleast_1d(np.asarray(seed, dtype=object))]
    except TypeError:
        raise TypeError(
            f"{seed!r} is no source of random numbers: give None, an int >= 0, or a numpy Generator"
        ) from None
    if not words or min(words) < 0:
        raise ValueError(f"the seed is {seed!r}, expected an int >= 0")
    return words[0] if len(words) == 1 else words


def float_or_array(values: NDArray[np.float64]) -> Any:
    """Return a result of numbers as a float, and of arrays as an array."""
    return values if np.ndim(values) else float(values)
