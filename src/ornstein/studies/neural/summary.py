r"""What the summaries of all studies of trained networks have, and who is barely trained.

**Losses.** The network sees data of mean 0 and mean square 1, and is trained on the mean square of
answer minus target, ``a x + b z`` of the clean image x and the noise z: ``(a, b)`` is (0, 1) for
epsilon, (1, 0) for sample, ``(-sigma, alpha)`` for v. The answer 0 has the loss 1, whichever it is.
The best linear answer to ``alpha x + sigma z`` has, in a mode of variance ``lambda``,

    (a^2 lambda + b^2) - (a alpha lambda + b sigma)^2 / (alpha^2 lambda + sigma^2)
        = lambda (a sigma - b alpha)^2 / (alpha^2 lambda + sigma^2),

whose mean over modes and steps is :func:`linear_loss`: what there is to be learned from two
moments. Where few images and little noise leave it near 1, a loss near 1 is no fault.

**Barely trained** is a network whose training loss has not gone half the way from 1 to the linear
loss, or whose law is further from the population than that of the best linear denoiser of the same
images, in squared Wasserstein distance, both by a factor :data:`WORSE` and by a tenth of
``d sigma^2``; each beyond :data:`ERRORS` standard errors. What it generates says little about
memorization, and nothing about what its architecture could do.
"""

from __future__ import annotations

__all__ = [
    "NeuralSummary",
    "described",
    "linear_loss",
    "barely_trained",
    "training_note",
    "WORSE",
    "ERRORS",
]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.engine.summary import Summary
from ornstein.intervals import few_values_note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from ornstein.studies.neural.options import NeuralOptions
    from ornstein.studies.neural.study import NeuralStudy

WORSE = 2.0
ERRORS = 2.0
_HALF_WAY = 0.5
_PART = 0.1
_LITTLE = 0.98  # above it a linear answer gains too little to be seen


@dataclass(frozen=True, kw_only=True)
class NeuralSummary(Summary):
    """What a study of a trained network found; base of the summaries of each kind.

    `theory` has ``linear_loss``, the training loss of the best linear answer for the population.
    """

    options: NeuralOptions
    source: str
    """What the images are drawn from, in words."""
    shape: tuple[int, ...]
    """Of an image, (channels, H, W), or of a vector, (dim,)."""
    dim: int
    std: float
    trained_on: Mapping[int, int]
    """How many of n images the network is trained on, by n."""
    optimiser_steps: Mapping[int, int]
    """Of a training, by n."""
    barely_trained: Sequence[int] = ()
    """Training sizes whose networks have learned little."""


def described(
    study: NeuralStudy, rows: Sequence[Mapping[str, Any]], notes: Sequence[str]
) -> dict[str, Any]:
    """Return the fields of `NeuralSummary`: what was studied, and who is barely trained.

    Parameters
    ----------
    study : NeuralStudy
    rows : sequence of mappings
    notes : sequence of str
        To which those on barely trained networks and on standard errors of few runs are added.
    """
    sizes, options = study.train_sizes, study.options
    moments = study.source.moments()
    # The network's own units: mean 0 and mean square 1 over all entries.
    square = study.std**2 + float(np.var(moments.mean))
    best = linear_loss(moments.covariance.spectrum() / square, options)
    found = barely_trained(rows, best, study.dim * study.std**2)
    return {
        "notes": [
            *notes,
            *study.source.notes,
            *training_note(found, rows, best, options),
            *few_values_note((row["simulations"] for row in rows), "run"),
        ],
        "theory": {"linear_loss": best},
        "options": options,
        "source": study.source.describe(),
        "shape": study.shape,
        "dim": study.dim,
        "std": study.std,
        "trained_on": {n: options.trained_on(n) for n in sizes},
        "optimiser_steps": {n: options.total_steps(n) for n in sizes},
        "barely_trained": found,
    }


