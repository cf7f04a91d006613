r"""How often is the one-step model closer to fresh data than to its training set? P(Delta > 0).

With the terms of :mod:`ornstein.memorization.delta`, originals in expectation,

    Delta > 0   <=>   B(T) / B(O) < 1 - [A'(O) - A'(T)] / (2 B(O)),

and the terms A' of pairs, which decide nothing in high dimension, are replaced by their
expectations. ``B(T) = (1/n) sum_i t_i`` is a sum of heavy-tailed terms: in d = 100 a few training
points near the centre of the law make up most of it. So neither its mean nor its variance says how
often it is below B(O), and the expected Delta changes its sign elsewhere (4.9 d for 3.1 d).
Given the fitted model, training points are nearly independent, so that the law of the sum is that
of its terms, n times convolved:

1. **Terms.** ``ln t_i - b = D + const - q_i / 2``, q from
   :mod:`ornstein.theory.one_step_model.training_exponents`. With ``a = ln E[B(T) | model]`` and
   ``b = ln B(O)``, nearly normal, the constant is set by the exact expectations of
   :mod:`ornstein.theory.one_step_model.delta_expectation`,

       E[a - b] = ln E B(T) - Var(a)/2 - ln E B(O) + Var(b)/2 .

2. **Sum.** Its distribution function F by an inverted Laplace transform
   (:mod:`ornstein.theory.numerics.positive_sums`).

3. **Models.** The average over (a, b), normal with the covariance of
   :mod:`ornstein.theory.one_step_model.cross_covariances`. Its terms are those of pairs of
   training points, so that what the regression makes dependent in them is in it.

No step is fitted to a simulation, and nothing is drawn.

**Errors**, against simulations: at most 0.03 at d = 16 and 100, n/d from 1.2 to 10 (the checks
`P(Delta>0)` of ``ornstein verify``). Left out is O(1/d) of the logarithms, and what the terms A'
vary, which counts in few dimensions. The function takes 8 to 1000 dimensions and 1.15 d to 100 d
points and refuses what is beyond: near n = d the law of a and b is not normal any more.

References
----------
This project. Halder, arXiv 2411.17807 (the statistic).
"""

from __future__ import annotations

__all__ = ["delta_positive_probability", "delta_probability_holds", "DIMS", "RATIOS"]

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from ornstein.theory.numerics.positive_sums import distribution_of_sum
from ornstein.theory.one_step_model.cross_covariances import cross_covariances
from ornstein.theory.one_step_model.delta_expectation import expected_delta
from ornstein.theory.one_step_model.distances import noise_ratio
from ornstein.theory.one_step_model.training_exponents import exponent_laws, training_saddle
from ornstein.validation import as_counts, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

DIMS = (8, 1000)
"""Fewest and most dimensions."""
RATIOS = (1.15, 100.0)
"""Least and largest number of training points a dimension."""
_NODES, _PLACES = 21, 32
_NEGLIGIBLE = 1e-6


