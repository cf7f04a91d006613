r"""Training and held-out points in one pool, in which nothing but a label tells them apart.

The statistics of an audit rest on one hypothesis: *given the pooled points, which of them were
trained on is exchangeable*. So what is computed from the pool must not depend on the order in which
points were given, nor on which of the two sets is named first. Distinct points are therefore
ordered by their values (:mod:`ornstein.data.duplicates`), and of equally near points the
first in that order is the nearest. Points that are equal are one point of the pool with a number of
training rows and a number of held-out rows.

**What equal rows mean** decides what is done with them. With the shares of equal pairs ``w`` among
training rows, ``h`` among held-out rows and ``c`` between the two, draws of one law that repeats
its values (counts, categories, small images) have ``w = h = c`` in expectation.

* ``c`` is more than 4 times ``sqrt(w h)``: held-out rows were taken from the training set. They are
  removed from the held-out side.
* ``c`` is about ``w`` and ``h``: the data repeat their values. All rows stay; a point with rows on
  both sides speaks for neither.
* ``c = 0``, and one of the sets repeats rows: that set was duplicated. One row of each kind stays.

A group (patient, video) that has training rows and held-out rows is removed from the held-out side.
"""

from __future__ import annotations

__all__ = ["Pool", "pool_of"]

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.data.duplicates import row_digests
from ornstein.validation import as_points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Mask = NDArray[np.bool_]

_FACTOR = 4.0  # between the share of equal pairs across sets and within them


class Pool(NamedTuple):
    """Distinct points of both sets, and which rows are which point.

    ``values``, shape (n_values, dim), in an order that depends on them alone. Of the rows that are
    kept: their indices in what was given, ``train_rows`` and ``held_out_rows``; the value of each,
    ``train`` and ``held_out``; the group of each, an integer (without groups the value itself),
    ``train_groups`` and ``held_out_groups``.
    """

    values: Array
    train_rows: Index
    held_out_rows: Index
    train: Index
    held_out: Index
    train_groups: Index
    held_out_groups: Index
    grouped: bool
    repeats: bool
    """The data repeat their values: equal rows prove nothing."""
    overlap: int
    """Held-out rows that equal a training row."""
    notes: tuple[str, ...]


def pool_of(train: ArrayLike, held_out: ArrayLike, groups: Any = None) -> Pool:
    """Pool two sets, after what must not be counted twice is removed; the notes say what.

    Parameters
    ----------
    train : array-like of shape (n_train, dim)
    held_out : array-like of shape (n_held_out, dim)
    groups : pair of array-like, optional
        Labels of the training rows and of the held-out rows.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, or nothing is left of the held-out rows.

    Examples
    --------
    >>> pool = pool_of([[0.0], [1.0], [2.0]], [[1.0], [5.0]])
    >>> pool.overlap, pool.held_out_rows
    (1, array([1]))
    """
    old = as_points(train, "train", at_least=2)
    fresh = as_points(held_out, "held_out", dim=old.shape[1])
    old_digests, fresh_digests = row_digests(old), row_digests(fresh)
    labels = _labels(groups, len(old), len(fresh))
    seen = set(old_digests)
    shared = np.array([digest in seen for digest in fresh_digests], dtype=bool)
    repeats = _values_repeat(old_digests, fresh_digests)
    keep_old, keep_fresh, notes = _kept(old_digests, fresh_digests, shared, repeats=repeats)
    if labels is not None:
        both = np.isin(labels[1], labels[0])
        if (both & keep_fresh).any():
            notes.append(
                f"Of {len(fresh)} held-out rows, {(both & keep_fresh).sum()} of a group that has "
                "training rows: removed from the held-out side."
            )
        keep_fresh &= ~both
    if not keep_fresh.any():
        raise ValueError(
            f"all {len(fresh)} held-out rows equal training rows or belong to their groups: "
            "expected fresh points of the same source"
        )
    train_rows, held_out_rows = np.flatnonzero(keep_old), np.flatnonzero(keep_fresh)
    kept = [old_digests[i] for i in train_rows] + [fresh_digests[i] for i in held_out_rows]
    order = {digest: place for place, digest in enumerate(sorted(set(kept)))}
    value = np.fromiter((order[digest] for digest in kept), dtype=np.intp, count=len(kept))
    values = np.empty((len(order), old.shape[1]))
    values[value] = np.concatenate([old[train_rows], fresh[held_out_rows]])
    cut = len(train_rows)
    group = value
    if labels is not None:
        group = np.concatenate([labels[0][train_rows], labels[1][held_out_rows]])
    return Pool(
        values,
        train_rows,
        held_out_rows,
        value[:cut],
        value[cut:],
        group[:cut],
        group[cut:],
        labels is not None,
        repeats,
        int(shared.sum()),
        tuple(notes),
    )


