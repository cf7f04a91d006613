"""What a linear study computes."""

from __future__ import annotations

__all__ = ["LinearOptions", "OF_POPULATIONS", "sizes_around"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from ornstein.data.reading_options import ReadingOptions
from ornstein.data.spectra import read_spectrum
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.engine.study import check_plan
from ornstein.studies.source_study import choose_population
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

OF_POPULATIONS = {
    "dim": 100,
    "mean": (10.0,),
    "std": (1.0,),
    "weights": None,
    "spectrum": "isotropic",
    "original_mode": "expected",
}
"""Options that have no effect with data, and their defaults."""
_ORIGINALS = 10_000
_RATIOS = (0.25, 0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 2, 3, 4, 6, 8, 12, 16, 24)


@dataclass(frozen=True)
class LinearOptions(ReadingOptions):
    """What a linear study computes.

    Parameters
    ----------
    train_sizes : tuple of int
        training sizes n >= 2: start:stop:step (stop included) or a comma list; by default
        25:1000:25, or with data sizes around their dimension
    dim : int
        dimension d; by default 100, or the number of eigenvalues of the spectrum
    mean : tuple of float
        of a coordinate of the population, one entry per mixture component, as 10 or 0,10; by
        default 10
    std : tuple of float
        standard deviation of a coordinate, > 0, one entry per mixture component, as 1 or 1,2; by
        default 1; with another spectrum than isotropic the root of the mean variance, by default
        as the eigenvalues are
    weights : tuple of float
        of the mixture components, adding up to 1; by default equal
    spectrum : str
        population eigenvalues: isotropic (the default), power-law:EXPONENT, a comma list or a
        file; of one Gaussian, not of mixtures
    originals : int or "n"
        number N of fresh points that Delta compares with; n: as many as training points; by default
        10000, or all that data have left (10000 of a file that is read in blocks)
    original_mode : str
        average over the originals exactly (expected, the default), or draw them (sampled)
    time : float
        diffusion time T
    noise_scale : float
        noise scale in v_z = noise_scale e^(-2T) (1 - e^(-2T))
    simulations : int
        replicates of each training size
    data : str
        digits, patches, a .npy .npz .csv .parquet file or a folder of images, instead of a
        population; options of the population are then refused; ornstein data shows what is read
    seed : int
        seed of the study
    pixels : int
        pixels a side, to which images are cut and resized; by default their own

    Other parameters are those of :class:`~ornstein.data.reading_options.ReadingOptions`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, or options contradict each other.
    """

    train_sizes: tuple[int, ...] | None = None
    dim: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    weights: tuple[float, ...] | None = None
    spectrum: str | None = None
    originals: int | Literal["n"] | None = None
    original_mode: Literal["expected", "sampled"] | None = None
    time: float = 2.0
    noise_scale: float = 1.0
    simulations: int = 300
    data: str | None = None
    seed: int = 0
    pixels: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_data(self.data)
        if self.pixels is not None:
            as_count(self.pixels, "pixels")
            if self.data is None:
                raise ValueError("pixels is given without data and would have no effect")
        # Other spectra have a scale, and lists and files a dimension, of their own.
        own = {"dim", "std"} if self.data is None and self.has_spectrum else set[str]()
        choose_population(self, {k: v for k, v in OF_POPULATIONS.items() if k not in own})
        if self.data is None and self.originals is None:
            object.__setattr__(self, "originals", _ORIGINALS)
        if self.data is None and self.train_sizes is None:
            object.__setattr__(self, "train_sizes", tuple(range(25, 1001, 25)))
        check_plan(self)
        OneStepNoising(self.time, self.noise_scale)
        if self.dim is not None:
            as_count(self.dim, "dim")
        if own:
            object.__setattr__(self, "dim", self.eigenvalues().size)

    @property
    def has_spectrum(self) -> bool:
        """Whether eigenvalues of the population are given, other than equal ones."""
        return self.spectrum is not None and self.spectrum.strip() != "isotropic"

    def eigenvalues(self) -> NDArray[np.float64]:
        """Eigenvalues of the population with a spectrum, scaled to the mean variance `std`^2.

        Raises
        ------
        ValueError
            If there is no such spectrum, or other options ask for a mixture.
        """
        for name in ("mean", "std", "weights"):
            given = getattr(self, name)
            if given is not None and len(given) > 1:
                raise ValueError(
                    f"{name} has {len(given)} entries and spectrum is {self.spectrum!r}: expected "
                    "one entry, a spectrum is that of one Gaussian"
                )
        values = read_spectrum(self.spectrum or "isotropic", self.dim)
        if self.std is None:
            return values
        return values / values.mean() * float(as_positive(self.std[0], "std")) ** 2


def sizes_around(dim: int, most: int) -> tuple[int, ...]:
    """Training sizes that show what happens around ``n = d``, none above `most`.

    Where the data are few against their dimension, sizes up to all of them, equal in ratio.

    Examples
    --------
    >>> sizes_around(64, 1795)
    (16, 32, 48, 58, 70, 80, 96, 128, 192, 256, 384, 512, 768, 1024, 1536)
    >>> sizes_around(784, 100)
    (2, 3, 5, 7, 11, 18, 27, 42, 65, 100)
    """
    sizes = sorted({max(2, round(ratio * dim)) for ratio in _RATIOS})
    fitting = tuple(size for size in sizes if size <= most)
    if len(fitting) >= len(_RATIOS) // 2:
        return fitting
    return tuple(sorted({int(size) for size in np.geomspace(2, most, 10).round()}))
