"""All checks, in the order of docs/theory.md, and how to choose among them."""

from __future__ import annotations

__all__ = ["CHECKS", "SECTIONS", "select"]

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.verification.checks import Check

    CHECKS: tuple[Check, ...]

SECTIONS = {
    "1.1": "One-step denoiser, expectations",
    "1.2": "One-step denoiser below its threshold n*",
    "1.3": "One-step spectrum, n > d",
    "1.4": "One-step spectrum, n < d",
    "2": "Distances between Gaussians",
    "3": "Delta: kernel terms of originals",
    "3.1": "Delta: how often it is positive",
    "4": "Samplers of many steps",
    "5": "Gaussian with the empirical covariance",
    "6": "Best linear denoiser of n points",
    "7": "Two models of disjoint halves, one seed",
    "8": "Linear denoisers while they train",
    "9": "Regimes of the empirical score",
    "10": "Random-feature score",
    "11": "One-step denoiser, any spectrum",
    "12": "Samplers of S steps at finite n",
    "13": "Grids of noise levels",
    "14": "Membership inference",
    "15": "Models trained on their own samples",
    "16": "Guidance",
    "17": "Noisy and low-dimensional data",
    "18": "A Gaussian fitted to few points",
    "19": "Learning curves of one data set",
}
"""Titles of the sections, which are headings of docs/theory.md too."""

_MODULES = (
    "one_step",
    "one_step_spectrum",
    "gaussian_distances",
    "kernel_terms",
    "samplers",
    "wishart",
    "denoising",
    "sample_covariance",
    "consistency",
    "training",
    "early_stopping",
    "regimes",
    "memorizing",
    "random_features",
    "any_spectrum",
    "finite_steps",
    "noise_grids",
    "membership",
    "recursion",
    "guidance",
    "noisy_data",
    "fitted_gaussians",
    "learning_curves",
)
"""Where the checks stand, by section."""


def __getattr__(name: str) -> Any:
    if name != "CHECKS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _all_checks()


@cache
def _all_checks() -> tuple[Check, ...]:
    """Every check, by section. Loaded when first asked for: checks of one's own do without."""
    modules = [import_module(f"ornstein.verification.{module}") for module in _MODULES]
    return tuple(check for module in modules for check in module.CHECKS)


def select(only: str | None = None, among: Sequence[Check] | None = None) -> tuple[Check, ...]:
    """Choose checks by section or by name.

    Parameters
    ----------
    only : str, optional
        A comma list of sections (``1`` means 1.1 to 1.4) and parts of names, in any case; a whole
        name, such as ``KL, 1/k``, may contain a comma; all checks by default.
    among : sequence of Check, optional
        What to choose from; the checks of this package by default.

    Raises
    ------
    ValueError
        If an entry fits no check.

    Examples
    --------
    >>> [check.name for check in select("5,cloning")]
    ['KL(gen || pop)', 'KL(pop || gen)', 'cloning probability']
    """
    if among is None:
        among = _all_checks()
    if only is None:
        return tuple(among)
    entries = _entries(only, {check.name.lower() for check in among})
    for entry in entries or [only]:
        if not any(_fits(check, entry) for check in among):
            section, name = among[0].section, among[0].name
            raise ValueError(
                f"--only: given {entry!r}, expected sections like {section} and parts of names of "
                f"checks like {name!r}, in a comma list: none fits"
            )
    return tuple(check for check in among if any(_fits(check, entry) for entry in entries))


def _entries(only: str, known: set[str]) -> list[str]:
    """Parts between commas, of which neighbours that make up the name of a check are one entry."""
    parts = [part.strip() for part in only.split(",") if part.strip()]
    entries = []
    while parts:
        ends = range(len(parts), 0, -1)
        end = next((end for end in ends if ", ".join(parts[:end]).lower() in known), 1)
        entries.append(", ".join(parts[:end]))
        parts = parts[end:]
    return entries


def _fits(check: Check, entry: str) -> bool:
    if re.fullmatch(r"\d+(\.\d+)?", entry):
        return check.section == entry or check.section.startswith(f"{entry}.")
    wanted = entry.lower()
    return bool(entry.strip()) and (wanted in check.name.lower() or wanted == check.section.lower())
