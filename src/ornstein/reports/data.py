"""What ``ornstein data`` prints: each set in a few lines, and what was found."""

from __future__ import annotations

__all__ = ["data_text", "data_document"]

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.contents import ArrayContents, TableContents
from ornstein.reports.tables import WIDTH, counted, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.data.findings import Finding
    from ornstein.data.profiles import Profile

_LABEL = 11
_HEIGHT = 4  # lines of a histogram
_BYTES = ("B", "kB", "MB", "GB", "TB")
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HEAD = 5  # eigenvalues that are printed


def data_text(profiles: Sequence[Profile], compared: Sequence[Finding]) -> str:
    """Return the report for a terminal of 80 columns."""
    parts = [_set_text(profile) for profile in profiles]
    if len(profiles) > 1:
        names = ", ".join(profile.name for profile in profiles)
        lines = [line for finding in compared for line in _finding(finding)]
        nothing = _entry("", "nothing that does not fit")
        parts.append("\n".join([f"Compared: {names}", *(lines or nothing)]))
    return "\n\n".join(parts)


def data_document(profiles: Sequence[Profile], compared: Sequence[Finding]) -> dict[str, Any]:
    """Return the JSON document."""
    return {
        "sets": [profile.document() for profile in profiles],
        "compared": [finding.to_dict() for finding in compared],
    }


def _set_text(profile: Profile) -> str:
    look = profile.survey
    lines = [f"{profile.name}: {_what(profile)}"]
    lines += _entry("stored", _stored(profile))
    lines += _entry("used", _used(profile))
    if np.isfinite(look.low).any():
        lines += _entry("values", _values(profile))
        lines += _histogram(profile)
    if look.variance > 0 and look.is_measurable:
        lines += _entry("spectrum", _spectrum(profile))
    lines += [line for finding in profile.findings for line in _finding(finding)]
    return "\n".join(lines)


def _what(profile: Profile) -> str:
    contents, n = profile.contents, profile.survey.n_rows
    if isinstance(contents, TableContents):
        return f"a table of {counted(n, 'row')} and {counted(len(contents.kinds), 'column')}"
    assert isinstance(contents, ArrayContents)
    if contents.kind == "images":
        channels, height, width = contents.shape
        return f"{counted(n, 'image')} of {width} x {height}, {counted(channels, 'channel')}"
    return f"{counted(n, 'point')} of {counted(contents.dim, 'coordinate')}"


def _stored(profile: Profile) -> str:
    contents = profile.contents
    if isinstance(contents, TableContents):
        return contents.stored
    assert isinstance(contents, ArrayContents)
    size = float(contents.values.nbytes)
    power = min(int(np.log10(max(size, 1.0)) / 3), len(_BYTES) - 1)
    return f"{contents.stored}, {size / 1000**power:.3g} {_BYTES[power]}"


def _used(profile: Profile) -> str:
    contents, dim = profile.contents, profile.survey.dim
    if isinstance(contents, TableContents):
        kinds = Counter(contents.kinds.values())
        shown = ", ".join(_column_words(kind, count) for kind, count in kinds.items())
        return f"{counted(dim, 'coordinate')} from {shown}"
    scale = profile.points.scale
    how = "as they are" if scale == 1.0 else f"divided by {scale:g}"
    return f"{counted(dim, 'coordinate')}, values {how}"


def _column_words(kind: str, count: int) -> str:
    noun = "categories" if kind == "category" else f"{kind}s"
    return f"{counted(count, 'column')} of {noun}"


def _values(profile: Profile) -> str:
    look = profile.survey
    low, high = float(np.nanmin(look.low)), float(np.nanmax(look.high))
    text = f"{low:.4g} to {high:.4g}, mean {number(float((look.mean / look.dim).sum()))}"
    if look.variance > 0 and look.is_measurable:
        text += f", standard deviation {number(profile.std)} (root of the mean variance)"
    return text


def _histogram(profile: Profile) -> list[str]:
    counts, edges = profile.histogram
    if len(counts) < 2:
        return []
    heights = np.ceil(counts / counts.max() * 8 * _HEIGHT).astype(int)
    rows = [
        "".join(_EIGHTHS[int(np.clip(height - 8 * level, 0, 8))] for height in heights)
        for level in range(_HEIGHT - 1, -1, -1)
    ]
    share = counts.max() / counts.sum()
    rows[0] += f"  highest {100 * share:.1f}%"
    low, high = f"{edges[0]:.4g}", f"{edges[-1]:.4g}"
    axis = low + high.rjust(max(len(counts) - len(low), len(high) + 1))
    return [" " * (_LABEL + 2) + row.rstrip() for row in [*rows, axis]]


def _spectrum(profile: Profile) -> str:
    look = profile.survey
    values, total = look.spectrum, look.spectrum.sum()
    head = ", ".join(number(float(value), 3) for value in values[:_HEAD])
    shares = np.cumsum(values) / total
    half, most = (int(np.searchsorted(shares, part - 1e-12)) + 1 for part in (0.5, 0.9))
    more = ", ..." if len(values) > _HEAD else ""
    of = "" if look.sampled is None else f" (of {look.sampled} sampled rows)"
    rank = (
        f"rank {profile.rank} of {look.dim}" if look.sampled is None else f"{look.dim} dimensions"
    )
    spread = f"half of the variance in {counted(half, 'direction')}, 90% in {most}"
    return (
        f"{head}{more}; {spread}; {rank}; "
        f"effective dimension {number(profile.effective_dimension, 3)}{of}"
    )


def _finding(finding: Finding) -> list[str]:
    return _entry(
        finding.level.upper() if finding.level == "refusal" else finding.level, str(finding)
    )


def _entry(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"  {label.ljust(_LABEL)}",
        subsequent_indent=" " * (_LABEL + 2),
        break_on_hyphens=False,
    )
