r"""A learned diffusion model: network, process, and the scale of its data.

The network may be ours or another: ``network(x, k)`` must return what the process says it
predicts. A model that was trained elsewhere is one line, e.g.

    LearnedDiffusion(unet, DiffusionProcess(1000, prediction="v"), shape=(3, 32, 32))
    LearnedDiffusion(unet, DiffusionProcess.from_scheduler(scheduler), shape=(3, 32, 32))
    LearnedDiffusion.from_denoiser(D, shape=(3, 32, 32))

for any module ``f(x, k)``, diffusers' ``UNet2DModel`` with its scheduler, and a denoiser
``D(x, sigma)`` as in Karras et al. (k-diffusion).

The network sees ``(x - shift) / scale``; everything that goes in or comes out of the model is in
data units. ``Scaling.standard`` gives all entries together mean 0 and standard deviation 1, with
which the noised data end near N(0, I); ``Scaling.unit_interval`` maps [0, 1] to [-1, 1], as is
customary for images.
"""

from __future__ import annotations

__all__ = ["LearnedDiffusion", "Scaling"]

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ornstein.networks.images import as_images
from ornstein.networks.nets.adapter import Denoiser, ask
from ornstein.networks.process import DiffusionProcess
from ornstein.networks.randomness import Purpose, as_torch_generator, stratified_noise
from ornstein.networks.renaming import renamed
from ornstein.networks.sampling import evaluating, sample
from ornstein.networks.starts import Moments
from ornstein.progress import progress_bar
from ornstein.validation import as_count, as_positive, as_vector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ornstein.diffusion.samplers import Sampler
    from ornstein.diffusion.schedules import Schedule

