"""What an audit compares: three sets of points as given, or features of them.

Distances decide what a copy is. With features of the user's own (of a network, say) they are
distances of features; the points themselves are then only shown.
"""

from __future__ import annotations

__all__ = ["AuditInputs", "audit_inputs", "image_pairs"]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.memorization.audit_report import Pairs
from ornstein.memorization.image_variants import image_axes
from ornstein.memorization.neighbours import nearest_neighbours
from ornstein.validation import as_points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ornstein.memorization.copies import Copy

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_SHOWN = 12  # pairs of images
_LARGEST = 1e100  # value whose squares, and sums of them, are safe
_FEATURES = (
    "Distances are those of the given features: they decide what a copy is, and what differs in "
    "none of them is the same to this audit."
)


class AuditInputs(NamedTuple):
    """Points that are compared, in float64, and points that are shown."""

    train: Array
    held_out: Array
    generated: Array
    shown: tuple[Array, Array, Array]
    shape: tuple[int, ...]
    """Of a point that is shown."""
    rounding: float
    """Relative rounding of the coarsest format among them; 0 for float64."""
    notes: tuple[str, ...]


def audit_inputs(
    sets: tuple[ArrayLike, ArrayLike, ArrayLike],
    features: tuple[ArrayLike, ArrayLike, ArrayLike] | None,
    image_shape: tuple[int, ...] | None,
) -> AuditInputs:
    """Validate training, held-out and generated points, and their features if there are any.

    Raises
    ------
    ValueError
        If dimensions or numbers of rows disagree, values are not finite, all training points are
        equal, values leave 1e-100 to 1e100, or `image_shape` does not fit.
    """
    shown = _validated(sets, ("train", "held_out", "generated"))
    shape = tuple(np.shape(sets[2])[1:]) if image_shape is None else tuple(image_shape)
    if math.prod(shape) != shown[0].shape[1]:
        raise ValueError(f"image_shape is {shape}, expected {shown[0].shape[1]} values per point")
    if features is None:
        compared, given, notes = shown, sets, ()
    else:
        if len(features) != 3:
            raise ValueError(
                f"features are {len(features)} sets, expected three: of train, held_out, generated"
            )
        names = ("features of train", "features of held_out", "features of generated")
        compared, given, notes = _validated(features, names), features, (_FEATURES,)
        for name, ours, theirs in zip(names, compared, shown, strict=True):
            if len(ours) != len(theirs):
                raise ValueError(f"{name} have {len(ours)} rows, expected {len(theirs)}")
    if (compared[0] == compared[0][0]).all():
        raise ValueError("all training points are equal: expected data of some variance")
    largest = max(float(np.abs(points).max()) for points in compared)
    spread = float(np.ptp(compared[0], axis=0).max())
    if largest > _LARGEST or spread < 1 / _LARGEST:
        raise ValueError(
            f"values reach {largest:.3g} and training points differ by {spread:.3g} at most, "
            f"expected {_LARGEST:g} at most and {1 / _LARGEST:g} at least: multiply all sets by "
            "one factor"
        )
    return AuditInputs(*compared, shown, shape, _rounding(given[0], given[2]), notes)


def image_pairs(
    inputs: AuditInputs,
    copies: Sequence[Copy],
    held_out_rows: Index,
    variants: Callable[[Array], list[Array]] | None = None,
) -> Pairs | None:
    """The first pairs as images, beside the held-out points nearest to training points.

    With `variants`, a generated image is shown as that one of them which is nearest to its training
    image: the one that the distance is of. None if points are no images.
    """
    try:
        image_axes(inputs.shape)
    except ValueError:
        return None
    first = list({copy.generated: copy for copy in copies}.values())[:_SHOWN]
    near = nearest_neighbours(inputs.held_out[held_out_rows], inputs.train, k=1)
    order = np.argsort(near.distances[:, 0], kind="stable")[:_SHOWN]
    train, held_out, generated = (points.reshape(-1, *inputs.shape) for points in inputs.shown)
    fresh, old = held_out_rows[order], near.indices[order, 0]
    gaps = near.distances[order, 0]
    new, known = (
        generated[[copy.generated for copy in first]],
        train[[copy.train for copy in first]],
    )
    if variants is not None and first:
        turned = np.stack(variants(new))
        gap = ((turned - known) ** 2).reshape(len(turned), len(first), -1).sum(axis=2)
        new = turned[gap.argmin(axis=0), np.arange(len(first))]
    return Pairs(
        new,
        known,
        held_out[fresh],
        train[old],
        tuple((copy.generated, copy.train, copy.distance) for copy in first),
        tuple((int(a), int(b), float(gap)) for a, b, gap in zip(fresh, old, gaps, strict=True)),
    )


def _validated(
    sets: tuple[Any, Any, Any], names: tuple[str, str, str]
) -> tuple[Array, Array, Array]:
    first = as_points(sets[0], names[0], at_least=2)
    second, third = (
        as_points(points, name, dim=first.shape[1])
        for points, name in zip(sets[1:], names[1:], strict=True)
    )
    return first, second, third


def _rounding(*sets: ArrayLike) -> float:
    kinds = [np.asarray(points).dtype for points in sets]
    coarse = [np.finfo(kind).eps for kind in kinds if kind.kind == "f" and kind.itemsize < 8]
    return float(max(coarse, default=0.0))
