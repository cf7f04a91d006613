"""How many points a target needs: the n from which on a quantity keeps a bound, and its band.

The band is that of ``ln n``: the standard error of the quantity at that n, over its slope in
``ln n``, times Student's 97.5% quantile for the ten parts of the jackknife.
"""

from __future__ import annotations

__all__ = ["Needed", "read_target", "points_needed", "MOST"]

import math
from typing import TYPE_CHECKING, NamedTuple

from ornstein.forecasting.estimate import half_width, jackknife
from ornstein.forecasting.quantities import TARGETS, target_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ornstein.forecasting.estimate import Estimate
    from ornstein.forecasting.predictions import OneStepProcess

MOST = 100
"""Times the data: how far a forecast goes."""
_FINE, _COARSE, _FEWEST, _WIDEST = 1.15, 1.7, 3, 0.03


class Needed(NamedTuple):
    """The answer to a target."""

    name: str
    bound: float
    n: float
    """Points from which on the bound is kept; infinite if not within 100 times the data."""
    low: float
    high: float
    """The band of 95%; infinite where it leaves that range, NaN if it is not known."""
    at_data: float
    """The quantity at all points of the data."""
    at_most: float
    """The quantity at 100 times the data."""


def read_target(text: str) -> tuple[str, float]:
    """Name and bound of ``NAME=BOUND``.

    Raises
    ------
    ValueError
        If the name is not known or the bound not in its range.

    Examples
    --------
    >>> read_target("w2=0.1")
    ('w2', 0.1)
    """
    name, _, value = str(text).partition("=")
    name = name.strip().replace("_", "-")
    if name not in TARGETS:
        raise ValueError(
            f"target: given {text!r}, expected NAME=BOUND with one of {', '.join(TARGETS)}"
        )
    try:
        bound = float(value)
    except ValueError:
        bound = math.nan
    low, high = TARGETS[name].low, TARGETS[name].high
    if not (low < bound < high and math.isfinite(bound)):
        span = f"> {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise ValueError(f"target: given {text!r}, expected {name}=BOUND with a number {span}")
    return name, bound


def points_needed(
    name: str,
    bound: float,
    whole: Estimate,
    parts: Sequence[Estimate],
    process: OneStepProcess,
) -> Needed:
    """Number of points from which on the target holds, up to 100 times the data."""
    value, falls = target_value(name, process), TARGETS[name].falls
    most = MOST * whole.count

    def short(n: int) -> bool:
        found = value(whole, n)
        return not (found <= bound if falls else found >= bound)

    at_data, at_most = value(whole, whole.count), value(whole, most)
    if short(most):
        return Needed(name, bound, math.inf, math.nan, math.inf, at_data, at_most)
    # The one-step model has a peak at n = d, which large strides would miss.
    stride = _FINE if name == "one-step-w2" else _COARSE
    high, low = most, most
    while low > _FEWEST:
        low = max(int(low / stride), _FEWEST)
        if short(low):
            break
        high = low
    else:
        return Needed(name, bound, float(_FEWEST), math.nan, math.nan, at_data, at_most)
    while high - low > 1:
        middle = min(max(round(math.sqrt(low * high)), low + 1), high - 1)
        low, high = (middle, high) if short(middle) else (low, middle)
    spread = _log_spread(high, value, whole, parts)
    top = high * math.exp(spread)
    return Needed(
        name,
        bound,
        float(high),
        high * math.exp(-spread),
        math.inf if top > most else top,
        at_data,
        at_most,
    )


def _log_spread(
    n: int, value: Callable[[Estimate, int], float], whole: Estimate, parts: Sequence[Estimate]
) -> float:
    """Half of the band of ``ln n``."""
    centre = value(whole, n)
    error = jackknife(centre, [value(part, n) for part in parts])
    step = max(int(_WIDEST * n), 1)
    below, above = max(n - step, 2), n + step
    slope = (value(whole, above) - value(whole, below)) / math.log(above / below)
    if not (math.isfinite(error) and math.isfinite(slope)) or slope == 0:
        return math.nan
    return half_width(error) / abs(slope)
