"""Closed-form results on solvable diffusion models; each name is loaded when first used.

==========================  =======================================================  ==============
module                      question                                                 theory section
==========================  =======================================================  ==============
one_step_distances          the seed's model: distances at every n                   1
one_step_singular_values    ... its whole spectrum                                   1.3, 1.4
one_step_log_determinant    ... ln det, through the threshold                        1.1, 1.2
one_step_potential          ... nuclear norm, affinity, with O(1) terms              1.1
marchenko_pastur            spectrum of an isotropic sample covariance               0
sampling                    what more sampling steps buy                             4
wishart                     KL of a Gaussian generator to its population             5
deterministic_equivalents   renormalised noise, the best denoiser of n points        6
consistency                 two models, disjoint halves, one seed                    7
training_dynamics           a linear denoiser while it trains                        8
early_stopping              ... on n points: when to stop                            8
regimes                     speciation, cloning, collapse                            9
random_features             learning curves of a random-feature score                10
activations                 ... what of an activation they see                       10
sample_covariance           spectrum of a sample covariance, any population          6
delta_expectation           Delta of the one-step model, on average                  3
phase                       maps of KL, Delta and losses over two parameters         1, 3, 6, 8
==========================  =======================================================  ==============

Mathematics without physics: monotone_roots (bracketed Newton), laplace (Laplace's method),
effective_noise (the fixed point of section 6).
"""

from __future__ import annotations

__all__ = [
    "one_step",
    "OneStepTheory",
    "one_step_spectrum",
    "one_step_support",
    "one_step_log_det",
    "wishart_log_det",
    "one_step_log_affinity",
    "one_step_log_potential",
    "one_step_potential_covariance",
    "one_step_nuclear_norm",
    "marchenko_pastur_mean",
    "marchenko_pastur_quadrature",
    "SamplerQuality",
    "sampler_quality",
    "convergence_order",
    "WishartKL",
    "wishart_kl",
    "DenoisingLosses",
    "denoiser_mean",
    "denoiser_variance",
    "denoising_losses",
    "renormalized_noise",
    "renormalized_noise_derivative",
    "split_consistency",
    "denoiser_weight",
    "emergence_time",
    "generated_variance",
    "two_layer_weight",
    "EarlyStoppingLosses",
    "EarlyStoppingMinimum",
    "early_stopping_losses",
    "early_stopping_minimum",
    "cloning_probability",
    "collapse_time",
    "speciation_time",
    "ActivationConstants",
    "activation_constants",
    "RandomFeatureLosses",
    "random_feature_losses",
    "sample_covariance_atom",
    "sample_covariance_range",
    "sample_covariance_spectrum",
    "ExpectedDelta",
    "expected_delta",
]

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ornstein.theory.activations import ActivationConstants, activation_constants
    from ornstein.theory.consistency import split_consistency
    from ornstein.theory.delta_expectation import ExpectedDelta, expected_delta
    from ornstein.theory.deterministic_equivalents import (
        DenoisingLosses,
        denoiser_mean,
        denoiser_variance,
        denoising_losses,
        renormalized_noise,
        renormalized_noise_derivative,
    )
    from ornstein.theory.early_stopping import (
        EarlyStoppingLosses,
        EarlyStoppingMinimum,
        early_stopping_losses,
        early_stopping_minimum,
    )
    from ornstein.theory.marchenko_pastur import marchenko_pastur_mean, marchenko_pastur_quadrature
    from ornstein.theory.one_step_distances import OneStepTheory, one_step
    from ornstein.theory.one_step_log_determinant import one_step_log_det, wishart_log_det
    from ornstein.theory.one_step_potential import (
        one_step_log_affinity,
        one_step_log_potential,
        one_step_nuclear_norm,
        one_step_potential_covariance,
    )
    from ornstein.theory.one_step_singular_values import one_step_spectrum, one_step_support
    from ornstein.theory.random_features import RandomFeatureLosses, random_feature_losses
    from ornstein.theory.regimes import cloning_probability, collapse_time, speciation_time
    from ornstein.theory.sample_covariance import (
        sample_covariance_atom,
        sample_covariance_range,
        sample_covariance_spectrum,
    )
    from ornstein.theory.sampling import SamplerQuality, convergence_order, sampler_quality
    from ornstein.theory.training_dynamics import (
        denoiser_weight,
        emergence_time,
        generated_variance,
        two_layer_weight,
    )
    from ornstein.theory.wishart import WishartKL, wishart_kl

_HOMES = {
    "one_step": "one_step_distances",
    "OneStepTheory": "one_step_distances",
    "one_step_spectrum": "one_step_singular_values",
    "one_step_support": "one_step_singular_values",
    "one_step_log_det": "one_step_log_determinant",
    "wishart_log_det": "one_step_log_determinant",
    "one_step_log_affinity": "one_step_potential",
    "one_step_log_potential": "one_step_potential",
    "one_step_nuclear_norm": "one_step_potential",
    "one_step_potential_covariance": "one_step_potential",
    "marchenko_pastur_mean": "marchenko_pastur",
    "marchenko_pastur_quadrature": "marchenko_pastur",
    "SamplerQuality": "sampling",
    "sampler_quality": "sampling",
    "convergence_order": "sampling",
    "WishartKL": "wishart",
    "wishart_kl": "wishart",
    "DenoisingLosses": "deterministic_equivalents",
    "denoiser_mean": "deterministic_equivalents",
    "denoiser_variance": "deterministic_equivalents",
    "denoising_losses": "deterministic_equivalents",
    "renormalized_noise": "deterministic_equivalents",
    "renormalized_noise_derivative": "deterministic_equivalents",
    "split_consistency": "consistency",
    "denoiser_weight": "training_dynamics",
    "emergence_time": "training_dynamics",
    "generated_variance": "training_dynamics",
    "two_layer_weight": "training_dynamics",
    "EarlyStoppingLosses": "early_stopping",
    "EarlyStoppingMinimum": "early_stopping",
    "early_stopping_losses": "early_stopping",
    "early_stopping_minimum": "early_stopping",
    "cloning_probability": "regimes",
    "collapse_time": "regimes",
    "speciation_time": "regimes",
    "ActivationConstants": "activations",
    "activation_constants": "activations",
    "RandomFeatureLosses": "random_features",
    "random_feature_losses": "random_features",
    "sample_covariance_atom": "sample_covariance",
    "sample_covariance_range": "sample_covariance",
    "sample_covariance_spectrum": "sample_covariance",
    "ExpectedDelta": "delta_expectation",
    "expected_delta": "delta_expectation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ornstein.theory' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"ornstein.theory.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
