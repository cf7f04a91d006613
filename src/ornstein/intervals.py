r"""Intervals for a fraction that was counted, and what a standard error of few values is worth.

For ``k`` of ``n`` independent trials, Wilson's interval holds the probabilities ``p`` that a normal
test of level 5% does not reject: ``|k/n - p| <= z sqrt(p (1 - p) / n)``, ``z = 1.96``. Unlike
``k/n +- z s.e.`` it is of positive width at ``k = 0`` and ``k = n``, and stays within [0, 1].

A mean of r values has a standard error of r - 1 degrees of freedom: by Student's law its 95%
interval reaches 12.7, 4.3 and 3.2 of them to each side for r = 2, 3 and 4, and 1.96 for many.
"""

from __future__ import annotations

__all__ = ["Z95", "wilson_interval", "few_values_note"]

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Z95 = 1.959963984540054
"""Of a normal law, what 95% lie within, in standard deviations."""
_ENOUGH = 4  # values, from which on a standard error is not said to be of few


def wilson_interval(successes: float, trials: float) -> tuple[float, float]:
    """Wilson's 95% interval for a fraction.

    Neither number needs to be whole: trials that depend on each other count as fewer.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Examples
    --------
    >>> wilson_interval(0, 20)
    (0.0, 0.161125)
    """
    if trials == 0:
        return math.nan, math.nan
    fraction, z2 = successes / trials, Z95**2
    centre = (fraction + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = fraction * (1 - fraction) / trials + z2 / (4 * trials**2)
    half = Z95 / (1 + z2 / trials) * math.sqrt(spread)
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return low, high


def few_values_note(counts: Iterable[Any], name: str) -> list[str]:
    """Say what standard errors are worth that are of 2 or 3 values; empty if there are none.

    Parameters
    ----------
    counts : iterable of int
        Values behind each standard error; one value alone has none.
    name : str
        Of a value.

    Examples
    --------
    >>> few_values_note([2, 40], "run")[0]
    'Standard errors over 2 runs have 1 degree of freedom: a 95% interval reaches 12.7 of them...'
    >>> few_values_note([1, 4], "run")
    []
    """
    few = [int(count) for count in counts if 2 <= count < _ENOUGH]
    if not few:
        return []
    from scipy.special import stdtrit

    dof = min(few) - 1
    freedom = f"{dof} degree{'' if dof == 1 else 's'} of freedom"
    reach = float(stdtrit(dof, 0.975))
    said = f"Standard errors over {dof + 1} {name}s have {freedom}: a 95% interval reaches "
    return [f"{said}{reach:.3g} of them to each side, not 2."]
