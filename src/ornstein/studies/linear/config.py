"""What a linear study computes, and the population or the data set that this names."""

from __future__ import annotations

__all__ = ["LinearConfig", "source_of"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ornstein.data.files import DataSet, load_data
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.engine.study import check_plan
from ornstein.mixtures import Mixture
from ornstein.validation import as_count

if TYPE_CHECKING:
    from ornstein.gaussians import Gaussian


@dataclass(frozen=True)
class LinearConfig:
    """What a linear study computes.

    Parameters
    ----------
    train_sizes : tuple of int
        Training sizes ``n`` >= 2.
    dim : int or None
        Dimension; 100 when left out, that of the data with `data`.
    mean, std : tuple of float
        One entry per mixture component, repeated over the coordinates.
    weights : tuple of float or None
        Mixture weights; equal when left out.
    originals : int
        Number of originals ``N``.
    original_mode : {"expected", "sampled"}
        Average over the originals exactly, or draw them.
    time, noise_scale : float
        Of :class:`~ornstein.diffusion.one_step_noising.OneStepNoising`.
    simulations : int
        Replicates of each training size.
    data : str or None
        A name or path for :func:`~ornstein.data.files.load_data`, instead of a population.
    seed : int
        Seed of the study.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, or options contradict each other.
    """

    train_sizes: tuple[int, ...]
    dim: int | None = None
    mean: tuple[float, ...] = (10.0,)
    std: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] | None = None
    originals: int = 10_000
    original_mode: Literal["expected", "sampled"] = "expected"
    time: float = 2.0
    noise_scale: float = 1.0
    simulations: int = 300
    data: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_plan(self)
        OneStepNoising(self.time, self.noise_scale)
        if self.data is not None and self.dim is not None:
            raise ValueError("dim and data are both given: the data have their own dimension")


def source_of(config: LinearConfig) -> Gaussian | Mixture | DataSet:
    """Build the population, or read the data."""
    if config.data is not None:
        return load_data(config.data)
    dim = 100 if config.dim is None else as_count(config.dim, "dim")
    mixture = Mixture.isotropic(dim, config.mean, config.std, config.weights)
    return mixture.components[0] if len(mixture.components) == 1 else mixture
