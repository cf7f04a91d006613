r"""The diffusion process that a network learns to reverse, as tensors.

Diffusion steps are ``k = 0 .. T-1``, as in :mod:`ornstein.diffusion.schedules`: beta grows linearly
from `beta_small` to `beta_large`, ``alpha_k = sqrt(abar_k)``, ``sigma_k = sqrt(1 - abar_k)``,

    x_k = alpha_k x_0 + sigma_k z,        z ~ N(0, I).

No step is without noise: ``abar_0 = 1 - beta_small``. Training draws k uniformly from all T steps,
and sampling with T steps visits each of them once, from ``T-1`` down to 0.

A network ``f(x_k, k)`` is trained on the mean square of ``f - target`` over images and pixels,

==================  ==============================  ======================================
`prediction_type`   target                          estimate of the clean image
==================  ==============================  ======================================
``epsilon``         ``z``                           ``(x_k - sigma_k f) / alpha_k``
``sample``          ``x_0``                         ``f``
``v``               ``alpha_k z - sigma_k x_0``     ``alpha_k x_k - sigma_k f``
==================  ==============================  ======================================

*Where sampling starts.* The usual start is N(0, I). The process itself ends at ``x_{T-1}``, whose
mean and variance are ``alpha m`` and ``alpha^2 s^2 + sigma^2`` for data of mean m and standard
deviation s. With the betas 1e-4 .. 0.02 and T = 200, ``abar_{T-1} = 0.13``: unless the data are
scaled to m = 0 and s = 1, N(0, I) is then not where a trained network has been.

References
----------
Ho, Jain, Abbeel, "Denoising diffusion probabilistic models", arXiv 2006.11239 (the process, and
epsilon). Salimans, Ho, "Progressive distillation for fast sampling of diffusion models",
arXiv 2202.00512 (v).
"""

from __future__ import annotations

__all__ = ["DiffusionProcess", "PredictionType"]

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ornstein.diffusion.schedules import BetaSchedule, linear_betas, nearest_step
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

PredictionType = Literal["epsilon", "sample", "v"]


class DiffusionProcess(nn.Module):
    """Noising in T steps with linearly growing beta, and what a network is to predict.

    Parameters
    ----------
    steps : int
        Diffusion steps T.
    beta_small, beta_large : float
        First and last beta, between 0 and 1.
    prediction_type : {"epsilon", "sample", "v"}
        What the network predicts.

    Attributes
    ----------
    signal, noise_std : Tensor of shape (steps,), float64
        ``alpha_k`` and ``sigma_k``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> process = DiffusionProcess(steps=200)
    >>> float(process.signal[-1] ** 2)  # abar of the last step
    0.132
    """

    signal: Tensor
    noise_std: Tensor

    def __init__(
        self,
        steps: int = 200,
        beta_small: float = 1e-4,
        beta_large: float = 0.02,
        prediction_type: PredictionType = "epsilon",
    ) -> None:
        super().__init__()
        if prediction_type not in {"epsilon", "sample", "v"}:
            raise ValueError(
                f"prediction_type is {prediction_type!r}, expected 'epsilon', 'sample' or 'v'"
            )
        self.steps = as_count(steps, "steps")
        self.prediction_type: PredictionType = prediction_type
        self.schedule = BetaSchedule("linear", self.steps, beta_small, beta_large)
        levels = self.schedule.levels(self.steps)
        # Levels fall to the clean image, steps count up from the least noise.
        signal, noise_std = levels.signal[-2::-1].copy(), levels.noise_std[-2::-1].copy()
        self.register_buffer("signal", torch.from_numpy(signal), persistent=False)
        self.register_buffer("noise_std", torch.from_numpy(noise_std), persistent=False)

    @property
    def config(self) -> dict[str, Any]:
        """The arguments, from which the same process can be built again."""
        return {
            "steps": self.steps,
            "beta_small": self.schedule.beta_small,
            "beta_large": self.schedule.beta_large,
            "prediction_type": self.prediction_type,
        }

    @property
    def betas(self) -> NDArray[np.float64]:
        """``beta_k``, shape (steps,)."""
        return linear_betas(self.steps, self.schedule.beta_small, self.schedule.beta_large)

    def noised(self, x0: Tensor, k: Tensor, z: Tensor) -> Tensor:
        """``x_k`` of images `x0`, shape (batch, ...), at steps `k`, shape (batch,), with noise `z`.

        The step may differ from image to image.
        """
        signal, noise_std = self._at(k, x0)
        return signal * x0 + noise_std * z

    def target(self, x0: Tensor, k: Tensor, z: Tensor) -> Tensor:
        """What the network should answer at ``noised(x0, k, z)``."""
        if self.prediction_type == "epsilon":
            return z
        if self.prediction_type == "sample":
            return x0
        signal, noise_std = self._at(k, x0)
        return signal * z - noise_std * x0

    def denoised(self, x: Tensor, k: Tensor, answer: Tensor) -> Tensor:
        """Estimate of the clean images from noised ones at steps `k` and the network's answer."""
        if self.prediction_type == "sample":
            return answer
        signal, noise_std = self._at(k, x)
        if self.prediction_type == "epsilon":
            return (x - noise_std * answer) / signal
        return signal * x - noise_std * answer

    def losses(
        self, network: Callable[[Tensor, Tensor], Tensor], x0: Tensor, k: Tensor, z: Tensor
    ) -> Tensor:
        """Mean square over pixels of answer minus target, one per image."""
        answer = network(self.noised(x0, k, z), k)
        errors = functional.mse_loss(answer, self.target(x0, k, z).to(answer), reduction="none")
        return errors.flatten(1).mean(1)

    def nearest_step(self, noise: float) -> int:
        """The step whose EDM noise ``sigma_k / alpha_k`` is nearest to `noise`, in ratio."""
        return int(nearest_step(noise, self.betas))

    def _at(self, k: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """``alpha_k`` and ``sigma_k``, to be multiplied with images."""
        shape = (-1,) + (1,) * (like.ndim - 1)
        signal, noise_std = self.signal[k], self.noise_std[k]
        return signal.to(like.dtype).view(shape), noise_std.to(like.dtype).view(shape)
