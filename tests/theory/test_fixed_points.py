"""Anderson's acceleration: known fixed points, slow ones soon, and what has none."""

import numpy as np
import pytest

from ornstein.theory.numerics.fixed_points import positive_fixed_point


def test_a_linear_map_that_shrinks_slowly() -> None:
    """x = b + 0.999 A x, A of one slow direction: iteration alone takes twenty thousand steps."""
    rng = np.random.default_rng(0)
    A = rng.random((30, 30))
    A /= A.sum(axis=1, keepdims=True)
    b = rng.random(30)
    calls = []

    def step(x: np.ndarray) -> np.ndarray:
        calls.append(x)
        return b + 0.999 * A @ x

    found = positive_fixed_point(step, np.ones(30), 1e-12)
    np.testing.assert_allclose(found, np.linalg.solve(np.eye(30) - 0.999 * A, b), rtol=1e-8)
    assert len(calls) < 40


@pytest.mark.parametrize("start", [1e-6, 1.0, 1e9])
def test_a_curved_map_from_far_away(start: float) -> None:
    scale = np.geomspace(1e-3, 1e3, 50)
    found = positive_fixed_point(lambda x: scale / (1 + x), np.full(50, start), 1e-13)
    np.testing.assert_allclose(found, (np.sqrt(1 + 4 * scale) - 1) / 2, rtol=1e-9)


def test_nothing_is_said_where_there_is_none() -> None:
    with np.errstate(over="ignore"):
        assert positive_fixed_point(lambda x: 2 * x, np.ones(2), 1e-9) is None
