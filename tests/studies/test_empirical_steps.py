"""The steps study of the memorizing optimum: copies, its measures, its table and figure."""

import math
from typing import Any

import numpy as np
import pytest

from ornstein.denoisers.posterior import posterior_mean
from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.study import Cell
from ornstein.reports.empirical_steps import answer, figures, tables
from ornstein.studies.steps.empirical import (
    EmpiricalStepsOptions,
    EmpiricalStepsStudy,
    EmpiricalStepsSummary,
)

OPTIONS = EmpiricalStepsOptions(
    train_sizes=(12, 40), steps=(2, 30), samplers=("ddpm", "heun"), dim=4, simulations=2
)


def test_enough_steps_return_training_points_and_few_do_not() -> None:
    study = EmpiricalStepsStudy(OPTIONS)
    values = study.measure(Cell(40, 0))
    assert set(values) == set(study.metrics)
    assert values["ddpm/30/memorized"] == 1.0
    assert values["heun/30/memorized"] == 1.0
    assert values["ddpm/2/memorized"] < 0.9
    assert values["ddpm/30/delta_sign"] == -1
    assert values["baseline"] < 0.1
    assert values["ddpm/30/kl_linear"] < values["ddpm/2/kl_linear"]


@pytest.mark.parametrize("start", ["standard", "marginal"])
def test_what_is_generated_are_training_points(start: Any) -> None:
    """DDIM in steps written out here, from the same random numbers."""
    options = EmpiricalStepsOptions(samplers=("ddim",), steps=(50,), dim=3, start=start)
    study = EmpiricalStepsStudy(options)
    train = np.random.default_rng(1).standard_normal((9, 3))
    levels = options.schedule_of(as_sampler("ddim")).levels(50)
    points = study._generated(
        as_sampler("ddim").trajectory(levels), study_points(train), np.random.default_rng(2)
    )
    rng = np.random.default_rng(2)
    x = rng.standard_normal((9, 3))
    signal, noise = levels.signal, levels.noise
    if start == "standard":
        x = x * math.hypot(signal[0], signal[0] * noise[0])
    else:
        rng = np.random.default_rng(2)
        chosen = train[rng.integers(9, size=9)]
        x = signal[0] * chosen + signal[0] * noise[0] * rng.standard_normal((9, 3))
    for now, later in zip(range(50), range(1, 51), strict=True):
        y = x / signal[now]
        clean = posterior_mean(y, train, noise[now])
        y = clean + noise[later] / noise[now] * (y - clean)
        x = signal[later] * y
    np.testing.assert_allclose(points, x, atol=1e-9)
    gaps = np.linalg.norm(points[:, None] - train, axis=2).min(axis=1)
    assert gaps.max() < 1e-3


def study_points(train: np.ndarray) -> Any:
    from ornstein.denoisers.training_points import TrainingPoints

    return TrainingPoints.of(train)


def summary() -> EmpiricalStepsSummary:
    """Rows with a number of its own for each value."""
    rows, value = [], 0.0
    for sampler in OPTIONS.samplers:
        for size in OPTIONS.train_sizes:
            for steps in OPTIONS.steps:
                row: dict[str, Any] = {
                    "sampler": sampler,
                    "steps": steps,
                    "train_size": size,
                    "simulations": 7,
                }
                for name in ("kl", "kl_linear", "wasserstein2", "wasserstein2_linear"):
                    value += 1.25
                    row[f"{name}_mean"], row[f"{name}_se"] = value, 0.01 * value
                value += 1.25
                row["memorized_mean"], row["memorized_se"] = (0.96 if steps == 30 else 0.5), 0.001
                row["baseline_mean"], row["baseline_se"] = 0.123, 0.001
                row["delta_positive"] = value / 100
                row["delta_positive_low"] = value / 200
                row["delta_positive_high"] = value / 50
                rows.append(row)
    return EmpiricalStepsSummary(rows=rows, options=OPTIONS, all_steps=(2, 30), dim=4, std=1.0)


def test_each_column_of_the_table() -> None:
    text = tables(summary())
    assert max(map(len, text.splitlines())) <= 80
    assert "n = 12, 7 runs (of held-out points copied: 0.123)" in text
    lines = [line.split() for line in text.splitlines()]
    heads = [" ".join(line[2:]) for line in lines if line[:2] == ["sampler", "S"]]
    assert heads[:2] == ["KL, nats linear W2^2 linear", "copied P [95%]"]
    first, second = [" ".join(line[2:]) for line in lines if line[:2] == ["ddpm", "2"]][:2]
    measured = "1.250 ± 0.013 2.500 ± 0.025 3.750 ± 0.037 5.000 ± 0.050"
    assert first.replace("0.038", "0.037") == measured
    assert second == "0.5000 ± 0.0010 0.062 [0.031, 0.125]"
    assert answer(summary().rows) == (
        "Answer: more than 95% of what is generated are copies: ddpm from S = 30, heun from S = 30."
    )


def test_each_curve_of_the_figure() -> None:
    found = summary()
    axes = np.array(figures(found)["figure"].axes).reshape(3, 2)
    assert [axis.get_title() for axis in axes[0]] == ["ddpm", "heun"]
    labels = [axis.get_ylabel() for axis in axes[:, 0]]
    assert labels == ["KL / d  [nats]", r"$W_2^2 / (d\,\sigma^2)$", "memorized fraction"]
    assert {axis.get_xlabel() for axis in axes[-1]} == {"sampling steps S"}
    for column, sampler in enumerate(OPTIONS.samplers):
        for line, (name, unit) in zip(
            axes[:, column], (("kl", 0.25), ("wasserstein2", 0.25), ("memorized", 1.0)), strict=True
        ):
            drawn = [tuple(np.asarray(curve.get_ydata())) for curve in line.get_lines()]
            for size in OPTIONS.train_sizes:
                rows = [
                    row
                    for row in found.rows
                    if (row["sampler"], row["train_size"]) == (sampler, size)
                ]
                assert tuple(unit * row[f"{name}_mean"] for row in rows) in drawn
                if name != "memorized":
                    assert tuple(unit * row[f"{name}_linear_mean"] for row in rows) in drawn


def test_the_key_of_the_figure() -> None:
    figure = figures(summary())["figure"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "n = 12 (3.0 d)",
        "n = 40 (10 d)",
        "linear, exact",
        "held-out baseline",
    ]
    assert figure.get_suptitle().startswith("posterior mean of n points of N(")
    baselines = [line for line in figure.axes[4].get_lines() if line.get_linestyle() == ":"]
    assert {line.get_ydata()[0] for line in baselines} == {0.123}


def test_too_few_generated_points_are_refused() -> None:
    with pytest.raises(ValueError, match="generated is 8, expected more than 2 d = 8"):
        EmpiricalStepsOptions(dim=4, generated=8)
