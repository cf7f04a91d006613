r"""Populations whose law is known.

A population has ``dim, mean, std, sample`` and is a mixture of Gaussians

    p = sum_a w_a N(m_a, Sigma_a),

`weights` and `components`: a :class:`~ornstein.gaussians.Gaussian` is a mixture of one. That is
all that closed forms need (kernel averages over a mixture are sums over components).

Everywhere ``std`` is the root of the mean coordinate variance, ``sqrt(tr Cov / dim)``.
"""

from __future__ import annotations

__all__ = ["Population", "Mixture"]

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ornstein.gaussians import Gaussian
from ornstein.validation import as_count, as_generator, as_positive, as_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


_ROUNDING = 5e-7  # of a weight that is typed with six digits


class Population(Protocol):
    """What closed forms and simulations ask of a population with known truth."""

    @property
    def dim(self) -> int:
        """Dimension."""
        ...

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean, of shape (dim,)."""
        ...

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        ...

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights of the components, summing to 1."""
        ...

    @property
    def components(self) -> tuple[Gaussian, ...]:
        """Gaussian components."""
        ...

    def sample(self, n: int, rng: Any = None) -> NDArray[np.float64]:
        """Draw `n` points, shape (n, dim)."""
        ...

    def log_prob(self, x: ArrayLike) -> NDArray[np.float64]:
        """Log density in nats at the rows of `x`."""
        ...


class Mixture:
    """A mixture of Gaussians, ``sum_a w_a N(m_a, Sigma_a)``.

    Parameters
    ----------
    components : sequence of Gaussian
        All of the same dimension.
    weights : array-like of shape (n_components,), optional
        Positive, of sum 1; the rounding of six digits is divided out. By default equal.

    Raises
    ------
    ValueError
        If there is no component, dimensions or lengths differ, a weight is not > 0, or their sum
        is not 1.

    Examples
    --------
    >>> mixture = Mixture.isotropic(3, means=[0.0, 10.0], stds=[1.0, 2.0], weights=[0.5, 0.5])
    >>> mixture.mean
    array([5., 5., 5.])
    >>> mixture.std  # sqrt of (1 + 4) / 2 + 25
    5.244044
    >>> mixture
    Mixture(dim=3, 2 components, weights 0.5, std 5.24404)
    """

    def __init__(self, components: Sequence[Gaussian], weights: ArrayLike | None = None) -> None:
        self.components = tuple(components)
        if not self.components:
            raise ValueError("a mixture of no components: give at least one Gaussian")
        dims = sorted({component.dim for component in self.components})
        if len(dims) > 1:
            raise ValueError(f"components have dimensions {dims}: expected one dimension")
        count = len(self.components)
        if weights is None:
            given = np.full(count, 1 / count)
        else:
            given = as_positive(as_vector(weights, "weights", dim=count), "weights")
        total = float(given.sum())
        if abs(total - 1) > _ROUNDING * count:
            raise ValueError(
                f"weights sum to {total:g}, expected 1: divide them by their sum, "
                f"{', '.join(f'{weight:g}' for weight in (given / total)[:4])}"
                f"{', ...' if count > 4 else ''}"
            )
        self.weights = given / total

    def __repr__(self) -> str:
        count = len(self.components)
        parts = f"{count} component{'s' if count > 1 else ''}"
        low, high = self.weights.min(), self.weights.max()
        weights = f"weights {low:.3g}" if low == high else f"weights {low:.3g} to {high:.3g}"
        return f"Mixture(dim={self.dim}, {parts}, {weights}, std {self.std:.6g})"

    @classmethod
    def isotropic(
        cls,
        dim: int,
        means: Sequence[float],
        stds: Sequence[float],
        weights: Sequence[float] | None = None,
    ) -> Mixture:
        """Components ``N(mean_a (1, ..., 1), std_a^2 I)``, as in the study of Halder's paper.

        A single `std` is that of all components.
        """
        if len(stds) == 1:
            stds = list(stds) * len(means)
        if len(means) != len(stds):
            raise ValueError(
                f"{len(means)} mean(s) and {len(stds)} std(s): expected one of each per component"
            )
        pairs = zip(means, stds, strict=True)
        laws = [Gaussian.isotropic(dim, m, float(as_positive(s, "std"))) for m, s in pairs]
        return cls(laws, weights)

    @property
    def dim(self) -> int:
        """Dimension."""
        return self.components[0].dim

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean, of shape (dim,)."""
        return self.weights @ np.stack([component.mean for component in self.components])

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance, between components included."""
        within = [component.std**2 for component in self.components]
        between = [np.mean((component.mean - self.mean) ** 2) for component in self.components]
        return float(np.sqrt(self.weights @ np.add(within, between)))

    def sample(self, n: int, rng: Any = None) -> NDArray[np.float64]:
        """Draw `n` points, shape (n, dim), components in random order.

        Parameters
        ----------
        n : int
            Number of points.
        rng : Generator, int or None
            Source of randomness; an int seeds a new one. Equal ints give equal numbers: take two
            seeds, or one Generator, for a training set and held-out points.
        """
        n = as_count(n, "n", at_least=0)
        rng = as_generator(rng, "Mixture.sample")
        labels = rng.choice(len(self.components), size=n, p=self.weights)
        points = np.empty((n, self.dim))
        for label, component in enumerate(self.components):
            chosen = labels == label
            points[chosen] = component.sample(int(chosen.sum()), rng)
        return points

    def log_prob(self, x: ArrayLike) -> NDArray[np.float64]:
        """Log density in nats at the rows of `x`, shape (n, dim)."""
        logs = np.stack([component.log_prob(x) for component in self.components])
        return np.logaddexp.reduce(logs + np.log(self.weights)[:, None], axis=0)
