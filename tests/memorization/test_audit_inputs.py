"""What an audit compares and shows: rows are those of the sets as they were given."""

import numpy as np
import pytest

from ornstein import audit
from ornstein.memorization.audit import _scales
from ornstein.memorization.reference import closed_form_share


def test_rows_of_what_is_shown_are_those_that_were_given() -> None:
    """Held-out rows are counted before some are removed; the closed form takes what is left."""
    rng = np.random.default_rng(20)
    train, held_out, new = (rng.standard_normal((n, 4, 4)) for n in (60, 90, 25))
    held_out[[0, 3, 5]] = train[[7, 8, 9]]
    report = audit(train, held_out, new, metrics=False, progress=False)
    assert report.pairs is not None
    for a, b, gap in report.pairs.held_out_rows:
        assert np.linalg.norm(held_out[a] - train[b]) == pytest.approx(gap)
        assert gap > 0
    shown = [row[0] for row in report.pairs.held_out_rows]
    np.testing.assert_array_equal(report.pairs.held_out, held_out[shown])
    assert report.gaussian_closed_form == closed_form_share(train.reshape(60, 16), 87)


def test_from_where_on_a_scale_or_a_place_is_another() -> None:
    """At three times the standard deviation of the training set, or one of them from its mean."""
    train = 5 + 2 * np.array([[-1.0, 1.0], [1.0, -1.0]])  # of mean 5 and standard deviation 2

    def moved(scale: float, shift: float) -> np.ndarray:
        return 5 + 2 * shift + scale * (train - 5)

    assert _scales(train, moved(2.9, 0.9), moved(0.35, -0.9)) == ()
    wide, far = _scales(train, moved(3.1, 0.0), moved(1.0, 1.1))
    assert wide.startswith(
        "The standard deviation of the held-out points is 3.1 times that of the "
    )
    assert far.startswith("The mean of the generated points is 1.1 standard deviations from that ")
    (narrow,) = _scales(train, train, moved(0.32, 0.0))
    assert "generated points is 0.32 times" in narrow
