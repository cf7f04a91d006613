"""``--dim`` and ``--spectrum``: a population covariance, given by its eigenvalues."""

from __future__ import annotations

__all__ = ["population_spectrum", "some_modes"]

from typing import TYPE_CHECKING

from ornstein.cli.parsing import UsageError, reals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KINDS = "isotropic, power-law:EXPONENT or a comma list"


def population_spectrum(spectrum: str, dim: int | None) -> NDArray[np.float64]:
    """Eigenvalues named by ``isotropic``, ``power-law:EXPONENT`` or a comma list.

    The first are all 1, the second ``k^-EXPONENT`` for k = 1 to `dim`; `dim` is 100 when left out.
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
            return np.arange(1.0, size + 1.0) ** -float(exponent)
    elif all(_is_number(part) for part in text.strip("[]() ").replace(":", ",").split(",") if part):
        values = np.array(reals(text, "spectrum"))
        if not (np.isfinite(values).all() and values.min() >= 0 < values.max()):
            raise UsageError(
                f"--spectrum: given {spectrum!r}, expected numbers >= 0, not all of them 0"
            )
        if dim is not None and dim != values.size:
            raise UsageError(
                f"--spectrum: given {values.size} eigenvalue(s) and --dim {dim}: leave --dim out"
            )
        return values
    raise UsageError(f"--spectrum: given {spectrum!r}, expected {_KINDS}")


def some_modes(eigenvalues: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """At most `count` distinct eigenvalues, largest first, evenly spread over their ranks."""
    import numpy as np

    distinct = np.unique(eigenvalues)[::-1]
    ranks = np.linspace(0, distinct.size - 1, min(count, distinct.size)).round().astype(int)
    return distinct[ranks]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
