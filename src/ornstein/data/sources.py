"""Sources: where a study draws its training sets from, and what it compares with.

A source is a population, whose law is known, or a data set (:mod:`ornstein.data.data_sets`), of
which points are drawn without replacement. Above this package nothing asks which of the two it is,
but only what it offers.

``std`` is the root of the mean coordinate variance everywhere, of all points of a data set
(constant coordinates counted).
"""

from __future__ import annotations

__all__ = ["Source", "Draw", "Distances", "PopulationSource", "MIXTURE_DRAWS"]

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.covariances import Covariance
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.mixtures import Mixture
from ornstein.validation import as_generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ornstein.mixtures import Population

MIXTURE_DRAWS = 2000


class Draw(NamedTuple):
    """What a cell draws from a source; points of shape (n_points, dim)."""

    train: NDArray[np.float64]
    originals: NDArray[np.float64] | None
    """All points that are not in the training set; None for a population, which has no end, and
    for data in a file, of which they are not read."""
    held_out: NDArray[np.float64]
    """Fresh points, as many as asked for or as there are."""


class Distances(NamedTuple):
    """From a law to the reference of a source; Wasserstein in squared data units, KL in nats."""

    kl: float
    hellinger2: float
    wasserstein2: float
    """NaN where there is no closed form."""


