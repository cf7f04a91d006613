r"""``E ln det(B + f(C))`` for a sample covariance C, and B that does not commute with it.

Sigma has the eigenvalues ``lambda_k``, C is the sample covariance of n points with known mean, B is
diagonal with Sigma, and f is, to the accuracy of a fit on the range of the spectrum
(:mod:`ornstein.theory.numerics.rational_fits`),

    f(x) = f_0 + b x + sum_j c_j x^2 / (x + p_j),        p_j > 0.

Then ``B + f(C)`` is a Schur complement of a matrix that is linear in C, a *pencil*: with
``v_j = sqrt(|c_j|)`` and ``s_j`` the sign of ``c_j``,

    L = A (x) C + K,   A = [ b, v^T ; v, -diag(s_j) ],   K_k = diag(B_k + f_0, -s_1 p_1, ..),
    ln |det L| = ln det(B + f(C)) + sum_j ln det(C + p_j).

**Leading order.** ``E L^{-1}`` is ``Q_k``, a small matrix for each mode, that solves

    Q_k = (lambda_k R + K_k)^{-1},    R = A (1 + E A)^{-1},    E = (1/n) sum_k lambda_k Q_k,

found by iteration, and ``E ln |det L|`` is the stationary value over E and R of

    sum_k ln |det(lambda_k R + K_k)| + n ln |det(1 + A E)| - n tr R E,

so that an error of the iteration enters it squared. For no poles and b = 1 it is the renormalised
noise, ``B_k = s^2``, ``R = s^2/kappa``.

**Order 1, and fluctuations.** With ``T = (1/n) sum_k lambda_k^2 (R Q_k) (x) (R Q_k)``, a map on
small matrices, for real Gaussian data

    order 1 of E ln |det L| = 1/2 ln det(1 - T on symmetric) - 1/2 ln det(1 - T on antisymmetric),
    Cov(ln |det L|, ln |det L'|) = -2 ln det(1 - T_LL'),

where T_LL' has one factor of each. The antisymmetric matrices are missing for one resolvent, where
this is Bai and Silverstein's ``1/2 ln(1 - df2/n)``.

**Roots.** ``E tr (Sigma^{1/2} f(C) Sigma^{1/2})^{1/2}``, what two covariances share in the
2-Wasserstein distance, follows from ``B = t^2 Sigma^{-1}`` by

    sqrt(m) = (2/pi) int_0^inf m / (t^2 + m) dt = (1/pi) int_0^inf ln(1 + m/t^2) dt,

in the first form for the leading order, in the second for the order 1. With ``t = sqrt(m_-)
sc(y)``, an elliptic function of modulus ``1 - m_-/m_+`` of the range of m, the midpoint rule over
one period has an error of ``exp(-2 pi^2 N / (ln(m_+/m_-) + 3))`` for N nodes (Hale, Higham,
Trefethen).

References
----------
Hale, Higham, Trefethen, "Computing A^alpha, log(A), and related matrix functions by contour
integrals", 2008, method 3. Helton, Rashidi Far, Speicher, "Operator-valued semicircular elements:
solving a quadratic matrix equation with positivity constraints", 2007 (linear pencils). Bai,
Silverstein, Ann. Probab. 32, 2004. The order 1 and the covariance for pencils are this project's
own, and tested by simulation.
"""

from __future__ import annotations

__all__ = [
    "Population",
    "Pencil",
    "solve_pencil",
    "poles_pencil",
    "between_resolvents",
    "covariance",
    "mean_root_trace",
]

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ellipj, ellipkm1

from ornstein.theory.linear_denoisers.effective_noise import renormalized_noise
from ornstein.theory.random_matrices.spectral_averages import spectral_averages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.theory.numerics.rational_fits import RationalFunction

    Array = NDArray[np.float64]

_FEW = 12
_DAMPING, _MEMORY, _TOLERANCE, _LOOSEST, _PATIENCE = 0.7, 6, 1e-10, 1e-6, 60
_ROUGHEST = 3e-4
_ROOT_DIGITS = 18.0


