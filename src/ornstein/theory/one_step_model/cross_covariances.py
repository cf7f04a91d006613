r"""How the two terms that decide the sign of Delta vary between training sets.

Given the fitted model, the mean over fresh points is B(O), and a training point is seen with mean
B(T). Between training sets their logarithms b and a vary, nearly normal, by amounts of order 1, and
together. With two generated points, independent given the model, and two points that they meet
(fresh ones, two training points, or one of each),

    Cov(a, b) = ln [ E B(T) B(O) / (E B(T) E B(O)) ],      and likewise for Var a, Var b,

and the numerator is an integral like that of
:mod:`ornstein.theory.one_step_model.training_exponents`, over two sets of vectors. Their inner
products within each set have the saddle point of each alone, those across sets, G, vanish there.
The covariance is what Gaussian fluctuations of G leave,

    -1/2 ln det H + 1/2 ln det H_0 - 1/2 (ln weights of both sets),

H the curvature at the saddle point, H_0 the one without kernels, and the weights what the second
set takes from the powers in the integral of the first, and the other way round,

    [(1 + f) Q / V] (1 - d/nu),      for two training points times  (1 - x) / (1 - d/nu).

A training point has the set ``(u, eta)``, a fresh one ``(eta)``. F are the inner products of a set
in the metric ``W^{-1}``, x and f its diagonal, ``b = (alpha, -1)`` or ``(-1)``, n the projector on
eta, ``L = (1 + F n)^{-1}``, and

    V_T = eps_n^2 + a (alpha^2 (1 - x) + b^T F b),        V_O = eps_N^2 + 1 + 1/n + a f,
    Q = V + rho2 b^T L F b,                 nu = n - 1,    a = 1 - rho2.

To second order in G, which enters in linear forms alone,

    H = d - nu [ g g^T / ((1+f_1) (1+f_2)) + rho2 g_1 g_1^T / (Q_1 (1+f_2))
                 + rho2 g_2 g_2^T / ((1+f_1) Q_2) + w w^T / (Q_1 Q_2) ]
          + (nu-d) [ v v^T / (V_1 V_2) + h h^T / ((1-x_1) (1-x_2)) ],
    g = G_eta,eta,   h = G_uu,   l = L^T b,   g_1 = l_1^T G_.,eta,   g_2 = G_eta,. l_2,
    v = a (b_1^T G b_2 - alpha^2 G_uu),       w = v + rho2 l_1^T G l_2,

in units of roots of F_1 and F_2; terms of u on both sides are there where both sets have one. For
F diagonal with entries ``d/nu, d/(nu-d)``, where the vectors are without kernels,
``det H_0 = d^4``, ``d^2 (1 - d/nu)`` and ``d (1 - d/nu)`` for two, one and no training point.

**The training variance.** Generated points start with the variance of the training set, in units of
the population's ``1 + rho2 (s^2 - 1)``. It moves a and b by ``kappa = (e - d)/2`` times its
logarithm, ``e = |eta|^2`` at the saddle point, and ``s^2``, of variance ``2 / (d nu)``, is
correlated with a and b by other ways,

    d nu Cov(s^2, .) = rho2 (d - e - p/V) - 2 a p/V + a (V - V_0) (p/V - d) / V,

p the squared length of the mean of the difference that V is the variance of, ``V_0`` the part of V
that is not a multiple of a.

Left out: relatively O(1/d), and O(1/n) of the common mean.

References
----------
This project.
"""

from __future__ import annotations

