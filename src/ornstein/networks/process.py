r"""The diffusion process that a network learns to reverse, as tensors.

Diffusion steps are ``k = 0 .. T-1``, as in :mod:`ornstein.diffusion.schedules`: beta grows from
`beta_start` to `beta_end`, ``alpha_k = sqrt(abar_k)``, ``sigma_k = sqrt(1 - abar_k)``,

    x_k = alpha_k x_0 + sigma_k z,        z ~ N(0, I).

No step is without noise: ``abar_0 = 1 - beta_start``. Training draws k uniformly from all T steps,
and sampling in T steps visits each of them once, from ``T-1`` down to 0.

A network ``f(x_k, k)`` is trained on the mean square of ``f - target`` over images and pixels,

==================  ==============================  ======================================
`prediction`        target                          estimate of the clean image
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

__all__ = ["DiffusionProcess", "Prediction", "process_arguments"]

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ornstein.diffusion.schedules import BetaSchedule, nearest_step
from ornstein.networks.nets.adapter import ask
from ornstein.networks.renaming import PROCESS_NAMES, renamed, renamed_keys, renamed_property
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

Prediction = Literal["epsilon", "sample", "v"]
_OF_DIFFUSERS = {
    "linear": "linear",
    "scaled_linear": "scaled_linear",
    "squaredcos_cap_v2": "cosine",
    "epsilon": "epsilon",
    "sample": "sample",
    "v_prediction": "v",
}


class DiffusionProcess(nn.Module):
    """Noising in T steps, and what a network is to predict.

    Parameters
    ----------
    diffusion_steps : int
        T.
    beta_start, beta_end : float
        First and last beta, between 0 and 1; ``cosine`` has its own.
    prediction : {"epsilon", "sample", "v"}
        What the network predicts.
    beta_schedule : {"linear", "scaled_linear", "cosine"}
        How beta grows.

    Attributes
    ----------
    schedule : BetaSchedule
        Noise levels of the T steps.
    signal, noise_std : Tensor of shape (diffusion_steps,), float64
        ``alpha_k`` and ``sigma_k``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> process = DiffusionProcess(diffusion_steps=200)
    >>> float(process.signal[-1] ** 2)  # abar of the last step
    0.132
    """

    signal: Tensor
    noise_std: Tensor

    @renamed(**PROCESS_NAMES)
    def __init__(
        self,
        diffusion_steps: int = 200,
        beta_start: float = 1e-4,
        beta_end: float = 0.02,
        prediction: Prediction = "epsilon",
        beta_schedule: Literal["linear", "scaled_linear", "cosine"] = "linear",
    ) -> None:
        super().__init__()
        if prediction not in {"epsilon", "sample", "v"}:
            raise ValueError(f"prediction is {prediction!r}, expected 'epsilon', 'sample' or 'v'")
        self.diffusion_steps = as_count(diffusion_steps, "diffusion_steps")
        self.prediction: Prediction = prediction
        self.schedule = BetaSchedule(beta_schedule, self.diffusion_steps, beta_start, beta_end)
        levels = self.schedule.levels(self.diffusion_steps)
        # Levels fall to the clean image, steps count up from the least noise.
        signal, noise_std = levels.signal[-2::-1].copy(), levels.noise_std[-2::-1].copy()
        self.register_buffer("signal", torch.from_numpy(signal), persistent=False)
        self.register_buffer("noise_std", torch.from_numpy(noise_std), persistent=False)

    @classmethod
    def from_scheduler(cls, scheduler: Any) -> DiffusionProcess:
        """The process of a scheduler of diffusers, for a model that was trained with it.

        Parameters
        ----------
        scheduler
            ``DDPMScheduler`` or another with its configuration; or that configuration, a mapping.

        Raises
        ------
        ValueError
            If its betas are none that we have.
        """
        config: Any = getattr(scheduler, "config", scheduler)
        try:
            kinds = config["beta_schedule"], config.get("prediction_type", "epsilon")
            numbers = config["num_train_timesteps"], config["beta_start"], config["beta_end"]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"given {type(scheduler).__name__}, expected a scheduler of diffusers with "
                "num_train_timesteps, beta_schedule, beta_start and beta_end"
            ) from error
        schedule, prediction = (_OF_DIFFUSERS.get(kind) for kind in kinds)
        changed = [name for name in ("trained_betas", "rescale_betas_zero_snr") if config.get(name)]
        if schedule is None or prediction is None or changed:
            given = ", ".join([*map(repr, kinds), *changed])
            raise ValueError(
                f"the scheduler has {given}: expected the betas 'linear', 'scaled_linear' or "
                "'squaredcos_cap_v2', unchanged, and 'epsilon', 'sample' or 'v_prediction'"
            )
        return cls(*numbers, prediction, schedule)  # type: ignore[arg-type]

    steps = renamed_property("steps", "diffusion_steps")
    prediction_type = renamed_property("prediction_type", "prediction")

    @property
    def config(self) -> dict[str, Any]:
        """The arguments, from which the same process can be built again."""
        return {
            "diffusion_steps": self.diffusion_steps,
            "beta_start": self.schedule.beta_start,
            "beta_end": self.schedule.beta_end,
            "prediction": self.prediction,
            "beta_schedule": self.schedule.name,
        }

    @property
    def betas(self) -> NDArray[np.float64]:
        """``beta_k``, shape (diffusion_steps,)."""
        return self.schedule.betas()

    def noised(self, x0: Tensor, k: Tensor, z: Tensor) -> Tensor:
        """``x_k`` of images `x0`, shape (batch, ...), at steps `k`, shape (batch,), with noise `z`.

        The step may differ from image to image.
        """
        signal, noise_std = self._at(k, x0)
        return signal * x0 + noise_std * z

    def target(self, x0: Tensor, k: Tensor, z: Tensor) -> Tensor:
        """What the network should answer at ``noised(x0, k, z)``."""
        if self.prediction == "epsilon":
            return z
        if self.prediction == "sample":
            return x0
        signal, noise_std = self._at(k, x0)
        return signal * z - noise_std * x0

    def denoised(self, x: Tensor, k: Tensor, answer: Tensor) -> Tensor:
        """Estimate of the clean images from noised ones at steps `k` and the network's answer."""
        if self.prediction == "sample":
            return answer
        signal, noise_std = self._at(k, x)
        if self.prediction == "epsilon":
            return (x - noise_std * answer) / signal
        return signal * x - noise_std * answer

    def losses(
        self, network: Callable[[Tensor, Tensor], Any], x0: Tensor, k: Tensor, z: Tensor
    ) -> Tensor:
        """Mean square over pixels of answer minus target, one per image."""
        answer = ask(network, self.noised(x0, k, z), k)
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


def process_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a process as read from a file, of this version or an older one."""
    return {"beta_schedule": "linear", **renamed_keys(config, PROCESS_NAMES)}