class Population(NamedTuple):
    """Distinct eigenvalues > 0 of the population, and where those of the sample are.

    Attributes
    ----------
    values, counts : ndarray of shape (n_values,)
        The eigenvalues, and how often each occurs.
    n_train : float
        n.
    nodes : ndarray of shape (n_nodes,)
        Eigenvalues of C, the last one 0.
    density : ndarray of shape (n_nodes, n_values)
        Their weights in each mode.
    """

    values: Array
    counts: Array
    n_train: float
    nodes: Array
    density: Array

    @classmethod
    def of(cls, eigenvalues: Array, n_train: float) -> Population:
        """From all eigenvalues of the population, and n."""
        averages = spectral_averages(eigenvalues, n_train)
        values, counts = np.unique(eigenvalues, return_counts=True)
        kept = values > 0
        density = np.vstack([averages.density, averages.atoms])[:, kept]
        nodes = np.append(averages.nodes, 0.0)
        return cls(values[kept], counts[kept].astype(np.float64), n_train, nodes, density)


@dataclass(frozen=True, eq=False)
class Pencil:
    """A pencil L whose self-consistent equation is solved.

    Attributes
    ----------
    population : Population
    E, R : ndarray of shape (size, size)
        Of the self-consistent equation.
    K, Q : ndarray of shape (n_values, size, size)
        Part without C, and mean inverse, of each eigenvalue.
    """

    population: Population
    E: Array
    R: Array
    K: Array
    Q: Array

    @cached_property
    def log_det(self) -> float:
        """``E ln |det L|`` to leading order."""
        values, counts, n, *_ = self.population
        each = np.linalg.slogdet(values[:, None, None] * self.R + self.K)[1]
        # det(1 + A E) = 1 / det(1 - R E), where 1 + A E = (1 - R E)^{-1}.
        coupled = -np.linalg.slogdet(np.eye(len(self.E)) - self.R @ self.E)[1]
        return float(each @ counts + n * (coupled - np.sum(self.R * self.E)))

    @property
    def correction(self) -> float:
        """Its order 1."""
        even, odd = self.log_det_parts
        return 0.5 * (even - odd)

    @cached_property
    def log_det_parts(self) -> tuple[float, float]:
        """``ln |det (1 - T)|`` on symmetric and on antisymmetric matrices."""
        size = len(self.E)
        ladder = self.ladder(self).reshape(size, size, size, size)
        # T maps symmetric matrices to symmetric ones, antisymmetric ones to such.
        i, j = np.triu_indices(size)
        apart = i < j
        rows = ladder[i, j]
        straight, crossed = rows[:, i, j], rows[:, j, i]
        odd = (straight - crossed)[np.ix_(apart, apart)]
        even = straight + apart * crossed
        both = (np.linalg.slogdet(np.eye(len(part)) - part)[1] for part in (even, odd))
        on_even, on_odd = map(float, both)
        return on_even, on_odd

    def ladder(self, other: Pencil) -> Array:
        """The map T of two pencils, of shape (size * other size, size * other size)."""
        values, counts, n, *_ = self.population
        first, second = (values[:, None, None] * (pencil.R @ pencil.Q) for pencil in (self, other))
        rows = (first.reshape(len(first), -1).T * counts) @ second.reshape(len(second), -1)
        a, b = first.shape[1], second.shape[1]
        return rows.reshape(a, a, b, b).swapaxes(1, 2).reshape(a * b, a * b) / n


def covariance(first: Pencil, second: Pencil) -> float:
    """``Cov(ln |det L|, ln |det L'|)`` over training sets."""
    if first is second:
        return -2 * sum(first.log_det_parts)
    ladder = first.ladder(second)
    return float(-2 * np.linalg.slogdet(np.eye(len(ladder)) - ladder)[1])


