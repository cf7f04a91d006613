r"""Diffusion in many steps with the best linear denoiser, as a scikit-learn estimator.

``fit`` estimates a mean and a covariance,

    m = xbar,      C = (1/n) sum_i (x_i - m)(x_i - m)^T + ridge I,

and that is the training: among affine denoisers of ``y = x + s z``, the one of least squared error
over the n points (jittered with variance `ridge`) and all noise draws is

    D(y; s) = m + C (C + s^2 I)^{-1} (y - m),

at each noise level s. It is also the best of all denoisers for data ``N(m, C)``, the `data_law_`.
Without a ridge and with ``n - 1 < d`` the points span a subspace; C has rank n - 1, D projects onto
it, and so does the generated law.

A sampler of :mod:`ornstein.diffusion.samplers` with this denoiser is affine in every step, so the
law it generates is a Gaussian, known exactly (:mod:`ornstein.diffusion.affine_propagation`). With
ever more steps from the noised `data_law_` it becomes the `data_law_`: the Gaussian generator of
Merger and Goldt.

From any other Gaussian, ``x_first = alpha x' + sigma z`` with ``x' ~ N(m', C')``, it generates

    N(m + alpha T (m' - m),  T (alpha^2 C' + sigma^2 I) T + A),

T and A the transfer and the added variance of all modes of C, as matrices; C' may have other axes.

The ridge is added to C, not to ``C + s^2`` as a penalty on the weights would be: with that,
``D(y; s)`` does not tend to y for ``s -> 0``, and the law of infinitely many steps would be a
point.

References
----------
Merger, Goldt, "Generalization dynamics of linear diffusion models", arXiv 2505.24769. Wang,
Vastola, arXiv 2412.09726.
"""

from __future__ import annotations

__all__ = ["LinearDiffusion", "empirical_law", "denoise", "generated_law", "limit_law"]

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ornstein.covariances import Covariance
from ornstein.data.running_moments import RunningMoments, centred
from ornstein.denoisers.estimators import GaussianGenerator
from ornstein.diffusion.affine_propagation import (
    generated_modes,
    limit_response,
    optimal_gain,
    sampler_response,
)
from ornstein.diffusion.samplers import as_sampler, denoising_path
from ornstein.diffusion.schedules import as_schedule
from ornstein.gaussians import Gaussian
from ornstein.validation import as_count, as_generator, as_positive

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ornstein.diffusion.affine_propagation import GeneratedModes, Response, Start
    from ornstein.diffusion.samplers import Sampler, Trajectory
    from ornstein.diffusion.schedules import Schedule

    Array = NDArray[np.float64]


def empirical_law(points: Array, ridge: float = 0.0) -> Gaussian:
    """``N(xbar, C)`` of training points, shape (n, dim): the data as the denoiser knows them.

    C has ``1/n``, as the minimum of the training loss has, and the ridge on its diagonal.
    """
    extra = float(as_positive(ridge, "ridge", zero=True))
    n, dim = points.shape
    mean, rows = centred(points)
    if n > dim:
        rows = np.asarray(np.linalg.qr(rows, mode="r"))
    return Gaussian(mean, Covariance.from_factor(rows.T / np.sqrt(n)).add_isotropic(extra))


def denoise(data: Gaussian, y: Array, noise: ArrayLike) -> Array:
    """``E[x | y] = m + C (C + s^2)^{-1} (y - m)`` for the rows of `y`, shape (n, dim).

    Parameters
    ----------
    data : Gaussian
        ``N(m, C)``, singular or not.
    y : ndarray of shape (n, dim)
        Noised points ``x + s z``.
    noise : float or array-like of shape (n,)
        EDM noise ``s >= 0``, of all rows or of each.
    """
    C = data.covariance
    s = as_positive(noise, "noise", zero=True)[..., None]
    return data.mean + C.apply(optimal_gain(C.modes, s), y - data.mean)


