r"""When to stop training a linear denoiser that has seen n points of an isotropic law.

Population ``N(m, I_d)``, m known, noise variance ``s^2`` (both in units of the population
variance). The denoiser ``D(y) = m + W (y - m)`` starts from ``W = Q I`` and follows full-batch
gradient flow, at rate 1, of its loss on the n points with all noise draws: in the direction of an
eigenvalue x of the sample covariance, at time tau,

    w(x) = x/(x + s^2) + (Q - x/(x + s^2)) e^{-2 tau (x + s^2)}.

With ``c = d/n`` and the Marchenko-Pastur law of ratio c, per dimension, for ``d -> infinity``,

    L_train = int [ x (1 - w)^2 + s^2 w^2 ] dMP_c(x),
    L_test  = int [   (1 - w)^2 + s^2 w^2 ] dMP_c(x)    >=    s^2 / (1 + s^2).

Only L_test has more than one shape. Since ``int x dMP_c = 1``, its slope at ``tau = 0`` is
``-4 [1 - (1 + s^2) Q]^2``: training always helps at first, unless it starts at the population's
optimum ``Q = 1/(1 + s^2)``. From ``Q = 1`` (a zero start of a network that predicts noise) the
directions with small x shrink too much, last, so that a best time is always finite. From
``Q = 0`` (a zero start of a network that predicts data) those with x > 1 overshoot, first. Whether
stopping there pays depends: for ``c > 4`` always, all non-zero x being above 1; for smaller c only
beyond some ``s^2`` (at ``c = 0.9`` it does for ``s^2 = 4``, not for 1).

References
----------
Wang, Pehlevan, arXiv 2503.03206 (the dynamics); Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908
(finite n). The discussion of shapes is this project's own.
"""

from __future__ import annotations

__all__ = [
    "EarlyStoppingLosses",
    "early_stopping_losses",
    "EarlyStoppingMinimum",
    "early_stopping_minimum",
]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import root_scalar

from ornstein.theory.random_matrices.marchenko_pastur import marchenko_pastur_quadrature
from ornstein.validation import as_between

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_PER_DECADE, _BLOCK = 24, 1_000_000
_SMALLEST, _LARGEST = 1e-100, 1e100  # beyond, squares leave the range of float64
_ROUNDING = 4 * np.finfo(np.float64).eps


class EarlyStoppingLosses(NamedTuple):
    """What `early_stopping_losses` returns: per dimension, in units of the population variance."""

    train: float | NDArray[np.float64]
    """Loss on the training points, with fresh noise."""
    test: float | NDArray[np.float64]
    """Loss on fresh points."""


class EarlyStoppingMinimum(NamedTuple):
    """What `early_stopping_minimum` returns."""

    time: float | NDArray[np.float64]
    """Training time of the smallest test loss; ``inf`` if it is best never to stop."""
    test: float | NDArray[np.float64]
    """That loss."""


