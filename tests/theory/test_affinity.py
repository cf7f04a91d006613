"""The affinity of the one-step law and its population below the threshold, against simulation."""

import numpy as np
import pytest

from ornstein import theory


def simulated_affinity(dim: int, n: int, signal_fraction: float, runs: int) -> tuple[float, float]:
    """``E int sqrt(p q)`` and its standard error.

    Given ``Sigma_G`` the mean is ``N(0, (1 + (1 - rho2) Sigma_G)/n)`` in units of the population:
    its Gaussian integral is taken eigenvalue by eigenvalue.
    """
    rng = np.random.default_rng([dim, n])
    Y = rng.standard_normal((runs, dim, n - 1))
    roots, V = np.linalg.eigh(Y @ Y.swapaxes(1, 2))
    G = rng.standard_normal((runs, dim, dim))
    a = 1 - signal_fraction
    B = np.sqrt(signal_fraction) * np.eye(dim) + np.sqrt(a) * (G @ V / np.sqrt(roots)[:, None])
    x = np.square(np.linalg.svd(B, compute_uv=False))
    drift = (1 + a * x) / n
    logs = 0.5 * np.log(2 * np.sqrt(x) / (1 + x)) - 0.5 * np.log1p(drift / (2 * (1 + x)))
    values = np.exp(logs.sum(axis=1))
    return values.mean(), values.std(ddof=1) / np.sqrt(runs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dim", "n", "signal_fraction"), [(8, 14, 0.504621), (24, 30, 0.5), (16, 45, 0.2)]
)
def test_below_the_threshold(dim: int, n: int, signal_fraction: float) -> None:
    """4 standard errors and 0.1/d of the affinity.

    With a Gaussian law of ``ln det``, or its variance to leading order, 3 to 5 % off.
    """
    mean, error = simulated_affinity(dim, n, signal_fraction, 20_000)
    predicted = np.exp(theory.one_step_log_affinity(dim, n, signal_fraction))
    assert abs(mean - predicted) < 4 * error + 0.1 / dim * predicted
