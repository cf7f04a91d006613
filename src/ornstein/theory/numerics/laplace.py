r"""Laplace's method for expectations over chi-square and normal variables.

    E exp F(y),     y = (ln X_1, .., ln X_j, z_1, .., z_l),     X_i ~ chi^2_{k_i},  z_i ~ N(0, 1),

with F of the order of the k_i. The logarithm ``phi0`` of the density of y is separable, its maximum
and curvature at ``ln X_i = ln k_i, z_i = 0`` are known, and

    ln E exp F  ~  max (phi0 + F) - max phi0 - 1/2 ln det(-D^2 (phi0 + F)) + 1/2 ln det(-D^2 phi0),

a ratio in which the leading error of Laplace's method cancels, exact for ``F = 0``. (For F linear
in the X_i the exact factors ``(1 + 2 a)^{-k/2}`` come out too: a tilted chi-square is one again.)

The maximum is found by Newton's method. Gradient and Hessian are exact: `Jet` carries them through
arithmetic, as truncated second-order Taylor series, so that F is written as its formula reads.

References
----------
Tierney, Kadane, "Accurate approximations for posterior moments and marginal densities", 1986 (the
ratio); Griewank, Walther, "Evaluating derivatives", 2008 (forward differentiation).
"""

from __future__ import annotations

__all__ = ["Jet", "log_expectation", "upper_triangle"]

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Newton's method is quadratic: after a step of 1e-4 the point has an error of 1e-8.
_MAX_STEPS, _SHORT_STEP, _LONGEST_STEP = 100, 1e-4, 2.0


