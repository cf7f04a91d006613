"""A forecast in words: answers to targets, and what follows for training and sampling."""

from __future__ import annotations

__all__ = [
    "LABELS",
    "MEANINGS",
    "DEFINITIONS",
    "SUBJECTS",
    "headline",
    "forecast_answer",
    "target_text",
    "target_sentence",
    "target_finding",
    "advice_sentences",
    "assumption_sentence",
    "network_sentence",
]

import math
from typing import TYPE_CHECKING

from ornstein.forecasting.advice import SHRINKAGE_NOISE, STOPPING_NOISE, VARIANCE_SHARE
from ornstein.forecasting.quantities import TARGETS
from ornstein.forecasting.targets import MOST
from ornstein.reports.tables import count, counted, joined, number

if TYPE_CHECKING:
    from ornstein.forecasting.assumptions import Assumption
    from ornstein.forecasting.report import ForecastReport
    from ornstein.forecasting.targets import Needed

LABELS = {
    "w2": "W2^2",
    "one_step_w2": "one-step W2^2",
    "consistency": "consistency",
    "auc": "AUC",
}
"""Headings of quantities that are not losses."""
MEANINGS = {
    "n": "training points",
    "of data": "n in multiples of your data",
    "W2^2": "of the linear diffusion (many steps), over the total variance",
    "one-step W2^2": "the same of the one-step model; it does not fall to 0",
    "consistency": "of samples of two models of n other points each, same seed",
    "AUC": "chance to tell a training point from a fresh one; 0.5: guess",
    "noise": "level at which the AUC is largest, in units of the data",
    "train": "denoising loss on training points, over the total variance",
    "test": "the same on fresh points",
    "measured": "mean over subsets of your data, with its standard error",
    "theory": "of the same subsets; the error is that of the estimate, if any",
    "differ": "theory above measured, in percent",
    "s.e.": "the difference in standard errors of both",
}
"""What the columns mean, a line each."""
DEFINITIONS = (
    "W2^2 is the squared Wasserstein distance between what is generated and the data, both as "
    "Gaussians: divided by the total variance it is 0 for a perfect model and 1 for the mean of "
    "the data alone. Consistency is 1 for equal samples and 0 for unrelated ones. A point is told "
    "from others by its denoising error at the noise level of the column."
)
SUBJECTS = {
    "threshold": "Threshold",
    "steps": "Sampling steps",
    "grid": "Grid",
    "stopping": "Early stopping",
    "collapse": "Collapse",
}
"""What the sentences of advice are about."""


def headline(report: ForecastReport) -> str:
    """What was forecast, in one sentence."""
    sizes = report.sizes
    left = f" ({sizes.constant} more never vary and are left out)" if sizes.constant else ""
    return (
        f"Forecast for {report.name}: {sizes.points} points of {counted(sizes.dim, 'coordinate')}"
        f"{left}"
    )


def forecast_answer(report: ForecastReport) -> str:
    """For which targets the data are enough, and what the others need, in one sentence."""
    points = report.sizes.points
    if not report.targets:
        at = next(point for point in report.curve if point.n == points)
        return (
            f"with {points} points W2^2 is {number(at.values['w2'])} of the total variance; no "
            "target was given."
        )
    enough = [target_text(each) for each in report.targets if each.n <= points]
    needs = [
        f"{target_text(each)} takes {count(each.n)}"
        for each in report.targets
        if points < each.n < math.inf
    ]
    never = [target_text(each) for each in report.targets if math.isinf(each.n)]
    parts = [f"your {points} points are enough for {joined(enough)}"] if enough else []
    parts += [f"{joined(needs)} points, and you have {points}"] if needs else []
    parts += [f"{MOST * points} points are not enough for {joined(never)}"] if never else []
    return "; ".join(parts) + "."


def target_text(needed: Needed) -> str:
    """A target as it is given.

    Examples
    --------
    >>> from ornstein.forecasting.targets import Needed
    >>> target_text(Needed("auc", 0.55, 10.0, 9.0, 11.0, 0.6, 0.5))
    'auc <= 0.55'
    """
    sign = "<=" if TARGETS[needed.name].falls else ">="
    return f"{needed.name} {sign} {needed.bound:g}"


def target_sentence(needed: Needed, points: int) -> str:
    """Say whether the data are enough for a target, and how many points are needed."""
    meaning = TARGETS[needed.name].meaning
    return f"{target_text(needed)} ({meaning}): {_target_answer(needed, points)}"


def target_finding(needed: Needed, points: int) -> tuple[str, str]:
    """The same as a subject and what is said of it."""
    meaning = TARGETS[needed.name].meaning
    return target_text(needed), f"{meaning}: {_target_answer(needed, points)}"


