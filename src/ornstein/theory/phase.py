r"""Phase diagrams: one result over a plane of training sizes and a second parameter.

=======================  ===============================  =========================================
map                      second parameter                 lines drawn on it
=======================  ===============================  =========================================
`kl_map`                 time T or noise scale            n = d, n*, collapse
`delta_map`              time T or noise scale            n = d, n*, collapse, Delta = 0
`denoising_map`          EDM noise s                      n = d, collapse, speciation
`early_stopping_map`     training time tau                n = d, best stopping time
=======================  ===============================  =========================================

**n = d**: as many points as dimensions, where least squares interpolates. **n***: ``d / rho2``,
where the one-step log-determinant changes its law. **Collapse**: the noise at which the posterior
mean over the n training points (what a network that memorizes computes) falls on a single one of
them, ``(1/2) sum_k ln(1 + lambda_k / s^2) = ln n``; the one-step model adds the noise
``s^2 = lambda_ (1 - e^{-2T})``, so that its collapse is at ``n = (1 + sigma^2 / s^2)^{d/2}``.
**Speciation**: ``s^2 = Lambda - 1``, Lambda the largest eigenvalue, where the forward process has
made the widest direction as narrow as its noise; there is none for ``Lambda <= 1``. Lines are NaN
outside the map, and left out if nothing of them is inside.

Every map is one call of a vectorised formula: 200 x 200 values take a second or two.

References
----------
:mod:`ornstein.theory.one_step_model.distances`,
:mod:`~ornstein.theory.one_step_model.delta_expectation`,
:mod:`~ornstein.theory.linear_denoisers.deterministic_equivalents`,
:mod:`~ornstein.theory.linear_denoisers.early_stopping`, :mod:`~ornstein.theory.regimes`.
"""

from __future__ import annotations

__all__ = ["PhaseMap", "kl_map", "delta_map", "denoising_map", "early_stopping_map"]

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ornstein.theory.linear_denoisers.deterministic_equivalents import denoising_losses
from ornstein.theory.linear_denoisers.early_stopping import (
    early_stopping_losses,
    early_stopping_minimum,
)
from ornstein.theory.one_step_model.delta_expectation import expected_delta
from ornstein.theory.one_step_model.log_determinant import one_step_log_det
from ornstein.theory.regimes import collapse_time, speciation_time
from ornstein.validation import as_count, as_positive, as_positive_number, as_vector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Axis = Literal["time", "noise_scale"]


class PhaseMap(NamedTuple):
    """A function of two parameters on a grid, and curves in their plane."""

    x: Array
    """Training sizes n, of shape (columns,)."""
    y: Array
    """The other parameter, of shape (rows,)."""
    values: Array
    """Of shape (rows, columns)."""
    lines: Mapping[str, tuple[Array, Array]]
    """Named curves: their x and y, each of shape (points,), NaN outside the map."""
    log_abs: Array | None = None
    """``ln |E Delta|`` for `delta_map`, where `values` has its sign; else None."""


def kl_map(
    train_sizes: ArrayLike,
    y: ArrayLike,
    axis: Axis = "time",
    *,
    dim: int = 100,
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float = 1.0,
) -> PhaseMap:
    """Expected KL of the one-step model to its population, per dimension.

    Parameters
    ----------
    train_sizes : array-like of int, shape (columns,)
        Training sizes n >= 2.
    y : array-like of shape (rows,)
        Values of the parameter named by `axis`.
    axis : {"time", "noise_scale"}
        Which of the two varies; what is given for it below does not count.
    dim : int
        Dimension d.
    time, noise_scale, std : float
        As for `ornstein.theory.one_step`.

    Returns
    -------
    PhaseMap
        ``values`` in nats per dimension; ``inf`` for ``n <= d + 2``.

    Raises
    ------
    TypeError
        If a training size is no whole number.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> kl_map([50, 400], [1.0, 2.0]).values
    array([[     inf, 0.160865],
           [     inf, 0.181081]])
    """
    n, values = size_axis(train_sizes), second_axis(y)
    d = as_count(dim, "dim")
    _, _, noise = _one_step_plane(values, axis, time, noise_scale, std)
    rho2 = 1.0 / (1.0 + noise)
    points = np.maximum(n, d + 3)
    trace = rho2 + (1.0 - rho2) * d / (points - d - 2.0)
    drift = (1.0 + (1.0 - rho2) * trace) / points
    log_det = np.asarray(one_step_log_det(d, points, rho2))
    kl = np.where(n > d + 2, 0.5 * (trace - 1.0 + drift - log_det / d), np.inf)
    return PhaseMap(n, values, kl, _one_step_lines(n, values, axis, d, noise))


