r"""The mean log-determinant of the one-step generated covariance, exactly, at every size.

In the notation of :mod:`~ornstein.theory.one_step_model.log_determinant`, with ``m = nu - d >= 0``,
``u = rho2`` and ``y = 1 - rho2``, at the population's input variance:

    E ln det(Sigma_G / sigma^2) = - int_u^1 D(v) dv / v,
    D(u) = m u (1 - u^d) / (1 - u) + T(u),

and T, of order ``u^(d+1)``, solves the linear equation

    u (1-u) T' = [ d (1-u) / 2 - (m-1) u / 2 ] T + u^(d+1) Q(1-u),
    Q(y) = m d / 2 - m (m-1) / 2 - sum_{k=0}^{m-2} C(m-k, 2) (d-1)_{k+1} y^k / (k+1)!,

``(x)_k`` a rising factorial. It is 0 for ``m = 0``, and ``- sum_{j <= d} 2 (1 - u^j) / j`` for
``m = 2``. The sum is one over the negative binomial law ``J`` of ``d - 1`` successes of probability
u, ``u^(d+1) sum = u^2/y (E C(m+1-J, 2)_+ - u^(d-1) C(m+1, 2))``: incomplete Beta functions.

**Where it comes from.** ``det A A^T`` is that of a square non-central Wishart matrix, over
``det W``. Its moments, averaged over W, are a hypergeometric function of a matrix,

    E det(A A^T)^h  proportional to  2F1(-h, -m/2; d/2; rho2 I),

a sum over partitions. To first order in h only ``(k_1, k_2, 1, .., 1)`` have a term. The equation
is what these terms add up to: found from them in rational arithmetic, and the same to every order
looked at (m to 9, d to 6, ten orders of u); there is no proof for all d and m. Two limits are
known otherwise: ``rho2 -> 0``, where the mean is ``E ln det W_d(d) - E ln det W_d(nu)``, and
``D(1) = d m / (m - 1)``, from ``E tr W^-1``.

**How it is solved.** In ``x = ln(u / y)``, ``u (1-u) d/du = d/dx``. Chebyshev collocation on panels
from where T is negligible up to ``y = 1e-19``, beyond which D is constant (for ``m = 1``: a
logarithm). Against the limit ``rho2 -> 0``, which the integral reaches last, the error is below
1e-8 of the total up to ``d = 10^12``.

References
----------
This project. Muirhead, "Aspects of multivariate statistical theory", 1982, chapters 7 and 10
(moments of non-central Wishart determinants, zonal polynomials).
"""

from __future__ import annotations

__all__ = ["exact_log_det"]

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betainc, expit

from ornstein.theory.random_matrices.wishart import log_det_deficit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_ORDER, _TERMS, _DEEP, _ABOVE, _ROUNDING = 16, 40, 25.0, 45.0, 1e-15
_CHEBYSHEV = -np.cos(np.pi * np.arange(_ORDER + 1) / _ORDER)


def exact_log_det(dim: float, excess: float, signal: Array, noise: Array) -> Array:
    """``E ln det(Sigma_G / sigma^2)``, in nats.

    Parameters
    ----------
    dim, excess : float
        Whole numbers ``d >= 1`` and ``m = n - 1 - d >= 0``.
    signal, noise : ndarray
        ``rho2 > 0`` and ``1 - rho2``, of one shape; the latter with digits of its own.

    Returns
    -------
    ndarray of that shape
    """
    values = np.zeros(np.shape(signal))
    some = (noise > 0) & (excess > 0)
    if not some.any():
        return values
    curve = _curve(float(dim), float(excess))
    u, y = signal[some], noise[some]
    x = np.log(u) - np.log(y)
    first, last = curve.edges[0], curve.edges[-1]
    # Before the first panel T is negligible, and u^(d+1) beside u.
    before = np.minimum(u, expit(first))
    early = curve.start + excess * (before if dim == 1 else -np.log1p(-before))
    late = -y * curve.end
    if excess == 1:
        late = late - y * dim / 2 * (1.0 - np.log(y) - last)
    found = np.where(x > last, late, curve.at(np.clip(x, first, last)))
    values[some] = np.where(x < first, early, found)
    return values


class _Curve(NamedTuple):
    """The mean log-determinant as a function of ``x = ln(rho2 / (1 - rho2))``, for one d and m."""

    edges: Array
    """Ends of the panels, of shape (panels + 1,)."""
    values: Array
    """At the Chebyshev points of each panel, of shape (panels, order + 1)."""
    start: float
    """Value for ``rho2 -> 0``."""
    end: float
    """D at the last edge."""

    def at(self, x: Array) -> Array:
        """Interpolate, by the barycentric formula."""
        panel = np.clip(np.searchsorted(self.edges, x) - 1, 0, self.edges.size - 2)
        left, right = self.edges[panel], self.edges[panel + 1]
        gap = (2.0 * x - left - right)[:, None] / (right - left)[:, None] - _CHEBYSHEV
        weights = (-1.0) ** np.arange(_ORDER + 1)
        weights[[0, -1]] /= 2.0
        hit = gap == 0
        share = weights / np.where(hit, 1.0, gap)
        share = np.where(hit.any(1)[:, None], np.where(hit, 1.0, 0.0), share)
        return (share * self.values[panel]).sum(1) / share.sum(1)


