"""``--dim`` and ``--spectrum``: a population covariance, given by its eigenvalues."""

from __future__ import annotations

__all__ = ["population_spectrum", "described", "some_modes", "outside"]

import math
from typing import TYPE_CHECKING

from ornstein.cli.parsing import UsageError, reals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def population_spectrum(spectrum: str, dim: int | None) -> Array:
    """Eigenvalues named by ``isotropic``, ``power-law:EXPONENT`` or a comma list.

    The first are all 1, the second ``k^-EXPONENT`` for k = 1 to `dim`; `dim` is 100 by default.
    A list has its own length, which `dim` may repeat.
    """
    import numpy as np

    from ornstein.validation import as_count

    text = str(spectrum).strip()
    kind, _, exponent = text.partition(":")
    if kind in ("isotropic", "power-law"):
        size = as_count(100 if dim is None else dim, "dim")
        if kind == "isotropic" and not exponent:
            return np.ones(size)
        if kind == "power-law" and _is_number(exponent):
            logarithms = -float(exponent) * np.log(np.arange(1.0, size + 1.0))
            if logarithms.max() < math.log(1e300):
                return np.arange(1.0, size + 1.0) ** -float(exponent)
    elif all(_is_number(part) for part in text.strip("[]() ").replace(":", ",").split(",") if part):
        values = np.array(reals(text, "spectrum"))
        if not 0 <= values.min() <= values.max() or values.max() == 0:
            raise UsageError(
                f"--spectrum: given {spectrum!r}, expected numbers >= 0, not all of them 0"
            )
        if dim is not None and dim != values.size:
            raise UsageError(
                f"--spectrum: given {values.size} eigenvalue(s) and --dim {dim}: leave --dim out, "
                "or give --spectrum isotropic or power-law:EXPONENT"
            )
        return values
    raise UsageError(
        f"--spectrum: given {spectrum!r}, expected isotropic, power-law:EXPONENT or a comma list"
    )


def described(values: Array, spectrum: str) -> str:
    """Say in a few words what population this is: ``d = 3, spectrum 1,0.1,0.01``."""
    kind = str(spectrum).strip()
    if not kind.startswith(("isotropic", "power-law")):
        listed = ",".join(f"{value:g}" for value in values)
        kind = f"spectrum {listed}"
        if values.size > 4:
            kind = f"spectrum from {values.min():g} to {values.max():g}"
    return f"d = {values.size}, {kind}"


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


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
