"""Closed-form results on solvable diffusion models; each name is loaded when first used.

===================  ==================================================================  ==========
package or module    question                                                            section
===================  ==================================================================  ==========
one_step_model/      Halder's one-step model: distances, spectrum, Delta, at every n     1, 3, 11
random_matrices/     what n points say of a covariance: spectra, KL, two halves         0, 5, 6, 7
linear_denoisers/    the best linear denoiser: losses, sampling, training, noisy data    4, 6, 8,
                     how many steps, on which grid                                       12, 13, 17
                     losses of subsets of given rows, of any shape                       19
random_features/     learning curves of a random-feature score                           10
regimes              speciation, cloning, collapse                                       9, 17
membership_inference how well a denoiser tells its training points from others           14
fitted_gaussians     how near a fitted Gaussian is to its training set                   18
recursion            models trained on their own samples                                 15
one_step_generations one-step models trained on samples of each other                    15
guidance             what classifier-free guidance generates                             16
phase                maps of KL, Delta and losses over two parameters                    1, 3, 6, 8
numerics/            bracketed Newton, Laplace's method: mathematics without physics
===================  ==================================================================  ==========

Sections are those of ``docs/theory.md``.
"""

from __future__ import annotations

__all__ = [
    "one_step",
    "OneStepTheory",
    "one_step_anisotropic",
    "one_step_spectrum",
    "one_step_support",
    "one_step_anisotropic_spectrum",
    "one_step_anisotropic_support",
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
    "BestSteps",
    "best_steps",
    "tangent_grid",
    "Membership",
    "membership",
    "most_revealing_noise",
    "points_for_auc",
    "fitted_gaussian_share",
    "recursive_kl",
    "RecursiveVariance",
    "recursive_variance",
    "recursive_score_variance",
    "recursive_one_step_trace",
    "recursive_one_step_spectrum",
    "RecursiveOneStep",
    "recursive_one_step",
    "GuidedMoments",
    "guided_moments",
    "guided_class_moments",
    "guided_class_density",
    "noisy_data_weight",
    "WishartKL",
    "wishart_kl",
    "DenoisingLosses",
    "denoiser_mean",
    "denoiser_variance",
    "denoising_losses",
    "SubsetLosses",
    "subset_losses",
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
    "delta_positive_probability",
]

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ornstein.theory.fitted_gaussians import fitted_gaussian_share
    from ornstein.theory.guidance import (
        GuidedMoments,
        guided_class_density,
        guided_class_moments,
        guided_moments,
    )
    from ornstein.theory.linear_denoisers.best_steps import BestSteps, best_steps
    from ornstein.theory.linear_denoisers.deterministic_equivalents import (
        DenoisingLosses,
        denoiser_mean,
        denoiser_variance,
        denoising_losses,
        renormalized_noise,
        renormalized_noise_derivative,
    )
    from ornstein.theory.linear_denoisers.early_stopping import (
        EarlyStoppingLosses,
        EarlyStoppingMinimum,
        early_stopping_losses,
        early_stopping_minimum,
    )
    from ornstein.theory.linear_denoisers.noisy_data import noisy_data_weight
    from ornstein.theory.linear_denoisers.sampling import (
        SamplerQuality,
        convergence_order,
        sampler_quality,
    )
    from ornstein.theory.linear_denoisers.subset_losses import SubsetLosses, subset_losses
    from ornstein.theory.linear_denoisers.tangent_grids import tangent_grid
    from ornstein.theory.linear_denoisers.training_dynamics import (
        denoiser_weight,
        emergence_time,
        generated_variance,
        two_layer_weight,
    )
    from ornstein.theory.membership_inference import (
        Membership,
        membership,
        most_revealing_noise,
        points_for_auc,
    )
    from ornstein.theory.one_step_generations import (
        RecursiveOneStep,
        recursive_one_step,
        recursive_one_step_spectrum,
    )
    from ornstein.theory.one_step_model.anisotropic import one_step_anisotropic
    from ornstein.theory.one_step_model.anisotropic_spectrum import (
        one_step_anisotropic_spectrum,
        one_step_anisotropic_support,
    )
    from ornstein.theory.one_step_model.delta_expectation import ExpectedDelta, expected_delta
    from ornstein.theory.one_step_model.delta_probability import delta_positive_probability
    from ornstein.theory.one_step_model.distances import OneStepTheory, one_step
    from ornstein.theory.one_step_model.log_determinant import one_step_log_det
    from ornstein.theory.one_step_model.potential import (
        one_step_log_affinity,
        one_step_log_potential,
        one_step_nuclear_norm,
        one_step_potential_covariance,
    )
    from ornstein.theory.one_step_model.singular_values import one_step_spectrum, one_step_support
    from ornstein.theory.random_features.activations import (
        ActivationConstants,
        activation_constants,
    )
    from ornstein.theory.random_features.learning_curves import (
        RandomFeatureLosses,
        random_feature_losses,
    )
    from ornstein.theory.random_matrices.consistency import split_consistency
    from ornstein.theory.random_matrices.marchenko_pastur import (
        marchenko_pastur_mean,
        marchenko_pastur_quadrature,
    )
    from ornstein.theory.random_matrices.sample_covariance import (
        sample_covariance_atom,
        sample_covariance_range,
        sample_covariance_spectrum,
    )
    from ornstein.theory.random_matrices.wishart import WishartKL, wishart_kl, wishart_log_det
    from ornstein.theory.recursion import (
        RecursiveVariance,
        recursive_kl,
        recursive_one_step_trace,
        recursive_score_variance,
        recursive_variance,
    )
    from ornstein.theory.regimes import cloning_probability, collapse_time, speciation_time