@lru_cache
def upper_triangle(m: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the entries of a Hessian, in the order of :class:`Jet`."""
    return np.triu_indices(m)


class Jet:
    """A function of m variables at many points: value, gradient and Hessian.

    Supports ``+ - * /`` with jets and plain arrays, and the functions below.

    Parameters
    ----------
    value : ndarray of shape (...)
    gradient : ndarray of shape (m, ...)
    hessian : ndarray of shape (m (m+1) / 2, ...)
        Upper triangle, in the order of ``np.triu_indices(m)``.

    Examples
    --------
    >>> x, y = Jet.variables(np.array([[2.0], [3.0]]))
    >>> product = (x * y).log()
    >>> product.value, product.gradient.ravel(), product.hessian.ravel()
    (array([1.791759]), array([0.5 , 0.333333]), array([-0.25 , 0. , -0.111111]))
    """

    # NumPy arrays on the left of an operator leave it to the jet.
    __array_ufunc__ = None

    def __init__(self, value: Array, gradient: Array, hessian: Array) -> None:
        self.value, self.gradient, self.hessian = value, gradient, hessian

    @classmethod
    def variables(cls, point: Array) -> list[Jet]:
        """The m coordinates themselves, at points of shape (m, ...)."""
        m, shape = point.shape[0], point.shape[1:]
        flat = np.zeros((m * (m + 1) // 2, *shape))
        unit = np.eye(m).reshape(m, m, *[1] * len(shape))
        units = np.broadcast_to(unit, (m, *point.shape))
        return [cls(point[i], units[i], flat) for i in range(m)]

    def __add__(self, other: Jet | Array | float) -> Jet:
        if isinstance(other, Jet):
            return Jet(
                self.value + other.value,
                self.gradient + other.gradient,
                self.hessian + other.hessian,
            )
        return Jet(self.value + other, self.gradient, self.hessian)

    def __mul__(self, other: Jet | Array | float) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.value * other, self.gradient * other, self.hessian * other)
        i, j = upper_triangle(len(self.gradient))
        cross = self.gradient[i] * other.gradient[j] + self.gradient[j] * other.gradient[i]
        return Jet(
            self.value * other.value,
            self.gradient * other.value + other.gradient * self.value,
            self.hessian * other.value + other.hessian * self.value + cross,
        )

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Jet:
        return self * -1.0

    def __sub__(self, other: Jet | Array | float) -> Jet:
        return self + other * -1.0

    def __rsub__(self, other: Array | float) -> Jet:
        return -self + other

    def __truediv__(self, other: Jet | Array | float) -> Jet:
        return self * (other.reciprocal() if isinstance(other, Jet) else 1.0 / other)

    def square(self) -> Jet:
        """``x^2``."""
        return self._through(self.value**2, 2.0 * self.value, np.full_like(self.value, 2.0))

    def reciprocal(self) -> Jet:
        """``1 / x``."""
        inverse = 1.0 / self.value
        return self._through(inverse, -(inverse**2), 2.0 * inverse**3)

    def exp(self) -> Jet:
        """``e^x``."""
        value = np.exp(self.value)
        return self._through(value, value, value)

    def log(self) -> Jet:
        """``ln x``."""
        inverse = 1.0 / self.value
        return self._through(np.log(self.value), inverse, -(inverse**2))

    def _through(self, value: Array, first: Array, second: Array) -> Jet:
        """A function of this jet, from its value and first two derivatives."""
        i, j = upper_triangle(len(self.gradient))
        bent = second * self.gradient
        hessian = first * self.hessian + bent[i] * self.gradient[j]
        return Jet(value, first * self.gradient, hessian)


def log_expectation(
    exponent: Callable[[Sequence[Jet], Sequence[Jet]], Jet], dof: Array, normals: int
) -> Array:
    """``ln E exp F`` by Laplace's method.

    Parameters
    ----------
    exponent : callable
        Maps the jets of ``ln X_1, .., ln X_j`` and of ``z_1, .., z_l``, of shape (points,), to F.
    dof : ndarray of shape (j, points)
        Degrees of freedom ``k_i >= 0``. Where 0, X_i is 0 and left out: F must not depend on it.
    normals : int
        The number l of standard normal variables.

    Returns
    -------
    ndarray of shape (points,)

    Raises
    ------
    RuntimeError
        If Newton's method does not converge.

    Examples
    --------
    >>> dof = np.array([[3.0, 40.0]])
    >>> log_expectation(lambda logs, normals: logs[0].exp() * -0.5, dof, 0)  # 2^(-k/2)
    array([ -1.039721, -13.862944])
    """
    y = np.zeros((len(dof) + normals, dof.shape[1]))
    here = _expand(exponent, y, dof)
    damping = np.zeros(y.shape[1])
    for _ in range(_MAX_STEPS):
        damped = here.curvature + damping[:, None, None] * np.eye(len(y))
        step = np.linalg.solve(damped, here.gradient.T[..., None])[..., 0].T
        # In ratio to y: a normal variable may have far to go.
        size = (np.abs(step) / (1.0 + np.abs(y))).max(0)
        trial = y + step * np.minimum(1.0, _LONGEST_STEP / np.maximum(size, _SHORT_STEP))
        there = _expand(exponent, trial, dof)
        # Where a step loses ground (beyond rounding) it is taken back, and the next one is shorter.
        better = there.value >= here.value - 1e-10 * np.abs(here.value)
        y = np.where(better, trial, y)
        here = _Expansion(
            np.where(better, there.value, here.value),
            np.where(better, there.gradient, here.gradient),
            np.where(better[:, None, None], there.curvature, here.curvature),
        )
        if (better & (size <= _SHORT_STEP)).all():
            break
        damping = np.where(better, 0.0, np.maximum(4.0 * damping, 0.1))
    else:
        raise RuntimeError(f"Laplace's method found no maximum in {_MAX_STEPS} steps")
    log_det = 2.0 * np.log(np.diagonal(np.linalg.cholesky(here.curvature), axis1=1, axis2=2)).sum(1)
    flat = np.log(np.where(dof > 0, 0.5 * dof, 1.0)).sum(0)
    return here.value - 0.5 * (log_det - flat)


class _Expansion(NamedTuple):
    """``phi0 + F`` at one y per point, to second order, phi0 being 0 at its maximum."""

    value: Array
    """Of shape (points,)."""
    gradient: Array
    """Of shape (m, points)."""
    curvature: Array
    """Minus the Hessian, of shape (points, m, m)."""


def _expand(
    exponent: Callable[[Sequence[Jet], Sequence[Jet]], Jet], y: Array, dof: Array
) -> _Expansion:
    count, m = len(dof), len(y)
    there = dof > 0
    # y holds ln(X_i / k_i): the large numbers k_i ln X_i and X_i are subtracted on paper.
    u, z = y[:count], y[count:]
    jets = Jet.variables(y)
    logs = [jet + log for jet, log in zip(jets, np.log(np.where(there, dof, 1.0)), strict=False)]
    F = exponent(logs, jets[count:])
    value = F.value + 0.5 * ((dof * (u - np.expm1(u))).sum(0) - (z**2).sum(0))
    gradient = F.gradient + np.concatenate([-0.5 * dof * np.expm1(u), -z])
    curvature = np.empty((m, m, y.shape[1]))
    i, j = upper_triangle(m)
    curvature[i, j] = curvature[j, i] = -F.hessian
    diagonal = np.arange(m)
    # A variable that is absent, and on which F does not depend, stands still.
    own = np.where(there, 0.5 * dof * np.exp(u), 1.0)
    curvature[diagonal, diagonal] += np.concatenate([own, np.ones_like(z)])
    return _Expansion(value, gradient, np.moveaxis(curvature, -1, 0))
