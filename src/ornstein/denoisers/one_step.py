r"""The one-step linear denoiser of Halder (arXiv 2411.17807), as a scikit-learn estimator.

``fit`` noises the training points once, ``y = e^{-T} x + sqrt(v_z) z``, and regresses ``x`` on
``y``. Sampling draws ``y' ~ N(e^{-T} xbar, v I)`` and denoises it, so the generated law is exactly
the Gaussian ``generated_law_``. The algorithm is in :mod:`ornstein.denoisers.regression`.
"""

from __future__ import annotations

__all__ = ["OneStepDenoiser"]

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ornstein.denoisers.estimators import GaussianGenerator
from ornstein.denoisers.regression import PairFit, PairStatistics, fit_pairs
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.validation import as_count, as_generator

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ornstein.gaussians import Gaussian


class OneStepDenoiser(GaussianGenerator):
    """Affine least-squares denoiser of one noising step, and the Gaussian law it generates.

    Parameters
    ----------
    time : float, default=2.0
        Diffusion time ``T`` > 0.
    noise_scale : float, default=1.0
        ``lambda_`` >= 0 in ``v_z = lambda_ e^{-2T} (1 - e^{-2T})``, in squared data units.
    random_state : int, Generator, RandomState or None, default=None
        Draws the noise of the training pairs, and samples: from an int two streams, which are
        independent of each other and of data drawn with the same int.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features, n_features)
        ``B`` of ``x_hat = b + B y``; of minimum norm when ``n_samples - 1 < n_features``.
    intercept_ : ndarray of shape (n_features,)
        ``b``.
    generated_law_ : Gaussian
        Law of the points that :meth:`sample` draws; of rank ``min(n_samples - 1, n_features)``.
    n_samples_seen_ : int
        Number of training points.
    n_features_in_ : int
        Dimension ``d``.

    Notes
    -----
    ``partial_fit`` on consecutive batches gives what one ``fit`` gives, to rounding, with memory
    for two (d, d) arrays; the same noise is drawn in the same order. The fit is computed when it is
    asked for, so that batches cost their decompositions alone.

    References
    ----------
    Halder, "A solvable generative model with a linear, one-step denoiser", arXiv 2411.17807.

    Examples
    --------
    >>> from ornstein import Gaussian, OneStepDenoiser
    >>> X = Gaussian.isotropic(4, mean=10.0).sample(500, rng=0)
    >>> model = OneStepDenoiser(random_state=0).fit(X)
    >>> model.generated_law_.dim, model.sample(3).shape
    (4, (3, 4))
    """

    def __init__(
        self, time: float = 2.0, noise_scale: float = 1.0, random_state: Any = None
    ) -> None:
        self.time = time
        self.noise_scale = noise_scale
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Noise the rows of `X`, shape (n_samples, n_features), and fit; at least 2 rows.

        Raises
        ------
        ValueError
            If a parameter is out of range, `X` holds NaN or infinite values, or one row only.
        """
        points = self._points(X, ensure_min_samples=2)
        self._begin()
        self._absorb(points)
        self._solved()
        return self

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Add the rows of `X` to the training set; the first batch needs at least 2."""
        first = not hasattr(self, "_statistics")
        points = self._points(X, reset=first, ensure_min_samples=2 if first else 1)
        if first:
            self._begin()
        return self._absorb(points)

    def predict(self, Y: ArrayLike) -> NDArray[np.float64]:
        """Denoise: the estimate ``b + B y`` of the clean point for each noised row of `Y`."""
        check_is_fitted(self)
        return self._points(Y, reset=False) @ self.coef_.T + self.intercept_

    def sample(self, n: int = 1) -> NDArray[np.float64]:
        """Generate `n` points, shape (n, n_features): draw ``y'`` and denoise it.

        ``b + B y'`` with ``y' = e^{-T} xbar + sqrt(v) z`` is ``mu_G + sqrt(v) B z``.
        """
        check_is_fitted(self)
        n = as_count(n, "n", at_least=0)
        statistics, process = self._statistics, self._process
        variance = process.signal**2 * statistics.clean_variance + process.noise_variance
        z = self._sample_rng.standard_normal((n, statistics.dim))
        return self.generated_law_.mean + np.sqrt(variance) * (z @ self.coef_.T)

    @property
    def coef_(self) -> NDArray[np.float64]:
        """``B`` of ``x_hat = b + B y``, shape (n_features, n_features)."""
        return self._solved().coefficients

    @property
    def intercept_(self) -> NDArray[np.float64]:
        """``b``, shape (n_features,)."""
        return self._solved().intercept

    @property
    def generated_law_(self) -> Gaussian:  # type: ignore[override]
        """Law of the points that :meth:`sample` draws."""
        return self._solved().generated_law

    def _begin(self) -> None:
        self._process = OneStepNoising(self.time, self.noise_scale)
        self._noise_rng = as_generator(self.random_state, "OneStepDenoiser.fit")
        self._sample_rng = as_generator(self.random_state, "OneStepDenoiser.sample")
        self._statistics = PairStatistics.empty(self.n_features_in_)

    def _absorb(self, points: NDArray[np.float64]) -> Self:
        self._statistics.absorb(points, self._process.noised(points, self._noise_rng))
        self._fitted: PairFit | None = None
        self.n_samples_seen_ = self._statistics.count
        return self

    def _solved(self) -> PairFit:
        """The fit to all points so far, computed when it is asked for."""
        if not hasattr(self, "_statistics"):
            raise AttributeError("this OneStepDenoiser is not fitted yet: call fit first")
        if self._fitted is None:
            self._fitted = fit_pairs(self._statistics, self._process)
        return self._fitted
