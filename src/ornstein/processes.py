"""Conversions between the clocks of the noising process, under their public name.

They are defined in :mod:`ornstein.diffusion.clocks`, and the noising of the one-step model in
:mod:`ornstein.diffusion.one_step_noising`.
"""

from __future__ import annotations

__all__ = [
    "OneStepNoising",
    "noise_from_time",
    "time_from_noise",
    "noise_from_alpha_bar",
    "alpha_bar_from_noise",
    "noise_from_flow",
    "flow_from_noise",
    "time_from_alpha_bar",
    "alpha_bar_from_time",
]

from ornstein.diffusion.clocks import (
    alpha_bar_from_noise,
    alpha_bar_from_time,
    flow_from_noise,
    noise_from_alpha_bar,
    noise_from_flow,
    noise_from_time,
    time_from_alpha_bar,
    time_from_noise,
)
from ornstein.diffusion.one_step_noising import OneStepNoising
