"""Losses of the best linear answer, and which networks are said to be barely trained."""

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.summary import barely_trained, linear_loss, training_note
from ornstein.studies.neural.unet import UNetStudy

SMALL: dict[str, Any] = {"model": "mlp", "pixels": 2, "originals": 50, "seed": 3}


@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v"])
def test_the_linear_loss_is_that_of_a_regression(prediction: Any) -> None:
    """Least squares of the target on the noised point, mode by mode and step by step."""
    options = NeuralOptions((10,), diffusion_steps=4, prediction=prediction)
    levels = options.schedule.levels(4)
    rng, modes, losses, count = np.random.default_rng(0), np.array([0.3, 1.7]), [], 400_000
    for alpha, sigma in zip(levels.signal[:-1], levels.noise_std[:-1], strict=True):
        for variance in modes:
            x = math.sqrt(variance) * rng.standard_normal(count)
            z = rng.standard_normal(count)
            target = {"epsilon": z, "sample": x, "v": alpha * z - sigma * x}[prediction]
            noised = (alpha * x + sigma * z)[:, None]
            _, (left,), *_ = np.linalg.lstsq(noised, target)
            losses.append(left / count)
    # A mean of squares of Gaussians has the relative error sqrt(2 / count).
    slack = 4 * math.sqrt(2 / count) * np.linalg.norm(losses) / len(losses)
    assert abs(linear_loss(modes, options) - np.mean(losses)) < slack


def test_a_population_of_no_variance_leaves_nothing_to_say() -> None:
    assert linear_loss([0.0, 0.0], NeuralOptions()) == 0


def row(n: int, **values: float) -> dict[str, Any]:
    return {"train_size": n, **{f"{name}_mean": value for name, value in values.items()}}


class TestRule:
    def test_half_the_way_to_the_best_linear_loss(self) -> None:
        rows = [row(10, train_loss=0.71), row(20, train_loss=0.69), row(30, train_loss=0.2)]
        assert barely_trained(rows, 0.4, 1.0) == (10,)
        # Its error may be all that keeps it from there.
        rows[0]["train_loss_se"] = 0.006
        assert barely_trained(rows, 0.4, 1.0) == ()

    def test_where_there_is_next_to_nothing_to_learn(self) -> None:
        assert barely_trained([row(10, train_loss=1.2)], 0.99, 1.0) == ()

    def test_twice_as_far_and_a_tenth_of_the_spread(self) -> None:
        def judged(network: float, linear: float, error: float = 0.0) -> bool:
            values = row(10, wasserstein2=network, wasserstein2_linear=linear)
            values |= {"wasserstein2_se": error, "wasserstein2_linear_se": math.nan}
            return bool(barely_trained([values], 0.4, 5.0))

        assert judged(2.1, 1.0)
        assert not judged(1.9, 1.0)
        assert not judged(2.1, 1.0, error=0.06)
        assert not judged(0.4, 0.01)
        assert judged(0.52, 0.01)

    def test_what_is_missing_says_nothing(self) -> None:
        values = {"train_loss": math.nan, "wasserstein2": math.nan, "wasserstein2_linear": math.nan}
        assert barely_trained([row(10, **values), row(20)], 0.4, 1.0) == ()

    def test_the_last_step_counts_and_all_samplers_must_agree(self) -> None:
        rows = [row(10, loss_train=0.99) | {"step": 10}, row(10, loss_train=0.5) | {"step": 100}]
        assert barely_trained(rows, 0.4, 1.0) == ()
        assert barely_trained(rows[::-1], 0.4, 1.0) == ()
        far = row(10, wasserstein2=9.0, wasserstein2_linear=1.0)
        near = row(10, wasserstein2=1.0, wasserstein2_linear=1.0)
        steps = [{**far, "steps": 50}, {**near, "steps": 50}, {**far, "steps": 5}]
        assert barely_trained(steps, 0.4, 1.0) == ()
        assert barely_trained([{**far, "steps": 50}, {**near, "steps": 5}], 0.4, 1.0) == (10,)


def test_the_note_says_why_and_what_to_do() -> None:
    rows = [row(50, train_loss=0.9712), row(150, train_loss=0.9)]
    options = NeuralOptions((50, 150))
    assert training_note((50, 150), rows, 0.5928, options) == [
        (
            "barely trained at n = 50, 150: the training loss is 0.971 at n = 50, where the "
            "answer 0 "
            "has 1 and the best linear denoiser 0.593. What is generated says little about "
            "memorization: raise --epochs (now 10, 10 optimiser steps at n = 50), or give "
            "--training-steps."
        ),
    ]
    far = [row(50, wasserstein2=6.0, wasserstein2_linear=2.4)]
    (note,) = training_note((50,), far, 0.5928, NeuralOptions((50,), training_steps=30))
    assert "W2^2 is 2.5 times that of the best linear denoiser at n = 50" in note
    assert note.endswith("raise --training-steps (now 30).")
    assert training_note((), rows, 0.5, options) == []


def test_few_optimiser_steps_are_noticed_and_many_are_not() -> None:
    """Ten steps, as the published settings have for 50 images, against 150."""
    chosen: dict[str, Any] = {**SMALL, "generated": 40, "simulations": 1}
    few, many = (
        UNetStudy(NeuralOptions((50,), training_steps=steps, learning_rate=rate, **chosen)).run(
            jobs=1
        )
        for steps, rate in ((10, 2e-4), (150, 4e-3))
    )
    assert few.barely_trained == (50,)  # type: ignore[attr-defined]
    assert many.barely_trained == ()  # type: ignore[attr-defined]
    assert "barely trained at n = 50" in few.table()
    assert "barely trained" not in many.table()
