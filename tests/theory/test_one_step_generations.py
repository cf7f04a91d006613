"""One-step models trained on samples of each other: the first generation, limits, draws."""

from itertools import pairwise

import numpy as np
import pytest

from ornstein import Gaussian, OneStepDenoiser
from ornstein.theory import (
    one_step_anisotropic,
    one_step_anisotropic_spectrum,
    recursive_one_step_spectrum,
    recursive_one_step_trace,
)


def effective_rank(eigenvalues):
    return eigenvalues.sum() ** 2 / np.square(eigenvalues).sum() / eigenvalues.size


def test_the_first_generation_is_known():
    found = recursive_one_step_spectrum(np.full(30, 4.0), 70, 1, 0.8, 1.5)
    assert found.shape == (2, 30)
    assert found[0].tolist() == [4.0] * 30
    assert found[1].mean() / 4 == pytest.approx(recursive_one_step_trace(30, 70, 0.8, 1.5))
    assert (np.diff(found[1]) <= 0).all()
    # Half of the mass of the density is below the middle of the eigenvalues.
    s = np.linspace(1e-4, np.sqrt(found[1][15] / 4), 400)
    density = one_step_anisotropic_spectrum(s, np.ones(30), 70, 0.8, 1.5, relative_to="scale")
    assert np.trapezoid(density, s) == pytest.approx(0.5, abs=0.03)


def test_each_generation_is_the_first_of_the_last():
    spectrum = np.array([5.0, 3.0, 1.0, 0.5, 0.4, 0.3, 0.2, 0.1])
    two = recursive_one_step_spectrum(spectrum, 30, 2)
    np.testing.assert_allclose(two[2], recursive_one_step_spectrum(two[1], 30, 1)[1], rtol=1e-12)
    for last, following in pairwise(two):
        ratio = one_step_anisotropic(last / last.mean(), 30).trace
        assert following.mean() == pytest.approx(ratio * last.mean(), rel=1e-12)
    # In other units nothing changes, nor in another order.
    other = recursive_one_step_spectrum(spectrum[::-1] * 1e-4, 30, 1)
    np.testing.assert_allclose(other, two[:2] * 1e-4, rtol=1e-6)
    assert recursive_one_step_spectrum(spectrum, 30, 0).tolist() == [spectrum.tolist()]


def test_what_is_remembered_is_not_what_a_caller_may_change():
    first = recursive_one_step_spectrum(np.ones(6), 20, 2)
    again = recursive_one_step_spectrum(np.ones(6), 20, 2)
    again[:] = 7.0
    assert recursive_one_step_spectrum(np.ones(6), 20, 2).tolist() == first.tolist()
    with pytest.raises(TypeError, match="time"):
        recursive_one_step_spectrum(np.ones(6), 20, 2, True)
    with pytest.raises(TypeError, match="time"):
        recursive_one_step_spectrum(np.ones(6), 20, 2, [2.0])


def test_the_rank_is_that_of_the_points():
    found = recursive_one_step_spectrum(np.ones(40), 16, 2)
    assert (found[1:, :15] > 0).all()
    assert (found[1:, 15:] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.6, 4])
def test_draws(ratio):
    dim, runs, rng = 40, 30, np.random.default_rng(0)
    n = int(ratio * dim)
    measured = np.empty((runs, 3, 2))
    for run in measured:
        law = Gaussian.isotropic(dim)
        for row in run:
            model = OneStepDenoiser(2.0, law.covariance.trace / dim, random_state=rng)
            law = model.fit(law.sample(n, rng)).generated_law_
            eigenvalues = law.covariance.eigenvalues
            row[:] = eigenvalues.mean(), effective_rank(eigenvalues)
    found = recursive_one_step_spectrum(np.ones(dim), n, 3)[1:]
    expected = np.array([[row.mean(), effective_rank(row)] for row in found])
    mean, error = measured.mean(axis=0), measured.std(axis=0, ddof=1) / np.sqrt(runs)
    assert (np.abs(mean - expected) < 4 * error + 3 * expected / dim).all()
    # Growth for few points and loss for many, with fewer effective directions in either case.
    assert (np.diff(mean[:, 0]) > 0).all() == (ratio < 2)
    assert (np.diff(mean[:, 1]) < 0).all()


def test_bad_input():
    with pytest.raises(ValueError, match="n_train is 9 in 8 dimensions, expected n - 1 to differ"):
        recursive_one_step_spectrum(np.ones(8), 9, 1)
    with pytest.raises(ValueError, match="generations is -1"):
        recursive_one_step_spectrum(np.ones(8), 30, -1)
    with pytest.raises(ValueError, match="eigenvalues are all 0"):
        recursive_one_step_spectrum(np.zeros(8), 30, 1)
