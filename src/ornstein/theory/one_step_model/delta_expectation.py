r"""The expected Delta of the one-step model: is it closer to fresh data than to its own?

``Delta = A'(T) - 2 B(T) - A'(O) + 2 B(O)`` compares the generated law with its training set T of n
points and with N originals O (:mod:`ornstein.memorization.delta`), kernels of bandwidth
``eps_N = N^{-1/d}``, everything in units of the population std. For ``N(m, I)`` and the one-step
denoiser, ``a = 1 - rho2``, all four terms have an expectation over training sets. Pairs are those
of independent points,

    E A'(X) = (1 - 1/N) (4 pi (1 + eps_N^2))^{-d/2}.

``B`` is the density at 0 of ``x - x'`` plus kernel noise, x a point of the set and
``x' = xbar + B (y' - ybar)`` a generated one. Split data into what the noised points explain,
``x = m + beta (y - e^{-T} m) + r``, with r independent of y: ``x'`` is linear in the r's, with
coefficients ``c_i = (y_i - ybar)^T (Yc^T Yc)^+ (y' - ybar)``. So, given all noised points,
``x - x'`` is Gaussian, of variance V times the identity and a mean of square length p:

    E B = E [ (2 pi V)^{-d/2} e^{-p / (2 V)} ].

Left are inner products of Gaussian vectors and entries of inverse Wishart matrices. By Bartlett's
decomposition they come from independent variables, ``H, E, w_1, w_2`` chi-squares, ``z_1, z_2``
standard normal, ``theta^2 = 1 + a/n``, ``alpha^2 = 1 - 1/n``:

    originals:  p = rho2 theta^2 E,               V = eps_N^2 + 1 + 1/n + a f,    f = theta^2 E/w_2,
    training:   p = rho2 (A^2 + theta^2 E),       A = alpha sqrt(H) - theta z_1,
                V = eps_n^2 + a { f + [alpha^2 w_1 + (A + sqrt(f) z_2)^2] / (H + w_1) },

    degrees of freedom      H      E                         w_1                w_2
    originals                      min(d, n-1)                                  |n - d - 1| + 1
    training                d      min(d-1, n-2)             max(n-d-1, 0)      |n - d - 1| + 1

on both sides of ``n = d``. Exact, but for one thing: the generator's ``v`` is that of the
population rather than of the training variances. Its relative fluctuation ``sqrt(2/(n d))`` enters
E B to the power d/2, which makes a relative error of order ``d/n`` (simulated: +2 % at d = 8,
n = 24; +6 % at d = 6, n = 8; 1 to 3 % at d/n near 1/3 from d = 8 to 32).

The expectation over these few variables is taken by Laplace's method
(:mod:`ornstein.theory.numerics.laplace`), with a relative error of 2 % and less for ``d >= 8``,
more near ``n = d``: 4 % at d = 16, n = 20, and 20 % at ``n = d + 1``. Both B err alike, so that
`relative` is off by 0.01 and less at d = 16, by 0.04 at ``n = d + 1``.

An expectation, not a typical value: B averages densities that differ by factors ``e^{sqrt d}``
between training sets. Delta > 0 in half of the training sets at a smaller n (3.1 d against 4.9 d at
d = 100, 1.7 d for both at d = 16).

References
----------
This project. Halder, arXiv 2411.17807 (the statistic).
"""

from __future__ import annotations

__all__ = ["ExpectedDelta", "ExpectedDeltaTerms", "expected_delta"]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.theory.numerics.laplace import Jet, log_expectation
from ornstein.theory.one_step_model.distances import noise_ratio
from ornstein.validation import as_counts, float_or_array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_SHORTEST_LINE = 100
_CHUNK = 2048  # points whose jets fit in the cache


class ExpectedDeltaTerms(NamedTuple):
    """Natural logarithms of the expectations of ``A'`` and ``B``, training set and originals."""

    pairs_train: Any
    cross_train: Any
    pairs_originals: Any
    cross_originals: Any


class ExpectedDelta(NamedTuple):
    """What `expected_delta` returns; floats, or arrays of the broadcast shape."""

    sign: Any
    """Of the expected Delta: 1 closer to fresh data, -1 closer to the training set."""
    log_abs: Any
    """``ln |E Delta|``, in (data units)^-d."""
    relative: Any
    """``E Delta`` over the sum of the sizes of its terms, between -1 and 1."""
    log_terms: ExpectedDeltaTerms
    """The logarithms of the four terms."""