class Source(ABC):
    """Base of all sources.

    A subclass promises that

    1. `draw` uses no randomness but that of `rng`, and draws the training set first: more held-out
       points do not change it;
    2. training set, originals and held-out points of one draw have no point in common (equal
       points of a data set apart), and are exchangeable for whoever has seen none of them;
    3. `reference` is the law that distances are measured to: the population, or the Gaussian with
       the mean and covariance of all points.
    """

    name: str

    @property
    @abstractmethod
    def dim(self) -> int:
        """Coordinates of a point."""

    @property
    @abstractmethod
    def std(self) -> float:
        """Root of the mean coordinate variance."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of a point: (channels, height, width) of an image, or (dim,)."""

    @property
    def population(self) -> Population | None:
        """The law, where it is known."""
        return None

    @property
    def digest(self) -> str | None:
        """SHA-256 of the points of a data set; None for a population."""
        return None

    def identity(self) -> dict[str, Any]:
        """What tells a data set from another: name, digest, shape; empty for a population."""
        return {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of results must know of how the data were read; none for a population."""
        return ()

    @property
    def largest_train_size(self) -> float:
        """Largest number of points that `draw` can give."""
        return math.inf

    @property
    def constant_coordinates(self) -> int:
        """Coordinates that are equal in all points."""
        return 0

    @abstractmethod
    def draw(self, n: int, rng: Any = None, held_out: int = 0) -> Draw:
        """Draw a training set of `n` points, and what it is compared with.

        Raises
        ------
        ValueError
            If there are not enough points.
        """

    @property
    def originals(self) -> int | None:
        """Number of held-out points that stand for the originals; None where all of them can."""
        return None

    @property
    def is_sent(self) -> bool:
        """Whether workers get the source as it is, or make it anew; it holds no points then."""
        return False

    def fits(self, n: int) -> bool:  # noqa: ARG002
        """Whether a training set of `n` points can be had at once."""
        return True

    def training_blocks(self, n: int, rng: Any = None) -> Iterator[NDArray[np.float64]]:
        """The training set that `draw` gives with the same `rng`, in blocks of rows.

        All of `rng` that is used is used before the first block.
        """
        yield self.draw(n, rng).train

    @abstractmethod
    def reference(self) -> Gaussian | Mixture:
        """The law that distances are measured to."""

    @abstractmethod
    def moments(self) -> Gaussian:
        """The Gaussian with the mean and covariance of `reference`."""

    def spectrum(self) -> NDArray[np.float64]:
        """Eigenvalues of the covariance, shape (dim,), in squared data units."""
        return self.moments().covariance.spectrum()

    def excess_kurtosis(self) -> NDArray[np.float64] | None:
        """Of points along each principal component that varies; None where the law is known."""
        return None

    def distances(self, law: Gaussian, rng: np.random.Generator) -> Distances:  # noqa: ARG002
        """Distances of a Gaussian `law` from the reference, in closed form."""
        reference = self.moments()
        return Distances(
            kl_divergence(law, reference),
            hellinger_squared(law, reference),
            wasserstein_squared(law, reference),
        )

    @abstractmethod
    def describe(self) -> str:
        """Say in a few words what it is, as tables and figures do."""


@dataclass(frozen=True, eq=False)
class PopulationSource(Source):
    """A population whose law is known, a Gaussian or a mixture of Gaussians.

    Parameters
    ----------
    law : Gaussian or Mixture
    shape : tuple of int, optional
        Of a point; (dim,) by default.
    covariance_name : str
        What `describe` calls a covariance that is not isotropic.

    *Mixtures.* KL and Hellinger distance to a mixture have no closed form; they are estimated from
    :data:`MIXTURE_DRAWS` points x of the law p, without bias: ``KL = E_p ln(p/q)``,
    ``Hellinger^2 = 1 - E_p sqrt(q/p)``.
    """

    law: Gaussian | Mixture
    shape: tuple[int, ...] = ()  # type: ignore[assignment]
    covariance_name: str = ""
    name: str = field(default="population", init=False)

    def __post_init__(self) -> None:
        if not self.shape:
            object.__setattr__(self, "shape", (self.law.dim,))

    @classmethod
    def isotropic(
        cls,
        dim: int,
        means: tuple[float, ...],
        stds: tuple[float, ...],
        weights: tuple[float, ...] | None = None,
        shape: tuple[int, ...] = (),
    ) -> PopulationSource:
        """A mixture of isotropic components, or a Gaussian if there is one component."""
        mixture = Mixture.isotropic(dim, means, stds, weights)
        one = len(mixture.components) == 1
        return cls(mixture.components[0] if one else mixture, shape)

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return self.law.dim

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        return self.law.std

    @property
    def population(self) -> Population:
        """The law."""
        return self.law

    def draw(self, n: int, rng: Any = None, held_out: int = 0) -> Draw:
        """Draw a training set of `n` points and `held_out` others."""
        rng = as_generator(rng, "PopulationSource.draw")
        train = self.law.sample(n, rng)
        fresh = self.law.sample(held_out, rng) if held_out else np.empty((0, self.dim))
        return Draw(train, None, fresh)

    def reference(self) -> Gaussian | Mixture:
        """The law."""
        return self.law

    def moments(self) -> Gaussian:
        """The Gaussian with the mean and covariance of the law; itself if it is one."""
        return self._moments

    @cached_property
    def _moments(self) -> Gaussian:
        if isinstance(self.law, Gaussian):
            return self.law
        centre = self.law.mean
        total = np.zeros((self.dim, self.dim))
        for weight, component in zip(self.law.weights, self.law.components, strict=True):
            shift = component.mean - centre
            total += weight * (component.covariance.dense() + np.outer(shift, shift))
        return Gaussian(centre, Covariance.full(total))

    def distances(self, law: Gaussian, rng: np.random.Generator) -> Distances:
        """Closed forms for a Gaussian, estimates from points of `law` for a mixture."""
        if isinstance(self.law, Gaussian):
            return super().distances(law, rng)
        if law.covariance.rank < law.dim:
            return Distances(math.inf, 1.0, math.nan)
        x = law.sample(MIXTURE_DRAWS, rng)
        log_ratio = law.log_prob(x) - self.law.log_prob(x)
        hellinger2 = float(-np.expm1(-0.5 * log_ratio).mean())
        return Distances(float(log_ratio.mean()), hellinger2, math.nan)

    def describe(self) -> str:
        """Say what it is: N(10, 1^2) if isotropic, or N(10, Sigma) and what Sigma is called.

        Examples
        --------
        >>> PopulationSource.isotropic(3, (0, 1), (0.5,)).describe()
        'N(0, 0.5^2) + N(1, 0.5^2)'
        >>> PopulationSource.isotropic(3, (0, 1), (0.5,), (0.3, 0.7)).describe()
        '0.3 N(0, 0.5^2) + 0.7 N(1, 0.5^2)'
        """
        weights, laws = self.law.weights, self.law.components
        if self.covariance_name:
            return f"N({laws[0].mean[0]:g}, Sigma), {self.covariance_name}"
        shares = ["" if min(weights) == max(weights) else f"{weight:.3g} " for weight in weights]
        pairs = zip(shares, laws, strict=True)
        return " + ".join(f"{share}N({law.mean[0]:g}, {law.std:g}^2)" for share, law in pairs)
