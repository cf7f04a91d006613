r"""Averages of functions of a sample covariance: mode by mode, and in total with their O(1).

Population covariance with eigenvalues ``lambda_k``, r of them non-zero, n points with known mean,
``C = (1/n) sum_i x_i x_i^T``, and a function f. On the curve ``w = u + i v(u)`` of
:mod:`ornstein.theory.random_matrices.sample_covariance`, where ``w = -kappa(-x - i0)`` is minus the
renormalised noise at the eigenvalue x of C, the resolvent ``(C - x)^{-1}`` is, on average,
diagonal with entries ``(w/x) / (lambda_k - w)``. Its imaginary part says where the eigenvalues of C
are that the mode k takes part in:

    E f(C)_kk = int f(x) rho_k(x) dx + f(0) kappa_0 / (lambda_k + kappa_0),
    rho_k(x) = lambda_k v / (pi x |lambda_k - w|^2),        kappa_0 = kappa(0) (0 for n >= r).

With ``x = |w + kappa_0|^2 (1/n) sum_k lambda_k^2 / (|lambda_k - w|^2 (lambda_k + kappa_0))`` on the
curve, every term is positive: small modes keep their digits beside large ones. The error is of
relative order ``1/n``.

**Total.** ``E sum_i f(x_i)`` over the eigenvalues of C is the sum of this over k, plus a term of
order 1 (Bai, Silverstein). With ``z(w)`` the map of that module, it is

    (1/2 pi) int phi(x) df(x),        phi = arg z'(w),

for Gaussian data: their contour integral, of f against ``d ln z'``, laid onto the support. phi goes
from ``-pi/2`` to ``pi/2`` through every interval of the support. For equal eigenvalues it is an
arc sine, which gives ``(f(l-) + f(l+))/4 - (1/2 pi) int f dx / sqrt((x - l-)(l+ - x))``.

**Nodes.** The support in u is the set where ``S(u) = sum_k (lambda_k^2/n) / (lambda_k - u)^2``
exceeds 1. S is convex between two eigenvalues, so that its least value there tells whether they
share an interval. Gauss-Legendre panels, square roots at the edges substituted away, start from
the intervals, cut where S comes near 1, and are halved until halving does not change their mass.

References
----------
Bai, Silverstein, "CLT for linear spectral statistics of large-dimensional sample covariance
matrices", Ann. Probab. 32, 2004, eq. 1.3. The form on the curve is this project's own.
"""

from __future__ import annotations

__all__ = ["SpectralAverages", "spectral_averages"]

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.theory.linear_denoisers.effective_noise import renormalized_noise
from ornstein.theory.numerics.monotone_roots import decreasing_root
from ornstein.theory.random_matrices.sample_covariance import height_squared
from ornstein.validation import as_positive_number, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_ORDER, _TOLERANCE, _ROUNDS = 12, 1e-8, 40
_GROWTH, _DIP, _SMALLEST = 16.0, 4.0, 1e-15


@dataclass(frozen=True, eq=False)
class SpectralAverages:
    """Nodes on the spectrum of a sample covariance, and the weights of its averages.

    Attributes
    ----------
    nodes : ndarray of shape (n_nodes,)
        Eigenvalues x > 0 of C, in squared data units.
    density : ndarray of shape (n_nodes, n_values)
        ``rho_k(x) dx`` for the distinct eigenvalues of the population.
    atoms : ndarray of shape (n_values,)
        Weight of the eigenvalue 0 in each.
    phase : ndarray of shape (n_nodes,)
        ``phi(x) dx / (2 pi)``.
    counts : ndarray of shape (n_values,)
        How often each distinct eigenvalue occurs.
    inverse : ndarray of shape (dim,)
        Which distinct eigenvalue each mode has.
    curve : tuple of float
        ``-kappa_0``, and the distances from it to the ends of the support in u.
    """

    nodes: Array
    density: Array
    atoms: Array
    phase: Array
    counts: Array
    inverse: NDArray[np.intp]
    curve: tuple[float, float, float]

    def by_mode(self, values: Array, at_zero: float = 0.0) -> Array:
        """``E f(C)_kk``, of shape (dim,), from f at the nodes and at 0."""
        return (values @ self.density + at_zero * self.atoms)[self.inverse]

    def total(self, values: Array, slopes: Array, at_zero: float = 0.0) -> float:
        """``E sum_i f(x_i)`` with its O(1) term, from f and f' at the nodes, and f(0)."""
        each = values @ self.density
        if at_zero:
            # Not a product with a weight of 0: a logarithm is infinite there.
            each = each + np.where(self.atoms > 0, at_zero, 0.0) * self.atoms
        return float(each @ self.counts + self.phase @ slopes)


