r"""Fixed points of many positive unknowns: iteration with Anderson's acceleration.

Where ``x = g(x)`` with ``x > 0``, iteration of ``ln x`` converges, but slowly where the slowest
direction shrinks by little in a step. Anderson's acceleration takes from the last m + 1 residuals
``f_k = ln g(x_k) - ln x_k`` the combination of weights ``w_k`` of sum 1 with the least
``|sum_k w_k f_k|``, and goes to ``sum_k w_k ln g(x_k)``: what is linear in a few directions is
solved in as many steps.

References
----------
Walker, Ni, SIAM J. Numer. Anal. 49 (2011).
"""

from __future__ import annotations

__all__ = ["positive_fixed_point"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_MEMORY, _STEPS = 4, 2000
_FAR = 4.0  # change of a logarithm, beyond which nothing is extrapolated


def positive_fixed_point(
    step: Callable[[Array], Array], start: Array, tolerance: float
) -> Array | None:
    """Solve ``x = step(x)`` for positive entries.

    Parameters
    ----------
    step : callable
        From an array of positive entries to one of the same shape.
    start : ndarray of shape (n,)
        Positive.
    tolerance : float
        Largest change of an entry in a step, relative to the largest entry, at which it ends.

    Returns
    -------
    ndarray of shape (n,), or None
        ``step`` of the last x; None if the tolerance is not reached in 2000 steps, or an entry
        leaves the positive numbers.

    Examples
    --------
    >>> positive_fixed_point(lambda x: np.array([1.0, 2.0]) / (1 + x), np.ones(2), 1e-12)
    array([0.618034, 1.      ])
    """
    at = np.log(start)
    images: list[Array] = []
    residuals: list[Array] = []
    for _ in range(_STEPS):
        found = step(np.exp(at))
        if not (np.isfinite(found).all() and found.min() > 0):
            return None
        if np.abs(found - np.exp(at)).max() <= tolerance * found.max():
            return found
        image = np.log(found)
        images, residuals = [*images[-_MEMORY:], image], [*residuals[-_MEMORY:], image - at]
        at = image
        if len(images) > 1:
            changes = np.diff(residuals, axis=0).T
            weights = np.linalg.lstsq(changes, residuals[-1], rcond=1e-10)[0]
            further = np.diff(images, axis=0).T @ weights
            if np.abs(further).max() < _FAR:
                at = image - further
            else:  # the last residuals were of no linear function
                images, residuals = images[-1:], residuals[-1:]
    return None
