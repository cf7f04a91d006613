"""What is known of a set after one look: its numbers, and the findings."""

from __future__ import annotations

__all__ = ["Profile", "profile_all", "usable_points", "has_mixed"]

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ornstein.data.blocks import Survey, effective_dimension, sample_of_rows, survey
from ornstein.data.checks import check_columns, check_rows
from ornstein.data.comparisons import compare
from ornstein.data.contents import ArrayContents, Contents, TableContents
from ornstein.data.duplicates import Groups, equal_rows
from ornstein.data.findings import by_level
from ornstein.data.geometry import TableGeometry
from ornstein.data.near_duplicates import NearPairs, near_pairs
from ornstein.data.tables import numeric_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ornstein.data.findings import Finding

_SAMPLE = 20_000  # rows of histograms and of checks that need all values of a coordinate
_BINS = 40


@dataclass(frozen=True, eq=False)
class Profile:
    """One set, looked at.

    Parameters
    ----------
    contents : Contents
        As it was read.
    points : ArrayContents
        What is used: numbers, one point per row.
    survey : Survey
    groups : Groups
        Equal rows.
    near : NearPairs, optional
        Almost equal rows; None for fewer than 30 different ones, if there are values missing, or
        for tables of mixed kinds, where rows of few categories are near by chance.
    coordinates : tuple of str, optional
        Names of the coordinates of a table.
    sample : ndarray of shape (n_sampled, dim)
        Points of a sample of rows.
    histogram : tuple of ndarray
        Counts of the values of the sample, and edges of the bins; or the values themselves, if
        they are few whole numbers.
    findings : tuple of Finding
        Of the reading and of all checks; refusals first, then warnings, then notes.
    """

    contents: Contents
    points: ArrayContents
    survey: Survey
    groups: Groups
    near: NearPairs | None
    coordinates: tuple[str, ...] | None
    sample: NDArray[np.float64]
    histogram: tuple[NDArray[np.intp], NDArray[np.float64]]
    findings: tuple[Finding, ...]

    @property
    def name(self) -> str:
        """Of the set."""
        return self.contents.name

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        return float(np.sqrt(self.survey.variance / self.survey.dim))

    @property
    def rank(self) -> int:
        """Eigenvalues of the covariance above what rounding makes of 0."""
        values = self.survey.spectrum
        noise = 8 * self.survey.dim * np.finfo(np.float64).eps
        return int((values > noise * values.max(initial=0.0)).sum())

    @property
    def effective_dimension(self) -> float:
        """``(tr Sigma)^2 / tr(Sigma^2)``."""
        return effective_dimension(self.survey.spectrum)

    def document(self) -> dict[str, Any]:
        """All of it as plain values."""
        look, contents = self.survey, self.contents
        kinds = contents.kinds if isinstance(contents, TableContents) else None
        near = self.near
        return {
            "name": self.name,
            "kind": contents.kind if isinstance(contents, ArrayContents) else "table",
            "stored": _stored(contents),
            "rows": look.n_rows,
            "shape": list(self.points.shape),
            "dim": look.dim,
            "columns": kinds,
            "set_aside": contents.set_aside if isinstance(contents, TableContents) else None,
            "coordinates": self.coordinates,
            "classes": _classes(contents),
            "low": float(np.nanmin(look.low)) if np.isfinite(look.low).any() else None,
            "high": float(np.nanmax(look.high)) if np.isfinite(look.high).any() else None,
            "mean": float((look.mean / look.dim).sum()),
            "std": self.std,
            "constant_coordinates": int(look.constant.sum()),
            "missing": look.n_nan,
            "infinite": look.n_infinite,
            "repeated_rows": self.groups.repeats,
            "near_duplicates": None
            if near is None
            else {
                "rows": near.rows,
                "pairs": near.pairs[:_BINS],
                "distances": near.distances[:_BINS],
                "ratios": near.ratios[:_BINS],
                "limit": near.limit,
                "searched": near.searched,
                "complete": near.complete,
            },
            "rank": self.rank,
            "effective_dimension": self.effective_dimension,
            "spectrum": look.spectrum,
            "spectrum_rows": look.sampled or look.n_rows,
            "histogram": {"counts": self.histogram[0], "edges": self.histogram[1]},
            "findings": [finding.to_dict() for finding in self.findings],
        }


