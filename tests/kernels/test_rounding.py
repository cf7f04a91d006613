"""The bound of rounding that pairs of points share: against exact arithmetic, and attained."""

from fractions import Fraction

import numpy as np
import pytest

from ornstein.kernels.rounding import (
    distance_error,
    height_error,
    inner_products,
    pairwise_sum,
    rounding_factor,
)

U = 2.0**-53


def exact(values: np.ndarray) -> list[Fraction]:
    return [Fraction(float(value)) for value in values]


def whole(*arrays: np.ndarray) -> tuple[list[list[list[int]]], Fraction]:
    """Rows of floats as whole multiples of one power of 1/2, and that: quicker than fractions."""
    ratios = [[[float(v).as_integer_ratio() for v in row] for row in rows] for rows in arrays]
    most = max(below for rows in ratios for row in rows for _, below in row)
    return (
        [[[above * (most // below) for above, below in row] for row in rows] for rows in ratios],
        Fraction(1, most),
    )


def clouds(rng: np.random.Generator, dim: int):
    """Near pairs, far pairs, equal ones, all of one sign, far from the origin."""
    x = rng.standard_normal((4, dim))
    yield x, x + 1e-9 * rng.standard_normal((4, dim)), 0.0, 1.0
    yield x, x.copy(), 0.0, 1.0
    yield np.abs(x), 3 * np.abs(rng.standard_normal((4, dim))), 0.0, 1.0
    yield 1e6 + x, 1e6 + x + 1e-7, 1e6 + 0.3, 0.7
    yield x, 1e5 * rng.standard_normal((4, dim)), 0.1, 3.0


@pytest.mark.parametrize("dim", [1, 2, 5, 100, 1000])
def test_bounds_hold_for_matrix_products(dim: int) -> None:
    """Shifted and divided as the kernels do, the products by the BLAS at hand."""
    rng = np.random.default_rng(dim)
    for a, b, centre, unit in clouds(rng, dim):
        x, y = (a - centre) / unit, (b - centre) / unit
        squares_x, squares_y = (np.einsum("ij,ij->i", z, z) for z in (x, y))
        products = x @ y.T
        distances = squares_x[:, None] + squares_y - 2 * products
        heights = squares_x[:, None] - 2 * products
        (left, right, ((shift,),)), part = whole(a, b, np.array([[centre]]))
        square = (part / Fraction(unit)) ** 2
        for i, p in enumerate(left):
            for j, q in enumerate(right):
                distance = square * sum((s - t) ** 2 for s, t in zip(p, q, strict=True))
                height = square * sum(
                    (s - shift) * (s + shift - 2 * t) for s, t in zip(p, q, strict=True)
                )
                norms = np.sqrt(squares_x[i]), np.sqrt(squares_y[j])
                off = abs(Fraction(float(distances[i, j])) - distance)
                assert off <= Fraction(float(distance_error(dim, *norms)))
                off = abs(Fraction(float(heights[i, j])) - height)
                assert off <= Fraction(float(height_error(dim, *norms)))


@pytest.mark.parametrize("dim", [10, 1000])
def test_no_smaller_bound_holds_for_every_order_of_summation(dim: int) -> None:
    """A running sum 1 + u' + u' + ..., u' just above u, is rounded up at every step."""
    x = np.full(dim, np.sqrt(1.001 * U))
    x[0] = 1.0
    total = 0.0
    for value in x:
        total += value * value
    truth = sum(value * value for value in exact(x))
    error = abs(Fraction(total) - truth)
    assert error > Fraction(0.95 * (dim - 1) * U)
    assert error <= Fraction(height_error(dim, 1.0, 0.0))


@pytest.mark.parametrize("width", [1, 2, 3, 7, 64, 1000])
def test_pairwise_sums_round_as_often_as_a_tree_is_high(width: int) -> None:
    rng = np.random.default_rng(width)
    terms = rng.standard_normal((5, width)) * 10.0 ** rng.integers(-6, 6, (5, width))
    kept = terms.copy()
    levels = int(np.ceil(np.log2(width)))
    for row, found in zip(terms, pairwise_sum(terms), strict=True):
        error = abs(Fraction(float(found)) - sum(exact(row)))
        assert error <= Fraction(levels * U * 1.001) * sum(map(abs, exact(row)))
    np.testing.assert_array_equal(terms, kept)


@pytest.mark.parametrize("dim", [16, 300, 3000])
def test_products_in_parts_round_less(dim: int) -> None:
    """All of one sign, where errors add up; the squares as a tree."""
    rng = np.random.default_rng(dim)
    x, y = 1 + np.abs(rng.standard_normal((2, 3, dim)))
    (lefts, rights), part = whole(x, y)
    exactly = [
        [part**2 * sum(s * (s - 2 * t) for s, t in zip(p, q, strict=True)) for q in rights]
        for p in lefts
    ]
    for parts in (1, 4, int(np.sqrt(dim))):
        heights = pairwise_sum(np.square(x))[:, None] - 2 * inner_products(x, y, parts)
        for i, left in enumerate(x):
            for j, right in enumerate(y):
                bound = height_error(dim, np.linalg.norm(left), np.linalg.norm(right), parts)
                off = abs(Fraction(float(heights[i, j])) - exactly[i][j])
                assert off <= Fraction(float(bound))
        np.testing.assert_allclose(inner_products(x, y, parts), x @ y.T, rtol=1e-13)


def test_factor() -> None:
    assert rounding_factor(100) == pytest.approx(108 * U, rel=1e-12)
    assert rounding_factor(1000, parts=30) == pytest.approx((34 + 29 + 8) * U, rel=1e-12)
