r"""Intervals for a fraction that was counted.

For ``k`` of ``n`` independent trials, Wilson's interval holds the probabilities ``p`` that a normal
test of level 5% does not reject: ``|k/n - p| <= z sqrt(p (1 - p) / n)``, ``z = 1.96``. Unlike
``k/n +- z s.e.`` it is of positive width at ``k = 0`` and ``k = n``, and stays within [0, 1].
"""

from __future__ import annotations

__all__ = ["Z95", "wilson_interval"]

import math

Z95 = 1.959963984540054
"""Of a normal law, what 95% lie within, in standard deviations."""


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
