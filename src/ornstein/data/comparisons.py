"""Checks of several sets that are to be compared; the first is the one that models learn from."""

from __future__ import annotations

__all__ = ["compare"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.data.contents import ArrayContents, TableContents
from ornstein.data.duplicates import common_rows, equal_rows
from ornstein.data.findings import Finding, by_level, note, refusal, warning
from ornstein.data.near_duplicates import near_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.data.profiles import Profile

_SHOWN = 3
_BYTES = 255.0
_OTHER_SCALE = 3.0
_CLOSE = 1.6  # a factor within which two standard deviations are taken for the same
_FEW_DIGITS = 2  # bytes of floats of 11 bits
_COPIES = "if one set was generated, they may be copies: ornstein audit says more"


def compare(
    profiles: Sequence[Profile], show: bool | None = None, *, rows: bool = True
) -> list[Finding]:
    """Compare the first set with each other one, and say what does not fit.

    Parameters
    ----------
    profiles : sequence of Profile
    show : bool, optional
        Progress bars.
    rows : bool
        Look for rows that several sets have in common.
    """
    findings: list[Finding] = []
    first = profiles[0]
    for index, other in enumerate(profiles[1:], start=1):
        findings += _columns(first, other)
        shapes = _shapes(first, other)
        findings += shapes
        if any(finding.level == "refusal" for finding in shapes):
            continue
        findings += _scales(first, other) + _types(first, other)
        for before in profiles[:index] if rows else ():
            if before.survey.dim == other.survey.dim:
                findings += _overlap(before, other, show)
    return by_level(findings)


def _shapes(first: Profile, other: Profile) -> list[Finding]:
    a, b = first.points.shape, other.points.shape
    if a == b:
        return []
    if first.survey.dim != other.survey.dim:
        advice = "all sets need the same coordinates"
        if len(a) == len(b) == 3 and a[0] == b[0]:
            advice = "make images alike with --pixels"
        return [
            refusal(f"points of {first.name} have shape {a} and those of {other.name} {b}", advice)
        ]
    return [
        warning(
            f"points of {first.name} have shape {a} and those of {other.name} {b}, as many numbers "
            "in what may be another order",
            "give both in one layout",
        )
    ]


def _scales(first: Profile, other: Profile) -> list[Finding]:
    """Whether the sets are in one unit."""
    small, large = sorted((first, other), key=lambda profile: profile.std)
    if small.std == 0 or not np.isfinite(large.std):
        return []
    ratio = large.std / small.std
    low, high = _ends(small)
    low_other, high_other = _ends(large)
    unit = low >= 0 and high <= 1
    if unit and low_other >= 0 and 1 < high_other <= _BYTES and _is_near(ratio, _BYTES, 2.5):
        return [
            refusal(
                f"{large.name} has values up to {high_other:g} and {small.name} from {low:g} to "
                f"{high:g}: a factor of 255",
                f"divide {large.name} by 255",
            )
        ]
    centred = -1 <= low_other < -0.5 and high_other <= 1
    moved = abs(2 * small.survey.mean.mean() - 1 - large.survey.mean.mean()) < 0.25
    if unit and centred and moved and _is_near(ratio, 2.0, _CLOSE):
        return [
            refusal(
                f"{large.name} has values from {low_other:g} to {high_other:g} and {small.name} "
                f"from {low:g} to {high:g}: x against 2 x - 1",
                f"use ({large.name} + 1) / 2, or the same for both",
            )
        ]
    if ratio > _OTHER_SCALE:
        return [
            warning(
                f"the standard deviation of {large.name} is {ratio:.3g} times that of {small.name} "
                f"({large.std:.3g} and {small.std:.3g})",
                "check their units",
            )
        ]
    return []


def _is_near(ratio: float, factor: float, within: float) -> bool:
    return factor / within < ratio < factor * within


def _ends(profile: Profile) -> tuple[float, float]:
    return float(np.nanmin(profile.survey.low)), float(np.nanmax(profile.survey.high))


def _types(first: Profile, other: Profile) -> list[Finding]:
    """Sets of different types, where one has fewer digits."""
    types = [each.points.dtype for each in (first, other)]
    if types[0] == types[1] or not (
        isinstance(first.contents, ArrayContents) and isinstance(other.contents, ArrayContents)
    ):
        return []
    names = f"{first.name} is {types[0].name} and {other.name} {types[1].name}"
    if any(each.kind == "f" and each.itemsize == _FEW_DIGITS for each in types):
        return [warning(f"{names}, of three digits", "round the other set, or save both again")]
    whole = [look.survey.whole or look.points.dtype.kind in "iub" for look in (first, other)]
    if whole[0] != whole[1]:
        return [
            warning(
                f"{names}: one holds steps and the other does not, which tells their points apart",
                "round both alike",
            )
        ]
    return [note(names)]


def _columns(first: Profile, other: Profile) -> list[Finding]:
    a, b = first.contents, other.contents
    if not (isinstance(a, TableContents) and isinstance(b, TableContents)):
        return []
    findings: list[Finding] = []
    missing = [name for name in a.kinds if name not in b.kinds]
    more = [name for name in b.kinds if name not in a.kinds]
    if missing or more:
        name, where = (missing[0], other.name) if missing else (more[0], first.name)
        findings.append(refusal(f"column {name} is not in {where}", "give the same columns"))
        return findings
    if list(a.kinds) != list(b.kinds):
        findings.append(note(f"columns of {other.name} are put in the order of {first.name}"))
    for name, kind in a.kinds.items():
        if kind != "category":
            continue
        ours, theirs = set(a.table[name].dropna()), set(b.table[name].dropna())
        for values, owner in ((theirs - ours, other.name), (ours - theirs, first.name)):
            if values:
                shown = ", ".join(sorted(map(str, values))[:_SHOWN])
                more_values = ", ..." if len(values) > _SHOWN else ""
                findings.append(
                    warning(
                        f"column {name}: {len(values)} categories in {owner} alone "
                        f"({shown}{more_values}), kept"
                    )
                )
    return findings


def _overlap(first: Profile, other: Profile, show: bool | None) -> list[Finding]:
    """Rows of `other` that stand in `first` too, exactly or nearly."""
    rows, partners = common_rows(first.survey.digests, other.survey.digests)
    n = other.survey.n_rows
    findings: list[Finding] = []
    if len(rows) == n == first.survey.n_rows:
        return [
            warning(
                f"{first.name} and {other.name} hold the same rows", f"give other data; {_COPIES}"
            )
        ]
    if len(rows):
        findings.append(
            warning(
                f"{len(rows)} of {n} rows of {other.name} also stand in {first.name} (row "
                f"{rows[0]} is row {partners[0]})",
                f"take them out of one set; {_COPIES}",
            )
        )
    mixed = any(isinstance(p.contents, TableContents) and not p.contents.is_numeric
                for p in (first, other))  # fmt: skip
    if mixed or not (first.survey.is_measurable and other.survey.is_measurable):
        return findings
    alone = np.ones(n, dtype=bool)
    alone[rows] = False
    distinct = np.intersect1d(equal_rows(other.survey.digests).first, np.flatnonzero(alone))
    near = near_pairs(
        first.points, first.groups.first, first.survey.mean, other.points, distinct, show=show
    )
    if near is not None and len(near.pairs):
        count = len(np.unique(near.pairs[:, 1]))
        i, j = near.pairs[0]
        every = near.searched == len(first.groups.first) and near.others == len(distinct)
        least = "" if near.complete and every else "at least "
        findings.append(
            warning(
                f"{least}{count} of {n} rows of {other.name} nearly equal one of {first.name} (row "
                f"{j} is nearly row {i})",
                f"take them out of one set; {_COPIES}",
            )
        )
    return findings