def delta_positive_probability(
    dim: ArrayLike,
    n_train: ArrayLike,
    n_original: ArrayLike = 10_000,
    time: ArrayLike = 2.0,
    noise_scale: ArrayLike = 1.0,
    std: ArrayLike = 1.0,
) -> Any:
    """Probability of Delta > 0 over training sets of the one-step model, originals in expectation.

    Parameters broadcast like NumPy arrays. A value takes some 3 ms, a first one 30.

    Parameters
    ----------
    dim : array-like
        Dimension d, from 8 to 1000.
    n_train : array-like
        Number n of training points, from 1.15 d to 100 d.
    n_original : array-like
        Number N >= 2 of originals, whose terms are averaged over draws of them.
    time : array-like
        Diffusion time T > 0.
    noise_scale : array-like
        ``lambda_ >= 0``, in squared data units.
    std : array-like
        Population standard deviation, which also sets the bandwidths, in data units.

    Returns
    -------
    float or ndarray
        Of the broadcast shape, in [0, 1].

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> delta_positive_probability(100, [200, 300, 600])
    array([0.02, 0.45, 0.80])
    """
    d, n = as_counts(dim, "dim"), as_counts(n_train, "n_train", at_least=2)
    N = as_counts(n_original, "n_original", at_least=2)
    ratio, _ = noise_ratio(time, noise_scale, std)
    d, n, N, ratio = (np.asarray(v, dtype=float) for v in np.broadcast_arrays(d, n, N, ratio))
    for name, value, ends in (("dim", d, DIMS), ("n_train", n / d, RATIOS)):
        if (beyond := (value < ends[0]) | (value > ends[1])).any():
            given = f"{n[beyond][0]:g} where dim is {d[beyond][0]:g}"
            unit = " dim" if name == "n_train" else ""
            raise ValueError(
                f"{name} is {given if unit else format(d[beyond][0], 'g')}, expected "
                f"{ends[0]:g}{unit} to {ends[1]:g}{unit}: P(Delta > 0) is not known beyond"
            )
    rho2 = 1.0 / (1.0 + ratio)
    shape = d.shape
    if d.size == 0:
        return np.zeros(shape)
    d, n, N, ratio, rho2 = (np.ravel(values) for values in (d, n, N, ratio, rho2))
    q, masses = exponent_laws(d, n, rho2)
    terms = expected_delta(d, n, N, _FAR, ratio).log_terms
    saddles = np.array(training_saddle(d, n, rho2, 1.0)[:3])
    found = [
        _probability(
            *parameters, saddles[:, i], q[:, i], masses[:, i], [float(term[i]) for term in terms]
        )
        for i, parameters in enumerate(zip(d, n, N, rho2, strict=True))
    ]
    return float_or_array(np.reshape(found, shape))


def delta_probability_holds(dim: ArrayLike, n_train: ArrayLike) -> Any:
    """Whether `delta_positive_probability` takes this dimension and number of training points.

    Examples
    --------
    >>> delta_probability_holds(100, [100, 150, 10**6])
    array([False,  True, False])
    """
    d, ratio = np.asarray(dim), np.asarray(n_train) / np.asarray(dim)
    return (d >= DIMS[0]) & (d <= DIMS[1]) & (ratio >= RATIOS[0]) & (ratio <= RATIOS[1])


# e^{-2 T} = 0: the noise scale alone is the ratio of noise to signal, and data have unit variance.
_FAR = 300.0


def _probability(
    d: float,
    n: float,
    N: float,
    rho2: float,
    saddle: Array,
    q: Array,
    masses: Array,
    logs: list[float],
) -> float:
    covariance, bare = cross_covariances(d, n, rho2, N, saddle)
    pairs_train, cross_train, pairs_originals, cross_originals = logs
    a, b = cross_train - bare[0, 0] / 2.0, cross_originals - bare[1, 1] / 2.0
    terms = -0.5 * (q - q[0])
    terms = terms - np.log(masses @ np.exp(terms)) + a - b
    excess = 0.5 * (np.exp(pairs_originals - b) - np.exp(pairs_train - b))

    # b is normal, and so is a - b given b.
    variance = covariance[1, 1]
    joint = covariance[0, 1] - variance
    rest = covariance[0, 0] + variance - 2.0 * covariance[0, 1] - joint**2 / variance
    nodes, weights = _normal_rule()
    shift = nodes * np.sqrt(variance)
    below = 1.0 - excess * np.exp(-shift)
    inside = (below > 0) & (weights > _NEGLIGIBLE)
    if not inside.any():
        return 0.0
    levels = np.log(below[inside]) - joint / variance * shift[inside]
    levels = levels[:, None] - np.sqrt(max(rest, 0.0)) * nodes[weights > _NEGLIGIBLE]
    both = np.outer(weights[inside], weights[weights > _NEGLIGIBLE])
    places = np.linspace(levels.min() - 1e-9, levels.max() + 1e-9, _PLACES)
    F = distribution_of_sum(np.exp(terms) / n, masses, n, np.exp(places))
    # Rounded: the interpolation divides by differences, which may be 1e-310.
    F = np.round(F, 12)
    return float((both * PchipInterpolator(places, F)(levels)).sum())


@cache
def _normal_rule() -> tuple[Array, Array]:
    """Nodes and weights for a mean over the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / weights.sum()