@lru_cache(maxsize=4096)
def _curve(d: float, m: float) -> _Curve:
    edges = _panels(d, m)
    half = np.diff(edges)[:, None] / 2.0
    x = edges[:-1, None] + half * (_CHEBYSHEV + 1.0)
    u, y = expit(x), expit(-x)
    derivative = _differentiation()
    # Given the value at the left end of a panel, the solution is linear in it.
    growth = d / 2.0 * y - (m - 1.0) / 2.0 * u
    system = derivative[1:, 1:] / half[:, :, None] - growth[:, 1:, None] * np.eye(_ORDER)
    right = np.stack([_source(x, d, m)[:, 1:], -derivative[1:, 0] / half], axis=-1)
    particular, homogeneous = np.moveaxis(np.linalg.solve(system, right), -1, 0)
    T = np.zeros_like(x)
    for index in range(len(x)):
        begin = T[index - 1, -1] if index else 0.0
        T[index, 0] = begin
        T[index, 1:] = particular[index] + homogeneous[index] * begin
    D = m * u * -np.expm1(-d * np.log1p(np.exp(-x))) / y + T
    if m > 1:
        # Its terms cancel to D/(m u). At little noise it is that of d ln(rho2) + ln(1 - tau).
        tau = np.exp(-x) * d / (m - 1.0)
        silent = d + d / (u * (m - 1.0) * (1.0 - np.minimum(tau, 0.5)))
        D = np.where((tau < 0.1) & (tau**2 * d < _ROUNDING * m * u), silent, D)
    slope = y * D
    # Integrals from the left end of each panel, and from each panel to infinity.
    within = np.zeros_like(x)
    within[:, 1:] = np.linalg.solve(derivative[1:, 1:], (half * slope[:, 1:]).T).T
    end = slope[-1, -1] / y[-1, -1]
    tail = y[-1, -1] * (end + (d / 2.0 if m == 1 else 0.0))
    beyond = np.cumsum(np.append(tail, within[:0:-1, -1]))[::-1]
    values = within - (within[:, -1:] + beyond[:, None])
    # E ln det W_d(d) - E ln det W_d(d + m), which is symmetric in d and m.
    less = min(d, m)
    deficits = log_det_deficit(np.array([less, less]), np.array([less, d + m]))
    start = float(less * np.log(less / (d + m)) - deficits[0] + deficits[1])
    return _Curve(edges, values, start, float(end))


def _panels(d: float, m: float) -> Array:
    """Narrow where ``u^(d/2) (1-u)^((m-1)/2)`` is, which has its maximum at the threshold."""
    centre = np.log(d / (m - 1.0)) if m > 1 else np.log(d) + 3.0
    width = min(np.sqrt(1.0 / d + 1.0 / m), 1.0)

    def log_weight(x: float) -> float:
        return -d / 2.0 * np.logaddexp(0.0, -x) - (m - 1.0) / 2.0 * np.logaddexp(0.0, x)

    reach = 1.0
    while log_weight(centre) - log_weight(centre - reach) < _DEEP:
        reach *= 1.5
    edges = np.linspace(centre - reach, centre - min(8.0 * width, reach / 2.0), 24).tolist()
    step, last = width, max(centre, np.log(d), 0.0) + _ABOVE
    while edges[-1] < last:
        if edges[-1] > centre + 8.0 * width:
            step = min(1.2 * step, 1.5)
        edges.append(edges[-1] + step)
    return np.array(edges)


def _source(x: Array, d: float, m: float) -> Array:
    """``u^(d+1) Q(1-u)``."""
    u, y, log_u = expit(x), expit(-x), -np.log1p(np.exp(-x))
    head = (m * d / 2.0 - m * (m - 1.0) / 2.0) * np.exp((d + 1.0) * log_u)
    r = d - 1.0
    if r == 0 or m == 1:
        return head
    # E C(m+1-J, 2)_+ from the mean number of failures J, J (J-1) below m.
    odds = np.exp(-x)
    parts = 0.5 * m * (m + 1.0) * betainc(r, m, u)
    parts -= m * r * odds * betainc(r + 1.0, m - 1.0, u)
    if m > 2:
        parts += 0.5 * r * (r + 1.0) * odds**2 * betainc(r + 2.0, m - 2.0, u)
    far = u**2 * (np.exp(r * log_u) * (0.5 * m * (m + 1.0)) - parts) / y
    # Where (d-1) y is small so is the difference; its series in y has positive terms.
    small = np.minimum(y, 8.0 / (d + _TERMS))
    term, total = np.full_like(y, r), np.zeros_like(y)
    for k in range(min(int(m) - 1, _TERMS)):
        total += (m - k) * (m - k - 1.0) / 2.0 * term
        term = term * small * (r + k + 1.0) / (k + 2.0)
    near = -np.exp((d + 1.0) * log_u) * total
    return head + np.where(small < y, far, near)


@cache
def _differentiation() -> Array:
    """Matrix of the derivative at the Chebyshev points of [-1, 1]."""
    sign = (-1.0) ** np.arange(_ORDER + 1)
    sign[[0, -1]] *= 2.0
    gaps = _CHEBYSHEV[:, None] - _CHEBYSHEV + np.eye(_ORDER + 1)
    matrix = sign[:, None] / sign / gaps
    return matrix - np.diag(matrix.sum(1))
