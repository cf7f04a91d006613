"""ornstein: a laboratory of solvable diffusion models.

For a population, a training set of n points and a denoiser, `ornstein.theory` says in closed form
what the generated law will be, the estimators and studies (`ornstein.studies`) measure it, and both
come back in one table. `ornstein.audit` asks of any model whether it has copied its training data,
`ornstein.forecast` how much data would be enough.

Names are loaded when first used, so that `import ornstein` stays fast.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [
    "Gaussian",
    "Mixture",
    "OneStepDenoiser",
    "LinearDiffusion",
    "EmpiricalDenoiser",
    "DeltaResult",
    "delta",
    "sample_delta",
    "coordinate_delta",
    "memorized_fraction",
    "nearest_neighbours",
    "audit",
    "AuditReport",
    "forecast",
    "ForecastReport",
    "theory",
    "__version__",
]

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ornstein import theory
    from ornstein.denoisers.empirical import EmpiricalDenoiser
    from ornstein.denoisers.linear import LinearDiffusion
    from ornstein.denoisers.one_step import OneStepDenoiser
    from ornstein.forecasting.forecast import forecast
    from ornstein.forecasting.report import ForecastReport
    from ornstein.gaussians import Gaussian
    from ornstein.memorization.audit import audit
    from ornstein.memorization.audit_report import AuditReport
    from ornstein.memorization.delta import DeltaResult, delta
    from ornstein.memorization.neighbours import memorized_fraction, nearest_neighbours
    from ornstein.memorization.sample_delta import coordinate_delta, sample_delta
    from ornstein.mixtures import Mixture

_HOMES = {
    "Gaussian": "ornstein.gaussians",
    "Mixture": "ornstein.mixtures",
    "OneStepDenoiser": "ornstein.denoisers.one_step",
    "LinearDiffusion": "ornstein.denoisers.linear",
    "EmpiricalDenoiser": "ornstein.denoisers.empirical",
    "DeltaResult": "ornstein.memorization.delta",
    "delta": "ornstein.memorization.delta",
    "sample_delta": "ornstein.memorization.sample_delta",
    "coordinate_delta": "ornstein.memorization.sample_delta",
    "memorized_fraction": "ornstein.memorization.neighbours",
    "nearest_neighbours": "ornstein.memorization.neighbours",
    "audit": "ornstein.memorization.audit",
    "AuditReport": "ornstein.memorization.audit_report",
    "forecast": "ornstein.forecasting.forecast",
    "ForecastReport": "ornstein.forecasting.report",
}


def __getattr__(name: str) -> Any:
    if name == "theory":
        return importlib.import_module("ornstein.theory")
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'ornstein' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