def linear_loss(eigenvalues: ArrayLike, options: NeuralOptions) -> float:
    """Training loss of the best linear answer for a population.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Of its covariance, where its mean square is 1.
    options : NeuralOptions
        For steps of the diffusion and what is predicted.

    Examples
    --------
    >>> from ornstein.studies.neural.options import NeuralOptions
    >>> linear_loss([1.0, 1.0], NeuralOptions())  # the mean of abar
    0.5928
    """
    levels = options.schedule.levels(options.diffusion_steps)
    # The last level is the clean image, at which nothing is trained.
    alpha, sigma = levels.signal[:-1, None], levels.noise_std[:-1, None]
    along = {"epsilon": alpha, "sample": sigma, "v": np.hypot(alpha, sigma)}[options.prediction]
    modes = np.asarray(eigenvalues, dtype=np.float64)
    return float((modes * along**2 / (alpha**2 * modes + sigma**2)).mean())


def barely_trained(
    rows: Sequence[Mapping[str, Any]], best_loss: float, spread: float
) -> tuple[int, ...]:
    """Training sizes whose networks have learned little.

    Parameters
    ----------
    rows : sequence of mappings
        Of a summary; of several rows of a size those with the most steps count, and all of them
        must say so. Losses and distances that are missing or NaN say nothing.
    best_loss : float
        Of the best linear answer.
    spread : float
        ``d sigma^2`` of the data.
    """
    return tuple(
        n
        for n, here in _last_rows(rows).items()
        if all(_lost(row, best_loss) or _far(row, spread) for row in here)
    )


def training_note(
    sizes: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    best_loss: float,
    options: NeuralOptions,
) -> list[str]:
    """Say which networks are barely trained, why, and what to do; nothing if none is.

    Parameters
    ----------
    sizes : sequence of int
        As `barely_trained` returns them, of these rows and this loss.
    rows : sequence of mappings
    best_loss : float
    options : NeuralOptions
    """
    if not sizes:
        return []
    first = sizes[0]
    given = f"--training-steps (now {options.training_steps})"
    if options.training_steps is None:
        given = (
            f"--epochs (now {options.chosen_epochs}, {options.total_steps(first)} optimiser steps "
            f"at n = {first}), or give --training-steps"
        )
    row = _last_rows(rows)[first][0]
    if _lost(row, best_loss):
        why = (
            f"the training loss is {row[f'{_loss_of(row)}_mean']:.3f} at n = {first}, where the "
            f"answer 0 has 1 and the best linear denoiser {best_loss:.3f}"
        )
    else:
        ratio = row["wasserstein2_mean"] / row["wasserstein2_linear_mean"]
        why = f"W2^2 is {ratio:.1f} times that of the best linear denoiser at n = {first}"
    named = ", ".join(map(str, sizes[:4])) + (", ..." if len(sizes) > 4 else "")
    note = (
        f"barely trained at n = {named}: {why}. What is generated says little about memorization: "
        f"raise {given}."
    )
    return [note]


def _last_rows(rows: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Rows of each size that have its most steps."""
    last: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        here = last.setdefault(row["train_size"], [])
        if here and _steps(row) > _steps(here[0]):
            here.clear()
        if not here or _steps(row) == _steps(here[0]):
            here.append(row)
    return last


def _steps(row: Mapping[str, Any]) -> float:
    """Of training or of sampling, whatever a row is of."""
    return row.get("step", row.get("steps", 0))


def _loss_of(row: Mapping[str, Any]) -> str:
    """Name of the training loss in a row."""
    return "train_loss" if "train_loss_mean" in row else "loss_train"


def _lost(row: Mapping[str, Any], best_loss: float) -> bool:
    """Whether the training loss has not gone half the way from 1 to the best linear one."""
    if best_loss > _LITTLE:
        return False
    name = _loss_of(row)
    loss, error = row.get(f"{name}_mean", math.nan), row.get(f"{name}_se", math.nan)
    slack = ERRORS * error if math.isfinite(error) else 0.0
    return loss - slack > 1 - _HALF_WAY * (1 - best_loss)


def _far(row: Mapping[str, Any], spread: float) -> bool:
    """Whether the squared Wasserstein distance is far above that of the linear denoiser."""
    name = "wasserstein2"
    network, linear = row.get(f"{name}_mean", math.nan), row.get(f"{name}_linear_mean", math.nan)
    errors = [row.get(f"{key}_se", math.nan) for key in (name, f"{name}_linear")]
    error = math.hypot(*(value for value in errors if math.isfinite(value)))
    return network - ERRORS * error > max(WORSE * linear, linear + _PART * spread)
