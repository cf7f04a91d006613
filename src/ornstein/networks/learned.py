r"""A learned diffusion model: network, process, and the scale that its data live on.

The network sees ``(x - shift) / scale``; everything that goes in or comes out of the model is in
data units. ``Scaling.standard`` gives all entries together mean 0 and standard deviation 1, with
which the noised data end near N(0, I); ``Scaling.unit_interval`` maps [0, 1] to [-1, 1], as is
customary for images.
"""

from __future__ import annotations

__all__ = ["LearnedDiffusion", "Scaling", "as_images"]

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ornstein.networks.randomness import stratified_noise
from ornstein.networks.sampling import evaluating, sample
from ornstein.networks.starts import Moments
from ornstein.validation import as_count, as_points, as_positive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ornstein.diffusion.samplers import Sampler
    from ornstein.diffusion.schedules import Schedule
    from ornstein.networks.process import DiffusionProcess


class Scaling(NamedTuple):
    """The network sees ``(x - shift) / scale``; both in data units, scale > 0."""

    shift: float = 0.0
    scale: float = 1.0

    @classmethod
    def standard(cls, data: ArrayLike) -> Scaling:
        """Mean and standard deviation over all entries of `data`; scale 1 if they are all equal."""
        values = np.asarray(data, dtype=np.float64)
        std = float(values.std())
        return cls(float(values.mean()), std if std > 0 else 1.0)

    @classmethod
    def unit_interval(cls) -> Scaling:
        """From [0, 1] to [-1, 1]."""
        return cls(0.5, 0.5)


class LearnedDiffusion(nn.Module):
    """A network with its diffusion process, in data units.

    Parameters
    ----------
    network : nn.Module
        ``f(x, k)``: U-Net, MLP, or an :class:`~ornstein.networks.nets.adapter.Adapter`.
    process : DiffusionProcess
    shape : sequence of int
        Of one image, (channels, H, W), or of one point, (dim,).
    scaling : Scaling
        From data units to what the network sees.
    moments : Moments, optional
        Mean and covariance of the training data, in the scale of the network, for the marginal
        start.

    Examples
    --------
    >>> from ornstein.networks import MLP, DiffusionProcess
    >>> model = LearnedDiffusion(MLP(dim=3), DiffusionProcess(steps=20), shape=(3,))
    >>> model.sample(5).shape
    torch.Size([5, 3])
    """

    mean: Tensor
    std: Tensor
    factor: Tensor

    def __init__(
        self,
        network: nn.Module,
        process: DiffusionProcess,
        shape: Sequence[int],
        scaling: Scaling | None = None,
        moments: Moments | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.process = process
        self.shape = tuple(as_count(side, "a side of shape") for side in shape)
        self.scaling = Scaling() if scaling is None else scaling
        as_positive(self.scaling.scale, "scale")
        unknown = torch.full(self.shape, torch.nan, dtype=torch.float64)
        known = Moments(unknown, unknown) if moments is None else moments
        factor = unknown.new_empty(0, *self.shape) if known.factor is None else known.factor
        for name, tensor in (("mean", known.mean), ("std", known.std), ("factor", factor)):
            self.register_buffer(name, tensor.to(torch.float64).clone())

    @property
    def moments(self) -> Moments:
        """Mean and covariance of the training data, in the scale of the network; NaN if unknown."""
        return Moments(self.mean, self.std, self.factor)

    def to_network(self, data: ArrayLike) -> Tensor:
        """Points in data units, shape (n, ...), as the network sees them: float32, same device."""
        points = as_images(data, "data", self.shape)
        scaled = (points - self.scaling.shift) / self.scaling.scale
        return torch.from_numpy(scaled).to(self.process.signal.device, torch.float32)

    def to_data(self, x: Tensor) -> Tensor:
        """From the scale of the network to data units."""
        return x * self.scaling.scale + self.scaling.shift

    def sample(
        self,
        n: int,
        *,
        sampler: str | Sampler = "ddpm",
        steps: int | None = None,
        schedule: str | Schedule | None = None,
        start: Literal["standard", "marginal"] | ArrayLike = "standard",
        batch_size: int = 1024,
        generator: torch.Generator | None = None,
        progress: bool | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """Draw images in data units, shape (n, ...).

        Parameters
        ----------
        start : {"standard", "marginal"}, or array-like of shape (n, ...)
            Start from N(0, I), from a Gaussian where the noised training data are, or from these
            points in data units, noised. See :mod:`ornstein.networks.starts`.
        n, sampler, steps, schedule, batch_size, generator, progress, callback
            As in :func:`~ornstein.networks.sampling.sample`; the callback gets data units.

        Raises
        ------
        ValueError
            If an argument is out of range, or the moments for a marginal start are not known.
        """

        def observe(step: int, x: Tensor) -> None:
            if callback is not None:
                callback(step, self.to_data(x))

        x = sample(
            self.network,
            self.process,
            n,
            self.shape,
            sampler=sampler,
            steps=steps,
            schedule=schedule,
            start=self.first(start),
            batch_size=batch_size,
            generator=generator,
            progress=progress,
            callback=observe,
        )
        return self.to_data(x)

    def first(self, start: Literal["standard", "marginal"] | ArrayLike) -> Moments | Tensor | None:
        """What `start` means to :func:`~ornstein.networks.sampling.sample`."""
        if not isinstance(start, str):
            return self.to_network(start)
        if start == "standard":
            return None
        if start != "marginal":
            raise ValueError(f"start is {start!r}, expected 'standard', 'marginal' or points")
        if not torch.isfinite(self.mean).all():
            raise ValueError(
                "a marginal start needs the moments of the training data: give moments to the "
                "model, or start='standard'"
            )
        return self.moments

    def loss(
        self,
        data: ArrayLike,
        *,
        draws: int = 1,
        batch_size: int = 1024,
        generator: torch.Generator | None = None,
    ) -> float:
        """Mean training objective on `data` in data units, over steps and noise.

        The steps are spread evenly over all T, so that two data sets are compared at the same
        noises.

        Parameters
        ----------
        data : array-like of shape (n, ...)
        draws : int
            Steps and noises per point.
        batch_size : int
            Points at once.
        generator : torch.Generator, optional
            Fresh entropy when left out.
        """
        x0 = self.to_network(data).repeat_interleave(as_count(draws, "draws"), dim=0)
        if generator is None:
            generator = torch.Generator()
            generator.seed()
        k, z = stratified_noise(x0, self.process.steps, generator)
        with evaluating(self.network):
            sums = [
                self.process.losses(self.network, *part).sum().double()
                for part in zip(*(t.split(batch_size) for t in (x0, k, z)), strict=True)
            ]
        return float(sum(sums) / len(x0))


def as_images(
    data: ArrayLike, name: str = "data", shape: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Return finite float64 points of shape (n, dim), or images of shape (n, channels, H, W).

    Raises
    ------
    ValueError
        If the shape is another, or a value is not finite.
    TypeError
        If the values are no numbers.
    """
    array = np.asarray(data.numpy(force=True) if isinstance(data, Tensor) else data)
    if not array.size:
        raise ValueError(f"{name} has shape {array.shape}, expected at least 1 image")
    points = as_points(array, name).reshape(array.shape)
    if shape is not None and array.shape[1:] != tuple(shape):
        raise ValueError(
            f"{name} has shape {array.shape}, expected (n, {', '.join(map(str, shape))})"
        )
    if array.ndim not in {2, 4}:
        raise ValueError(
            f"{name} has shape {array.shape}, expected (n, dim) for points or (n, channels, H, W) "
            "for images"
        )
    return points
