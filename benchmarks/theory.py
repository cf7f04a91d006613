"""Closed forms: milliseconds of a single prediction, seconds of a phase diagram."""

from __future__ import annotations

__all__ = ["run"]

from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.timing import best_of
from ornstein import theory
from ornstein.theory import phase
from ornstein.theory.one_step_model.delta_expectation import expected_delta
from ornstein.theory.random_matrices.sample_covariance import sample_covariance_spectrum

if TYPE_CHECKING:
    from collections.abc import Callable

FLAT, STEEP = np.ones(100), np.arange(1, 101) ** -1.0


def run() -> None:
    """Print both tables of this file."""
    with threadpool_limits(1):
        _single_predictions()
        _phase_diagrams()


def _single_predictions() -> None:
    print("## A single prediction, one core (limit: 5 ms; random features 100 ms)\n")
    print("| prediction | ms | limit |\n|---|---|---|")
    predictions: list[tuple[str, Callable[[], Any]]] = [
        ("one_step, d = 100, n = 400", lambda: theory.one_step(100, 400)),
        ("one_step_spectrum", lambda: theory.one_step_spectrum(1.0, 0.8, 0.5)),
        ("wishart_kl, d = 10^6", lambda: theory.wishart_kl(10**6, 2 * 10**6)),
        ("renormalized_noise, isotropic", lambda: theory.renormalized_noise(FLAT, 0.25, 200)),
        ("renormalized_noise, power law", lambda: theory.renormalized_noise(STEEP, 0.25, 200)),
        ("denoising_losses, power law", lambda: theory.denoising_losses(STEEP, 0.25, 200)),
        ("sample_covariance_spectrum", lambda: sample_covariance_spectrum(0.1, STEEP, 200)),
        ("split_consistency", lambda: theory.split_consistency(2.0)),
        ("generated_variance", lambda: theory.generated_variance(STEEP, 1.0)),
        ("two_layer_weight", lambda: theory.two_layer_weight(STEEP, 0.5, 1.0)),
        ("early_stopping_losses", lambda: theory.early_stopping_losses(0.48, 2.0, 0.25)),
        ("early_stopping_minimum", lambda: theory.early_stopping_minimum(2.0, 0.25)),
        ("speciation_time", lambda: theory.speciation_time(STEEP)),
        ("cloning_probability", lambda: theory.cloning_probability(2.0, 8.0)),
        ("collapse_time, power law", lambda: theory.collapse_time(1000, STEEP)),
        ("expected_delta, d = 100, n = 400", lambda: expected_delta(100, 400)),
        (
            "random_feature_losses, at the peak",
            lambda: theory.random_feature_losses(8, 8, 0.1, 1e-3, 1),
        ),
    ]
    for name, prediction in predictions:
        limit = 100 if "random" in name else 5
        print(f"| {name} | {1e3 * best_of(prediction, 20):.3f} | {limit} |")
    print()


def _phase_diagrams() -> None:
    print("## Phase diagrams of 200 x 200 points, one core (limit: 5 s)\n")
    print("| map | seconds |\n|---|---|")
    sizes = np.arange(5, 1001, 5)
    times, scales = np.geomspace(0.05, 4, 200), np.geomspace(0.01, 30, 200)
    noise, tau = np.geomspace(0.01, 10, 200), np.geomspace(0.01, 100, 200)
    maps: list[tuple[str, Callable[[], Any]]] = [
        ("KL, time", lambda: phase.kl_map(sizes, times)),
        ("KL, noise scale", lambda: phase.kl_map(sizes, scales, "noise_scale")),
        ("Delta, time", lambda: phase.delta_map(sizes, times)),
        ("Delta, noise scale", lambda: phase.delta_map(sizes, scales, "noise_scale")),
        ("test loss, noise, isotropic", lambda: phase.denoising_map(sizes, noise, FLAT)),
        ("test loss, noise, power law", lambda: phase.denoising_map(sizes, noise, STEEP)),
        ("test loss, training time", lambda: phase.early_stopping_map(sizes, tau)),
    ]
    for name, draw in maps:
        print(f"| {name} | {best_of(draw, 2):.2f} |")
    print()