def expected_delta(
    dim: ArrayLike,
    n_train: ArrayLike,
    n_original: ArrayLike = 10_000,
    time: ArrayLike = 2.0,
    noise_scale: ArrayLike = 1.0,
    std: ArrayLike = 1.0,
) -> ExpectedDelta:
    """Expectation of Delta over training sets of the one-step model, ``N(m, std^2 I)`` data.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    dim : array-like
        Dimension d >= 1.
    n_train, n_original : array-like
        Numbers n of training points and N of originals, >= 2.
    time : array-like
        Diffusion time T > 0.
    noise_scale : array-like
        ``lambda_ >= 0``, in squared data units.
    std : array-like
        Population standard deviation, which also sets the bandwidths, in data units.

    Returns
    -------
    ExpectedDelta

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> result = expected_delta(100, [50, 200, 1000])
    >>> result.sign
    array([-1., -1.,  1.])
    >>> result.relative
    array([-0.999664, -0.635184, 0.154598])
    """
    d, n = as_counts(dim, "dim"), as_counts(n_train, "n_train", at_least=2)
    N = as_counts(n_original, "n_original", at_least=2)
    d, n, N, ratio, variance = np.broadcast_arrays(d, n, N, *noise_ratio(time, noise_scale, std))
    rho2 = 1.0 / (1.0 + ratio)
    unit = 0.5 * d * np.log(variance)
    terms = ExpectedDeltaTerms(
        _log_pairs(d, n) - unit,
        _in_chunks(_log_cross_train, d, n, rho2) - unit,
        _log_pairs(d, N) - unit,
        _in_chunks(_log_cross_originals, d, n, rho2, N) - unit,
    )
    two = np.log(2.0)
    logs = np.stack([terms[0], two + terms[1], terms[2], two + terms[3]])
    signs = np.array([1.0, -1.0, -1.0, 1.0]).reshape(-1, *[1] * d.ndim)
    top = logs.max(axis=0)
    sizes = np.exp(logs - top)
    total = (signs * sizes).sum(axis=0)
    with np.errstate(divide="ignore"):
        log_abs = top + np.log(np.abs(total))
    fields = np.sign(total), log_abs, total / sizes.sum(axis=0)
    sign, log_abs, relative = map(float_or_array, fields)
    return ExpectedDelta(sign, log_abs, relative, ExpectedDeltaTerms(*map(float_or_array, terms)))


def _log_pairs(d: Array, n: Array) -> Array:
    return np.log1p(-1.0 / n) - 0.5 * d * np.log(4.0 * np.pi * (1.0 + n ** (-2.0 / d)))


def _log_cross_originals(d: Array, n: Array, rho2: Array, n_original: Array) -> Array:
    a = 1.0 - rho2
    theta2 = 1.0 + a / n

    def exponent(logs: Sequence[Jet], _: Sequence[Jet]) -> Jet:
        spread, w2 = logs
        V = (spread - w2).exp() * (a * theta2) + (n_original ** (-2.0 / d) + 1.0 + 1.0 / n)
        return _log_density(spread.exp() * (rho2 * theta2), V, d)

    dof = np.stack([np.minimum(d, n - 1.0), np.abs(n - d - 1.0) + 1.0])
    return log_expectation(exponent, dof, normals=0)


def _log_cross_train(d: Array, n: Array, rho2: Array) -> Array:
    line = (d == 1) & (n >= _SHORTEST_LINE)
    values = np.empty(d.shape)
    for members, function in ((line, _log_cross_train_line), (~line, _log_cross_train_general)):
        if members.any():
            values[members] = function(d[members], n[members], rho2[members])
    return values


def _log_cross_train_line(d: Array, n: Array, rho2: Array) -> Array:
    """For d = 1, with A as a variable: in H and z_1 the maximum is a curved ridge for many n."""
    a = 1.0 - rho2
    theta2, alpha2 = 1.0 + a / n, 1.0 - 1.0 / n
    both = theta2 + alpha2

    def exponent(logs: Sequence[Jet], normals: Sequence[Jet]) -> Jet:
        (rest,), (along, across) = logs, normals
        w1, A2 = rest.exp(), along.square() * both
        own = (along * np.sqrt(alpha2 / both) + across * np.sqrt(theta2 / both)).square()
        V = ((w1 * alpha2 + A2) / (own + w1)) * a + n**-2.0
        return _log_density(A2 * rho2, V, d)

    return log_expectation(exponent, (n - 2.0)[None], normals=2)


def _log_cross_train_general(d: Array, n: Array, rho2: Array) -> Array:
    a = 1.0 - rho2
    theta2, alpha2 = 1.0 + a / n, 1.0 - 1.0 / n
    dof = np.stack([d, np.minimum(d - 1.0, n - 2.0), n - d - 1.0, np.abs(n - d - 1.0) + 1.0])
    dof = np.maximum(dof, 0.0)
    # A chi-square without degrees of freedom is 0.
    has_spread, has_rest = (np.where(k > 0, 1.0, 0.0) for k in dof[1:3])

    def exponent(logs: Sequence[Jet], normals: Sequence[Jet]) -> Jet:
        own, spread, rest, w2 = logs
        z1, z2 = normals
        H, w1 = own.exp(), rest.exp() * has_rest
        E = spread.exp() * (theta2 * has_spread)
        A = (own * 0.5).exp() * np.sqrt(alpha2) - z1 * np.sqrt(theta2)
        root_f = ((spread - w2) * 0.5).exp() * (np.sqrt(theta2) * has_spread)
        share = (w1 * alpha2 + (A + root_f * z2).square()) / (H + w1)
        V = (root_f.square() + share) * a + n ** (-2.0 / d)
        return _log_density((A.square() + E) * rho2, V, d)

    return log_expectation(exponent, dof, normals=2)


def _log_density(p: Jet, V: Jet, d: Array) -> Jet:
    """``ln (2 pi V)^{-d/2} e^{-p / (2 V)}``."""
    return (V.log() + np.log(2.0 * np.pi)) * (-0.5 * d) - (p / V) * 0.5


def _in_chunks(function: Callable[..., Array], *parameters: Array) -> Array:
    flat = [np.ravel(values) for values in parameters]
    starts = range(0, flat[0].size, _CHUNK)
    parts = [function(*(values[i : i + _CHUNK] for values in flat)) for i in starts]
    return np.concatenate([*parts, np.zeros(0)]).reshape(parameters[0].shape)