def delta_map(
    train_sizes: ArrayLike,
    y: ArrayLike,
    axis: Axis = "time",
    *,
    dim: int = 100,
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float = 1.0,
    n_original: int = 10_000,
) -> PhaseMap:
    """Expected Delta of the one-step model, relative to the sizes of its four terms.

    By Laplace's method, see :mod:`ornstein.theory.one_step_model.delta_expectation` for its errors
    and for how the expectation differs from a typical Delta.

    Parameters
    ----------
    train_sizes, y, axis, dim, time, noise_scale, std
        As for `kl_map`, which raises the same errors.
    n_original : int
        Number N of originals.

    Returns
    -------
    PhaseMap
        ``values`` between -1 and 1, with the sign of Delta (positive: closer to fresh data than to
        the training set); ``log_abs`` is ``ln |E Delta|``.

    Examples
    --------
    >>> np.sign(delta_map([50, 400, 1000], [1.0, 2.0]).values)
    array([[-1., -1.,  1.],
           [-1., -1.,  1.]])
    """
    n, values = size_axis(train_sizes), second_axis(y)
    d = as_count(dim, "dim")
    T, scale, noise = _one_step_plane(values, axis, time, noise_scale, std)
    result = expected_delta(d, n, n_original, T, scale, std)
    lines = _one_step_lines(n, values, axis, d, noise)
    return PhaseMap(n, values, np.asarray(result.relative), lines, np.asarray(result.log_abs))


def denoising_map(
    train_sizes: ArrayLike, noise: ArrayLike, eigenvalues: ArrayLike, *, relative: bool = False
) -> PhaseMap:
    """Test loss of the best linear denoiser of n points.

    Parameters
    ----------
    train_sizes : array-like of shape (columns,)
        Training sizes n >= 1.
    noise : array-like of shape (rows,)
        EDM noise ``s > 0``, in data units.
    eigenvalues : array-like of shape (dim,)
        Of the population covariance, not all 0, in squared data units.
    relative : bool
        Give the excess over the loss of the population's own denoiser, ``L_test / L_opt - 1``.

    Returns
    -------
    PhaseMap
        ``values`` per dimension, in squared data units, or relative.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> denoising_map([50, 200], [0.5], np.ones(100)).values
    array([[0.610282, 0.242536]])
    """
    n, s = size_axis(train_sizes, 1), second_axis(noise)
    spectrum = as_vector(eigenvalues, "eigenvalues")
    # Row by row: all at once, (rows, columns, dim) numbers would not fit in any cache.
    losses = [denoising_losses(spectrum, value**2, n) for value in s]
    test, optimum = (np.stack([loss[part] for loss in losses]) for part in (1, 2))
    collapse = np.asarray(collapse_time(np.maximum(n, 1.0 + 1e-9), spectrum))
    lines = {
        "n = d": (np.full(2, float(spectrum.size)), s[[0, -1]]),
        "collapse": (n, np.sqrt(np.expm1(2.0 * np.minimum(collapse, 300.0)))),
    }
    start = speciation_time(spectrum)
    if start > 0:
        lines["speciation"] = n[[0, -1]], np.full(2, np.sqrt(np.expm1(2.0 * start)))
    return PhaseMap(n, s, test / optimum - 1.0 if relative else test, lines_inside(lines, n, s))