_AT_ONCE = 4096


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
        ``f(x, k)``: U-Net, MLP, or any module that returns a tensor of the shape of x, a
        tuple that begins with one, or an object whose `sample` is one.
    process : DiffusionProcess
    shape : sequence of int
        Of one image, (channels, H, W), or of one point, (dim,).
    scaling : Scaling
        From data units to what the network sees.
    moments : Moments, optional
        Mean and covariance of the training data, in the scale of the network, for the marginal
        start.

    Raises
    ------
    TypeError
        If the network is none.
    ValueError
        If a side of the shape or the scaling is out of range.

    Examples
    --------
    >>> from ornstein.networks import MLP, DiffusionProcess
    >>> model = LearnedDiffusion(MLP(dim=3), DiffusionProcess(diffusion_steps=20), shape=(3,))
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
        if not isinstance(network, nn.Module):
            what = f"the class {network.__name__}" if isinstance(network, type) else repr(network)
            raise TypeError(
                f"network is {what:.80}, expected a torch.nn.Module, such as UNet(channels=1)"
            )
        self.network = network
        self.process = process
        self.shape = tuple(as_count(side, "a side of shape") for side in shape)
        self.scaling = Scaling() if scaling is None else scaling
        as_positive(self.scaling.scale, "scale")
        as_vector([self.scaling.shift], "shift")
        unknown = torch.full(self.shape, torch.nan, dtype=torch.float64)
        known = Moments(unknown, unknown) if moments is None else moments
        factor = unknown.new_empty(0, *self.shape) if known.factor is None else known.factor
        for name, tensor in (("mean", known.mean), ("std", known.std), ("factor", factor)):
            self.register_buffer(name, tensor.to(torch.float64).clone())

    @classmethod
    def from_denoiser(
        cls,
        denoiser: nn.Module,
        shape: Sequence[int],
        scaling: Scaling | None = None,
        moments: Moments | None = None,
        *,
        diffusion_steps: int = 1000,
    ) -> LearnedDiffusion:
        """A model of a denoiser ``D(x, sigma)`` that was trained elsewhere.

        Samplers ask it at exactly the noises they visit: give `sample` a ``schedule``, such as
        :class:`~ornstein.diffusion.schedules.KarrasSchedule`, or have it visit the noises of a
        process of `diffusion_steps` steps.

        Parameters
        ----------
        denoiser : nn.Module
            Takes points of shape (batch, ...) and noise standard deviations of shape (batch,), in
            its own scale; estimates the clean points.
        shape, scaling, moments
            As for any model. A denoiser of images in [-1, 1] has ``Scaling.unit_interval()`` for
            data in [0, 1].
        diffusion_steps : int
            T of the noises that are visited where no schedule is given, and in further training.
        """
        process = DiffusionProcess(diffusion_steps, prediction="sample")
        return cls(Denoiser(denoiser, process), process, shape, scaling, moments)

    @property
    def moments(self) -> Moments:
        """Mean and covariance of the training data, in the scale of the network; NaN if unknown."""
        return Moments(self.mean, self.std, self.factor)

    def to_network(self, data: ArrayLike) -> Tensor:
        """Points in data units, shape (n, ...), as the network sees them: float32, same device."""
        points = as_images(data, "data", self.shape, progress=False)
        scaled = (points - self.scaling.shift) / self.scaling.scale
        return torch.from_numpy(scaled).to(self.process.signal.device, torch.float32)

    def to_data(self, x: Tensor) -> Tensor:
        """From the scale of the network to data units."""
        return x * self.scaling.scale + self.scaling.shift

    @renamed(steps="sampling_steps")
    def sample(
        self,
        n: int,
        *,
        sampler: str | Sampler = "ddpm",
        sampling_steps: int | None = None,
        schedule: str | Schedule | None = None,
        start: Literal["standard", "marginal"] | ArrayLike = "standard",
        batch_size: int = 1024,
        generator: int | torch.Generator | None = None,
        progress: bool | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """Draw images in data units, shape (n, ...).

        Parameters
        ----------
        start : {"standard", "marginal"}, or array-like of shape (n, ...)
            Start from N(0, I), from a Gaussian where the noised training data are, or from these
            points in data units, noised. See :mod:`ornstein.networks.starts`.
        n, sampler, sampling_steps, schedule, batch_size, generator, progress, callback
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
            sampling_steps=sampling_steps,
            schedule=schedule,
            start=self.first(start),
            batch_size=batch_size,
            generator=generator,
            progress=progress,
            callback=observe,
        )
        return self.to_data(x)

    def denoise(self, points: ArrayLike, noise: float) -> NDArray[np.float64]:
        """The estimate of clean points behind points that have noise.

        Parameters
        ----------
        points : array-like of shape (n, ...)
            In data units, each of the model's shape, or flat. They are read as clean points plus
            noise.
        noise : float
            EDM noise ``s > 0``, in data units. The network is asked at the diffusion step whose
            noise is nearest, in ratio.

        Returns
        -------
        ndarray of the shape of `points`
            In data units.

        Raises
        ------
        ValueError
            If the shape or the noise is out of range.
        """
        given = np.asarray(points, dtype=np.float64)
        level = float(as_positive(noise, "noise")) / self.scaling.scale
        x = self.to_network(given.reshape(len(given), *self.shape))
        step = self.process.nearest_step(level)
        estimates = []
        with evaluating(self):
            for part in x.split(_AT_ONCE):
                k = torch.full((len(part),), step, device=part.device)
                noised = self.process.noised(part, k, torch.zeros_like(part))
                answer = ask(self.network, noised, k)
                estimates.append(self.process.denoised(noised, k, answer).double().cpu())
        return self.to_data(torch.cat(estimates)).numpy().reshape(given.shape)

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
        generator: int | torch.Generator | None = None,
        progress: bool | None = False,
    ) -> float:
        """Mean training objective on `data` in data units, over diffusion steps and noise.

        The diffusion steps are spread evenly over all T, so that two data sets are compared at the
        same noises.

        Parameters
        ----------
        data : array-like of shape (n, ...)
        draws : int
            Diffusion steps and noises per point.
        batch_size : int
            Points at once.
        generator : int or torch.Generator, optional
            By default fresh entropy. An int stands for a stream of its own, apart from those of
            weights, training and sampling with the same int.
        progress : bool, optional
            Show a progress bar on stderr; None: if that is a terminal.
        """
        x0 = self.to_network(data).repeat_interleave(as_count(draws, "draws"), dim=0)
        source = as_torch_generator(generator, Purpose.LOSS)
        k, z = stratified_noise(x0, self.process.diffusion_steps, source)
        parts = [tensor.split(as_count(batch_size, "batch_size")) for tensor in (x0, k, z)]
        sums = []
        with (
            progress_bar(len(parts[0]), "batch", progress, label="loss") as bar,
            evaluating(self.network),
        ):
            for part in zip(*parts, strict=True):
                sums.append(self.process.losses(self.network, *part).sum().double())
                bar.update()
        return float(sum(sums) / len(x0))
