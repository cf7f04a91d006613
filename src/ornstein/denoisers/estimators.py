"""What the estimators of this package share: how points come in, and how a law is scored."""

from __future__ import annotations

__all__ = ["PointsEstimator", "GaussianGenerator"]

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from ornstein.validation import refuse_dates, refuse_masked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.gaussians import Gaussian


class PointsEstimator(BaseEstimator):
    """An estimator of points, one per row, in float64."""

    n_features_in_: int

    def _points(
        self, X: Any, *, reset: bool = True, ensure_min_samples: int = 1, copy: bool = False
    ) -> NDArray[np.float64]:
        """Validate as scikit-learn does, and refuse what it would silently turn into numbers."""
        if _is_plain(X) and len(X) >= ensure_min_samples and not hasattr(self, "feature_names_in_"):
            # Only the number of columns can be wrong; the other checks take longer than a fit.
            if reset:
                self.n_features_in_ = X.shape[1]
            elif X.shape[1] != self.n_features_in_:
                validate_data(self, X, reset=False, skip_check_array=True)  # raises its own error
            return X.copy() if copy else X
        refuse_masked(X, "X")
        if hasattr(X, "dtype") or hasattr(X, "dtypes"):
            refuse_dates(np.asarray(X), "X")
        checks = {
            "dtype": np.float64,
            "ensure_min_samples": ensure_min_samples,
            "copy": copy,
        }
        return np.asarray(validate_data(self, X, reset=reset, **checks))


def _is_plain(X: Any) -> bool:
    """Whether it is an array of finite float64, with rows and columns."""
    plain = type(X) is np.ndarray and X.dtype == np.float64 and X.ndim == 2 and X.size > 0
    return plain and bool(np.isfinite(X).all())


class GaussianGenerator(PointsEstimator):
    """An estimator whose samples have a Gaussian law, ``generated_law_``."""

    generated_law_: Gaussian

    def score(self, X: ArrayLike, y: None = None) -> float:
        """Mean log-likelihood of the rows of `X` under the generated law, in nats.

        If the law is singular (``n_samples - 1 < n_features``), ``inf`` when all rows lie on its
        affine subspace, and ``-inf`` when one lies off it.
        """
        check_is_fitted(self)
        logs = self.generated_law_.log_prob(self._points(X, reset=False))
        # A singular law has log densities of +-inf, whose mean is no number.
        return float(logs.mean() if np.isfinite(logs).all() else logs.min())
