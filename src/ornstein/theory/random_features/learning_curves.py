r"""Learning curves of a random-feature score, in the proportional limit.

Data ``x_i ~ N(0, I_d)``, ``i = 1..n``, each noised m times at OU time t,

    y_ij = e^{-t} x_i + sqrt(Delta) z_ij,    Delta = 1 - e^{-2t},    j = 1..m.

The score is ``s_A(y) = A F / sqrt(p)`` with p frozen features ``F = sigma(W y / sqrt(d))``, W of
independent standard normal entries, sigma odd. Denoising score matching with a ridge minimises

    (1/(d n m)) sum_ij || sqrt(Delta) A F_ij / sqrt(p) + z_ij ||^2 + lam Delta ||A||^2 / (d p)

over A: with ``a = sqrt(Delta) A / sqrt(p)`` it is ridge regression of ``-z`` on F, ridge term
``lam ||a||^2 / d``. Its minimum is L_train; L_test is the first term in expectation over a fresh
(x, z), without ridge. ``d, p, n -> inf`` at fixed ``psi_p = p/d``, ``psi_n = n/d``, m.

Features act as ``mu1 W y / sqrt(d) + noise`` of variance mu*^2, of which copies of one point share
the fraction kap (`ornstein.theory.random_features.activations`). The mean over the m copies and the
m - 1 directions of their scatter are two independent blocks b of rows. With ``w = 1/m``,

    block      weight w_b    a_b                  s_b                        k_b
    mean       1             e^{-2t} + w Delta    mu*^2 (kap + w (1-kap))    1
    scatter    1 - w         Delta                mu*^2 (1 - kap)            w

    L_b = 1 + k_b (psi_p/psi_n) (mu1^2 a_b r + s_b q)                                 (*)
    alpha = mu1^2 sum_b w_b a_b / L_b,    beta = lam + sum_b w_b s_b / L_b
    q = (1/p) tr R,  r = (1/p) tr M R,    R = (alpha M + beta)^{-1},    M = W W^T / d.

M is a Wishart matrix, so q is the positive root of
``psi_p alpha beta q^2 + (beta + (1 - psi_p) alpha) q - 1 = 0`` and ``1/r = 1/q + psi_p alpha``.
Eliminating alpha and beta instead of q and r gives the coupled equations for (q, r) of the paper.

**One branch.** As a map ``L -> I(L)``, (*) is positive, increasing, concave (a parallel sum of
matrices is) and scalable, ``I(c L) < c I(L)`` for c > 1. So it has exactly one positive fixed
point, ``J = I'`` has spectral radius below 1 wherever ``I(L) <= L``, and Newton's iterates from
``I(inf)`` (where alpha = 0, beta = lam) fall to it from above, for all parameters: no branch has to
be followed. With the traces ``A, B, C = (1/p) tr R^2, M R^2, M^2 R^2``, known in closed form,
``(1 - J) L = delta + L - I(L)``, ``delta_b = 1 + lam k_b (psi_p/psi_n) (mu1^2 a_b B + s_b A)``:
with this for its diagonal, 1 - J is inverted without a subtraction, however near to singular.

**Losses.** With ``tau = w / L_mean + (1 - w) / L_scatter``, ``g = mu1^2 psi_p Delta r tau``,

    L_train = tau (1 - g) = tau r (1/q + mu1^2 psi_p e^{-2t} / L_mean)
    L_test = 1 - 2 g + D[-tau (1 - g)]

where D is the derivative along ``alpha - mu1^2 h, beta - mu*^2 h`` at h = 0: a shift by the
population covariance of the features. It acts on L through ``(1 - J)^{-1}``, on r through B and C.
With ``1 - g = r (1/q + mu1^2 psi_p e^{-2t} / L_mean)`` and ``lambda_b = D L_b / L_b``,

    L_test = (1 + T) (1 - g)^2 + g tau { mu1^2 [ Delta (1 + T) (C/r - psi_p r)
             + e^{-2t} (1 + lambda_mean / L_mean) C/r ] + (mu*^2 + N) B/r },

T and N the sums of ``lambda_b`` weighted as in tau and beta. Every term is positive: the first in
the braces is a variance over the spectrum of M, in closed form without a difference.
The score 0 has loss 1, the exact score ``e^{-2t}``.

References
----------
George, Veiga, Macris, "Denoising score matching with random features: insights on diffusion models
from precise learning curves", arXiv 2502.00336. Bonnaire, Urfin, Biroli, Mezard, "Why diffusion
models don't memorize", arXiv 2505.17638. The block form, the proof of the unique branch and the
subtraction-free inverse are this project's own.
"""

from __future__ import annotations