_HOMES = {
    "one_step": "one_step_model.distances",
    "one_step_anisotropic": "one_step_model.anisotropic",
    "one_step_anisotropic_spectrum": "one_step_model.anisotropic_spectrum",
    "one_step_anisotropic_support": "one_step_model.anisotropic_spectrum",
    "OneStepTheory": "one_step_model.distances",
    "one_step_spectrum": "one_step_model.singular_values",
    "one_step_support": "one_step_model.singular_values",
    "one_step_log_det": "one_step_model.log_determinant",
    "wishart_log_det": "random_matrices.wishart",
    "one_step_log_affinity": "one_step_model.potential",
    "one_step_log_potential": "one_step_model.potential",
    "one_step_nuclear_norm": "one_step_model.potential",
    "one_step_potential_covariance": "one_step_model.potential",
    "marchenko_pastur_mean": "random_matrices.marchenko_pastur",
    "marchenko_pastur_quadrature": "random_matrices.marchenko_pastur",
    "SamplerQuality": "linear_denoisers.sampling",
    "sampler_quality": "linear_denoisers.sampling",
    "convergence_order": "linear_denoisers.sampling",
    "BestSteps": "linear_denoisers.best_steps",
    "best_steps": "linear_denoisers.best_steps",
    "tangent_grid": "linear_denoisers.tangent_grids",
    "Membership": "membership_inference",
    "membership": "membership_inference",
    "most_revealing_noise": "membership_inference",
    "points_for_auc": "membership_inference",
    "fitted_gaussian_share": "fitted_gaussians",
    "recursive_kl": "recursion",
    "RecursiveVariance": "recursion",
    "recursive_variance": "recursion",
    "recursive_score_variance": "recursion",
    "recursive_one_step_trace": "recursion",
    "recursive_one_step_spectrum": "one_step_generations",
    "RecursiveOneStep": "one_step_generations",
    "recursive_one_step": "one_step_generations",
    "GuidedMoments": "guidance",
    "guided_moments": "guidance",
    "guided_class_moments": "guidance",
    "guided_class_density": "guidance",
    "noisy_data_weight": "linear_denoisers.noisy_data",
    "WishartKL": "random_matrices.wishart",
    "wishart_kl": "random_matrices.wishart",
    "DenoisingLosses": "linear_denoisers.deterministic_equivalents",
    "denoiser_mean": "linear_denoisers.deterministic_equivalents",
    "denoiser_variance": "linear_denoisers.deterministic_equivalents",
    "denoising_losses": "linear_denoisers.deterministic_equivalents",
    "SubsetLosses": "linear_denoisers.subset_losses",
    "subset_losses": "linear_denoisers.subset_losses",
    "renormalized_noise": "linear_denoisers.deterministic_equivalents",
    "renormalized_noise_derivative": "linear_denoisers.deterministic_equivalents",
    "split_consistency": "random_matrices.consistency",
    "denoiser_weight": "linear_denoisers.training_dynamics",
    "emergence_time": "linear_denoisers.training_dynamics",
    "generated_variance": "linear_denoisers.training_dynamics",
    "two_layer_weight": "linear_denoisers.training_dynamics",
    "EarlyStoppingLosses": "linear_denoisers.early_stopping",
    "EarlyStoppingMinimum": "linear_denoisers.early_stopping",
    "early_stopping_losses": "linear_denoisers.early_stopping",
    "early_stopping_minimum": "linear_denoisers.early_stopping",
    "cloning_probability": "regimes",
    "collapse_time": "regimes",
    "speciation_time": "regimes",
    "ActivationConstants": "random_features.activations",
    "activation_constants": "random_features.activations",
    "RandomFeatureLosses": "random_features.learning_curves",
    "random_feature_losses": "random_features.learning_curves",
    "sample_covariance_atom": "random_matrices.sample_covariance",
    "sample_covariance_range": "random_matrices.sample_covariance",
    "sample_covariance_spectrum": "random_matrices.sample_covariance",
    "ExpectedDelta": "one_step_model.delta_expectation",
    "expected_delta": "one_step_model.delta_expectation",
    "delta_positive_probability": "one_step_model.delta_probability",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ornstein.theory' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"ornstein.theory.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
