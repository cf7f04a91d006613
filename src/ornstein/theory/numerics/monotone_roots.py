r"""The root of a decreasing function of a positive unknown, for many parameters at once.

The self-consistent equations of the theory (`deterministic_equivalents`, `regimes`) all read
``g(ln y) = 0`` with ``g`` smooth and decreasing, ``y > 0``, and a proved bracket
``lower <= y <= upper`` that may span many orders of magnitude. Newton's step in ``ln y``,

    y <- y exp(-g / g'),

is quadratic near the root but leaves the bracket where ``g`` is flat. It is taken while it stays
inside and halves from one iteration to the next; otherwise the bracket is halved in ``ln y``. Both
shrink the bracket, so the method converges for every ``g``, to the last digits of ``y``.

References
----------
Press, Teukolsky, Vetterling, Flannery, "Numerical Recipes", 3rd edition, 2007, section 9.4
(the idea of a safeguarded Newton method).
"""

from __future__ import annotations

__all__ = ["decreasing_root"]

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_MAX_STEPS = 200
_RESOLUTION = float(4 * np.finfo(np.float64).eps)
_LARGEST = 709.0  # of which the exponential is finite


def decreasing_root(
    value_and_slope: Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    *,
    some: bool = False,
) -> NDArray[np.float64]:
    """Root ``y`` of a decreasing function of ``ln y``, element by element.

    Parameters
    ----------
    value_and_slope : callable
        Maps ``y``, an array of the shape of the bounds, to ``g`` and its derivative with respect
        to ``ln y``, of the same shape.
    lower, upper : ndarray
        Bounds on the root, > 0, of one shape. Where they agree to rounding, that is the root.
    some : bool
        `value_and_slope` takes, instead, ``y`` of the elements whose root is not found yet, and
        their indices, both of shape (n,): most are found long before the last.

    Returns
    -------
    ndarray of the shape of the bounds
        Relative error of some units in the last place, times the conditioning of the root.

    Examples
    --------
    >>> target = np.array([1e-9, 2.0, 1e12])
    >>> bounds = np.full(3, 1e-20), np.full(3, 1e20)
    >>> decreasing_root(lambda y: (target / y - 1, -target / y), *bounds)
    array([1.e-09, 2.e+00, 1.e+12])
    """
    if lower.size == 1:
        root = _one_root(value_and_slope, lower.shape, lower.item(), upper.item(), some=some)
        return np.full(lower.shape, root)
    low, high = lower.ravel(), upper.ravel()
    y = np.sqrt(low) * np.sqrt(high)
    previous = np.full(y.shape, np.inf)
    (active,) = (high > low * (1.0 + _RESOLUTION)).nonzero()
    low, high = low[active], high[active]
    for _ in range(_MAX_STEPS):
        if not active.size:
            break
        at = y[active]
        if some:
            value, slope = value_and_slope(at, active)
        else:
            value, slope = (
                np.ravel(each)[active] for each in value_and_slope(y.reshape(lower.shape))
            )
        right = value > 0
        low, high = np.where(right, at, low), np.where(right, high, at)
        # A flat function has no Newton step: any large one falls out of the bracket.
        step = np.divide(-value, slope, out=np.full(at.shape, 1e3), where=slope < 0)
        proposal = at * np.exp(np.minimum(step, 1.0 + np.log(high / at)))
        small = np.abs(step) <= _RESOLUTION
        newton = (proposal > low) & (proposal < high) & (np.abs(step) < 0.5 * previous[active])
        move = np.where(newton, proposal, np.sqrt(low) * np.sqrt(high))
        y[active] = np.where(small, at, move)
        previous[active] = np.where(newton, np.abs(step), np.inf)
        open_ = ~small & (high > low * (1.0 + _RESOLUTION))
        active, low, high = active[open_], low[open_], high[open_]
    return y.reshape(lower.shape)


def _one_root(
    value_and_slope: Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]],
    shape: tuple[int, ...],
    low: float,
    high: float,
    *,
    some: bool,
) -> float:
    """The same for one number, where arrays of one would take most of the time."""
    y, previous = math.sqrt(low) * math.sqrt(high), math.inf
    for _ in range(_MAX_STEPS):
        if not high > low * (1.0 + _RESOLUTION):
            break
        given = (np.array([y]), np.array([0])) if some else (np.full(shape, y),)
        value, slope = (each.item() for each in value_and_slope(*given))
        low, high = (y, high) if value > 0 else (low, y)
        step = -value / slope if slope < 0 else 1e3
        if abs(step) <= _RESOLUTION:
            break
        # NumPy's functions: the bits are those of arrays.
        power = min(step, 1.0 + float(np.log(high / y)))
        proposal = y * float(np.exp(power)) if power < _LARGEST else math.inf
        newton = low < proposal < high and abs(step) < 0.5 * previous
        y = proposal if newton else math.sqrt(low) * math.sqrt(high)
        previous = abs(step) if newton else math.inf
    return y
