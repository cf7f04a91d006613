"""``ornstein predict NAME``: theory alone, one function per result.

===================  =============================================================
one_step.py          the seed's model: its distances, its whole spectrum
covariances.py       what n points tell of a covariance: KL, spectrum, consistency
denoising.py         the best linear denoiser of n points
training.py          a linear denoiser while it trains
regimes.py           speciation, cloning, collapse
random_features.py   learning curves of a random-feature score
phase.py             one result over a plane of two parameters
spectra.py           ``--dim`` and ``--spectrum``: the population, as eigenvalues
output.py            tables and figures of curves
===================  =============================================================
"""

from __future__ import annotations

__all__ = ["PREDICTIONS"]

from typing import TYPE_CHECKING

from ornstein.cli.predict.covariances import sample_covariance, split_consistency, wishart_kl
from ornstein.cli.predict.denoising import denoising_losses, renormalized_noise
from ornstein.cli.predict.one_step import one_step, spectrum
from ornstein.cli.predict.phase import phase
from ornstein.cli.predict.random_features import random_features
from ornstein.cli.predict.regimes import cloning, collapse, speciation
from ornstein.cli.predict.training import early_stopping, emergence, generated_variance

if TYPE_CHECKING:
    from collections.abc import Callable

PREDICTIONS: dict[str, Callable[..., int]] = {
    "one-step": one_step,
    "spectrum": spectrum,
    "wishart-kl": wishart_kl,
    "sample-covariance": sample_covariance,
    "split-consistency": split_consistency,
    "renormalized-noise": renormalized_noise,
    "denoising-losses": denoising_losses,
    "generated-variance": generated_variance,
    "emergence": emergence,
    "early-stopping": early_stopping,
    "speciation": speciation,
    "cloning": cloning,
    "collapse": collapse,
    "random-features": random_features,
    "phase": phase,
}
