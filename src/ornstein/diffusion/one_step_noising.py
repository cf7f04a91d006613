r"""The noising of the one-step model, which stops at one time.

The one-step model of Halder (arXiv 2411.17807) stops the process at ``T`` and scales its noise,

    y = e^{-T} x + sqrt(v_z) z,        v_z = noise_scale * e^{-2T} (1 - e^{-2T}).
"""

from __future__ import annotations

__all__ = ["OneStepNoising"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ornstein.validation import as_positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


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
