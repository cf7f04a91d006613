"""Populations of known spectrum, and the linear diffusion fitted on draws of them."""

from collections.abc import Iterator

import numpy as np

SPECTRA = {
    "isotropic": np.ones(30),
    "power law": 30 / np.arange(1, 31) / np.sum(1 / np.arange(1, 31)),
    "two levels": np.repeat([1.8, 0.2], 15),
}


def draw(spectrum: np.ndarray, n: int, rng: np.random.Generator, shape: float = np.inf):
    """n rows; of gamma-distributed sizes of mean 1 if a shape is given."""
    rows = rng.standard_normal((n, spectrum.size)) * np.sqrt(spectrum)
    if np.isfinite(shape):
        rows *= np.sqrt(rng.gamma(shape, 1 / shape, (n, 1)))
    return rows


def covariances(spectrum, n, count, rng, shape=np.inf) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Mean and sample covariance of training sets."""
    for _ in range(count):
        rows = draw(spectrum, n, rng, shape)
        yield rows.mean(0), np.cov(rows.T)


def distance(mean: np.ndarray, covariance: np.ndarray, spectrum: np.ndarray) -> float:
    """W_2^2 / tr Sigma to N(0, diag(spectrum)), by eigenvalues of the product."""
    product = np.linalg.eigvals(covariance * spectrum)  # similar to the symmetric product
    shared = np.sqrt(np.maximum(product.real, 0)).sum()
    total = spectrum.sum()
    return float((np.trace(covariance) + total - 2 * shared + mean @ mean) / total)


def mean_and_error(values: list[float]) -> tuple[float, float]:
    found = np.array(values)
    return float(found.mean()), float(found.std(ddof=1) / np.sqrt(found.size))