def spectral_averages(eigenvalues: ArrayLike, n_train: float) -> SpectralAverages:
    """Nodes and weights for the sample covariance of n points.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Eigenvalues of the population covariance, >= 0, at least one > 0, in squared data units.
    n_train : float
        Number of training points n > 0. A fitted mean leaves ``n - 1``; with ``1/n`` in C the
        eigenvalues are ``(n - 1)/n`` of the population's then.

    Returns
    -------
    SpectralAverages

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    >>> averages = spectral_averages([4.0, 1.0, 1.0, 0.25], n_train=8)
    >>> averages.by_mode(averages.nodes)
    array([4.  , 1.  , 1.  , 0.25])
    >>> x = averages.nodes  # E tr C^2 = tr Sigma^2 + (tr^2 Sigma + tr Sigma^2)/n, exactly
    >>> averages.total(x**2, 2 * x)
    25.203125
    """
    spectrum = as_spectrum(eigenvalues)
    if not spectrum.any():
        raise ValueError("eigenvalues are all 0, expected at least one > 0")
    return _averages(spectrum.tobytes(), as_positive_number(n_train, "n_train"))


class _Panels(NamedTuple):
    """Pieces of the support in u, and whether their ends are edges of the support."""

    left: Array
    right: Array
    starts: NDArray[np.bool_]
    ends: NDArray[np.bool_]

    def chosen(self, which: NDArray[np.bool_]) -> _Panels:
        return _Panels(self.left[which], self.right[which], self.starts[which], self.ends[which])

    def halves(self) -> _Panels:
        """Halved where the nodes are, which are denser at an edge."""
        share = np.where(self.starts == self.ends, 0.5, np.where(self.starts, 0.25, 0.75))
        middle = self.left + share * (self.right - self.left)
        inner = np.zeros_like(self.starts)
        return _Panels(
            np.stack([self.left, middle], axis=1).ravel(),
            np.stack([middle, self.right], axis=1).ravel(),
            np.stack([self.starts, inner], axis=1).ravel(),
            np.stack([inner, self.ends], axis=1).ravel(),
        )


class _Population(NamedTuple):
    """Distinct eigenvalues > 0, their numbers over n, and ``-kappa_0``."""

    values: Array
    weights: Array
    origin: float


class _Nodes(NamedTuple):
    """Per panel and node: x, ``rho_k(x) dx`` of each eigenvalue, ``phi dx / 2 pi``."""

    x: Array
    density: Array
    phase: Array


@lru_cache(maxsize=8)
def _averages(spectrum: bytes, n: float) -> SpectralAverages:
    eigenvalues = np.frombuffer(spectrum)
    distinct, inverse, counts = np.unique(eigenvalues, return_inverse=True, return_counts=True)
    positive = distinct > 0
    origin = -float(renormalized_noise(eigenvalues, 0.0, n))
    population = _Population(distinct[positive], counts[positive] / n, origin)
    panels = _first_panels(population)
    nodes = _refined(panels, population)
    density = np.zeros((nodes.x.size, distinct.size))
    density[:, positive] = nodes.density
    atoms = np.ones(distinct.size)
    atoms[positive] = -origin / (population.values - origin)
    numbers = counts.astype(np.float64)
    length = float(panels.right[-1] - origin)
    curve = origin, max(float(panels.left[0] - origin), _SMALLEST * length), length
    return SpectralAverages(nodes.x, density, atoms, nodes.phase, numbers, inverse, curve)


def _refined(panels: _Panels, population: _Population) -> _Nodes:
    """Nodes on panels that are halved until their mass is known."""
    done = []
    found = _on_panels(panels, population)
    for step in range(_ROUNDS):
        halves = panels.halves()
        finer = _on_panels(halves, population)
        pairs = finer.density.sum(1).reshape(-1, 2, population.values.size).sum(1)
        change = np.abs(pairs - found.density.sum(1)).max(-1)
        fine = (change <= _TOLERANCE) | (step == _ROUNDS - 1)
        done.append(_Nodes(*(field[fine] for field in found)))
        if fine.all():
            break
        rest = np.repeat(~fine, 2)
        panels, found = halves.chosen(rest), _Nodes(*(field[rest] for field in finer))
    x, density, phase = (np.concatenate(fields) for fields in zip(*done, strict=True))
    return _Nodes(x.ravel(), density.reshape(x.size, -1), phase.ravel())