def _target_answer(needed: Needed, points: int) -> str:
    if math.isinf(needed.n):
        return (
            f"not within {MOST} times your data ({MOST * points} points), where it is "
            f"{number(needed.at_most)}; with your {points} points it is {number(needed.at_data)}."
        )
    band = ""
    if math.isfinite(needed.low):
        top = (
            f"{needed.high:.0f}" if math.isfinite(needed.high) else f"more than {MOST} x your data"
        )
        band = f" [{needed.low:.0f}, {top}]"
    found = f"from {count(needed.n)}{band} points on"
    if needed.n <= points:
        return f"{found}; your {points} are enough (it is {number(needed.at_data)})."
    times = number(needed.n / points, 3)
    return f"{found}, {times} times your data, with which it is {number(needed.at_data)}."


def advice_sentences(report: ForecastReport) -> dict[str, str]:
    """What follows at all points of the data, by subject."""
    n, unit = report.sizes.points, report.sizes.unit
    steps, stop, fall = report.sampling, report.stopping, report.collapse
    share = f"{100 * VARIANCE_SHARE:.0f}%"
    leading = f"the leading {counted(steps.components, 'component')} ({share} of the variance)"
    best = (
        f"Heun's method on Karras noises has its least expected KL to the population at "
        f"{count(steps.steps)} steps ({number(steps.kl)} nats, {number(steps.kl_limit)} for "
        "infinitely many)"
        if math.isfinite(steps.steps)
        else "Heun's method on Karras noises gets better with every step, to "
        f"{number(steps.kl_limit)} nats of KL"
    )
    few = (
        f"; {count(steps.enough)} steps are within 5% of that limit"
        if math.isfinite(steps.enough)
        else ""
    )
    levels = ", ".join(number(level, 3) for level in steps.grid)
    if math.isinf(stop.last):
        window = (
            f"the test loss is within 1% of its least from time {number(stop.first, 3)} on, for "
            "ever: no need to stop early"
        )
    else:
        window = (
            f"the test loss is within 1% of its least from time {number(stop.first, 3)} to "
            f"{number(stop.last, 3)}, least at {number(stop.best, 3)} ({number(stop.best_loss)} of "
            f"the variance); trained to the end it is {number(stop.final_loss)}"
        )
    leading_threshold = f"n* = {number(report.leading_threshold)}"
    threshold = (
        "The one-step model has singular values at 0 with any number of points, as some directions "
        f"never vary; for the leading {counted(report.leading, 'component')} alone they stay away "
        f"from 0 from {leading_threshold} on."
        if math.isinf(report.threshold)
        else "The one-step model's singular values stay away from 0 from "
        f"n* = {number(report.threshold)} on"
        + (
            f"; for the leading {counted(report.leading, 'component')} alone from "
            f"{leading_threshold} on."
            if report.leading < len(report.spectrum)
            else "."
        )
    )
    return {
        "threshold": (
            f"{threshold} Its noise: T = {report.process.time:g}, "
            f"noise scale {report.process.noise_scale:g} of the mean coordinate variance."
        ),
        "steps": f"With {n} points and {leading}, {best}{few}.",
        "grid": (
            f"Noise levels of least KL for Euler's method (DDIM) with these denoisers, in data "
            f"units: {levels}."
        ),
        "stopping": (
            f"Gradient flow of a linear denoiser at noise {STOPPING_NOISE:g} ("
            f"{number(STOPPING_NOISE * unit, 3)} in data units): {window}. "
            "Time is steps x learning rate x mean coordinate variance."
        ),
        "collapse": (
            f"A model that has learned its {n} points by heart falls to single ones below the "
            f"noise {number(fall.noise, 3)} in data units (OU time t_C = {number(fall.time, 3)})."
        ),
        "modes": (
            f"Over-shrinkage at noise {SHRINKAGE_NOISE:g}: what the denoiser of {n} points keeps "
            "of a component on average, beside what the population's would keep."
        ),
    }


def assumption_sentence(assumption: Assumption) -> str:
    """Whether it holds, by what check, and what follows.

    Examples
    --------
    >>> from ornstein.forecasting.assumptions import Assumption
    >>> assumption_sentence(Assumption("equal rows", "no", "two are", "fewer count"))
    'Assumption, equal rows: no. Two are. Fewer count.'
    """
    said = (assumption.check, assumption.consequence)
    others = "".join(f" {each[0].upper()}{each[1:]}." for each in said if each)
    return f"Assumption, {assumption.name}: {assumption.holds}.{others}"


def network_sentence(report: ForecastReport) -> str:
    """How far off the network that was trained is from the linear models."""
    told = "; ".join(
        f"at n = {each.n} its W2^2 is {number(each.w2 / each.predicted_w2, 3)} and its loss "
        f"{number(each.loss / each.predicted_loss, 3)} times the forecast of the linear models"
        for each in report.network
    )
    return f"{told[0].upper()}{told[1:]}."
