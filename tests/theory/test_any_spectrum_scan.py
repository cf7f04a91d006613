"""Twelve spectra: numbers at every size, smooth in n, falling where they must; grids; best steps.

The scan against draws is a benchmark (``python -m benchmarks any_spectrum``); draws of some sizes
are in test_one_step_anisotropic.py.
"""

import numpy as np
import pytest

from ornstein import theory
from ornstein.data.spectra import read_spectrum
from ornstein.diffusion.grids import Modes, grid_loss
from ornstein.diffusion.schedules import karras_noises
from ornstein.gaussians import Gaussian, kl_divergence
from ornstein.verification.finite_steps import heun

K = np.arange(1.0, 41.0)
SPECTRA = {
    "isotropic": np.ones(40),
    "two levels": np.repeat([3.0, 0.3], 20),
    "power law 0.5": K**-0.5,
    "power law 1": 1 / K,
    "power law 1.5": K**-1.5,
    "power law 2": K**-2,
    "spiked": np.where(K <= 3, 30.0, 1.0),
    "with zeros": np.where(K <= 25, K**-0.5, 0.0),
    "12 decades": np.geomspace(1, 1e-12, 40),
    "digits": read_spectrum("digits"),
    "photo patches": read_spectrum("patches"),
    "d = 2000": 1 / np.arange(1.0, 2001),
}
SPECTRA = {name: values / values.mean() for name, values in SPECTRA.items()}
EVERY = pytest.mark.parametrize("name", SPECTRA)


@EVERY
def test_numbers_smooth_in_n_and_a_trace_that_falls(name):
    values = SPECTRA[name]
    d = values.size
    sizes = np.unique(np.geomspace(0.2 * d, 50 * d, 45).round())
    sizes = sizes[np.abs(sizes - 1 - d) > max(3, 0.05 * d)]
    law = theory.one_step_anisotropic(values, sizes)
    rank, above = int((values > 0).sum()), sizes > d
    for field in (law.kl, law.trace, law.log_det, law.hellinger_squared, law.wasserstein_squared):
        assert not np.isnan(field).any()
    np.testing.assert_array_equal(np.isfinite(law.kl), sizes - 1 >= rank)
    assert ((law.hellinger_squared >= 0) & (law.hellinger_squared <= 1)).all()
    assert (law.wasserstein_squared >= 0).all()
    assert (np.diff(law.trace[above]) < 0).all()
    # The generated trace and log-determinant end where infinite data are.
    far = theory.one_step_anisotropic(values, 9e15)
    assert far.kl == pytest.approx(law.kl_infinite_data, rel=1e-4, abs=1e-6)
    for curve in (np.log(law.wasserstein_squared), np.log(law.trace)):
        for side in (~above, above):
            slope = np.diff(curve[side]) / np.diff(np.log(sizes[side]))
            bend = np.abs(np.diff(slope))
            # A kink is a change of slope unlike those beside it.
            assert (bend[1:-1] < 2 * np.maximum(bend[:-2], bend[2:]) + 0.02).all()


@EVERY
def test_the_made_grid_is_below_that_of_karras(name):
    modes = Modes.of(SPECTRA[name])
    for steps in (5, 20):
        own = grid_loss(theory.tangent_grid(SPECTRA[name], steps), modes)
        assert 0 < own < 0.75 * grid_loss(karras_noises(steps + 1), modes)


def test_kl_may_rise_with_n():
    """Of a steep spectrum few points generate too much where little is: that lowers the KL."""
    found = theory.one_step_anisotropic(SPECTRA["power law 2"], [60, 200, 2000])
    # 54.8 +- .8, 23.61 +- .20 and 27.73 +- .09 in 60 draws.
    np.testing.assert_allclose(found.kl, [54.8, 23.61, 27.73], rtol=0.025)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [2, 10])
def test_the_best_number_of_steps_is_that_of_draws(ratio):
    """Heun on Karras' levels, d = 12: every S, 300 training sets."""
    values = np.arange(1, 13) ** -0.5
    n, rng = 12 * ratio, np.random.default_rng(ratio)
    best = theory.best_steps(values, n, "heun", "karras")
    counts = np.unique(np.append(np.geomspace(6, 80, 14).round(), best.steps)).astype(int)
    population = Gaussian(np.zeros(12), values)
    kl = np.empty((60, counts.size))
    for row in kl:
        points = population.sample(n, rng)
        mean = points.mean(axis=0)
        eigenvalues, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
        for index, count in enumerate(counts):
            m, v = heun(eigenvalues, vectors.T @ mean, int(count), (0.002, 80.0))
            law = Gaussian.from_factor(vectors @ m, vectors * np.sqrt(v))
            row[index] = kl_divergence(law, population)
    apart = kl - kl[:, [int(np.flatnonzero(counts == best.steps)[0])]]
    error = apart.std(axis=0, ddof=1) / np.sqrt(len(kl))
    # No number of steps is better than the predicted one, beyond four standard errors.
    assert (apart.mean(axis=0) > -4 * error - 1e-12).all()
    assert kl.mean(axis=0).min() == pytest.approx(best.kl, abs=5 * kl.std() / np.sqrt(60))
    # And far from it, numbers are worse.
    assert apart.mean(axis=0)[0] > 4 * error[0]