__all__ = ["RandomFeatureLosses", "random_feature_losses"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.theory.random_features.activations import feature_noise
from ornstein.validation import as_between, as_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.theory.random_features.activations import Activation

_MAX_STEPS, _TOLERANCE = 200, 1e-9


class RandomFeatureLosses(NamedTuple):
    """What `random_feature_losses` returns: squared errors per dimension, in units of the noise."""

    train: float | NDArray[np.float64]
    """Minimum of the training objective, its ridge term included."""
    test: float | NDArray[np.float64]
    """Expected loss on fresh data with fresh noise."""


def random_feature_losses(
    feature_ratio: ArrayLike,
    sample_ratio: ArrayLike,
    time: ArrayLike,
    ridge: ArrayLike,
    noise_draws: ArrayLike,
    activation: Activation = "tanh",
) -> RandomFeatureLosses:
    """Asymptotic train and test loss of a ridge-regularised random-feature score.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    feature_ratio : array-like
        ``psi_p = p / d``, features per dimension, 1e-8 to 1e8.
    sample_ratio : array-like
        ``psi_n = n / d``, data points per dimension, 1e-8 to 1e8.
    time : array-like
        OU time t, > 0.
    ridge : array-like
        ``lam``, 1e-20 to 1e20, in the convention ``lam Delta ||A||^2 / (d p)`` of the module.
    noise_draws : array-like
        m >= 1, noise draws per data point. ``np.inf`` is the loss averaged over the noise.
    activation : {"tanh", "erf", "sign", "identity"} or callable
        Odd activation, see `ornstein.theory.random_features.activations.activation_constants`.

    Returns
    -------
    RandomFeatureLosses
        ``(train, test)``, floats if all parameters are numbers, else arrays of the common shape.
        Finite d deviates by O(1/d): at d = 40 about 1%, at the interpolation peak 4% (test) and
        10% (train).

    Raises
    ------
    TypeError
        If the activation is neither a name nor a callable.
    ValueError
        If a parameter is outside its range, or the activation is not odd or not smooth.
    RuntimeError
        If the iteration does not converge.

    References
    ----------
    George, Veiga, Macris, arXiv 2502.00336.

    Examples
    --------
    >>> random_feature_losses(0.5, 8.0, time=0.1, ridge=1e-3, noise_draws=1)
    RandomFeatureLosses(train=0.86312, test=0.98080)
    >>> random_feature_losses([4, 8, 64], 8, 0.1, 1e-3, 1).test.round(3)
    array([1.503, 2.798, 1.049])
    """
    t = as_positive(time, "time")
    mu1, mu_star_squared, shared, fresh = feature_noise(activation, t)
    psi_p, psi_n, lam, t, shared, fresh, w = np.broadcast_arrays(
        as_between(feature_ratio, "feature_ratio", 1e-8, 1e8),
        as_between(sample_ratio, "sample_ratio", 1e-8, 1e8),
        as_between(ridge, "ridge", 1e-20, 1e20),
        t,
        shared,
        fresh,
        _inverse_draws(noise_draws),
    )
    linear, kept, lost = mu1**2, np.exp(-2.0 * t), -np.expm1(-2.0 * t)
    blocks = _Blocks(
        weight=np.stack([np.ones_like(w), 1.0 - w]),
        signal=linear * np.stack([kept + w * lost, lost]),
        noise=np.stack([shared + w * fresh, fresh]),
        response=psi_p / psi_n * np.stack([np.ones_like(w), w]),
    )
    L = _fixed_point(blocks, psi_p, lam)
    newton = _newton(L, blocks, psi_p, lam)
    q, r, A, B, C = newton.traces

    # D lowers alpha and beta by the population covariance, and L responds to that.
    source = blocks.response * (
        blocks.signal * (linear * C + mu_star_squared * B)
        + blocks.noise * (linear * B + mu_star_squared * A)
    )
    slope = newton.solve(source)
    inverse = blocks.weight / L
    beta_slope = mu_star_squared + (inverse * blocks.noise * slope).sum(0)
    share = np.stack([w, 1.0 - w]) / L
    tau, tau_slope = share.sum(0), (share * slope).sum(0)

    gain = linear * psi_p * lost * r * tau
    missed = r * (1.0 / q + linear * psi_p * kept / L[0])
    train = tau * missed
    alpha, beta = newton.weights
    own = linear * lost * (1.0 + tau_slope) * _scatter(alpha, beta, psi_p)
    shared = linear * kept * (1.0 + slope[0] / L[0]) * C / r
    test = (1.0 + tau_slope) * missed**2 + gain * tau * (own + shared + B * beta_slope / r)
    if train.ndim == 0:
        return RandomFeatureLosses(float(train), float(test))
    return RandomFeatureLosses(train, test)


class _Blocks(NamedTuple):
    """Constants of the mean and the scatter block, each of shape (2, ...)."""

    weight: NDArray[np.float64]
    signal: NDArray[np.float64]
    noise: NDArray[np.float64]
    response: NDArray[np.float64]


class _Traces(NamedTuple):
    """Normalised traces of ``R, M R, R^2, M R^2, M^2 R^2``."""

    q: NDArray[np.float64]
    r: NDArray[np.float64]
    A: NDArray[np.float64]
    B: NDArray[np.float64]
    C: NDArray[np.float64]


class _Newton(NamedTuple):
    """The linearised map at L: ``(1 - J) L = delta + excess``, coupling ``J_12 L_2, J_21 L_1``.

    `weights` are alpha and beta there.
    """

    traces: _Traces
    weights: tuple[NDArray[np.float64], NDArray[np.float64]]
    delta: NDArray[np.float64]
    excess: NDArray[np.float64]
    coupling: NDArray[np.float64]

    def solve(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(1 - J)^{-1} right`` in units of L, by sums and products of positive numbers."""
        row = self.delta + self.excess
        cross = row * self.coupling[::-1]
        scale = row[0] * row[1] + cross[0] + cross[1]
        return ((row + self.coupling)[::-1] * right + self.coupling * right[::-1]) / scale


def _inverse_draws(noise_draws: ArrayLike) -> NDArray[np.float64]:
    draws = as_between(noise_draws, "noise_draws", 1.0, np.inf)
    return 1.0 / draws


def _fixed_point(
    blocks: _Blocks, psi_p: NDArray[np.float64], lam: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Positive solution of (*), shape (2, ...)."""
    L = 1.0 + blocks.response * (blocks.signal + blocks.noise) / lam
    factor = L
    for _ in range(_MAX_STEPS):
        newton = _newton(L, blocks, psi_p, lam)
        factor = newton.solve(newton.delta)
        L = L * factor
        if (np.abs(factor - 1.0) <= _TOLERANCE).all():
            return L
    worst = int(np.argmax(np.abs(factor - 1.0).max(0)))
    raise RuntimeError(
        f"the random-feature equations did not converge in {_MAX_STEPS} steps at feature_ratio "
        f"{psi_p.flat[worst]:g}, ridge {lam.flat[worst]:g}: use a larger ridge"
    )


def _newton(
    L: NDArray[np.float64],
    blocks: _Blocks,
    psi_p: NDArray[np.float64],
    lam: NDArray[np.float64],
) -> _Newton:
    inverse = blocks.weight / L
    alpha = (inverse * blocks.signal).sum(0)
    beta = lam + (inverse * blocks.noise).sum(0)
    traces = q, r, A, B, C = _traces(alpha, beta, psi_p)
    image = 1.0 + blocks.response * (blocks.signal * r + blocks.noise * q)
    delta = 1.0 + lam * blocks.response * (blocks.signal * B + blocks.noise * A)
    between = C * blocks.signal[0] * blocks.signal[1] + A * blocks.noise[0] * blocks.noise[1]
    between += B * (blocks.signal[0] * blocks.noise[1] + blocks.signal[1] * blocks.noise[0])
    # Above the fixed point the excess is >= 0; below it is rounding.
    excess = np.maximum(L - image, 0.0)
    return _Newton(traces, (alpha, beta), delta, excess, blocks.response * between * inverse[::-1])


def _traces(
    alpha: NDArray[np.float64], beta: NDArray[np.float64], psi_p: NDArray[np.float64]
) -> _Traces:
    b = beta + (1.0 - psi_p) * alpha
    product = 4.0 * psi_p * alpha * beta
    S = np.sqrt(b * b + product)
    # The larger of the two forms of the root: neither cancels on its side of b = 0.
    q = np.where(b >= 0.0, 2.0, 2.0 * (S + np.abs(b))) / np.where(b >= 0.0, S + np.abs(b), product)
    r = q / (1.0 + psi_p * alpha * q)
    C = r * (2.0 * beta * (1.0 + psi_p) + alpha * (1.0 - psi_p) ** 2) / (S * (S + beta))
    return _Traces(q, r, q * q / (r * S), r / S, C)


def _scatter(
    alpha: NDArray[np.float64], beta: NDArray[np.float64], psi_p: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``C / r - psi_p r``, by sums of positive terms."""
    less, more = np.maximum(1.0 - psi_p, 0.0), np.maximum(psi_p - 1.0, 0.0)
    S = np.sqrt((beta + (1.0 - psi_p) * alpha) ** 2 + 4.0 * psi_p * alpha * beta)
    sizes = (1.0 + psi_p) * beta + (1.0 - psi_p) ** 2 * alpha
    above = 4.0 * psi_p * beta * (beta / (sizes + more * S))
    return np.where(psi_p < 1.0, less * S + sizes, above) / (S * (S + beta + (1.0 + psi_p) * alpha))
