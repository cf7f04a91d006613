"""Samplers of n points on eigenvalues of 12 decades, against training sets in double precision.

The factors are decomposed by one-sided Jacobi rotations (LAPACK's dgejsv), which keep the digits
of small singular values beside large ones.
"""

from typing import Any

import numpy as np
import pytest
from scipy.linalg import get_lapack_funcs

from ornstein.diffusion.affine_propagation import generated_modes, sampler_response
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule
from ornstein.theory import sampler_quality

SETS = 50


def decomposed(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Singular values, and right singular vectors in columns."""
    (gejsv,) = get_lapack_funcs(("gejsv",), (matrix,))
    values, _, vectors, work, _, info = gejsv(matrix, joba=0, jobu=0, jobv=0)
    assert info == 0
    return values * work[0] / work[1], vectors


def simulated(spectrum: np.ndarray, n: int, sampler: str, schedule: str, steps: int) -> np.ndarray:
    """KL, squared Hellinger and Wasserstein of each training set."""
    rng, found = np.random.default_rng(n), []
    trajectory = as_sampler(sampler).trajectory(as_schedule(schedule).levels(steps))
    first = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
    for _ in range(SETS):
        points = rng.standard_normal((n, spectrum.size)) * np.sqrt(spectrum)
        mean = points.mean(axis=0)
        roots, Q = decomposed((points - mean) / np.sqrt(n))
        modes: Any = generated_modes(
            sampler_response(trajectory, roots**2), *first, roots**2, "standard"
        )
        f, moved = modes.variance, Q @ (modes.mean_fraction * (Q.T @ mean))
        shape = Q * np.sqrt(f) / np.sqrt(spectrum)[:, None]
        shift = moved / np.sqrt(spectrum)
        logs = np.log(f).sum() - np.log(spectrum).sum()
        kl = 0.5 * ((shape**2).sum() - spectrum.size - logs + shift @ shift)
        s = decomposed(shape)[0]
        inner = shift @ np.linalg.solve(np.eye(spectrum.size) + shape @ shape.T, shift)
        affinity = 0.5 * np.log(2 * s / (1 + s**2)).sum() - 0.25 * inner
        shared = np.linalg.svd(Q * np.sqrt(f) * np.sqrt(spectrum)[:, None], compute_uv=False).sum()
        w2 = f.sum() + spectrum.sum() - 2 * shared + moved @ moved
        found.append((kl, -np.expm1(affinity), w2))
    return np.array(found)


@pytest.mark.parametrize(
    ("decades", "n", "sampler", "schedule"),
    [
        (12, 40, "ddpm:large", "linear"),
        (12, 90, "heun", "karras"),
    ],
)
def test_expected_distances_over_many_decades(
    decades: int, n: int, sampler: str, schedule: str
) -> None:
    spectrum = np.geomspace(1, 10.0**-decades, 24)
    spectrum /= spectrum.mean()
    theory = sampler_quality(spectrum, 20, sampler, schedule, n_train=n)
    predicted = np.array([theory.kl, theory.hellinger_squared, theory.wasserstein_squared])
    measured = simulated(spectrum, n, sampler, schedule, 20)
    error = measured.std(axis=0, ddof=1) / np.sqrt(SETS)
    assert (np.abs(measured.mean(axis=0) - predicted) < 4 * error + 1e-12).all()


def test_fewer_points_than_dimensions() -> None:
    spectrum = np.geomspace(1, 1e-12, 7)
    theory = sampler_quality(spectrum / spectrum.mean(), 4, "ddpm:large", n_train=5)
    assert theory.kl == np.inf
    assert theory.hellinger_squared == 1
    # Fewer decades hold nearly all of the trace.
    narrow = np.where(spectrum > 1e-7, spectrum, 0) / spectrum.mean()
    others = sampler_quality(narrow, 4, "ddpm:large", n_train=5)
    assert theory.wasserstein_squared == pytest.approx(others.wasserstein_squared, rel=1e-4)
