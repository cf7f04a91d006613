r"""Has a model copied its training data? Three verdicts from samples alone, each with its error.

1. *Copies*: the list of :mod:`ornstein.memorization.copies` at a false discovery rate; exact copies
   apart.
2. *Closer to the training data than a Gaussian fitted to it*
   (:mod:`ornstein.memorization.reference`).
3. *Depends on the training data at all* (:mod:`ornstein.memorization.dependence`). Every model that
   has learned does, if there are few training points; it is no copying.

The second is given as a verdict only if the third holds too: generated points that do not depend on
the training set cannot be too close to it, and are so with probability `alpha` at most. What an
empty list could not have seen is said beside it (:mod:`ornstein.memorization.power`).
"""

from __future__ import annotations

__all__ = ["audit"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.profiles import has_mixed, usable_points
from ornstein.data.reading import read
from ornstein.data.tables import is_frame
from ornstein.intervals import wilson_interval
from ornstein.memorization.audit_inputs import audit_inputs, image_pairs
from ornstein.memorization.audit_report import VERDICTS, AuditReport
from ornstein.memorization.contrasts import blocks_of, measure
from ornstein.memorization.copies import exact_copies, list_copies
from ornstein.memorization.dependence import dependence
from ornstein.memorization.image_variants import image_variants
from ornstein.memorization.metrics import descriptive_metrics
from ornstein.memorization.near_training_points import near_training_points
from ornstein.memorization.pool import pool_of
from ornstein.memorization.power import minimum_detectable
from ornstein.memorization.reference import closed_form_share, gaussian_reference
from ornstein.validation import as_generator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.memorization.contrasts import Blocks
    from ornstein.memorization.copies import CopyList
    from ornstein.memorization.dependence import Dependence
    from ornstein.memorization.pool import Pool
    from ornstein.memorization.reference import GaussianReference

    Array = NDArray[np.float64]

_OTHER_SCALE, _FAR = 3.0, 1.0
_FEW_UNITS = 30.0  # effective number of nearest units, below which that is said


def audit(
    train: ArrayLike,
    held_out: ArrayLike,
    generated: ArrayLike,
    *,
    groups: tuple[ArrayLike, ArrayLike] | None = None,
    fdr: float = 0.1,
    alpha: float = 0.05,
    augment: str | None = None,
    features: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    random_state: Any = 0,
    image_shape: tuple[int, ...] | None = None,
    metrics: bool = True,
    near_duplicates: bool | None = None,
    n_jobs: int = -1,
    max_memory: float | None = None,
    progress: bool | None = None,
) -> AuditReport:
    """Has a model copied its training data, and what could have been seen?

    Parameters
    ----------
    train : array-like of shape (n_train, dim) or (n_train, ...), or data frame
        What the model was trained on; all of it. Data frames, of pandas, Polars or Arrow, may hold
        numbers, dates and categories: see :class:`~ornstein.data.geometry.TableGeometry`.
    held_out : array-like of shape (n_held_out, dim) or (n_held_out, ...)
        Points of the same source that the model has not seen; best as many as training points.
    generated : array-like of shape (n_generated, dim) or (n_generated, ...)
        What the model generated, on the scale of the others.
    groups : pair of sequences, optional
        Labels of the training points and of the held-out points, if several come from one patient,
        video or scene: points of one group are no independent draws.
    fdr : float
        False discovery rate of the list of copies: the share of copied training points on it that
        may be there by chance, in expectation.
    alpha : float
        Level of the two tests.
    augment : str, optional
        ``"flips"``, ``"shifts"`` or ``"flips,shifts"``: images count as near if they are after
        being turned over, or moved by one pixel.
    features : tuple of 3 array-like, optional
        Of the training, held-out and generated points, a row for each: distances are then those of
        the features. They decide what a copy is; exact copies are equal features.
    random_state : None, int, SeedSequence or Generator
        Divides sets, relabels points, draws Gaussians and copies.
    image_shape : tuple of int, optional
        Shape of a point, if it is an image: (height, width), or with channels first or last. By
        default that of arrays of more than two axes.
    metrics : bool
        Compute the descriptive metrics too.
    near_duplicates : bool, optional
        Count points that nearly equal a training point; by default, unless points are rows of data
        frames of mixed kinds, where those of few categories are near by chance.
    n_jobs : int
        Threads of the search for neighbours; -1 for one per core. No number depends on it.
    max_memory : float, optional
        Bytes that a search for neighbours may take beside the data.
    progress : bool, optional
        Show a bar; by default if stderr is a terminal.

    Returns
    -------
    AuditReport

    Raises
    ------
    ValueError
        If dimensions disagree, values are not finite, no held-out points remain that are not among
        the training points, `fdr` or `alpha` is not between 0 and 1, or `augment` is asked for and
        points are no images, or beside features.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, held_out, generated = (rng.standard_normal((200, 16)) for _ in range(3))
    >>> generated[:30] = train[:30] + 0.01
    >>> audit(train, held_out, generated, metrics=False).verdict
    'copies'
    """
    for name, level in (("fdr", fdr), ("alpha", alpha)):
        if not 0 < level < 1:
            raise ValueError(f"{name} is {level:g}, expected a number between 0 and 1")
    (train, held_out, generated), read, mixed = _points((train, held_out, generated))
    near_duplicates = not mixed if near_duplicates is None else near_duplicates
    if augment is not None and features is not None:
        raise ValueError("augment is for images, and features are given: give one of the two")
    inputs = audit_inputs((train, held_out, generated), features, image_shape)
    old, fresh, new = inputs.train, inputs.held_out, inputs.generated
    variants = None if augment is None else image_variants(inputs.shape, augment)
    rng = as_generator(random_state, "audit")
    search: dict[str, Any] = {"variants": variants, "n_jobs": n_jobs, "max_memory": max_memory}
    pool = pool_of(old, fresh, groups)
    near, labels = (None, None) if not near_duplicates else near_training_points(pool)
    blocks = blocks_of(pool, rng, labels)
    everything, contrasts = measure(new, pool, blocks, **search)
    depends = dependence(everything, pool, rng, max(9999, math.ceil(10 / alpha)), alpha)
    gaussian = gaussian_reference(
        old, everything, pool, blocks, rng, alpha=alpha, progress=progress, **search
    )
    found = list_copies(contrasts, pool, fdr, blocks.odds, gaussian.reference)
    exact = exact_copies(new, everything, pool, inputs.rounding)
    # Where the data repeat their values, equality is no evidence.
    evident = found.copies if pool.repeats else (*found.copies, *exact)
    listed = sorted({copy.generated for copy in evident})
    detectable = minimum_detectable(
        old, contrasts, pool, blocks, fdr, gaussian.reference, rng, listed=listed, **search
    )
    numbers, notes = (), ()
    if metrics:
        rows = pool.train_rows, pool.held_out_rows
        numbers, notes = descriptive_metrics(old[rows[0]], fresh[rows[1]], new, rng)
    low, high = wilson_interval(len(listed), len(new))
    return AuditReport(
        verdict=_verdict(bool(listed), gaussian, depends, alpha),
        copies=found.copies,
        exact_copies=exact,
        suspects=found.suspects,
        copied_share=len(listed) / len(new),
        copied_share_low=low,
        copied_share_high=high,
        threshold=found.threshold,
        least_copies=found.least,
        minimum_detectable_fraction=detectable[0].fraction,
        detectable=tuple(detectable),
        train_share=depends.share,
        train_share_low=depends.low,
        train_share_high=depends.high,
        dependence_p_value=depends.p_value,
        detectable_share=depends.detectable,
        effective_number=depends.effective_number,
        gaussian_share=gaussian.share,
        gaussian_share_low=gaussian.low,
        gaussian_share_high=gaussian.high,
        gaussian_p_value=gaussian.p_value,
        gaussian_detectable_share=gaussian.detectable,
        gaussian_closed_form=closed_form_share(old[pool.train_rows], pool.held_out_rows.size),
        metrics=numbers,
        cautions=_scales(old, fresh, new),
        warnings=(
            *read,
            *inputs.notes,
            *pool.notes,
            *(() if near is None else near.notes),
            *_limits(pool, blocks, depends, found),
            *notes,
        ),
        sizes={
            "train": pool.train_rows.size,
            "held_out": pool.held_out_rows.size,
            "generated": len(new),
            "dim": old.shape[1],
        },
        fdr=fdr,
        alpha=alpha,
        grouped=pool.grouped,
        values_repeat=pool.repeats,
        near_duplicates=near,
        pairs=image_pairs(
            inputs, [*found.copies, *exact, *found.suspects], pool.held_out_rows, variants
        ),
    )


def _verdict(copied: bool, gaussian: GaussianReference, depends: Dependence, alpha: float) -> str:
    """The first of the verdicts that holds."""
    closer = max(gaussian.p_value, depends.p_value) <= alpha
    return VERDICTS[(copied, closer, depends.p_value <= alpha, True).index(True)]


def _points(sets: tuple[Any, Any, Any]) -> tuple[tuple[Any, Any, Any], tuple[str, ...], bool]:
    """Points of data frames in one geometry, how they were made, and whether kinds are mixed.

    Arrays as they are.
    """
    if not any(is_frame(each) for each in sets):
        return sets, (), False
    names = ("train", "held_out", "generated")
    contents = [read(each, name=name) for each, name in zip(sets, names, strict=True)]
    used, _, findings = usable_points(contents)
    first, second, third = (each.points() for each in used)
    return (first, second, third), tuple(f"{finding}." for finding in findings), has_mixed(contents)


def _scales(train: Array, held_out: Array, generated: Array) -> tuple[str, ...]:
    """Sets that are so different in size or place that they may not be in one unit."""
    spread = math.sqrt(train.var(axis=0).mean())
    found = []
    for name, points in (("held-out", held_out), ("generated", generated)):
        ratio = math.sqrt(points.var(axis=0).mean()) / spread
        shift = np.linalg.norm(points.mean(axis=0) - train.mean(axis=0))
        shift /= spread * math.sqrt(train.shape[1])
        if not 1 / _OTHER_SCALE < ratio < _OTHER_SCALE:
            found.append(
                f"The standard deviation of the {name} points is {ratio:.3g} times that of the "
                "training points: if their units differ, no verdict means anything."
            )
        if shift > _FAR:
            found.append(
                f"The mean of the {name} points is {shift:.3g} standard deviations from that of "
                "the training points: if they are of another source, no verdict means anything."
            )
    return tuple(found)


def _limits(pool: Pool, blocks: Blocks, depends: Dependence, found: CopyList) -> list[str]:
    """What keeps the verdicts from being sharper."""
    unit = "group" if pool.grouped else "point"
    notes = []
    a, b = len(blocks.train), len(blocks.held_out)
    if (a, b) != (1, 1):
        needed = f"{unit} is" if found.least == 1 else f"{unit}s are"
        notes.append(
            f"Sizes differ: for the list of copies the training {unit}s are divided into {a} "
            f"block{'s' if a > 1 else ''} of {blocks.size} and the held-out {unit}s into {b}; at "
            f"least {found.least} copied training {needed} needed for a list."
        )
    for name, rest in (("training", blocks.train_rest), ("held-out", blocks.held_out_rest)):
        if rest.size:
            notes.append(
                f"{rest.size} {name} point{' takes' if rest.size == 1 else 's take'} no part in "
                f"the list of copies, which compares blocks of {blocks.size} {unit}s from either "
                "set; the other verdicts use all points."
            )
    if depends.effective_number < _FEW_UNITS:
        notes.append(
            f"The generated points are nearest to an effective number of only "
            f"{depends.effective_number:.1f} of {depends.units} {unit}s (the most frequent one has "
            f"{100 * depends.largest_share:.0f}% of them): all shares are uncertain."
        )
    distinct, dim = np.unique(pool.train).size, pool.values.shape[1]
    if distinct <= dim:
        notes.append(
            f"{distinct} training points in {dim} dimensions: the fitted Gaussian is singular, and "
            "lies in the span of the training points."
        )
    return notes
