r"""Networks from elsewhere: any module that maps noised images and times to an answer.

Our networks are called as ``f(x, t)`` and answer with a tensor. Others wrap theirs in an object
(diffusers: ``UNet2DModel(...)(x, t).sample``) or in a tuple; the adapter unwraps it.
"""

from __future__ import annotations

__all__ = ["Adapter"]

from typing import Any

from torch import Tensor, nn


class Adapter(nn.Module):
    """Wrap a module that is called as ``module(x, t)``.

    Parameters
    ----------
    module : nn.Module
        Takes images of shape (batch, channels, H, W), or points of shape (batch, dim), and times
        of shape (batch,); answers with a tensor of the shape of the first, an object whose
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
        answer: Any = self.module(x, t)
        if not isinstance(answer, Tensor):
            answer = getattr(answer, "sample", answer)
        if isinstance(answer, tuple) and answer:
            answer = answer[0]
        name = type(self.module).__name__
        if not isinstance(answer, Tensor):
            raise TypeError(
                f"{name} answered with {type(answer).__name__}, expected a tensor, a tuple that "
                "begins with one, or an object whose attribute `sample` is one"
            )
        if answer.shape != x.shape:
            raise ValueError(
                f"{name} answered with shape {tuple(answer.shape)} to {tuple(x.shape)}: expected "
                "the same shape"
            )
        return answer
