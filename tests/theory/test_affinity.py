"""The affinity of the one-step law below its threshold: variance and skewness of ``ln det``."""

import numpy as np
import pytest

from ornstein import theory
from ornstein.theory.one_step_model import potential


def simulated_affinity(
    dim: int, n: int, signal_fraction: float, runs: int
) -> tuple[float, float, np.ndarray]:
    """``E int sqrt(p q)``, its standard error, and ``ln det`` of the runs.

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
    return values.mean(), values.std(ddof=1) / np.sqrt(runs), np.log(x).sum(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dim", "n", "signal_fraction"), [(8, 14, 0.504621), (24, 30, 0.5), (16, 45, 0.2)]
)
def test_below_the_threshold(dim: int, n: int, signal_fraction: float) -> None:
    """4 standard errors and 0.1/d of the affinity; without either term the first is 0.03 off."""
    mean, error, log_det = simulated_affinity(dim, n, signal_fraction, 20_000)
    predicted = np.exp(theory.one_step_log_affinity(dim, n, signal_fraction))
    assert abs(mean - predicted) < 4 * error + 0.1 / dim * predicted
    found = potential._log_det_variance(*map(np.asarray, (float(dim), float(n), signal_fraction)))
    variance = log_det.var(ddof=1)
    fourth = np.mean((log_det - log_det.mean()) ** 4)
    spread = np.sqrt((fourth - variance**2) / log_det.size)
    # Without the fluctuations of W it is 0.2 to 1.5 less.
    assert abs(variance - found) < 4 * spread + 1 / dim


def test_skewness_of_a_square_matrix() -> None:
    """``k``: what the cumulants of ``ln det G G^T`` beyond the second add to ``ln E det^{1/4}``."""
    from mpmath import mp, mpf, nsum

    def term(j: float) -> mpf:
        half = mpf(j) / 2
        grown = mp.loggamma(half + mpf(1) / 4) - mp.loggamma(half)
        return grown - mp.psi(0, half) / 4 - mp.psi(1, half) / 32

    assert pytest.approx(float(nsum(term, [1, mp.inf])), abs=1e-11) == potential._SKEWNESS
