r"""The memorizing optimum: the denoiser of least squared error on the training set itself.

A network that minimises the denoising loss over ``n`` training points, without bound on its
capacity, ends at the posterior mean

    D(y) = sum_i w_i x_i,      w_i ~ exp(-|y - x_i|^2 / 2 s^2),

of :mod:`ornstein.denoisers.posterior`. Its score ``(D(y) - y) / s^2`` is that of the noised
empirical law

    p_s = n^{-1} sum_i N(x_i, s^2 I),

exactly, so that the reverse process (probability flow or stochastic) that starts from ``p_s`` at
any noise goes through ``p_s`` at every smaller one. Stopped at noise ``s`` it generates a training
point plus ``s z``; run to its end it generates training points, all equally likely, and nothing
else. The model memorizes.

References
----------
Karras, Aittala, Aila, Laine, arXiv 2206.00364, appendix B.3; Biroli, Bonnaire, de Bortoli, Mezard,
"Dynamical regimes of diffusion models", arXiv 2402.18491 (when it collapses to one point).
"""

from __future__ import annotations

__all__ = ["EmpiricalDenoiser"]

from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from ornstein.denoisers.estimators import PointsEstimator
from ornstein.denoisers.posterior import (
    Concentration,
    concentration,
    log_evidence,
    posterior_mean,
)
from ornstein.denoisers.training_points import TrainingPoints
from ornstein.gaussians import Gaussian
from ornstein.mixtures import Mixture
from ornstein.validation import as_count, as_generator, as_positive

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class EmpiricalDenoiser(PointsEstimator):
    """Posterior mean over the training points: the optimum that has memorized all of them.

    Parameters
    ----------
    noise : float, default=1.0
        EDM noise ``s`` > 0 of the points to denoise, in data units; conversions from OU time and
        DDPM step are in :mod:`ornstein.processes`.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples, which are independent of data drawn with the same int.

    Attributes
    ----------
    points_ : ndarray of shape (n_samples, n_features)
        The training points, which are all that is learned.
    n_features_in_ : int
        Dimension ``d``.

    Notes
    -----
    The generated law is no Gaussian, so there is no ``generated_law_``: it is uniform over
    ``points_`` when the reverse process runs to its end, and the mixture :meth:`noised_law` when it
    stops at ``noise``.

    Repeated training points count as often as they occur. Time is that of two matrix products of
    (n_queries, n_features, n_samples), or of one where few points matter; memory that of two copies
    of the training points and of a block of queries against them (128 MB). Only where many points
    share the weight of a query while others are a hundred times farther away, the time is that of
    summing all differences of coordinates.

    References
    ----------
    Karras, Aittala, Aila, Laine, arXiv 2206.00364, appendix B.3.

    Examples
    --------
    >>> import numpy as np
    >>> from ornstein import Gaussian
    >>> from ornstein.denoisers.empirical import EmpiricalDenoiser
    >>> X = Gaussian.isotropic(64, mean=10.0).sample(1000, rng=0)
    >>> model = EmpiricalDenoiser(noise=0.5, random_state=0).fit(X)
    >>> Y = X + 0.5 * np.random.default_rng(1).standard_normal(X.shape)
    >>> bool(np.allclose(model.predict(Y), X))  # at this noise it gives back what it has seen
    True
    """

    def __init__(self, noise: float = 1.0, random_state: Any = None) -> None:
        self.noise = noise
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Keep the rows of `X`, shape (n_samples, n_features); at least 2.

        Raises
        ------
        ValueError
            If `noise` is not > 0, `X` holds NaN or infinite values, or one row only.
        """
        self._noise()
        self._train = TrainingPoints.of(self._points(X, ensure_min_samples=2, copy=True))
        self.points_ = self._train.points
        self._rng = as_generator(self.random_state, "EmpiricalDenoiser.sample")
        return self

    def predict(self, Y: ArrayLike) -> NDArray[np.float64]:
        """Denoise: the posterior mean ``D(y)`` for each row of `Y`, at noise `noise`."""
        return posterior_mean(self._queries(Y), self._train, self._noise())

    def sample(self, n: int = 1, noise: float = 0.0) -> NDArray[np.float64]:
        """Generate `n` points, shape (n, n_features), as the reverse process would.

        Parameters
        ----------
        n : int
            Number of points.
        noise : float, default=0.0
            Noise at which the reverse process stops. At 0 the points are training points, drawn
            with replacement, bit by bit; at ``s > 0`` they are draws of :meth:`noised_law` at that
            noise, training points plus ``s z``.
        """
        check_is_fitted(self)
        n = as_count(n, "n", at_least=0)
        s = float(as_positive(noise, "noise", zero=True))
        chosen = self.points_[self._rng.integers(len(self.points_), size=n)]
        return chosen + s * self._rng.standard_normal(chosen.shape) if s > 0 else chosen

    def score(self, X: ArrayLike, y: None = None) -> float:
        """Mean log density of the rows of `X` under :meth:`noised_law`, in nats."""
        return float(self.score_samples(X).mean())

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log density ``ln p_s(x)`` of each row of `X`, at noise `noise`, in nats."""
        return log_evidence(self._queries(X), self._train, self._noise())

    def concentration(self, Y: ArrayLike) -> Concentration:
        """Effective number of training points behind each row of `Y`, and the largest weight."""
        return concentration(self._queries(Y), self._train, self._noise())

    def effective_points(self, Y: ArrayLike) -> NDArray[np.float64]:
        """Participation ratio ``1 / sum_i w_i^2`` of each row of `Y`, between 1 and n_samples."""
        return self.concentration(Y).effective_points

    def noised_law(self) -> Mixture:
        """``p_s = n^{-1} sum_i N(x_i, s^2 I)`` at noise `noise`, a population of known truth."""
        check_is_fitted(self)
        covariance = Gaussian.isotropic(self.n_features_in_, std=self._noise()).covariance
        return Mixture([Gaussian(point, covariance) for point in self.points_])

    def _queries(self, Y: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return self._points(Y, reset=False)

    def _noise(self) -> float:
        return float(as_positive(self.noise, "noise"))