def generated_law(
    data: Gaussian, trajectory: Trajectory, start: Start | Gaussian = "standard"
) -> Gaussian:
    """Law that a sampler generates with the best denoiser of `data`.

    Parameters
    ----------
    data : Gaussian
        What the denoiser is best for: a population, or :func:`empirical_law`.
    trajectory : Trajectory
        Of a sampler.
    start : {"standard", "marginal"} or Gaussian
        Law of the first point, see :mod:`ornstein.diffusion.affine_propagation`; or the law of
        clean points that are noised to be the first points.
    """
    modes = data.covariance.modes
    first = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
    response = sampler_response(trajectory, modes)
    if isinstance(start, Gaussian):
        return _law_from(data, response, *first, start)
    return _law(data, generated_modes(response, *first, modes, start))


def limit_law(
    data: Gaussian, sampler: Sampler, schedule: Schedule, start: Start = "standard"
) -> Gaussian:
    """Law that the sampler tends to as its number of steps grows; parameters as above."""
    modes, levels = data.covariance.modes, schedule.noise_range()
    response = limit_response(levels, modes, sampler.eta)
    return _law(data, generated_modes(response, levels.signal, levels.noise_std, modes, start))


class LinearDiffusion(GaussianGenerator):
    """Diffusion model with a linear denoiser, sampled in many steps; its law is exact.

    Parameters
    ----------
    sampler : str or Sampler, default="ddim"
        ``ddpm``, ``ddpm:large``, ``ddim``, ``ddim:ETA``, ``euler`` or ``heun``; see
        :mod:`ornstein.diffusion.samplers`.
    n_steps : int, default=100
        Number of sampling steps S.
    schedule : str or Schedule, default="linear"
        ``linear``, ``scaled_linear``, ``cosine``, ``karras``, or one with parameters of its own;
        see :mod:`ornstein.diffusion.schedules`.
    start : {"standard", "marginal"}, default="standard"
        Law of the first point: where centred data of unit variance would be after noising, or
        where `data_law_` is.
    ridge : float, default=0.0
        Variance added to every direction of the covariance, in squared data units.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples, which are independent of data drawn with the same int.

    Attributes
    ----------
    data_law_ : Gaussian
        ``N(m, C)``, for which the denoiser is the best.
    generated_law_ : Gaussian
        Law of the points that :meth:`sample` draws.
    n_features_in_ : int
        Dimension ``d``.

    References
    ----------
    Merger, Goldt, arXiv 2505.24769.

    Examples
    --------
    >>> from ornstein import Gaussian
    >>> X = Gaussian.isotropic(4, mean=10.0).sample(500, rng=0)
    >>> model = LinearDiffusion("heun", n_steps=20, schedule="karras", random_state=0).fit(X)
    >>> model.generated_law_.dim, model.sample(3).shape
    (4, (3, 4))
    """

    def __init__(
        self,
        sampler: str | Sampler = "ddim",
        n_steps: int = 100,
        schedule: str | Schedule = "linear",
        start: Start = "standard",
        ridge: float = 0.0,
        random_state: Any = None,
    ) -> None:
        self.sampler = sampler
        self.n_steps = n_steps
        self.schedule = schedule
        self.start: Start = start
        self.ridge = ridge
        self.random_state = random_state

    @classmethod
    def from_population(cls, population: Gaussian, **parameters: Any) -> Self:
        """Fitted model of infinitely many training points: the best denoiser of `population`.

        Parameters
        ----------
        population : Gaussian
            Becomes `data_law_`, with the ridge added if one is given.
        **parameters
            As for the class.

        Examples
        --------
        >>> from ornstein import Gaussian
        >>> model = LinearDiffusion.from_population(Gaussian.isotropic(3), n_steps=1000)
        >>> float(model.generated_law_.covariance.trace)
        2.988756
        """
        model = cls(**parameters)
        extra = float(as_positive(model.ridge, "ridge", zero=True))
        model.n_features_in_ = population.dim
        known = Gaussian(population.mean, population.covariance.add_isotropic(extra))
        return model._adopt(known)

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Estimate mean and covariance of the rows of `X`, shape (n_samples, n_features).

        Raises
        ------
        ValueError
            If a parameter is out of range, `X` holds NaN or infinite values, or one row only.
        """
        points = self._points(X, ensure_min_samples=2)
        self._moments = None
        return self._adopt(empirical_law(points, self.ridge))

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Add the rows of `X` to the training set; the first batch needs at least 2.

        What `fit` of all batches gives, to rounding, with memory for one (d, d) array: eigenvalues
        below ``1e-15 d`` of the largest are taken as 0. The laws are computed when they are asked
        for, so that batches cost their matrix products alone.

        Raises
        ------
        ValueError
            If a parameter is out of range, or `X` holds NaN or infinite values.
        """
        moments: RunningMoments | None = getattr(self, "_moments", None)
        points = self._points(
            X, reset=moments is None, ensure_min_samples=2 if moments is None else 1
        )
        if moments is None:
            moments = RunningMoments(points.shape[1])
            self._prepare()
        moments.absorb(points)
        self._moments = moments
        self._laws = None
        return self

    @property
    def data_law_(self) -> Gaussian:
        """``N(m, C)``, for which the denoiser is the best."""
        return self._known()[0]

    @property
    def generated_law_(self) -> Gaussian:  # type: ignore[override]
        """Law of the points that :meth:`sample` draws."""
        return self._known()[1]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_laws")

    def _known(self) -> tuple[Gaussian, Gaussian]:
        """Both laws; those of batches are computed here."""
        if not hasattr(self, "_laws"):
            raise AttributeError("this LinearDiffusion is not fitted yet: call fit first")
        if self._laws is None:
            assert self._moments is not None  # of partial_fit
            ridge = float(as_positive(self.ridge, "ridge", zero=True))
            self._adopt_law(self._moments.law(ridge))
        assert self._laws is not None
        return self._laws

    def predict(self, Y: ArrayLike, noise: ArrayLike = 1.0) -> Array:
        """Denoise: the estimate of x for each row ``x + s z`` of `Y`, shape (n, n_features).

        Parameters
        ----------
        Y : array-like of shape (n, n_features)
            Noised points, in data units.
        noise : float or array-like of shape (n,)
            EDM noise ``s >= 0``, of all rows or of each.
        """
        check_is_fitted(self)
        return denoise(self.data_law_, self._points(Y, reset=False), noise)

    def sample(self, n: int = 1) -> Array:
        """Generate `n` points, shape (n, n_features), by taking all the steps."""
        check_is_fitted(self)
        shape = as_count(n, "n", at_least=0), self.n_features_in_
        path = denoising_path(
            self._trajectory,
            self._first(self._rng.standard_normal(shape)),
            lambda y, s: denoise(self.data_law_, y, s),
            lambda: self._rng.standard_normal(shape),
        )
        return deque(path, maxlen=1).pop()

    def _first(self, z: Array) -> Array:
        """Points at the first level, of standard normal `z`."""
        if self.start == "standard":
            return self._trajectory.start_std * z
        levels = self._trajectory.levels
        signal, noise_std = levels.signal[0], levels.noise_std[0]
        C = self.data_law_.covariance.scale(signal**2).add_isotropic(noise_std**2)
        return signal * self.data_law_.mean + C.color(z)

    def _adopt(self, data: Gaussian) -> Self:
        self._prepare()
        self._adopt_law(data)
        return self

    def _prepare(self) -> None:
        levels = as_schedule(self.schedule).levels(self.n_steps)
        self._trajectory = as_sampler(self.sampler).trajectory(levels)
        self._rng = as_generator(self.random_state, "LinearDiffusion.sample")

    def _adopt_law(self, data: Gaussian) -> None:
        self._laws: tuple[Gaussian, Gaussian] | None
        self._laws = data, generated_law(data, self._trajectory, self.start)


def _law_from(
    data: Gaussian, response: Response, signal: float, noise_std: float, start: Gaussian
) -> Gaussian:
    """Law that ``alpha x + sigma z`` with x from `start` ends in; eigenbases may differ."""
    C, m = data.covariance, data.mean
    transfer, added = response
    first = start.covariance.scale(signal**2).add_isotropic(noise_std**2).factor()
    factors = C.apply(transfer, first.T).T, C.with_modes(added).factor()
    mean = m + C.apply(transfer, signal * (start.mean - m))
    return Gaussian.from_factor(mean, np.concatenate(factors, axis=1))


def _law(data: Gaussian, modes: GeneratedModes) -> Gaussian:
    C = data.covariance
    return Gaussian(C.apply(modes.mean_fraction, data.mean), C.with_modes(modes.variance))
