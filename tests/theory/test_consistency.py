"""Cross-split consistency: Marchenko-Pastur integral, 30 digits, limits, simulation."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein.theory.random_matrices.consistency import split_consistency
from ornstein.theory.random_matrices.marchenko_pastur import marchenko_pastur_mean

ratios = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)


def test_check_values():
    assert split_consistency(1.0) == pytest.approx(64 / (9 * np.pi**2), rel=1e-15)
    assert split_consistency(1 / 4) == pytest.approx(0.936419, abs=5e-7)
    assert split_consistency(4.0) == pytest.approx(0.234105, abs=5e-7)


@given(ratio=ratios)
def test_is_the_squared_mean_root_of_the_law(ratio):
    # At c = 1 the root has a kink at the edge of the law, which slows the quadrature down.
    expected = marchenko_pastur_mean(np.sqrt, ratio) ** 2
    assert split_consistency(ratio) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.01, 0.5, 0.999999, 1.0, 1.000001, 2.0, 300.0])
def test_against_direct_integration_in_30_digits(ratio):
    with mpmath.workdps(30):
        c = mpmath.mpf(ratio)

        def integrand(angle):
            x = (1 - mpmath.sqrt(c)) ** 2 + 4 * mpmath.sqrt(c) * mpmath.cos(angle / 2) ** 2
            return 2 / mpmath.pi * mpmath.sin(angle) ** 2 / mpmath.sqrt(x)

        grid = [0, 2, 3, 3.1, 3.14, 3.1415, mpmath.pi]
        expected = mpmath.quad(integrand, grid) ** 2
    assert split_consistency(ratio) == pytest.approx(float(expected), rel=1e-13)


def test_limits_and_order():
    assert split_consistency(1e-9) == pytest.approx(1 - 0.25e-9, abs=1e-16)
    assert split_consistency(1e9) == pytest.approx(1e-9, rel=1e-8)
    assert (np.diff(split_consistency(np.geomspace(1e-3, 1e3, 400))) < 0).all()


def test_types_and_errors():
    assert type(split_consistency(2.0)) is float
    assert split_consistency([[0.5, 2.0]]).shape == (1, 2)
    with pytest.raises(ValueError, match="aspect_ratio is 0"):
        split_consistency(0.0)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_two_simulated_models(ratio):
    rng = np.random.default_rng(3)
    dim = 160
    n_train = int(dim / ratio)

    def root():
        x = rng.standard_normal((n_train, dim))
        values, vectors = np.linalg.eigh(x.T @ x / n_train)
        return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T

    overlaps = []
    for _ in range(12):
        z = rng.standard_normal((dim, 400))
        overlaps.append(np.einsum("ij,ij->", root() @ z, root() @ z) / z.size)
    error = np.std(overlaps, ddof=1) / np.sqrt(len(overlaps))
    # Beyond 4 standard errors, the finite-size bias of order 1/dim.
    assert np.mean(overlaps) == pytest.approx(split_consistency(ratio), abs=4 * error + 0.5 / dim)
