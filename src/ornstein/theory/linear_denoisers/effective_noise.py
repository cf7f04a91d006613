r"""The noise that n training points add to a linear denoiser: renormalised noise.

Data in d dimensions with population covariance Sigma, eigenvalues ``lambda_k``, and sample
covariance C over n points with known mean. For d and n large at fixed ``gamma = d/n``, C acts in
resolvents as the population covariance does at a larger noise ``kappa >= s^2``,

    s^2 (C + s^2)^{-1}  ~  kappa (Sigma + kappa)^{-1},

where, with the effective numbers of resolved directions df1 and df2,

    kappa - s^2 = kappa df1(kappa) / n,                                                        (*)
    df1 = sum_k lambda_k/(lambda_k + kappa),    df2 = sum_k lambda_k^2/(lambda_k + kappa)^2,
    kappa' = d kappa / d s^2 = n / (n - df2).

**Bracket.** ``kappa lambda/(lambda + kappa)`` is increasing and concave in lambda, so the root of
(*) lies between its values for r equal eigenvalues, r the number of non-zero ones: the least of
them, and their mean. For equal eigenvalues

    kappa = (b + sqrt(b^2 + 4 s^2 lambda)) / 2,    b = s^2 + (r/n - 1) lambda.

That excludes the other, negative, roots of (*), to which Newton's method from ``s^2`` can run.

**No noise.** As ``s -> 0``, kappa vanishes like ``s^2 / (1 - r/n)`` for ``r < n``, and stays
positive for ``r > n``: the directions without data regularise.

**No cancellation.** With ``S = sum_k kappa lambda_k/(lambda_k + kappa)^2``, (*) gives
``n - df2 = n s^2/kappa + S``; and ``df1`` is the number of eigenvalues above kappa, plus small
terms.

References
----------
Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908. The bracket is this project's own.
"""

from __future__ import annotations

__all__ = [
    "renormalized_noise",
    "renormalized_noise_derivative",
    "NoiseEquivalent",
    "noise_equivalent",
]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.theory.numerics.monotone_roots import decreasing_root
from ornstein.validation import as_positive, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def renormalized_noise(
    eigenvalues: ArrayLike, noise_variance: ArrayLike, n_train: ArrayLike
) -> float | NDArray[np.float64]:
    """Renormalised noise variance ``kappa(s^2)``, the root ``>= s^2`` of equation (*).

    `noise_variance` and `n_train` broadcast like NumPy arrays.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Eigenvalues of the population covariance, >= 0, in squared data units.
    noise_variance : array-like
        ``s^2 >= 0``, in squared data units.
    n_train : array-like
        Number of training points n > 0; the aspect ratio is ``gamma = dim / n_train``.

    Returns
    -------
    float or ndarray
        ``kappa``, in squared data units.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908.

    Examples
    --------
    >>> renormalized_noise([1.0], 1.0, n_train=0.5)
    2.414214
    >>> renormalized_noise(np.ones(100), [0.0, 0.01], n_train=200)
    array([0. , 0.0196224])
    """
    kappa = noise_equivalent(eigenvalues, noise_variance, n_train).kappa
    return float(kappa) if kappa.ndim == 0 else kappa


def renormalized_noise_derivative(
    eigenvalues: ArrayLike, noise_variance: ArrayLike, n_train: ArrayLike
) -> float | NDArray[np.float64]:
    """Derivative ``kappa' = n / (n - df2)`` of ``kappa`` with respect to ``s^2``.

    Parameters
    ----------
    eigenvalues, noise_variance, n_train
        As for `renormalized_noise`, which raises the same errors.

    Returns
    -------
    float or ndarray
        Dimensionless, >= 1; ``inf`` at ``s = 0`` with as many points as non-zero eigenvalues.

    Examples
    --------
    >>> renormalized_noise_derivative(np.ones(100), 0.0, n_train=200)
    2.0
    """
    unresolved = noise_equivalent(eigenvalues, noise_variance, n_train).unresolved
    with np.errstate(divide="ignore"):
        derivative = np.divide(1.0, unresolved)
    return float(derivative) if derivative.ndim == 0 else derivative


