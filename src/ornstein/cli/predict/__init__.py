"""``ornstein predict NAME``: theory alone, one function per result.

===================  =============================================================
one_step.py          Halder's one-step model: its distances, its whole spectrum
delta.py             how often Delta > 0
steps.py             the best number of sampling steps, the best grid of noise levels
covariances.py       what n points say of a covariance: KL, spectrum, consistency
denoising.py         the best linear denoiser of n points, clean or noisy
membership.py        who can tell that a point was trained on
recursion.py         models trained on their own samples
guidance.py          what guidance makes of Gaussian classes
training.py          a linear denoiser while it trains
regimes.py           speciation, cloning, collapse
random_features.py   learning curves of a random-feature score
phase.py             one result over a plane of two parameters
spectra.py           ``--dim`` and ``--spectrum``: the population, as eigenvalues
answering.py         ``--plot`` and ``--json``; what all results print and draw
===================  =============================================================

A function returns a `Prediction`: its title, columns and curves, and no more than that.
"""

from __future__ import annotations

__all__ = ["PREDICTIONS"]

from typing import TYPE_CHECKING

from ornstein.cli.predict import (
    covariances,
    delta,
    denoising,
    guidance,
    membership,
    one_step,
    phase,
    random_features,
    recursion,
    regimes,
    steps,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ornstein.reports.prediction import Prediction

_MODULES = (
    one_step,
    delta,
    steps,
    covariances,
    denoising,
    membership,
    recursion,
    guidance,
    training,
    regimes,
    random_features,
    phase,
)
PREDICTIONS: dict[str, Callable[..., Prediction]] = {
    name.replace("_", "-"): getattr(module, name) for module in _MODULES for name in module.__all__
}
