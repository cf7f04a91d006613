r"""The noising of the one-step model, which stops at one time.

The one-step model of Halder (arXiv 2411.17807) stops the process at ``T`` and scales its noise,

    y = e^{-T} x + sqrt(v_z) z,        v_z = noise_scale * e^{-2T} (1 - e^{-2T}).

Of the variance of ``y``, for data of standard deviation ``std``, the signal is the fraction

    rho2 = e^{-2T} std^2 / (e^{-2T} std^2 + v_z) = 1 / (1 + s^2 / std^2),

``s^2 = noise_scale (1 - e^{-2T})`` the noise per unit of signal: EDM's (:mod:`.clocks`), which
here stays below ``noise_scale`` however long the process runs.
"""

from __future__ import annotations

__all__ = ["OneStepNoising", "signal_fraction"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ornstein.diffusion.clocks import alpha_bar_from_noise, alpha_bar_from_time
from ornstein.validation import as_positive, float_or_array

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_LONGEST = 350.0


def signal_fraction(time: ArrayLike, noise_scale: ArrayLike, std: ArrayLike) -> Any:
    """``rho2``, what part of the variance of a noised coordinate is signal.

    Parameters
    ----------
    time : float or array-like
        Diffusion time ``T`` > 0.
    noise_scale : float or array-like
        ``lambda_`` >= 0, in squared data units.
    std : float or array-like
        Standard deviation of the data, >= 0, in data units: of each principal component for data
        of several variances. Of 0 nothing is signal.

    Returns
    -------
    float or ndarray
        In [0, 1]; arguments broadcast.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> signal_fraction(2.0, 1.0, std=[1.0, 2.0, 0.0])
    array([0.504621, 0.802941, 0.      ])
    """
    T = as_positive(time, "time")
    scale = as_positive(noise_scale, "noise_scale", zero=True)
    spread = as_positive(std, "std", zero=True)
    noise = np.sqrt(-scale * np.expm1(-2 * np.minimum(T, _LONGEST)))
    noise, spread = np.broadcast_arrays(noise, spread)
    largest = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        ratio = np.divide(noise, spread, out=np.full(noise.shape, largest), where=spread > 0)
    return float_or_array(alpha_bar_from_noise(np.minimum(ratio, largest)))


@dataclass(frozen=True)
class OneStepNoising:
    """The noising of the one-step model, ``y = signal * x + noise_std * z``.

    Parameters
    ----------
    time : float
        Diffusion time ``T`` > 0, at most 350, where ``e^{-2T}`` is still a number.
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
        if as_positive(self.time, "time") > _LONGEST:
            raise ValueError(
                f"time is {self.time:g}, expected at most {_LONGEST:g}: beyond, e^(-2T) underflows "
                "(the one-step model does not change after T = 20)"
            )
        as_positive(self.noise_scale, "noise_scale", zero=True)

    @property
    def signal(self) -> float:
        """``e^{-T}``."""
        return float(np.exp(-self.time))

    @property
    def noise_variance(self) -> float:
        """``v_z``, in squared data units."""
        alpha_bar = alpha_bar_from_time(self.time)
        return float(-self.noise_scale * alpha_bar * np.expm1(-2 * self.time))

    def signal_fraction(self, std: float) -> float:
        """``rho2`` of data of standard deviation `std` > 0; see :func:`signal_fraction`."""
        return float(signal_fraction(self.time, self.noise_scale, as_positive(std, "std")))

    def noised(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw ``y`` for each row of `x`."""
        return self.signal * x + np.sqrt(self.noise_variance) * rng.standard_normal(x.shape)
