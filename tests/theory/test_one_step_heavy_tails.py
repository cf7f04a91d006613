r"""W2^2 and the trace near n = d, where means over runs say little.

With ``m = |n - 1 - d|`` the trace of the generated covariance has the tail of ``1/chi^2_{m+1}``:
the expectation is infinite for m = 1, the variance over runs for m = 2 and 3. The mean of a few
runs lies below the expectation most of the time, and its standard error is no measure of how far.

Below n = d the expectations are found here by importance sampling. The centred noisy points are
``W^{1/2} O`` with a Wishart matrix W of d degrees of freedom in n - 1 dimensions and O uniform. W
is drawn with k degrees of freedom fewer, so that small eigenvalues are frequent, and weighted with
``det W^{k/2}``. The clean points follow given the noisy ones; the means of both are integrated out.
"""

import numpy as np
import pytest

from ornstein import theory

TIME = 2.0


def runs_below(
    dim: int, n: int, fewer: int, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """W2^2 and trace over d of `count` runs for n - 1 < d, and their weights, of mean 1."""
    rng, nu, a = np.random.default_rng(seed), n - 1, np.exp(-TIME)
    noise = a**2 * (1 - a**2)
    total = a**2 + noise
    square = rng.standard_normal((count, nu, dim - fewer))
    U, s, _ = np.linalg.svd(square, full_matrices=False)
    weights = np.exp(fewer * np.log(s).sum(axis=1))
    O = np.linalg.qr(rng.standard_normal((count, dim, nu)))[0].transpose(0, 2, 1)  # noqa: E741
    Y = np.sqrt(total) * (U * s[:, None]) @ O
    X = a / total * Y + np.sqrt(noise / total) * rng.standard_normal(Y.shape)
    start = a**2 * np.square(X).sum(axis=(1, 2)) / (nu * dim) + noise
    # The map is O^T times this, which has the same singular values.
    map_ = U.transpose(0, 2, 1) @ X / (np.sqrt(total) * s[:, :, None])
    roots = np.linalg.svd(map_, compute_uv=False)
    gain = np.square(roots).sum(axis=1)
    mean = dim / n + noise / n * gain
    trace = start * gain
    w2 = mean + trace + dim - 2 * np.sqrt(start) * roots.sum(axis=1)
    return np.stack([w2, trace / dim]), weights / weights.mean()


@pytest.mark.parametrize(
    ("dim", "n", "fewer"), [(4, 3, 1), (8, 4, 1), (8, 5, 1), (8, 6, 1), (8, 7, 2), (16, 14, 1)]
)
def test_expectations_just_below_the_dimension(dim: int, n: int, fewer: int) -> None:
    """Within 4 standard errors, and 0.3/d of W2^2; of the trace 0.3/(d n), the plug-in."""
    values, weights = runs_below(dim, n, fewer, 12_000, seed=n)
    mean = (weights * values).mean(axis=1)
    error = np.sqrt(np.square(weights * (values.T - mean).T).mean(axis=1) / weights.size)
    law = theory.one_step(dim, n, TIME)
    assert error[0] < 0.05 * mean[0]
    assert abs(mean[0] - law.wasserstein_squared) < 4 * error[0] + 0.3 / dim * mean[0]
    assert abs(mean[1] - law.trace) < 4 * error[1] + 0.6 / (dim * n) * mean[1]


def test_the_mean_of_a_few_runs_lies_below_the_expectation() -> None:
    """Of means of 20 runs at m = 2, and two standard errors do not say how far."""
    values, _ = runs_below(8, 7, 0, 20 * 600, seed=0)
    runs = values[0].reshape(600, 20)
    means, errors = runs.mean(axis=1), runs.std(axis=1, ddof=1) / np.sqrt(20)
    # 20.63 +- 0.17 by importance sampling of 200,000 runs. 600 fair coins: 0.5 +- 0.02.
    assert (means < 20.63).mean() > 0.5 + 5 * 0.02
    assert (np.abs(means - 20.63) < 2 * errors).mean() < 0.75