def solve_pencil(
    function: RationalFunction, B: Array, population: Population, roughest: float = _ROUGHEST
) -> Pencil:
    """Solve the pencil of ``B + f(C)``.

    Parameters
    ----------
    function : RationalFunction
        f.
    B : ndarray of shape (n_values,)
        For each of the eigenvalues of the population, >= 0.
    population : Population
    roughest : float
        Largest relative change of the iteration where rounding lets it come no nearer.

    Returns
    -------
    Pencil
        Its log-determinant is that of ``B + f(C)`` plus that of :func:`poles_pencil`.

    Raises
    ------
    ArithmeticError
        If the iteration does not converge.
    """
    values = population.values
    c, poles = function.coefficients, function.poles
    sign, size = np.sign(c), 1 + c.size
    A, one = np.diag(np.append(function.linear, -sign)), np.eye(size)
    A[0, 1:] = A[1:, 0] = np.sqrt(np.abs(c))
    bare = np.diag(np.append(function.constant, -sign * poles))
    E, groups = _commuting(function, B, population), _grouped(B)
    # Entries have sizes of their own, and so have their errors.
    root = np.sqrt(np.abs(E.diagonal()))
    scale = root[:, None] * root
    moves, changes = [], []
    least, waited, best = np.inf, 0, E
    while waited < _PATIENCE:
        R = np.asarray(A @ np.linalg.inv(one + E @ A), dtype=np.float64)
        step = _mean_inverse(R, bare, B, population, groups) - E
        change = np.abs(step / scale).max() / np.abs((E + step) / scale).max()
        least, waited, best = (change, 0, E) if change < least else (least, waited + 1, best)
        # With poles over many decades rounding ends it earlier.
        if change <= _TOLERANCE or (waited > _MEMORY and change <= _LOOSEST):
            break
        moves.append((E / scale).ravel())
        changes.append((step / scale).ravel())
        E = _accelerated(moves[-_MEMORY:], changes[-_MEMORY:]).reshape(size, size) * scale
    if least > max(roughest, _LOOSEST):
        raise ArithmeticError(
            f"the pencil of {size - 1} poles has not converged: change {least:.3g}"
        )
    R = np.asarray(A @ np.linalg.inv(one + best @ A), dtype=np.float64)
    K = np.repeat(bare[None], values.size, axis=0)
    K[:, 0, 0] += B
    Q = np.asarray(np.linalg.inv(values[:, None, None] * R + K), dtype=np.float64)
    return Pencil(population, best, R, K, Q)


def _commuting(function: RationalFunction, B: Array, population: Population) -> Array:
    """E as if B and C commuted: exact for equal eigenvalues, and for B = 0."""
    values, counts, n, nodes, density = population
    c, poles = function.coefficients, function.poles
    weights = density * (counts * values)
    kept = weights.any(axis=1)
    x, weights = nodes[kept], weights[kept]
    inverse = -np.sign(c) / (x[:, None] + poles)
    blocks = np.column_stack([np.ones_like(x), -np.sqrt(np.abs(c)) * x[:, None] * inverse])
    coupled = (weights / (B + function(x)[:, None])).sum(-1)
    E = (blocks.T * coupled) @ blocks
    E[1:, 1:] += np.diag(weights.sum(-1) @ inverse)
    return E / n


def _accelerated(points: list[Array], steps: list[Array]) -> Array:
    """Anderson's next point: a damped step from where the last steps would combine to none."""
    x, f = points[-1], steps[-1]
    if len(points) < _MEMORY:
        return x + _DAMPING * f
    dx, df = np.diff(points, axis=0).T, np.diff(steps, axis=0).T
    size = np.linalg.norm(df, axis=0)
    part = np.linalg.lstsq(df / size, f, rcond=1e-8)[0] / size
    return x + _DAMPING * f - (dx + _DAMPING * df) @ part


def _grouped(B: Array) -> tuple[NDArray[np.bool_], list[NDArray[np.bool_]]]:
    """Which B have few others of their size, and those of each size that many have."""
    size = np.floor(0.5 * np.log10(np.maximum(B, 1e-300)))
    groups, which, numbers = np.unique(size, return_inverse=True, return_counts=True)
    return (numbers < _FEW)[which], [size == group for group in groups[numbers >= _FEW]]


