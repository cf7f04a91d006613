r"""Where sampling starts: laws of the points at the first noise level ``(alpha, sigma)``.

*standard*: ``N(0, (alpha^2 + sigma^2) I)``, which is N(0, I) for a beta schedule;

*marginal*: ``N(alpha m, alpha^2 C + sigma^2 I)``, where noised training data of mean m and
covariance C are, as far as two moments tell (:class:`Moments`);

*points*: ``alpha x_0 + sigma z`` for given points ``x_0``: with fresh draws of a population, the
true law of the forward process.

A network was trained where the last of the three puts it. How far the first is from there is a
matter of ``alpha``: with the betas 1e-4 .. 0.02, ``alpha = 0.36`` for T = 200 and 0.006 for
T = 1000, along every direction in units of the spread of the data in it.
"""

from __future__ import annotations

__all__ = ["Moments", "checked_start", "first_points"]

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ornstein.diffusion.samplers import Trajectory

_LARGEST = 2048


class Moments(NamedTuple):
    """Mean m, and covariance ``C = diag(std^2) + factor^T factor``, of points of some shape."""

    mean: Tensor
    """Of the shape of one point."""
    std: Tensor
    """Of the shape of one point; 0 where the factor holds all."""
    factor: Tensor | None = None
    """Of shape (rank, ...); without it, coordinates are independent."""

    @classmethod
    def of(cls, points: Tensor) -> Moments:
        """Mean and covariance, with ``1/n``, of points of shape (n, ...); float64.

        With more than 2048 points and as many coordinates the covariance is kept on its diagonal
        only.
        """
        n, shape = len(points), points.shape[1:]
        flat = points.to(torch.float64).flatten(1)
        mean = flat.mean(0)
        centred = flat - mean
        if min(n, centred.shape[1]) > _LARGEST:
            return cls(mean.view(shape), centred.square().mean(0).sqrt().view(shape))
        if n > centred.shape[1]:
            factor = torch.linalg.qr(centred, mode="r").R
        else:
            # Rotated, so that the rows are principal directions and not the points themselves.
            factor = torch.linalg.eigh(centred @ centred.T).eigenvectors.T @ centred
        factor = (factor / n**0.5).view(-1, *shape)
        return cls(mean.view(shape), torch.zeros(shape, dtype=torch.float64), factor)


def checked_start(start: Moments | Tensor | None, shape: Sequence[int]) -> Moments | Tensor | None:
    """Return a start for points of that shape, (n, ...).

    Raises
    ------
    ValueError
        If it is points, of another shape.
    """
    if isinstance(start, Tensor) and start.shape != (*shape,):
        raise ValueError(
            f"start has shape {tuple(start.shape)}, expected {(*shape,)}: a point for each"
        )
    return start


def first_points(
    trajectory: Trajectory, start: Moments | Tensor | None, z: Tensor, normal: Callable[..., Tensor]
) -> Tensor:
    """Points at the first level of a trajectory.

    Parameters
    ----------
    trajectory : Trajectory
        Of a sampler.
    start : Moments, or Tensor of shape (n, ...), or None
        For a marginal start, one from points, or a standard one.
    z : Tensor of shape (n, ...)
        Standard normal.
    normal : callable (n, rank) -> Tensor
        Standard normal numbers for the factor of `start`.
    """
    if start is None:
        return trajectory.start_std * z
    signal, noise_std = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
    if isinstance(start, Tensor):
        return signal * start.to(z) + noise_std * z
    mean, std, factor = start
    x = signal * mean.to(z.device) + torch.sqrt((signal * std.to(z.device)) ** 2 + noise_std**2) * z
    if factor is not None and len(factor):
        weights = normal(len(z), len(factor)).to(factor.dtype)
        x = x + signal * torch.tensordot(weights, factor.to(z.device), dims=1)
    return x.to(z.dtype)
