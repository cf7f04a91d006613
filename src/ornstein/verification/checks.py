r"""A check: what theory says, what simulation measures, how many standard errors apart.

An experiment is repeated independently, ``N`` times; a check compares the mean of one of its
observables with a closed form,

    z = (simulated - predicted) / se,        se = sample standard deviation / sqrt(N).

**Allowance.** Where the closed form is a limit (dimension to infinity, step to 0), the simulation
may differ from it by a stated amount ``A``, a formula that shrinks with the size of the experiment;
what counts is the distance beyond it,

    z' = sign(simulated - predicted) max(0, |simulated - predicted| - A) / se.

``A`` is a bound where there is a simple one (a step of gradient descent). Otherwise the order in
``1/d`` is known and the coefficient is not: it is set to about twice the distance measured at
``d = 20`` to 160, over which distance times d was constant. A closed form that is exact has no
allowance.

**Verdict.** A check fails if Student's t with ``N - 1`` degrees of freedom exceeds ``|z'|`` in
absolute value with probability below :data:`SIGNIFICANCE`, ``|z'| > 4.26`` for large ``N``. By the
union bound, which holds for dependent rows too, a table of ``R`` rows whose formulas are all right
shows a false alarm with probability ``R SIGNIFICANCE`` at most, as far as means of ``N`` replicates
are normal. The threshold of a row does not depend on which other rows are there.

A replicate may return a batch mean or a batch variance: only independence of the replicates is
used. A check of one's own is written with these classes too (docs/extending.md).

**Resolution.** An error of the closed form larger than ``A + 2 t se`` (``t`` the threshold of
``z'``) is caught with near certainty; each row states it.
"""

from __future__ import annotations

__all__ = [
    "SIGNIFICANCE",
    "Setting",
    "Experiment",
    "Allowance",
    "Check",
    "Row",
    "judge",
    "not_judged",
]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from scipy.special import stdtrit

from ornstein.engine.summary import mean_and_error
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

SIGNIFICANCE = 2e-5
"""Probability that the check of a right formula fails."""


@dataclass(frozen=True)
class Setting:
    """How large an experiment is, and how often it is repeated.

    Attributes
    ----------
    parameters : mapping of str to number
        Keywords of the simulation, and of the closed form.
    replicates : int
        Independent repetitions ``N``, at least 2.
    """

    parameters: Mapping[str, Any]
    replicates: int

    def __post_init__(self) -> None:
        if as_count(self.replicates, "replicates") < 2:
            raise ValueError(
                "replicates is 1, expected at least 2: one value alone has no standard error"
            )


@dataclass(frozen=True)
class Experiment:
    """A simulation that knows no theory.

    Attributes
    ----------
    name : str
        Seeds its random numbers: unique.
    simulate : callable
        ``simulate(rng, **parameters)``, one replicate: a value for each observable.
    fast, full : Setting
        Sizes for ``--fast`` and for the default.
    """

    name: str
    simulate: Callable[..., Mapping[str, float]]
    fast: Setting
    full: Setting

    def setting(self, *, fast: bool) -> Setting:
        """The setting of a run."""
        return self.fast if fast else self.full


@dataclass(frozen=True)
class Allowance:
    """How far a simulation of finite size may be from the limit that is predicted.

    Attributes
    ----------
    formula : str
        For the reader.
    reason : str
        Where it comes from.
    size : callable
        ``size(predicted, **parameters)``, in the units of the prediction.
    """

    formula: str
    reason: str
    size: Callable[..., float]

    @classmethod
    def per_dimension(cls, coefficient: float, reason: str) -> Allowance:
        """``coefficient / d`` of the prediction."""
        return cls(
            f"{coefficient:g}/d of the prediction",
            reason,
            lambda predicted, *, dim, **_: abs(predicted) * coefficient / dim,
        )

    @classmethod
    def per_point(cls, coefficient: float, reason: str) -> Allowance:
        """``coefficient / n`` of the prediction."""
        return cls(
            f"{coefficient:g}/n of the prediction",
            reason,
            lambda predicted, *, n_train, **_: abs(predicted) * coefficient / n_train,
        )


