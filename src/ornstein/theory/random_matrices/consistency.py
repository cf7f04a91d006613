r"""Two models trained on disjoint halves, sampled from one seed: how alike are their samples?

Population ``N(m, I_d)``, m known. A model that reproduces the first two moments of its n training
points, with covariance ``C = (1/n) sum_i (x_i - m)(x_i - m)^T``, maps the seed ``z ~ N(0, I)`` by
the probability-flow ODE to ``m + C^{1/2} z``. For two such models, of n points each and none
shared, the overlap of what they draw from the same seed is, for ``d, n -> infinity``,

    q = E <C_1^{1/2} z, C_2^{1/2} z> / d = E tr(C_1^{1/2} C_2^{1/2}) / d
      = ( int sqrt(x) dMP_c(x) )^2,        c = d/n,

because independent rotation-invariant matrices are asymptotically free. ``E |C^{1/2} z|^2 = d``:
so q is also the cosine similarity of the centred samples, 1 for models that agree on everything
and 0 for unrelated ones. Eigenvalues of ``n C`` above and below ``d = n`` exchange d and n, and

    q = min(1, 1/c) F(min(c, 1/c))^2,        F(y) = 2F1(1/2, -1/2; 2; y),

``1 - c/4`` for many points, ``1/c`` for few, ``64/(9 pi^2)`` at ``c = 1``. Finite size adds O(1/d).

References
----------
Maillard, Goldt, arXiv 2605.21402. The hypergeometric form is this project's own.
"""

from __future__ import annotations

__all__ = ["split_consistency"]

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import hyp2f1

from ornstein.validation import as_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def split_consistency(aspect_ratio: ArrayLike) -> float | NDArray[np.float64]:
    """Overlap q of the samples of two models of disjoint training sets, from the same seed.

    Parameters
    ----------
    aspect_ratio : array-like
        ``c = dim / n_train``, > 0, n_train the number of points of each model.

    Returns
    -------
    float or ndarray
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a ratio is not a finite number > 0.

    References
    ----------
    Maillard, Goldt, arXiv 2605.21402.

    Examples
    --------
    >>> split_consistency([0.25, 1.0, 4.0])
    array([0.936419, 0.720506, 0.234105])
    """
    c = as_positive(aspect_ratio, "aspect_ratio")
    inverse = 1.0 / np.maximum(c, 1.0)
    q = inverse * np.square(hyp2f1(0.5, -0.5, 2.0, np.minimum(c, inverse)))
    return float(q) if q.ndim == 0 else q