def profile_all(
    sets: Sequence[Contents],
    numbers: Literal["robust", "ranks"] | None = None,
    *,
    rows: bool = True,
    show: bool | None = None,
) -> tuple[list[Profile], list[Finding]]:
    """Look at one set or several; return their profiles, and what their comparison finds.

    Parameters
    ----------
    sets : sequence of Contents
        The first is the training set, if they are compared.
    numbers : {"robust", "ranks"}, optional
        How numbers of mixed tables are scaled; robust by default.
    rows : bool
        Look for rows that several sets have in common.
    show : bool, optional
        Progress bars; by default of large data, if stderr is a terminal.

    Raises
    ------
    ValueError
        If tables do not have the same columns, or tables and arrays are compared that hold more
        than numbers.
    """
    used, names, said = usable_points(sets, numbers)
    profiles = [
        _profile(contents, points, names, said if index == 0 else (), show)
        for index, (contents, points) in enumerate(zip(sets, used, strict=True))
    ]
    return profiles, compare(profiles, show, rows=rows) if len(profiles) > 1 else []


def usable_points(
    sets: Sequence[Contents], numbers: Literal["robust", "ranks"] | None = None
) -> tuple[list[ArrayContents], tuple[str, ...] | None, tuple[Finding, ...]]:
    """Points of all sets in one geometry, names of their coordinates, and how they were made.

    Arrays, and tables of numbers alone, are used as they are; all other tables in the geometry that
    :class:`~ornstein.data.geometry.TableGeometry` fits to them.
    """
    tables = [each for each in sets if isinstance(each, TableContents)]
    if numbers is not None and all(each.is_numeric for each in tables):
        raise ValueError(
            f"numbers is {numbers!r} and has no effect: it is for tables that do not hold numbers "
            "alone, leave it out"
        )
    if not tables:
        return [each for each in sets if isinstance(each, ArrayContents)], None, ()
    for each in tables:
        each.require_usable()
    if all(each.is_numeric for each in tables):
        names = tuple(tables[0].kinds)
        ordered = [
            each if not isinstance(each, TableContents) else _as_array(each, _numbers(each, names))
            for each in sets
        ]
        return [each for each in ordered if isinstance(each, ArrayContents)], names, ()
    if len(tables) < len(sets):
        mixed = next(each.name for each in tables if not each.is_numeric)
        array = next(each.name for each in sets if isinstance(each, ArrayContents))
        raise ValueError(
            f"{mixed} is a table that does not hold numbers alone, and {array} an array: expected "
            "sets of one kind"
        )
    geometry = TableGeometry(numbers or "robust").fit(tables)
    made = [_as_array(each, geometry.transform(each)) for each in tables]
    return made, geometry.names_, geometry.findings_


def has_mixed(sets: Sequence[Contents]) -> bool:
    """Whether one of the sets is a table that does not hold numbers alone."""
    return any(isinstance(each, TableContents) and not each.is_numeric for each in sets)


def _numbers(contents: TableContents, names: tuple[str, ...]) -> Any:
    """The columns of a table in the order of the first set."""
    if set(names) != set(contents.kinds):
        return numeric_points(contents)
    order = [list(contents.kinds).index(name) for name in names]
    return numeric_points(contents)[:, order]


def _as_array(contents: TableContents, points: Any) -> ArrayContents:
    return ArrayContents(contents.name, "array", points, contents.stored, origin=contents.origin)


def _profile(
    contents: Contents,
    points: ArrayContents,
    names: tuple[str, ...] | None,
    said: Sequence[Finding],
    show: bool | None,
) -> Profile:
    look = survey(points, show)
    groups = equal_rows(look.digests)
    near = None
    if look.is_measurable and not has_mixed([contents]):
        near = near_pairs(points, groups.first, look.mean, show=show)
    sample = points.rows(sample_of_rows(points.n_rows, _SAMPLE, "histogram"))
    findings = [
        *contents.findings,
        *said,
        *check_columns(contents),
        *check_rows(points, look, groups, near, sample, names),
    ]
    return Profile(
        contents=contents,
        points=points,
        survey=look,
        groups=groups,
        near=near,
        coordinates=names,
        sample=sample,
        histogram=_histogram(sample, look),
        findings=tuple(by_level(findings)),
    )


def _histogram(
    sample: NDArray[np.float64], look: Survey
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    values = sample[np.isfinite(sample)]
    if not values.size:
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    low, high = float(np.nanmin(look.low)), float(np.nanmax(look.high))
    step = high / _BINS - low / _BINS
    if not low < low + step < high or not np.isfinite(high - low):
        return np.array([values.size]), np.array([low, high])
    if look.whole and high - low < _BINS:
        # One bin for each whole number.
        counts = np.bincount((values - low).astype(np.intp), minlength=int(high - low) + 1)
        return counts, np.arange(low, high + 1)
    counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    return counts, edges


def _classes(contents: Contents) -> dict[str, int] | None:
    """Points of each class, where there are any."""
    labels = contents.labels if isinstance(contents, ArrayContents) else None
    return None if labels is None else dict(Counter(labels))


def _stored(contents: Contents) -> str:
    return contents.stored if isinstance(contents, ArrayContents | TableContents) else ""