@dataclass(frozen=True)
class Check:
    """A closed form and the observable that it predicts.

    Attributes
    ----------
    section : str
        Of docs/theory.md, or a title of one's own.
    name : str
        What is predicted: unique, short enough for a column of the table.
    source : str
        Paper, or "this project".
    experiment : Experiment
        What measures it.
    observable : str
        Key among the values that the experiment returns.
    predict : callable
        ``predict(**parameters)``, the closed form.
    allowance : Allowance or None
        None for a closed form that is exact at the size of the experiment.
    """

    section: str
    name: str
    source: str
    experiment: Experiment
    observable: str
    predict: Callable[..., float]
    allowance: Allowance | None = None


class Row(NamedTuple):
    """One line of the table: a check and what became of it."""

    section: str
    check: str
    source: str
    experiment: str
    parameters: dict[str, Any]
    simulations: int
    predicted: float
    simulated: float
    standard_error: float
    z: float
    """``(simulated - predicted) / standard_error``, allowance or not."""
    z_beyond_allowance: float
    """What of `z` lies beyond the allowance: 0 within it, and `z` itself without any."""
    allowance: float
    """In the units of the prediction; 0 for an exact closed form."""
    allowance_formula: str
    allowance_reason: str
    threshold: float
    """Largest distance that passes, in standard errors beyond the allowance."""
    resolution: float
    """Error of the closed form that is caught with near certainty, in its units."""
    passed: bool
    error: str = ""
    """Why there is no comparison, if there is none."""


def judge(check: Check, setting: Setting, values: NDArray[np.float64]) -> Row:
    """Compare the replicates of an observable with its closed form.

    Parameters
    ----------
    check : Check
    setting : Setting
        Of the experiment that was run.
    values : ndarray of shape (replicates,)
        Its observable.

    Returns
    -------
    Row
        That fails as well if the prediction or a value is not finite.
    """
    predicted = float(check.predict(**setting.parameters))
    mean, error = mean_and_error(values.tolist())
    allowance = 0.0
    if check.allowance is not None:
        allowance = float(check.allowance.size(predicted, **setting.parameters))
    threshold = float(-stdtrit(values.size - 1, SIGNIFICANCE / 2))
    distance = mean - predicted
    excess = abs(distance) - allowance
    return Row(
        section=check.section,
        check=check.name,
        source=check.source,
        experiment=check.experiment.name,
        parameters=dict(setting.parameters),
        simulations=int(values.size),
        predicted=predicted,
        simulated=mean,
        standard_error=error,
        z=_ratio(distance, error),
        z_beyond_allowance=_ratio(_beyond(distance, allowance), error),
        allowance=allowance,
        allowance_formula=check.allowance.formula if check.allowance else "",
        allowance_reason=check.allowance.reason if check.allowance else "",
        threshold=threshold,
        resolution=allowance + 2 * threshold * error,
        # Not `excess > threshold * error`: a comparison with NaN must not pass.
        passed=bool(excess <= threshold * error),
    )


def not_judged(check: Check, setting: Setting, error: str) -> Row:
    """Row of a check whose simulation or closed form ended with an error: it fails."""
    unknown = math.nan
    return Row(
        section=check.section,
        check=check.name,
        source=check.source,
        experiment=check.experiment.name,
        parameters=dict(setting.parameters),
        simulations=0,
        predicted=unknown,
        simulated=unknown,
        standard_error=unknown,
        z=unknown,
        z_beyond_allowance=unknown,
        allowance=unknown,
        allowance_formula="",
        allowance_reason="",
        threshold=unknown,
        resolution=unknown,
        passed=False,
        error=error,
    )


def _beyond(distance: float, allowance: float) -> float:
    """The part of a signed distance beyond the allowance; a distance that is NaN stays NaN."""
    return distance - max(-allowance, min(distance, allowance))


def _ratio(numerator: float, denominator: float) -> float:
    if denominator == 0:
        return math.copysign(math.inf, numerator) if numerator else 0.0
    return numerator / denominator
