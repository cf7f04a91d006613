"""``--dim`` and ``--spectrum``: a population covariance, given by its eigenvalues."""

from __future__ import annotations

__all__ = ["population_spectrum", "described", "scaled_to", "some_modes", "outside"]

from typing import TYPE_CHECKING

from ornstein.cli.parsing import UsageError, reals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def population_spectrum(spectrum: str, dim: int | None, std: float | None = None) -> Array:
    """Eigenvalues of :func:`ornstein.data.spectra.read_spectrum`, of ranges ``2:4:1`` as well.

    With `std` they are scaled to the mean ``std**2``.
    """
    from ornstein.data.spectra import read_spectrum
    from ornstein.validation import as_positive

    text = str(spectrum).strip()
    if std is not None:
        variance = float(as_positive(std, "std")) ** 2
        values = population_spectrum(spectrum, dim)
        return values / values.mean() * variance
    try:
        if ":" in text and not text[0].isalpha():
            text = ",".join(map(repr, reals(text, "spectrum")))
        return read_spectrum(text, dim)
    except UsageError:
        raise
    except ValueError as error:
        message = str(error)
        raise UsageError(f"--{message}" if message.startswith("spectrum: ") else message) from None


def described(values: Array, spectrum: str, std: float | None = None) -> str:
    """Say in a few words what population this is: ``d = 3, spectrum 1,0.1,0.01``.

    With `std`, to which they were scaled, their mean too.
    """
    from ornstein.data.spectra import describe_spectrum

    text = str(spectrum).strip()
    if ":" in text and not text[0].isalpha():
        text = ",".join(map(repr, reals(text, "spectrum")))
    scaled = "" if std is None else f", scaled to mean variance {std**2:g}"
    return describe_spectrum(values, text) + scaled


def scaled_to(std: float | None) -> dict[str, float]:
    """The entry of a document that says what a population was scaled to; none if it was not."""
    return {} if std is None else {"std": std}


def some_modes(eigenvalues: Array, count: int) -> Array:
    """At most `count` distinct eigenvalues, largest first, evenly spread over their ranks."""
    import numpy as np

    distinct = np.unique(eigenvalues)[::-1]
    ranks = np.linspace(0, distinct.size - 1, min(count, distinct.size)).round().astype(int)
    return distinct[ranks]


def outside(points: Array, low: float, high: float) -> list[str]:
    """A note, if a density was asked for beyond its support."""
    beyond = ((points < low) | (points > high)).any()
    return ["Outside the support the density is 0."] if beyond else []
