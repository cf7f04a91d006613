"""Losses of subsets, from the rows alone: exact ends, Gaussian limit, simulation."""

import numpy as np
import pytest
from tests.forecasting.populations import SPECTRA, draw

from ornstein.theory import denoising_losses, membership, subset_losses
from ornstein.theory.numerics import fixed_points


def fitted(drawn: np.ndarray, left: np.ndarray, v: float) -> tuple[float, float]:
    """Losses of the denoiser of some rows on them, and on others; per dimension."""
    d = drawn.shape[1]
    C = np.cov(drawn.T)
    W = C @ np.linalg.inv(C + v * np.eye(d))
    passed = v * np.square(W).sum()
    return tuple(
        float(np.square((rows - drawn.mean(axis=0)) @ (np.eye(d) - W)).sum(1).mean() + passed) / d
        for rows in (drawn, left)
    )


def uneven(n: int, rng: np.random.Generator) -> np.ndarray:
    rows = rng.laplace(size=(n, 6)) * np.exp(0.5 * rng.standard_normal((n, 1)))
    return rows * np.array([3.0, 1.0, 1.0, 0.5, 0.2, 0.1]) + 7.0


@pytest.mark.parametrize("n", [4, 25])
def test_all_points_are_a_fit_and_leave_one_out(n: int) -> None:
    """At n = N nothing is random; "test" is of rows left out one by one, of n - 1 others."""
    rows, v = uneven(n, np.random.default_rng(n)), 0.3
    train, _ = fitted(rows, rows, v)
    found = subset_losses(rows, v, n)
    assert found.train == pytest.approx(train, rel=1e-6)
    # Leave-one-out, with covariance of the others scaled as if they were n: 1/(n - 1) for n - 2.
    residuals, d = [], rows.shape[1]
    for i in range(n):
        others = np.delete(rows, i, axis=0)
        C = np.cov(others.T) * (n - 2) / (n - 1)
        left = v * np.linalg.solve(C + v * np.eye(d), rows[i] - others.mean(axis=0))
        residuals.append(left @ left)
    C = np.cov(rows.T)
    passed = v * np.square(C @ np.linalg.inv(C + v * np.eye(d))).sum()
    # |x - mean of n - 1|^2 is n/(n - 1) times the variance, |x - mean of n|^2 (n + 1)/n times.
    expected = (np.mean(residuals) * (1 + 1 / n) / (n / (n - 1)) + passed) / d
    assert found.test == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("n", [10, 60])
def test_gaussian_rows_have_the_renormalised_noise(name: str, n: int) -> None:
    """Means over data sets: n of N are n fresh points. The equivalent errs by O(1/n), here 1.2%."""
    spectrum, v, rng = SPECTRA[name], 0.2, np.random.default_rng(5)
    found = [subset_losses(draw(spectrum, 150, rng), v, n) for _ in range(40)]
    losses, residuals = denoising_losses(spectrum, v, n - 1), membership(spectrum, v, n - 1)
    expected = (
        losses.train - residuals.member_mean / n / 30,
        losses.test + residuals.non_member_mean / n / 30,
    )
    error = np.std(found, axis=0, ddof=1) / np.sqrt(40)
    room = 4 * error + np.multiply([0.01, 0.02], expected)
    assert (np.abs(np.mean(found, axis=0) - expected) < room).all()


@pytest.mark.parametrize("n", [12, 40, 110])
def test_rows_of_any_shape_against_subsets(n: int) -> None:
    rng = np.random.default_rng(1)
    kinds = np.where(np.arange(120)[:, None] % 2, np.geomspace(3, 0.03, 20), 0.3)
    rows = kinds * np.exp(0.7 * rng.standard_normal((120, 1))) * rng.laplace(size=(120, 20))
    v = 0.05
    measured = []
    for _ in range(400):
        order = rng.permutation(120)
        measured.append(fitted(rows[order[:n]], rows[order[n:]], v))
    mean, error = np.mean(measured, axis=0), np.std(measured, axis=0) / 20
    found = np.array(subset_losses(rows, v, n))
    assert (np.abs(found - mean) < 4 * error + 0.03 * mean).all(), found / mean - 1
    spectrum = np.linalg.eigvalsh(np.cov(rows.T))
    if n == 40:
        gaussian = denoising_losses(spectrum, v, n - 1)
        assert abs(gaussian.test / mean[1] - 1) > 0.1  # what the shape of the rows makes


def test_units_rotation_and_mean_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    rows = uneven(60, rng)
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    one = np.array(subset_losses(rows, 0.1, 20))
    np.testing.assert_allclose(subset_losses(1e100 * rows, 0.1e200, 20), 1e200 * one, rtol=1e-6)
    np.testing.assert_allclose(subset_losses(rows @ turn - 3.0, 0.1, 20), one, rtol=1e-6)
    assert subset_losses(np.full((5, 2), 3.0), 0.1, 3) == (0.0, 0.0)


def test_rows_at_the_mean_have_no_leverage() -> None:
    rows = np.array([[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0], [3.0, -1.0], [-3.0, 1.0]])
    v = 0.5
    found = subset_losses(rows, v, 5)
    assert found.train == pytest.approx(fitted(rows, rows, v)[0], rel=1e-6)


def test_wrong_arguments_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = uneven(10, np.random.default_rng(0))
    for arguments, message in (
        ((rows, 0.1, 11), "n_train is 11, expected at most 10, the number of points"),
        ((rows, 0.1, 1), "n_train"),
        ((rows, 1e-9, 5), "expected at least 1e-06 of the points' largest variance"),
        ((1e-200 * rows, 1.0, 5), "expected at most 1e\\+200 of their squares"),
        ((1e200 * rows, 1.0, 5), "expected at least 1e-06 of the points' largest variance, inf"),
        ((rows * np.nan, 0.1, 5), "points"),
    ):
        with pytest.raises(ValueError, match=message):
            subset_losses(*arguments)
    monkeypatch.setattr(fixed_points, "_STEPS", 1)
    with pytest.raises(ValueError, match="losses of subsets of 5 points were not found"):
        subset_losses(rows, 0.1, 5)
