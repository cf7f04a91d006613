"""The estimated spectrum predicts what the true one predicts; that of the sample does not."""

import numpy as np
import pytest
from tests.forecasting.populations import SPECTRA, draw

from ornstein import theory
from ornstein.forecasting.noise_curve import NoiseCurve
from ornstein.forecasting.row_sizes import RowSizes
from ornstein.forecasting.spectrum import population_spectrum, reproduced

EQUAL = RowSizes.of(1.0)


def functionals(spectrum: np.ndarray) -> np.ndarray:
    """Distance at 200 points, excess loss, and AUC at 300."""
    root = NoiseCurve(spectrum**2, 199.0, EQUAL).root_trace()
    loss = theory.denoising_losses(spectrum, 0.1, 200)
    auc = theory.membership(spectrum, 0.1, 300).auc
    return np.array([1 - root / spectrum.sum(), loss.test - loss.optimum, auc - 0.5])


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("share", [2, 6])
def test_predictions_of_the_estimated_spectrum(name: str, share: int) -> None:
    spectrum, rng = SPECTRA[name], np.random.default_rng(share)
    n, found, raw = 30 * share, [], []
    for _ in range(8):
        sample = np.sort(np.linalg.eigvalsh(np.cov(draw(spectrum, n, rng).T)))[::-1]
        estimated = population_spectrum(sample, n - 1, EQUAL)
        assert reproduced(estimated, sample, n - 1, EQUAL) < 0.5
        assert estimated.sum() == pytest.approx(sample.sum())
        assert (np.diff(estimated) <= 0).all()
        found.append(functionals(estimated) / functionals(spectrum))
        raw.append(functionals(sample) / functionals(spectrum))
    error = np.std(found, axis=0, ddof=1) / np.sqrt(8)
    assert (np.abs(np.mean(found, axis=0) - 1) < 4 * error + 0.02).all()
    if share == 2:  # without the correction the distance is too small
        assert np.mean(raw, axis=0)[0] < 0.92


def test_fewer_points_than_dimensions() -> None:
    spectrum, rng = SPECTRA["isotropic"], np.random.default_rng(0)
    sample = np.sort(np.linalg.eigvalsh(np.cov(draw(spectrum, 20, rng).T)))[::-1]
    estimated = population_spectrum(np.maximum(sample, 0), 19, EQUAL)
    assert (estimated > 0).sum() == 30
    ratio = functionals(estimated) / functionals(spectrum)
    assert abs(ratio[0] - 1) < 0.1


def test_directions_that_never_vary_stay_0() -> None:
    sample = np.append(np.linspace(2, 1, 10), [1e-17, 0.0])
    estimated = population_spectrum(sample, 200, EQUAL)
    assert (estimated > 0).sum() == 10
    assert (estimated[10:] == 0).all()


def test_rows_of_unequal_size_are_undone() -> None:
    spectrum, rng, found = SPECTRA["isotropic"], np.random.default_rng(3), []
    for _ in range(8):
        rows = draw(spectrum, 120, rng, shape=1.0)
        sample = np.sort(np.linalg.eigvalsh(np.cov(rows.T)))[::-1]
        estimates = [population_spectrum(sample, 119, RowSizes.of(f)) for f in (1.0, 2.0)]
        found.append([np.square(each).sum() / each.sum() ** 2 * 30 for each in estimates])
    without, counted = np.mean(found, axis=0)
    assert without > 1.15  # the spectrum looks wider than it is
    assert counted < 1 + (without - 1) / 2