__all__ = ["cross_covariances"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.theory.numerics.laplace import Jet
from ornstein.theory.one_step_model.training_exponents import training_saddle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_STEPS = 60


class _Set(NamedTuple):
    """The vectors of one generated point at its saddle point."""

    F: Array
    """Inner products in the metric of the regression, of shape (m, m)."""
    b: Array
    V: float
    Q: float
    L: Array
    sensitivity: float
    """Derivative by the training variance."""
    covariance: float
    """With the training variance."""

    @property
    def leverage(self) -> float:
        return float(self.F[0, 0]) if len(self.b) == 2 else 0.0


def cross_covariances(
    d: float, n: float, rho2: float, n_original: float, saddle: Array | None = None
) -> tuple[Array, Array]:
    """Covariance matrix of ``a = ln B(T)`` and ``b = ln B(O)`` over models, originals expected.

    Parameters
    ----------
    d, n, n_original : float
        Dimension, numbers of training points, > d + 1, and of originals.
    rho2 : float
        Fraction of signal in the variance of a noised coordinate.
    saddle : ndarray of shape (3,), optional
        The first three of :func:`training_saddle` at k = 1, if they are known.

    Returns
    -------
    covariance : ndarray of shape (2, 2)
        Of a, b.
    without_variance : ndarray of shape (2, 2)
        The same where points start with the variance of the population.

    Raises
    ------
    RuntimeError
        If Newton's method does not converge.
    """
    if saddle is None:
        found = training_saddle(np.array([d]), np.array([n]), np.array([rho2]), 1.0)
        saddle = np.ravel(found[:3])
    sets = _training(d, n, rho2, saddle), _fresh(d, n, rho2, n_original)
    bare = np.array([[_covariance(d, n, rho2, one, two) for two in sets] for one in sets])
    slope = np.array([each.sensitivity for each in sets])
    mixed = np.outer(slope, [each.covariance for each in sets])
    variance = 2.0 / (d * (n - 1.0))
    return bare + variance * np.outer(slope, slope) + mixed + mixed.T, bare


def _training(d: float, n: float, rho2: float, saddle: Array) -> _Set:
    x, rest, slope = (float(value) for value in saddle)
    across, f = slope * x, rest + slope**2 * x
    alpha = np.sqrt(1.0 - 1.0 / n)
    F, b = np.array([[x, across], [across, f]]), np.array([alpha, -1.0])
    own = float(b @ F @ b) + alpha**2 * (1.0 - x)
    return _set(d, n, rho2, F, b, n ** (-2.0 / d), own)


def _fresh(d: float, n: float, rho2: float, n_original: float) -> _Set:
    nu, a = n - 1.0, 1.0 - rho2
    base = n_original ** (-2.0 / d) + 1.0 + 1.0 / n
    y = np.log(np.array([[d / (nu - d)]]))
    for _ in range(_STEPS):
        log_f = Jet.variables(y)[0]
        f = log_f.exp()
        V = f * a + base
        J = log_f * (d / 2) - (f * (V.reciprocal() * rho2 + 1.0) + 1.0).log() * (nu / 2)
        J = J - V.log() * (d / 2)
        step = J.gradient / np.abs(J.hessian)
        y = y + np.clip(step, -1.0, 1.0)
        if np.abs(step) < 1e-9:
            break
    else:
        raise RuntimeError(f"no saddle point in {_STEPS} steps")
    f = float(np.exp(y[0, 0]))
    return _set(d, n, rho2, np.array([[f]]), np.array([-1.0]), base, f)


def _set(d: float, n: float, rho2: float, F: Array, b: Array, base: float, own: float) -> _Set:
    """Complete a set; V is `base` and ``1 - rho2`` times `own`."""
    nu, a, last = n - 1.0, 1.0 - rho2, len(b) - 1
    V = base + a * own
    projector = np.zeros_like(F)
    projector[last, last] = 1.0
    L = np.asarray(np.linalg.inv(np.eye(len(b)) + F @ projector), dtype=np.float64)
    inner = L @ F  # (F^{-1} + n)^{-1}
    spread = float(b @ inner @ b)
    Q = V + rho2 * spread
    p_over_V = nu * rho2 * spread / Q
    e = nu * (inner[last, last] - rho2 * float(inner[last] @ b) ** 2 / Q)
    own_part = a * (V - base) * (p_over_V - d) / V
    covariance = rho2 * (d - e - p_over_V) - 2.0 * a * p_over_V + own_part
    return _Set(F, b, V, Q, L, 0.5 * rho2 * (e - d), covariance / (d * nu))


def _covariance(d: float, n: float, rho2: float, one: _Set, two: _Set) -> float:
    nu, a, gamma = n - 1.0, 1.0 - rho2, d / (n - 1.0)
    roots = [np.linalg.cholesky(each.F) for each in (one, two)]

    def form(left: Array, right: Array) -> Array:
        """``left^T G right`` as a vector of coefficients of the normalised G."""
        return np.outer(roots[0].T @ left, roots[1].T @ right).ravel().astype(np.float64)

    noise = [np.eye(len(each.b))[-1] for each in (one, two)]
    f = [float(each.F[-1, -1]) for each in (one, two)]
    v = a * form(one.b, two.b)
    H = d * np.eye(len(v))
    if len(one.b) == len(two.b) == 2:
        points = form(np.eye(2)[0], np.eye(2)[0])
        v = v - a * (1.0 - 1.0 / n) * points
        H += (nu - d) * np.outer(points, points) / ((1 - one.leverage) * (1 - two.leverage))
        log_det = 4.0 * np.log(d)
    else:
        log_det = len(v) * np.log(d) + np.log1p(-gamma)
    seen = [each.L.T @ each.b for each in (one, two)]
    w = v + rho2 * form(*seen)
    for row, weight in (
        (form(*noise), 1.0 / ((1.0 + f[0]) * (1.0 + f[1]))),
        (form(seen[0], noise[1]), rho2 / (one.Q * (1.0 + f[1]))),
        (form(noise[0], seen[1]), rho2 / ((1.0 + f[0]) * two.Q)),
        (w, 1.0 / (one.Q * two.Q)),
    ):
        H -= nu * weight * np.outer(row, row)
    H += (nu - d) * np.outer(v, v) / (one.V * two.V)
    weights = 0.0
    for each, other in ((one, two), (two, one)):
        weights += np.log((1.0 + each.F[-1, -1]) * each.Q / each.V * (1.0 - gamma))
        if len(each.b) == len(other.b) == 2:
            weights += np.log1p(-each.leverage) - np.log1p(-gamma)
    return 0.5 * float(log_det - np.linalg.slogdet(H)[1] - weights)
