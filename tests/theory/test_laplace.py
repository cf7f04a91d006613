"""Laplace's method: derivatives against mpmath, exact cases, order of the error."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2

from ornstein.theory.numerics import laplace
from ornstein.theory.numerics.laplace import Jet, log_expectation


def test_jets_differentiate_like_mpmath():
    point = np.array([0.7, 1.3, -0.4])

    def formula(x, y, z, exp, log, square, inverse):
        return square(x * y - 2.0) / (1.0 + square(z)) + log(exp(y) + x) * z - 3.0 * inverse(y) + x

    x, y, z = Jet.variables(point[:, None])
    jet = formula(x, y, z, Jet.exp, Jet.log, Jet.square, Jet.reciprocal)

    def plain(*values):
        return formula(*values, mpmath.exp, mpmath.log, lambda v: v * v, lambda v: 1 / v)

    with mpmath.workdps(30):
        assert jet.value.item() == pytest.approx(float(plain(*point)), rel=1e-14)
        orders = np.eye(3, dtype=int)
        gradient = [float(mpmath.diff(plain, tuple(point), tuple(o.tolist()))) for o in orders]
        assert jet.gradient[:, 0] == pytest.approx(gradient, rel=1e-12)
        hessian = [
            float(mpmath.diff(plain, tuple(point), tuple((orders[i] + orders[j]).tolist())))
            for i, j in zip(*np.triu_indices(3), strict=True)
        ]
        assert jet.hessian[:, 0] == pytest.approx(hessian, rel=1e-12, abs=1e-14)


def test_arrays_on_either_side_of_a_jet():
    (x,) = Jet.variables(np.array([[1.0, 2.0]]))
    weights = np.array([3.0, 5.0])
    for jet in (weights * x, x * weights):
        assert jet.value.tolist() == [3.0, 10.0]
        assert jet.gradient.tolist() == [[3.0, 5.0]]
    assert (weights + x).value.tolist() == (x + weights).value.tolist() == [4.0, 7.0]
    assert (weights - x).gradient.tolist() == [[-1.0, -1.0]]
    assert (x / weights).value == pytest.approx([1 / 3, 0.4])


def test_exact_for_tilted_chi_squares_and_normals():
    dof = np.array([[1.0, 5.0, 400.0], [0.0, 2.0, 50.0]])
    tilt, linear, square = 0.8, 1.3, 0.6

    def exponent(logs, normals):
        (z,) = normals
        there = np.where(dof[1] > 0, 1.0, 0.0)
        X = logs[0].exp() + logs[1].exp() * there
        return X * -tilt + z * linear - z.square() * (0.5 * square)

    expected = -0.5 * dof.sum(0) * np.log1p(2 * tilt)
    expected += linear**2 / (2 * (1 + square)) - 0.5 * np.log1p(square)
    assert log_expectation(exponent, dof, 1) == pytest.approx(expected, abs=1e-9)


def test_error_of_the_ratio_falls_like_one_over_k():
    # (1 + X/k)^{-k/4}: the exponent grows with k. The error of ln E is then of order 1/k, that of
    # plain Laplace, without its ratio, of order 1.
    def error(k):
        def integrand(x):
            return np.exp(-k / 4 * np.log1p(x / k) + chi2.logpdf(x, k))

        exact = quad(integrand, 0, 10 * k, epsabs=0, epsrel=1e-11, limit=200)[0]
        found = log_expectation(
            lambda logs, _: (logs[0].exp() * (1 / k) + 1.0).log() * (-k / 4),
            np.array([[float(k)]]),
            0,
        )
        return found.item() - np.log(exact)

    assert abs(error(20)) < 2e-3
    assert error(20) / error(40) == pytest.approx(2.0, rel=0.1)


def test_no_convergence_is_said(monkeypatch):
    monkeypatch.setattr(laplace, "_MAX_STEPS", 2)
    with pytest.raises(RuntimeError, match="no maximum in 2 steps"):
        log_expectation(lambda logs, _: logs[0].exp() * -50.0, np.array([[3.0]]), 0)
