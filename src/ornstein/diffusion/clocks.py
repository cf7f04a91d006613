r"""The four clocks that papers read the noising process by.

=================  =======================================================  ====================
clock              noised point                                             noise `s`
=================  =======================================================  ====================
OU time `t`        ``x_t = e^{-t} x_0 + sqrt(1 - e^{-2t}) z``               ``s^2 = e^{2t} - 1``
EDM noise `s`      ``x = x_0 + s z``                                        ``s``
DDPM `abar`        ``x_k = sqrt(abar) x_0 + sqrt(1 - abar) z``              ``s^2 = 1/abar - 1``
flow matching `u`  ``x_u = (1 - u) x_0 + u z``                              ``s = u / (1 - u)``
=================  =======================================================  ====================

Up to a rescaling of the noised point the four are one process, and ``s`` (standard deviation of the
noise per unit of signal) is their common clock. All conversions go through it, with ``expm1`` and
``log1p``, so that short times keep their digits.
"""

from __future__ import annotations

__all__ = [
    "noise_from_time",
    "time_from_noise",
    "noise_from_alpha_bar",
    "alpha_bar_from_noise",
    "noise_from_flow",
    "flow_from_noise",
    "time_from_alpha_bar",
    "alpha_bar_from_time",
]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.validation import as_positive, as_real

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_LONGEST = 709.0


def noise_from_time(time: ArrayLike) -> Array:
    """EDM noise ``s = sqrt(e^{2t} - 1)`` at OU time ``0 <= t <= 709``.

    Raises
    ------
    ValueError
        If a time is out of that range, beyond which ``s`` overflows.

    Examples
    --------
    >>> float(noise_from_time(2.0))
    7.321076
    """
    t = as_positive(time, "time", zero=True)
    if (t > _LONGEST).any():
        raise ValueError(
            f"time is {t.max():g}, expected at most {_LONGEST:g}: the noise e^t would overflow"
        )
    return np.exp(t) * np.sqrt(-np.expm1(-2 * t))


def time_from_noise(noise: ArrayLike) -> Array:
    """OU time ``t = 1/2 ln(1 + s^2)`` of EDM noise ``s >= 0``."""
    s = as_positive(noise, "noise", zero=True)
    # hypot avoids the overflow of s^2; log1p keeps the digits of a small one.
    return np.where(s < 1, 0.5 * np.log1p(np.minimum(s, 1) ** 2), np.log(np.hypot(1, s)))


def noise_from_alpha_bar(alpha_bar: ArrayLike) -> Array:
    """EDM noise ``s = sqrt((1 - abar) / abar)`` of a DDPM step with ``0 < abar <= 1``."""
    a = _fraction(alpha_bar, "alpha_bar", low_open=True)
    return np.sqrt(1 - a) / np.sqrt(a)


def alpha_bar_from_noise(noise: ArrayLike) -> Array:
    """DDPM ``abar = 1 / (1 + s^2)`` of EDM noise ``s >= 0``."""
    s = as_positive(noise, "noise", zero=True)
    return np.square(1 / np.hypot(1, s))


def noise_from_flow(u: ArrayLike) -> Array:
    """EDM noise ``s = u / (1 - u)`` at flow-matching time ``0 <= u < 1``."""
    u = _fraction(u, "u", high_open=True)
    return u / (1 - u)


def flow_from_noise(noise: ArrayLike) -> Array:
    """Flow-matching time ``u = s / (1 + s)`` of EDM noise ``s >= 0``."""
    s = as_positive(noise, "noise", zero=True)
    return s / (1 + s)


def time_from_alpha_bar(alpha_bar: ArrayLike) -> Array:
    """OU time ``t = -1/2 ln abar`` of a DDPM step with ``0 < abar <= 1``."""
    return -0.5 * np.log(_fraction(alpha_bar, "alpha_bar", low_open=True))


def alpha_bar_from_time(time: ArrayLike) -> Array:
    """DDPM ``abar = e^{-2t}`` at OU time ``t >= 0``."""
    t = as_positive(time, "time", zero=True)
    return np.exp(-2 * np.minimum(t, _LONGEST))


def _fraction(
    value: ArrayLike, name: str, *, low_open: bool = False, high_open: bool = False
) -> Array:
    array = as_real(value, name)
    fine = ((array > 0) if low_open else (array >= 0)) & (
        (array < 1) if high_open else (array <= 1)
    )
    if not fine.all():
        interval = f"{'(' if low_open else '['}0, 1{')' if high_open else ']'}"
        raise ValueError(f"{name} is {array[~fine].flat[0]:g}, expected a number in {interval}")
    return array