class NoiseEquivalent(NamedTuple):
    """What `noise_equivalent` returns: arrays of the common shape of its parameters."""

    noise_variance: NDArray[np.float64]
    """``s^2``, in squared data units."""
    n_train: NDArray[np.float64]
    """n."""
    kappa: NDArray[np.float64]
    """Renormalised noise, in squared data units."""
    df1: NDArray[np.float64]
    """Effective number of resolved directions, ``sum lambda/(lambda + kappa)``."""
    overlap: NDArray[np.float64]
    """``S / n``."""
    unresolved: NDArray[np.float64]
    """``1 - df2 / n``, which is ``1 / kappa'``."""


def noise_equivalent(
    eigenvalues: ArrayLike, noise_variance: ArrayLike, n_train: ArrayLike
) -> NoiseEquivalent:
    """Solve (*), and return the sums that the predictions need.

    Parameters
    ----------
    eigenvalues, noise_variance, n_train
        As for `renormalized_noise`, which raises the same errors.

    Returns
    -------
    NoiseEquivalent

    Examples
    --------
    >>> float(noise_equivalent(np.ones(100), 0.25, n_train=200).df1)
    71.92236
    """
    spectrum = as_spectrum(eigenvalues)
    s2, n = np.broadcast_arrays(
        as_positive(noise_variance, "noise_variance", zero=True), as_positive(n_train, "n_train")
    )
    # Equal eigenvalues are one term of the sums: an isotropic law costs as much as one dimension.
    positive, counts = np.unique(spectrum[spectrum > 0], return_counts=True)
    rank = int(counts.sum())
    if rank == 0:
        zero = np.zeros_like(n)
        return NoiseEquivalent(s2, n, s2, zero, zero, np.ones_like(n))

    def balance(kappa: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logarithm of ``s^2/kappa + df1/n``, which is 0 at the root, and its slope."""
        kept = positive / (positive + kappa[..., None])
        lost = kappa[..., None] / (positive + kappa[..., None])
        # A direction counts as 1 - lost or as kept, whichever is small: next to a gap of the
        # spectrum df1 - n is far smaller than n, and keeps its digits.
        above = positive > kappa[..., None]
        resolved = (above @ counts - n) + np.where(above, -lost, kept) @ counts
        deviation = s2 / kappa + resolved / n
        return np.log1p(deviation), -(s2 / kappa + (kept * lost) @ counts / n) / (1.0 + deviation)

    lower = _equal_eigenvalues(s2, float(positive[0]), rank, n)
    upper = _equal_eigenvalues(s2, float(positive @ counts) / rank, rank, n)
    vanishes = upper == 0
    # A bracket without width: nothing is iterated where the root is known to be 0.
    bounds = (np.where(vanishes, 1.0, bound) for bound in (lower, upper))
    kappa = np.where(vanishes, 0.0, np.maximum(decreasing_root(balance, *bounds), s2))

    kept = positive / (positive + kappa[..., None])
    overlap = (kept * kappa[..., None] / (positive + kappa[..., None])) @ counts / n
    ratio = np.where(vanishes, 1.0 - rank / n, s2 / np.where(vanishes, 1.0, kappa))
    return NoiseEquivalent(s2, n, kappa, kept @ counts, overlap, ratio + overlap)


def _equal_eigenvalues(
    s2: NDArray[np.float64], eigenvalue: float, rank: int, n: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``kappa`` for `rank` equal eigenvalues, in closed form."""
    b = s2 + (rank - n) / n * eigenvalue
    root = np.hypot(b, 2.0 * np.sqrt(s2) * np.sqrt(eigenvalue))
    # The roots have the product -s^2 eigenvalue: for b < 0 the sum of b and root would cancel.
    larger = 0.5 * (np.abs(b) + root)
    other = s2 * np.divide(eigenvalue, larger, out=np.zeros(np.shape(b)), where=larger > 0)
    return np.where(b > 0, larger, other)
