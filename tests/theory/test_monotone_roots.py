"""The bracketed Newton method on functions that are hard for Newton's method alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein.theory.numerics.monotone_roots import decreasing_root

STEEPNESS = [1e-3, 1.0, 20.0]


@pytest.mark.parametrize("steepness", STEEPNESS)
@given(exponent=st.floats(-100, 100))
def test_finds_the_root_of_a_sigmoid_from_a_bracket_of_many_decades(steepness, exponent):
    target = 10.0**exponent

    def sigmoid(y):
        value = -np.tanh(steepness * np.log(y / target))
        return value, -steepness * (1 - value**2)

    found = decreasing_root(sigmoid, np.array([1e-150]), np.array([1e150]))
    # ln y carries the rounding of ln(y / target), magnified where the function is flat.
    assert found == pytest.approx(target, rel=1e-13)


def test_crosses_plateaus_without_a_slope():
    def staircase(y):
        x = np.log(y)
        return np.where(x < 3, 1.0, np.where(x < 3.5, 1 - 4 * (x - 3), -1.0)), np.where(
            (x > 3) & (x < 3.5), -4.0, 0.0
        )

    found = decreasing_root(staircase, np.full(2, 1e-8), np.full(2, 1e9))
    assert found == pytest.approx(np.exp(3.25), rel=1e-14)


def test_elements_do_not_see_each_other():
    targets = 10.0 ** np.arange(-8.0, 9.0)

    def hyperbola(y, goal=targets):
        return goal / y - 1, -goal / y

    together = decreasing_root(hyperbola, np.full(17, 1e-30), np.full(17, 1e30))
    alone = [
        decreasing_root(lambda y, g=g: hyperbola(y, g), np.array([1e-30]), np.array([1e30])).item()
        for g in targets
    ]
    assert together.tolist() == alone
    assert together == pytest.approx(targets, rel=1e-15)


def test_a_closed_bracket_is_the_root():
    def fail(_):
        raise AssertionError("the function should not be called")

    bound = np.array([0.1, 7.0])
    assert decreasing_root(fail, bound, bound) == pytest.approx(bound, rel=1e-15)


def test_what_is_found_is_not_asked_for_again():
    """The same bits as of all elements at every step, and fewer of them each time."""
    targets, steepness = 10.0 ** np.arange(-6.0, 6.0).reshape(3, 4), np.geomspace(1e-3, 30, 12)
    sizes = []

    def sigmoid(y, some):
        sizes.append(some.size)
        value = -np.tanh(steepness[some] * np.log(y / targets.ravel()[some]))
        return value, -steepness[some] * (1 - value**2)

    def every(y):
        value, slope = sigmoid(y.ravel(), np.arange(12))
        return value.reshape(3, 4), slope.reshape(3, 4)

    bounds = np.full((3, 4), 1e-150), np.full((3, 4), 1e150)
    expected = decreasing_root(every, *bounds)
    sizes.clear()
    found = decreasing_root(sigmoid, *bounds, some=True)
    np.testing.assert_array_equal(found, expected)
    assert sizes[0] == 12 > 2 * min(sizes)
    assert (np.diff(sizes) <= 0).all()
    one = decreasing_root(
        lambda y, some: (3.0 / y - 1 + 0 * some, -3.0 / y), *np.array([[1e-9], [1e9]]), some=True
    )
    assert one == pytest.approx(3.0, rel=1e-15)