def early_stopping_map(
    train_sizes: ArrayLike,
    train_time: ArrayLike,
    *,
    dim: int = 100,
    noise: float = 0.5,
    init: float = 1.0,
    relative: bool = False,
) -> PhaseMap:
    """Test loss of a linear denoiser that is trained for a time tau on n isotropic points.

    Parameters
    ----------
    train_sizes : array-like of shape (columns,)
        Training sizes n >= 1.
    train_time : array-like of shape (rows,)
        ``tau > 0``, as for `ornstein.theory.early_stopping_losses`.
    dim : int
        Dimension d.
    noise : float
        EDM noise ``s > 0``, in units of the population's standard deviation.
    init : float
        Start Q: 1 for a network that predicts noise, 0 for one that predicts data.
    relative : bool
        Give the excess over the population's own denoiser, ``L_test (1 + s^2) / s^2 - 1``.

    Returns
    -------
    PhaseMap
        ``values`` per dimension, in units of the population variance, or relative.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> early_stopping_map([50], [0.48, 10.0]).values
    array([[0.206030],
           [0.603572]])
    """
    n, tau = size_axis(train_sizes, 1), second_axis(train_time)
    d = as_count(dim, "dim")
    variance = as_positive_number(noise, "noise") ** 2
    test = np.asarray(early_stopping_losses(tau[:, None], d / n, variance, init).test)
    best = np.asarray(early_stopping_minimum(d / n, variance, init).time)
    lines = {"n = d": (np.full(2, float(d)), tau[[0, -1]]), "best stop": (n, best)}
    if relative:
        test = test * (1.0 + variance) / variance - 1.0
    return PhaseMap(n, tau, test, lines_inside(lines, n, tau))


def _one_step_plane(
    y: Array, axis: Axis, time: float, noise_scale: float, std: float
) -> tuple[Array, Array, Array]:
    """Time, noise scale, and ``s^2`` in units of ``sigma^2``, of shape (rows, 1)."""
    if axis not in ("time", "noise_scale"):
        raise ValueError(f"axis is {axis!r}, expected 'time' or 'noise_scale'")
    T = as_positive(y if axis == "time" else time, "time")
    scale = as_positive(y if axis == "noise_scale" else noise_scale, "noise_scale", zero=True)
    noise = -scale * np.expm1(-2.0 * T) / as_positive_number(std, "std") ** 2
    T, scale, noise = (v.reshape(-1, 1) for v in np.broadcast_arrays(T, scale, noise))
    return T, scale, noise


def _one_step_lines(
    n: Array, y: Array, axis: Axis, d: int, noise: Array
) -> dict[str, tuple[Array, Array]]:
    ratio = noise[:, 0]
    # s^2 at collapse, in units of that of the first row, which grows with y or 1 - e^{-2 y}.
    growth = 1.0 / np.expm1(2.0 * np.log(n) / d) / max(ratio[0], 1e-300)
    if axis == "noise_scale":
        collapse = growth * y[0]
    else:
        left = 1.0 + growth * np.expm1(-2.0 * y[0])
        collapse = np.where(left > 0, -0.5 * np.log(np.where(left > 0, left, 1.0)), np.inf)
    lines = {
        "n = d": (np.full(2, float(d)), y[[0, -1]]),
        "n*": (d * (1.0 + ratio), y),
        "collapse": (n, collapse),
    }
    return lines_inside(lines, n, y)


def lines_inside(
    lines: Mapping[str, tuple[Array, Array]], x: Array, y: Array
) -> dict[str, tuple[Array, Array]]:
    """The lines with NaN outside the map, those left out of which nothing is inside."""
    kept = {}
    for name, (line_x, line_y) in lines.items():
        inside = (line_x >= x[0]) & (line_x <= x[-1]) & (line_y >= y[0]) & (line_y <= y[-1])
        if inside.sum() > 1:
            kept[name] = np.where(inside, line_x, np.nan), np.where(inside, line_y, np.nan)
    return kept


def size_axis(values: ArrayLike, least: int = 2) -> Array:
    n = as_positive(as_vector(values, "train_sizes"), "train_sizes")
    if (n != np.floor(n)).any():
        raise TypeError(f"train_sizes has {n[n != np.floor(n)][0]:g}, expected whole numbers")
    if n[0] < least or (np.diff(n) <= 0).any():
        raise ValueError(f"train_sizes start at {n[0]:g}, expected ascending numbers >= {least}")
    return n


def second_axis(values: ArrayLike) -> Array:
    y = as_positive(as_vector(values, "y"), "y")
    if (np.diff(y) <= 0).any():
        raise ValueError("y is not ascending: sort the values of the second parameter")
    return y
