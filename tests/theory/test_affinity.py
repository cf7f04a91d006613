"""The affinity of the one-step law and its population below the threshold, against simulation."""

import numpy as np
import pytest

from ornstein import theory


def simulated(
    dim: int, n: int, signal_fraction: float, runs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``ln det Sigma_G`` and ``E int sqrt(p q)`` over the mean of the generated law, of each run.

    In units of the population. Bartlett: the factor of the scatter matrix has normal entries, and
    chi ones on its diagonal. Given ``Sigma_G`` the mean is ``N(0, (1 + (1 - rho2) Sigma_G)/n)``:
    its Gaussian integral leaves ``(det Sigma_G)^(1/4) / det^(1/2)`` of half of
    ``1 + Sigma_G + (1 + (1 - rho2) Sigma_G)/(2 n)``.
    """
    if runs > 1000:  # in parts that stay in the cache
        parts = [simulated(dim, n, signal_fraction, 1000, rng) for _ in range(runs // 1000)]
        logs, affinities = zip(*parts, strict=True)
        return np.concatenate(logs), np.concatenate(affinities)
    factor = np.tril(rng.standard_normal((runs, dim, dim)), -1)
    diagonal = np.arange(dim)
    factor[:, diagonal, diagonal] = np.sqrt(rng.chisquare(n - 1 - diagonal, size=(runs, dim)))
    noise = rng.standard_normal((runs, dim, dim))
    B = np.linalg.solve(factor.swapaxes(1, 2), np.sqrt(1 - signal_fraction) * noise)
    B += np.sqrt(signal_fraction) * np.eye(dim)
    log_det = 2 * np.linalg.slogdet(B)[1]
    mixed = (1 + (1 - signal_fraction) / (2 * n)) * (B @ B.swapaxes(1, 2))
    mixed += (1 + 1 / (2 * n)) * np.eye(dim)
    return log_det, np.exp(0.25 * log_det - 0.5 * np.linalg.slogdet(mixed / 2)[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dim", "n", "signal_fraction"), [(8, 14, 0.504621), (24, 30, 0.5), (16, 45, 0.2)]
)
def test_below_the_threshold(dim: int, n: int, signal_fraction: float) -> None:
    """4 standard errors and 0.1/d of the affinity.

    With a Gaussian law of ``ln det``, or its variance to leading order, 3 to 5 % off.
    """
    runs = 20_000
    _, values = simulated(dim, n, signal_fraction, runs, np.random.default_rng([dim, n]))
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(runs)
    predicted = np.exp(theory.one_step_log_affinity(dim, n, signal_fraction))
    assert abs(mean - predicted) < 4 * error + 0.1 / dim * predicted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dim", "n", "signal_fraction"),
    [(1, 4, 0.3), (2, 4, 0.7), (2, 6, 0.15), (3, 5, 0.45), (4, 6, 0.85), (5, 8, 0.62), (7, 9, 0.92),
     (7, 13, 0.27), (9, 11, 0.77), (12, 14, 0.55)],
)  # fmt: skip
def test_settings_that_nothing_was_fitted_to(dim: int, n: int, signal_fraction: float) -> None:
    """The mean of ln det is exact; the affinity has the errors that its docstring states."""
    runs = 6000
    rng = np.random.default_rng([dim, n])
    log_det, values = simulated(dim, n, signal_fraction, runs, rng)
    error = log_det.std() / np.sqrt(runs)
    assert error < 0.05
    predicted = theory.one_step_log_det(dim, n, signal_fraction)
    assert abs(log_det.mean() - predicted) < 4 * error
    slack = 4 * values.std() / np.sqrt(runs) + {1: 0.05, 2: 0.03}.get(dim, 0.015)
    predicted = np.exp(theory.one_step_log_affinity(dim, n, signal_fraction))
    assert abs(values.mean() - predicted) < slack
