"""Batches of points give what one fit gives, from any type of file, and no work unasked."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein import Gaussian, LinearDiffusion, OneStepDenoiser
from ornstein.data.running_moments import RunningMoments
from ornstein.denoisers import linear, one_step
from ornstein.denoisers.linear import empirical_law


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    dim=st.integers(1, 12),
    seed=st.integers(0, 1000),
    ridge=st.sampled_from([0.0, 0.3]),
)
def test_batches_give_what_fit_gives(sizes: list[int], dim: int, seed: int, ridge: float) -> None:
    sizes = [sizes[0] + 1, *sizes[1:]]
    X = Gaussian.power_law(dim, 1.0, mean=10.0).sample(sum(sizes), seed)
    whole = LinearDiffusion("heun", 10, "karras", ridge=ridge, random_state=seed).fit(X)
    parts = LinearDiffusion("heun", 10, "karras", ridge=ridge, random_state=seed)
    for batch in np.split(X, np.cumsum(sizes)[:-1]):
        parts.partial_fit(batch)
    for name in ("data_law_", "generated_law_"):
        law, other = getattr(whole, name), getattr(parts, name)
        np.testing.assert_allclose(other.mean, law.mean, rtol=1e-12)
        np.testing.assert_allclose(
            other.covariance.dense(), law.covariance.dense(), atol=1e-12 * (1 + ridge)
        )
        assert other.covariance.rank == law.covariance.rank
    np.testing.assert_allclose(parts.sample(3), whole.sample(3), rtol=1e-6, atol=1e-6)


def test_far_from_zero_no_digits_are_lost() -> None:
    X = Gaussian.isotropic(6).sample(500, rng=0)
    near, far = RunningMoments(6), RunningMoments(6)
    for batch in np.split(X, 10):
        near.absorb(batch)
        far.absorb(batch + 1e6)
    np.testing.assert_allclose(
        far.law().covariance.dense(), near.law().covariance.dense(), atol=1e-9
    )
    # A sum of squares less the square of the sum keeps four digits here.
    squares = (X + 1e6).T @ (X + 1e6) / 500 - np.outer(X.mean(0) + 1e6, X.mean(0) + 1e6)
    assert np.abs(squares - near.law().covariance.dense()).max() > 1e-6


def test_constant_coordinates_stay_constant() -> None:
    X = np.c_[Gaussian.isotropic(4, mean=3.0).sample(300, rng=0), np.full(300, 0.1)]
    parts = LinearDiffusion()
    for batch in np.split(X, 6):
        parts.partial_fit(batch)
    assert parts.data_law_.covariance.rank == empirical_law(X).covariance.rank == 4


@pytest.mark.parametrize("dtype", ["float16", "float32", ">f8", "uint8", "int32", "bool"])
def test_rows_of_a_mapped_file(tmp_path: Path, dtype: str) -> None:
    """Each block is turned into float64, the file never is."""
    X = (10 + 3 * np.random.default_rng(0).standard_normal((200, 5))).astype(dtype)
    if dtype == "bool":
        X = np.random.default_rng(0).random((200, 5)) < 0.3
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    parts = LinearDiffusion()
    for start in range(0, 200, 50):
        parts.partial_fit(mapped[start : start + 50])
    expected = np.cov(X.astype(float).T, ddof=0)
    np.testing.assert_allclose(parts.data_law_.covariance.dense(), expected, atol=1e-12)


def test_laws_are_computed_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decompositions of (d, d) arrays after every batch would take longer than the batches."""
    asked: list[str] = []
    generated, fitted = linear.generated_law, one_step.fit_pairs
    monkeypatch.setattr(
        linear, "generated_law", lambda *a: (asked.append("linear"), generated(*a))[1]
    )
    monkeypatch.setattr(one_step, "fit_pairs", lambda *a: (asked.append("one"), fitted(*a))[1])
    X = Gaussian.isotropic(4).sample(60, rng=0)
    many, once = LinearDiffusion(), OneStepDenoiser()
    for batch in np.split(X, 6):
        many.partial_fit(batch)
        once.partial_fit(batch)
    assert asked == []
    for _ in range(2):
        assert many.generated_law_.dim == once.generated_law_.dim == once.coef_.shape[0] == 4
    assert asked == ["linear", "one"]
    many.partial_fit(X)
    assert many.generated_law_.dim == 4
    assert asked == ["linear", "one", "linear"]


@pytest.mark.parametrize("model", [LinearDiffusion(), OneStepDenoiser()])
def test_nothing_is_fitted_yet(model: LinearDiffusion | OneStepDenoiser) -> None:
    assert not hasattr(model, "generated_law_")
    with pytest.raises(AttributeError, match="not fitted yet: call fit first"):
        _ = model.generated_law_
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        model.partial_fit([[1.0, 2.0]])


def test_fit_starts_anew() -> None:
    X = Gaussian.isotropic(3).sample(40, rng=0)
    model = LinearDiffusion().partial_fit(X)
    assert model.fit(X[:20]).data_law_.mean == pytest.approx(X[:20].mean(0))
    assert model.partial_fit(X[20:]).data_law_.mean == pytest.approx(X[20:].mean(0))
