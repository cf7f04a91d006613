r"""The noising process, and the four clocks that papers read it by.

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

The one-step model of Halder (arXiv 2411.17807) stops the process at ``T`` and scales its noise,

    y = e^{-T} x + sqrt(v_z) z,        v_z = noise_scale * e^{-2T} (1 - e^{-2T}).
"""

from __future__ import annotations

__all__ = [
    "OneStepNoising",
    "noise_from_time",
    "time_from_noise",
    "noise_from_alpha_bar",
    "alpha_bar_from_noise",
    "noise_from_flow",
    "flow_from_noise",
    "time_from_alpha_bar",
    "alpha_bar_from_time",
]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ornstein.validation import as_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def noise_from_time(time: ArrayLike) -> Array:
    """EDM noise ``s = sqrt(e^{2t} - 1)`` at OU time ``t >= 0``.

    Examples
    --------
    >>> float(noise_from_time(2.0))
    7.321076
    """
    return np.sqrt(np.expm1(2 * as_positive(time, "time", zero=True)))


def time_from_noise(noise: ArrayLike) -> Array:
    """OU time ``t = 1/2 ln(1 + s^2)`` of EDM noise ``s >= 0``."""
    s = as_positive(noise, "noise", zero=True)
    # hypot avoids the overflow of s^2; log1p keeps the digits of a small one.
    return np.where(s < 1, 0.5 * np.log1p(np.minimum(s, 1) ** 2), np.log(np.hypot(1, s)))


def noise_from_alpha_bar(alpha_bar: ArrayLike) -> Array:
    """EDM noise ``s = sqrt((1 - abar) / abar)`` of a DDPM step with ``0 < abar <= 1``."""
    a = _fraction(alpha_bar, "alpha_bar", low_open=True)
    return np.sqrt((1 - a) / a)


def alpha_bar_from_noise(noise: ArrayLike) -> Array:
    """DDPM ``abar = 1 / (1 + s^2)`` of EDM noise ``s >= 0``."""
    s = as_positive(noise, "noise", zero=True)
    return 1 / np.hypot(1, s) ** 2


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
    return np.exp(-2 * as_positive(time, "time", zero=True))


@dataclass(frozen=True)
class OneStepNoising:
    """The noising of the one-step model, ``y = signal * x + noise_std * z``.

    Parameters
    ----------
    time : float
        Diffusion time ``T`` > 0.
    noise_scale : float
        ``lambda_`` >= 0 in ``v_z = lambda_ e^{-2T} (1 - e^{-2T})``, in squared data units; 1 in
        the paper.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or not finite.

    References
    ----------
    Halder, arXiv 2411.17807.

    Examples
    --------
    >>> OneStepNoising(time=2.0).signal_fraction(std=1.0)
    0.504621
    """

    time: float = 2.0
    noise_scale: float = 1.0

    def __post_init__(self) -> None:
        as_positive(self.time, "time")
        as_positive(self.noise_scale, "noise_scale", zero=True)

    @property
    def signal(self) -> float:
        """``e^{-T}``."""
        return float(np.exp(-self.time))

    @property
    def noise_variance(self) -> float:
        """``v_z``, in squared data units."""
        return float(-self.noise_scale * np.exp(-2 * self.time) * np.expm1(-2 * self.time))

    def signal_fraction(self, std: float) -> float:
        """``rho2 = e^{-2T} std^2 / (e^{-2T} std^2 + v_z)``: what part of ``Var y`` is signal."""
        variance = float(as_positive(std, "std")) ** 2
        return variance / (variance - self.noise_scale * float(np.expm1(-2 * self.time)))

    def noised(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw ``y`` for each row of `x`."""
        return self.signal * x + np.sqrt(self.noise_variance) * rng.standard_normal(x.shape)


def _fraction(
    value: ArrayLike, name: str, *, low_open: bool = False, high_open: bool = False
) -> Array:
    array = np.asarray(value, dtype=np.float64)
    fine = ((array > 0) if low_open else (array >= 0)) & (
        (array < 1) if high_open else (array <= 1)
    )
    if not fine.all():
        interval = f"{'(' if low_open else '['}0, 1{')' if high_open else ']'}"
        raise ValueError(f"{name} is {array[~fine].flat[0]:g}, expected a number in {interval}")
    return array