def _on_panels(panels: _Panels, population: _Population) -> _Nodes:
    values, weights, origin = population
    u, du = _gauss_legendre(panels)
    gap = values - u[..., None]
    masses = weights * values**2
    v2 = height_squared(gap, masses)
    size = gap**2 + v2[..., None]
    v = np.sqrt(v2)
    parts = masses / size
    # z'(w) = 2 v^2 P - 2 i v Q on the curve, and dx = |z'|^2 / Re z' du: nothing cancels.
    P, Q = (parts / size).sum(-1), (parts * gap / size).sum(-1)
    dx = (2 * v2 * P + 2 * Q**2 / P) * du
    x = ((u - origin) ** 2 + v2) * (parts / (values - origin)).sum(-1)
    density = values * (v * dx / (np.pi * x))[..., None] / size
    return _Nodes(x, density, -np.arctan2(Q, v * P) * dx / (2 * np.pi))


def _first_panels(population: _Population) -> _Panels:
    """Intervals of the support, cut at dips of S, and in proportion to the distance from x = 0."""
    values, weights, origin = population
    masses = weights * values**2
    below, above = values[:-1], values[1:]
    valley = below + _least(values, masses) * (above - below)
    depth = (masses / (values - valley[:, None]) ** 2).sum(-1)
    apart = depth < 1
    reach = values[-1] - values[0] + np.sqrt(masses.sum())
    ends = _edge(
        (values, masses),
        1.0,
        np.append(below[apart], values[-1]),
        np.append(valley[apart] - below[apart], reach),
    )
    starts = _edge(
        (values, masses),
        -1.0,
        np.append(values[0], above[apart]),
        np.append(reach, above[apart] - valley[apart]),
    )
    cuts = valley[(depth >= 1) & (depth < _DIP)].tolist()
    length = ends[-1] - origin
    place = max(starts[0] - origin, _SMALLEST * length)
    while (place := place * _GROWTH) < length:
        cuts.append(origin + place)
    inner = np.array(cuts)
    which = np.searchsorted(starts, inner, side="right") - 1
    inside = inner[(inner > starts[which]) & (inner < ends[which])]
    left = np.sort(np.concatenate([starts, inside]))
    right = np.sort(np.concatenate([ends, inside]))
    return _Panels(left, right, np.isin(left, starts), np.isin(right, ends))


def _least(values: Array, masses: Array) -> Array:
    """Where S is least between two eigenvalues, as a fraction of their distance."""
    low, high = np.zeros(values.size - 1), np.ones(values.size - 1)
    for _ in range(30):
        middle = 0.5 * (low + high)
        gap = values - (values[:-1] + middle * np.diff(values))[:, None]
        rising = (masses / (gap * gap * gap)).sum(-1) > 0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    return 0.5 * (low + high)


def _edge(population: tuple[Array, Array], side: float, centre: Array, reach: Array) -> Array:
    """Where S falls to 1 on one side of an eigenvalue, within `reach`."""
    values, masses = population
    offset = side * (values - centre[:, None])

    def balance(distance: Array) -> tuple[Array, Array]:
        gap = offset - distance[:, None]
        parts = masses / gap**2
        whole = parts.sum(-1)
        return np.log(whole), 2 * distance * (parts / gap).sum(-1) / whole

    own = np.sqrt(np.where(offset == 0, masses, 0.0).sum(-1))
    return centre + side * decreasing_root(balance, np.minimum(own, reach), reach)


def _gauss_legendre(panels: _Panels) -> tuple[Array, Array]:
    """Nodes u and weights du, of shape (n_panels, order)."""
    node, weight = np.polynomial.legendre.leggauss(_ORDER)
    t, dt = 0.5 * (node + 1), 0.5 * weight
    # One substitution for each kind of panel: v is like a square root at an edge of the support.
    kinds = {
        (False, False): (t, dt),
        (True, False): (t**2, 2 * t * dt),
        (False, True): (t * (2 - t), 2 * (1 - t) * dt),
        (True, True): (np.sin(0.5 * np.pi * t) ** 2, 0.5 * np.pi * np.sin(np.pi * t) * dt),
    }
    place, step = np.empty((2, panels.left.size, _ORDER))
    for (start, end), (fraction, change) in kinds.items():
        chosen = (panels.starts == start) & (panels.ends == end)
        place[chosen], step[chosen] = fraction, change
    width = (panels.right - panels.left)[:, None]
    return panels.left[:, None] + width * place, width * step
