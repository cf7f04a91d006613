r"""Networks from elsewhere: any module that maps noised images and times to predictions.

Our networks are called as ``f(x, t)`` and return a tensor. Others wrap theirs in an object
(diffusers: ``UNet2DModel(...)(x, t).sample``) or in a tuple; :func:`ask` unwraps it, and so such a
module can be trained and sampled as it is.

Others again are denoisers: ``D(x, sigma)`` estimates ``x_0`` from ``x = x_0 + sigma z`` (Karras et
al., arXiv 2206.00364; k-diffusion). With ``x_k = alpha_k x_0 + sigma_k z`` that is a network that
predicts the sample,

    f(x_k, k) = D(x_k / alpha_k, sigma_k / alpha_k).
"""

from __future__ import annotations

__all__ = ["Adapter", "Denoiser", "ask", "as_answer", "channels_of"]

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from ornstein.networks.process import DiffusionProcess


class Adapter(nn.Module):
    """Wrap a module that is called as ``module(x, t)``, so that it returns a tensor.

    Training and sampling take such a module without an adapter too.

    Parameters
    ----------
    module : nn.Module
        Takes images of shape (batch, channels, H, W), or points of shape (batch, dim), and times
        of shape (batch,); returns a tensor of the shape of the first, an object whose
        attribute `sample` is one, or a tuple that begins with one.

    Raises
    ------
    TypeError
        When called, if the answer is none of these.
    ValueError
        When called, if the answer has another shape.

    Examples
    --------
    >>> import torch
    >>> class Zero(nn.Module):
    ...     def forward(self, x, t):
    ...         return (torch.zeros_like(x),)
    >>> Adapter(Zero())(torch.ones(2, 3), torch.arange(2))
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Answer of the module, as a tensor of the shape of `x`."""
        return ask(self.module, x, t)


class Denoiser(nn.Module):
    """A denoiser ``D(x, sigma)``, called as a network that predicts the sample.

    Samplers ask it at exactly the noises they visit, and not at the nearest of T steps.

    Parameters
    ----------
    module : nn.Module
        Takes points of shape (batch, ...) and their noise standard deviations of shape (batch,).
    process : DiffusionProcess
        Predicting the sample.

    Raises
    ------
    ValueError
        If the process predicts something else.
    """

    signal: Tensor
    noise_std: Tensor

    def __init__(self, module: nn.Module, process: DiffusionProcess) -> None:
        super().__init__()
        if process.prediction != "sample":
            raise ValueError(
                f"the process predicts {process.prediction!r}, and a denoiser estimates the clean "
                "image: give DiffusionProcess(prediction='sample')"
            )
        self.module = module
        self.register_buffer("signal", process.signal.clone(), persistent=False)
        self.register_buffer("noise_std", process.noise_std.clone(), persistent=False)

    def forward(self, x: Tensor, k: Tensor) -> Tensor:
        """Estimate of the clean images behind `x`, noised as at the diffusion steps `k`."""
        signal, noise_std = self.signal[k].to(x.dtype), self.noise_std[k].to(x.dtype)
        scaled = x / signal.view(-1, *(1,) * (x.ndim - 1))
        return ask(self.module, scaled, noise_std / signal)

    def denoise(self, y: Tensor, noise: float) -> Tensor:
        """Estimate of the clean images behind ``y = x_0 + noise z``."""
        return ask(self.module, y, y.new_full((len(y),), noise))


def ask(network: Callable[[Tensor, Tensor], Any], x: Tensor, t: Tensor) -> Tensor:
    """Answer of a network to points `x` of shape (batch, ...) at times `t`, of the shape of `x`.

    Raises
    ------
    TypeError
        If it is no tensor, no tuple that begins with one, no object whose `sample` is one.
    ValueError
        If it has another shape.
    """
    return as_answer(network(x, t), x, type(network).__name__)


def as_answer(answer: Any, x: Tensor, name: str) -> Tensor:
    """The tensor in what a network called `name` answered to `x`; raises as :func:`ask`."""
    if not isinstance(answer, Tensor):
        answer = getattr(answer, "sample", answer)
    if isinstance(answer, tuple) and answer:
        answer = answer[0]
    if not isinstance(answer, Tensor):
        raise TypeError(
            f"{name} answered with {type(answer).__name__}, expected a tensor, a tuple that begins "
            "with one, or an object whose attribute `sample` is one"
        )
    if answer.shape != x.shape:
        raise ValueError(
            f"{name} answered with shape {tuple(answer.shape)} to {tuple(x.shape)}: expected the "
            "same shape"
        )
    return answer


def channels_of(network: nn.Module) -> int | None:
    """Channels of the images that a network takes, if it says so (as ours and diffusers' do)."""
    if isinstance(network, Adapter | Denoiser):
        return channels_of(network.module)
    for holder, name in ((getattr(network, "config", None), "in_channels"), (network, "channels")):
        value = getattr(holder, name, None)
        if isinstance(value, int):
            return value
    return None