def _mean_inverse(
    R: Array,
    bare: Array,
    B: Array,
    population: Population,
    groups: tuple[NDArray[np.bool_], list[NDArray[np.bool_]]],
) -> Array:
    """``(1/n) sum_k lambda_k (lambda_k R + K_k)^{-1}``, where only B_k in K_k differs.

    All ``lambda R + K`` with one B have common eigenvectors, and a change of B is of rank one: no
    inverse for each eigenvalue. It keeps its digits where the change is not by orders of magnitude.
    """
    values, counts, n, *_ = population
    weights = counts * values
    total = np.zeros_like(bare)
    alone, together = groups
    if alone.any():
        K = np.repeat(bare[None], np.count_nonzero(alone), axis=0)
        K[:, 0, 0] += B[alone]
        inverses = np.linalg.inv(values[alone, None, None] * R + K)
        total += np.tensordot(weights[alone], inverses, axes=1)
    for chosen in together:
        K = bare.copy()
        # Any size will do for B = 0 and f(C) = b C, where all of K is 0.
        common = float(B[chosen].max()) or float(np.abs(bare).max())
        common = common or float(values[chosen].max() * np.abs(R).max())
        K[0, 0] += common
        rates, left = np.linalg.eig(np.linalg.solve(K, R))
        right = np.linalg.inv(left) @ np.linalg.inv(K)
        each = 1 / (values[chosen, None] * rates + 1)
        column = (each * right[:, 0]) @ left.T
        rest = B[chosen] - common
        lost = weights[chosen] * rest / (1 + rest * column[:, 0])
        total += ((left * (weights[chosen] @ each)) @ right - (column.T * lost) @ column).real
    return total / n


def between_resolvents(pencil: Pencil, function: RationalFunction) -> Array:
    """``E H_i M H_j`` for ``M = (B + f(C))^{-1}``, ``H_0 = 1`` and ``H_j = C (C + p_j)^{-1}``.

    Blocks of ``L^{-1}``, per eigenvalue of the population, of the shape of `Q`.
    """
    sign = np.sign(function.coefficients)
    scale = np.append(1.0, sign / np.sqrt(np.abs(function.coefficients)))
    resolvents = poles_pencil(function, pencil.population).Q
    own = np.zeros_like(pencil.Q)
    own[:, 1:, 1:] = -sign * resolvents
    return scale[:, None] * (pencil.Q - own) * scale


def poles_pencil(function: RationalFunction, population: Population) -> Pencil:
    """The pencil of all ``C + p_j``, which :func:`solve_pencil` leaves over, in closed form."""
    values, counts, n, *_ = population
    poles = function.poles
    kappa = np.asarray(renormalized_noise(np.repeat(values, counts.astype(int)), poles, n))
    diagonal = np.arange(poles.size)
    Q = np.zeros((values.size, poles.size, poles.size))
    Q[:, diagonal, diagonal] = kappa / poles / (values[:, None] + kappa)
    K = np.broadcast_to(np.diag(poles), Q.shape)
    return Pencil(population, np.diag(kappa / poles - 1), np.diag(poles / kappa), K, Q)


def mean_root_trace(
    function: RationalFunction, population: Population, low: float, high: float
) -> float:
    """``E tr (Sigma^{1/2} f(C) Sigma^{1/2})^{1/2}``, with its order 1.

    Parameters
    ----------
    function : RationalFunction
        f.
    population : Population
    low, high : float
        Range of the eigenvalues > 0 of f(C), in squared data units.

    Returns
    -------
    float
        In squared data units: the trace of the root of a product of two covariances.
    """
    values, counts = population.values, population.counts
    nodes = _root_nodes(float(values[0]) * low, float(values[-1]) * high)
    poles = poles_pencil(function, population)
    total = 0.0
    for noise, weight in nodes:
        pencil = solve_pencil(function, noise**2 / values, population)
        leading = counts @ (1 - noise**2 * pencil.Q[:, 0, 0] / values)
        total += weight * (2 * leading + pencil.correction - poles.correction)
    return float(total)


def _root_nodes(smallest: float, largest: float) -> list[tuple[float, float]]:
    """Nodes t and weights ``dt / pi`` of the root of all m between two values."""
    modulus = smallest / largest
    period = float(ellipkm1(modulus))
    half = int(np.ceil(_ROOT_DIGITS * (3 - np.log(modulus)) / (4 * np.pi**2)))
    sn, cn, dn, _ = ellipj((np.arange(half) + 0.5) * period / (2 * half), 1 - modulus)
    t, step = np.sqrt(smallest) * sn / cn, np.sqrt(smallest) * dn / cn**2 * period / (2 * half)
    # The second half of the period is the reflection of the first at the geometric mean.
    mirrored = np.sqrt(smallest * largest) / t
    nodes = np.append(t, mirrored[::-1])
    weights = np.append(step, (step * mirrored / t)[::-1]) / np.pi
    return list(zip(nodes.tolist(), weights.tolist(), strict=True))
