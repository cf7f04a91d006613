"""One-step models of each other's samples: the first generation exactly, later ones by draws."""

import numpy as np
import pytest

from ornstein.denoisers.one_step import OneStepDenoiser
from ornstein.gaussians import Gaussian, kl_divergence
from ornstein.theory import one_step_anisotropic, recursive_one_step, recursive_one_step_trace


@pytest.mark.parametrize(("dim", "n", "time", "scale"), [(16, 30, 2.0, 1.0), (30, 90, 0.7, 1.5)])
def test_the_first_generation_is_the_one_step_model(dim, n, time, scale) -> None:
    found = recursive_one_step(dim, n, 1, time, scale)
    law = one_step_anisotropic(np.ones(dim), n, time, scale, fitted_variance=True)
    assert found.kl[0] == pytest.approx(law.kl, rel=1e-3)
    assert found.trace[0] == pytest.approx(law.trace, rel=1e-12)
    assert found.trace[0] == pytest.approx(recursive_one_step_trace(dim, n, time, scale), rel=0.02)
    longer = recursive_one_step(dim, n, 2, time, scale)
    assert longer.trace[0] == found.trace[0]


def test_later_generations_by_simulation() -> None:
    """d = 16, n = 60: within 4 standard errors and 1/d of the prediction."""
    dim, n, runs = 16, 60, 100
    rng, population = np.random.default_rng(3), Gaussian.isotropic(16)
    rows = []
    for _ in range(runs):
        law, row = population, []
        for _ in range(3):
            scale = law.covariance.trace / dim
            model = OneStepDenoiser(noise_scale=scale, random_state=rng)
            law = model.fit(law.sample(n, rng)).generated_law_
            row.append([law.covariance.trace / dim, kl_divergence(law, population)])
        rows.append(row)
    mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(runs)
    predicted = np.column_stack(recursive_one_step(dim, n, 3))
    assert (np.abs(mean - predicted) < 4 * error + predicted / dim).all()
    # As if each generation were isotropic, it would be far off from the second on.
    isotropic = predicted[0, 0] ** np.arange(1, 4)
    assert (np.abs(mean[:, 0] - isotropic)[1:] > np.array([4, 10]) * error[1:, 0]).all()


def test_where_it_is_infinite() -> None:
    few = recursive_one_step(16, 10, 3)
    assert np.isinf(few.kl).all()
    assert (few.trace > 0).all()
    assert np.isfinite(few.trace).all()
    for n in (16, 17, 18):
        found = recursive_one_step(16, n, 2)
        assert np.isinf(found.trace).all()
        assert np.isinf(found.kl).all()


def test_without_noise_the_mean_alone_moves() -> None:
    """The map is the identity: generations keep their covariance, and the mean walks."""
    found = recursive_one_step(6, 50, 4, noise_scale=0.0)
    np.testing.assert_allclose(found.trace, 1.0, rtol=0.05)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ((0, 30, 2), "dim is 0"),
        ((4, 1, 2), "n_train is 1"),
        ((4, 30, 0), "generations is 0"),
        ((4, 30, 2, 0.0), "time is 0"),
    ],
)
def test_bad_parameters(options: tuple, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        recursive_one_step(*options)