def early_stopping_losses(
    train_time: ArrayLike,
    aspect_ratio: ArrayLike,
    noise_variance: ArrayLike,
    init: ArrayLike = 1.0,
) -> EarlyStoppingLosses:
    """Losses of a linear denoiser during gradient flow on n isotropic points.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    train_time : array-like
        ``tau >= 0``, learning rate times time, in inverse units of the population variance;
        ``inf`` is the end of training.
    aspect_ratio : array-like
        ``c = dim / n_train``, 1e-100 to 1e100.
    noise_variance : array-like
        ``s^2``, 1e-100 to 1e100, in units of the population variance.
    init : array-like
        Q, where the start is ``W = Q I``: 1 for a network that predicts noise and starts at zero,
        0 for one that predicts data. Its size is at most 1e100.

    Returns
    -------
    EarlyStoppingLosses
        ``(train, test)``, floats if all parameters are numbers.

    Raises
    ------
    TypeError
        If a parameter holds no real numbers.
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    >>> early_stopping_losses(0.48, aspect_ratio=2.0, noise_variance=0.25)
    EarlyStoppingLosses(train=0.184046, test=0.206030)
    """
    tau = as_between(train_time, "train_time", 0.0, np.inf)
    parameters = np.broadcast_arrays(tau, *_as_parameters(aspect_ratio, noise_variance, init))
    t, c, s2, start = (np.ravel(values) for values in parameters)
    losses = np.empty((2, t.size))
    # One spectrum for each distinct ratio, and blocks of (parameters, nodes) of a bounded size.
    ratios, which = np.unique(c, return_inverse=True)
    for index, ratio in enumerate(ratios):
        x, weights = _spectrum(float(ratio))
        members = np.flatnonzero(which.ravel() == index)
        for block in np.array_split(members, 1 + members.size * x.size // _BLOCK):
            noise = s2[block, None]
            w = _weight(x, t[block, None], noise, start[block, None])
            kept = noise * w**2
            losses[0, block] = (x * (1.0 - w) ** 2 + kept) @ weights
            losses[1, block] = ((1.0 - w) ** 2 + kept) @ weights
    losses = losses.reshape(2, *parameters[0].shape)
    train, test = losses
    if train.ndim == 0:
        return EarlyStoppingLosses(float(train), float(test))
    return EarlyStoppingLosses(train, test)


def early_stopping_minimum(
    aspect_ratio: ArrayLike, noise_variance: ArrayLike, init: ArrayLike = 1.0
) -> EarlyStoppingMinimum:
    """Best time to stop, the global minimum of the test loss over ``0 <= tau <= infinity``.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    aspect_ratio, noise_variance, init
        As for `early_stopping_losses`, which raises the same errors.

    Returns
    -------
    EarlyStoppingMinimum
        ``(time, test)``, floats if all parameters are numbers. To rounding, the time is ``inf``
        if no finite time is better than the end of training, and 0 for the start
        ``Q = 1/(1 + s^2)``.

    Examples
    --------
    >>> early_stopping_minimum(2.0, 0.25)
    EarlyStoppingMinimum(time=0.480, test=0.206030)
    >>> early_stopping_minimum(2.0, 0.25, init=0.0)
    EarlyStoppingMinimum(time=inf, test=0.610282)
    """
    parameters = np.broadcast_arrays(*_as_parameters(aspect_ratio, noise_variance, init))
    found = np.empty((2, *parameters[0].shape))
    for index in np.ndindex(parameters[0].shape):
        c, s2, start = (float(values[index]) for values in parameters)
        found[(slice(None), *index)] = _minimum(c, s2, start)
    time, test = found
    if time.ndim == 0:
        return EarlyStoppingMinimum(float(time), float(test))
    return EarlyStoppingMinimum(time, test)


def _minimum(c: float, s2: float, start: float) -> tuple[float, float]:
    x, weights = _spectrum(c)
    # All in distances to the population's weight 1/(1 + s^2): what is lost above its loss is
    # (1 + s^2) E (w - 1/(1 + s^2))^2, which keeps its digits where the loss has none to spare.
    offset = (start * (1.0 + s2) - 1.0) / (1.0 + s2)
    final = s2 / (1.0 + s2) * (x - 1.0) / (x + s2)

    def loss(tau: float) -> float:
        w = _weight(x, tau, s2, start)
        return float(weights @ ((1.0 - w) ** 2 + s2 * w**2))

    pull, fastest = (final - offset) * (x + s2), (1.0 + np.sqrt(c)) ** 2

    def excess(tau: Any) -> Any:
        decay = np.exp(-_product(2.0 * tau, x + s2))
        return np.square(final + (offset - final) * decay) @ weights

    def slope(tau: float) -> float:
        path = _product(2.0 * tau, x + s2)
        decay, gone = np.exp(-path), -np.expm1(-path)
        if tau * (fastest + s2) > 1.0:
            return float(weights @ (pull * decay * (final + (offset - final) * decay)))
        # E pull = -(1 + s^2) offset, by E x = 1: what is left at tau = 0, without cancellation.
        early = weights @ (pull * gone * ((final - offset) * decay - offset))
        return float(early - (1.0 + s2) * offset**2)

    if (1.0 + s2) * abs(offset) <= _ROUNDING:
        return 0.0, loss(0.0)
    slowest = (1.0 - np.sqrt(c)) ** 2 if c < 1 else 0.0
    first, last = 1e-3 / (fastest + s2), 20.0 / (slowest + s2)
    times = np.geomspace(first, last, int(_PER_DECADE * np.log10(last / first)))
    times = np.concatenate([[0.0], times])
    # The valley around the least value: on a plateau rounding decides where that is.
    best = int(np.argmin(excess(times[:, None])))
    left = next((time for time in times[best::-1] if slope(time) < 0), None)
    later = times[times > left] if left is not None else ()
    right = next((time for time in later if slope(time) > 0), None)
    if left is not None and right is not None:
        bracket = left, right
        root = root_scalar(slope, bracket=bracket, method="brentq", xtol=1e-300, rtol=1e-14)
        time = float(root.root)
        if excess(time) < excess(np.inf):
            return time, loss(time)
    return np.inf, loss(np.inf)


def _spectrum(c: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of ``MP_c``, its atom at 0 last."""
    nodes, weights, atom = marchenko_pastur_quadrature(c)
    return np.append(nodes, 0.0), np.append(weights, atom)


def _weight(x: NDArray[np.float64], tau: Any, s2: Any, start: Any) -> NDArray[np.float64]:
    """``w(x)`` for numbers, or for parameters of shape (..., 1)."""
    # expm1 keeps the digits of a young denoiser that started at 0.
    gone = -np.expm1(-_product(2.0 * tau, x + s2))
    return start + (x / (x + s2) - start) * gone


def _product(time: Any, rate: Any) -> Any:
    with np.errstate(over="ignore"):  # what overflows has long decayed
        return time * rate


def _as_parameters(
    aspect_ratio: ArrayLike, noise_variance: ArrayLike, init: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return (
        as_between(aspect_ratio, "aspect_ratio", _SMALLEST, _LARGEST),
        as_between(noise_variance, "noise_variance", _SMALLEST, _LARGEST),
        as_between(init, "init", -_LARGEST, _LARGEST),
    )