def _values_repeat(old: list[bytes], fresh: list[bytes]) -> bool:
    """Whether equal rows of the two sets are what the data do by themselves."""
    within, beside, across = _equal_pairs(old, fresh)
    return 0 < across <= _FACTOR * math.sqrt(within * beside)


def _kept(
    old: list[bytes], fresh: list[bytes], shared: Mask, *, repeats: bool
) -> tuple[Mask, Mask, list[str]]:
    """Which rows of each set stay, and what is said of the others."""
    keep_old, keep_fresh = np.ones(len(old), dtype=bool), np.ones(len(fresh), dtype=bool)
    if repeats:
        note = (
            f"{shared.sum()} of {len(fresh)} held-out rows equal a training row, and rows of one "
            "set equal each other about as often: the data repeat their values. All rows are kept, "
            "and an exact copy proves nothing."
        )
        return keep_old, keep_fresh, [note]
    keep_old, keep_fresh = _first(old, keep_old), _first(fresh, ~shared)
    notes = []
    if shared.any():
        verb = "equals" if shared.sum() == 1 else "equal"
        notes.append(
            f"Of {len(fresh)} held-out rows, {shared.sum()} {verb} a training row: removed from "
            "the held-out side."
        )
    for name, count in (
        ("training", int((~keep_old).sum())),
        ("held-out", int((~keep_fresh & ~shared).sum())),
    ):
        if count:
            verb = "row repeats" if count == 1 else "rows repeat"
            notes.append(f"{count} {name} {verb} another one: each is counted once.")
    return keep_old, keep_fresh, notes


def _labels(groups: Any, n_train: int, n_held_out: int) -> tuple[Index, Index] | None:
    """Groups as integers that are common to both sets."""
    if groups is None:
        return None
    try:
        pair = tuple(np.asarray(labels) for labels in groups)
    except TypeError:
        pair = ()
    sizes = [labels.shape for labels in pair]
    if sizes != [(n_train,), (n_held_out,)]:
        raise ValueError(
            f"groups have shapes {sizes}, expected a pair of labels: ({n_train},) of the training "
            f"rows and ({n_held_out},) of the held-out rows"
        )
    _, codes = np.unique(np.concatenate(pair).astype(str), return_inverse=True)
    return codes[:n_train].astype(np.intp), codes[n_train:].astype(np.intp)


def _equal_pairs(old: list[bytes], fresh: list[bytes]) -> tuple[float, float, float]:
    """Shares of equal pairs: among training rows, among held-out rows, and between the two."""
    ours, theirs = Counter(old), Counter(fresh)
    across = sum(count * theirs[digest] for digest, count in ours.items())
    return (_share(ours.values()), _share(theirs.values()), across / (len(old) * len(fresh)))


def _share(counts: Iterable[int]) -> float:
    sizes = np.array(list(counts), dtype=np.float64)
    total = sizes.sum()
    return float((sizes * (sizes - 1)).sum() / max(total * (total - 1), 1.0))


def _first(digests: list[bytes], kept: Mask) -> Mask:
    """Of equal rows among those kept, the first alone."""
    seen: set[bytes] = set()
    first = kept.copy()
    for index in np.flatnonzero(kept):
        first[index] = digests[index] not in seen
        seen.add(digests[index])
    return first
