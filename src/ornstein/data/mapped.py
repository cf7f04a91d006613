r"""A data set in a .npy file that is read where it is needed, and never as a whole.

One pass in blocks of rows finds what a study must know of all points: range, equal rows, digest,
mean and covariance. Each block is turned into float64, and its moments are joined with those of the
blocks before it (:mod:`ornstein.data.running_moments`). After that training sets and held-out
points are read by their indices, those of the same draw from memory.

*The same numbers.* Points that are drawn are the same to the last bit. Mean and covariance agree
with those of :class:`~ornstein.data.data_sets.DataSet`, which has them from a singular value
decomposition of all points, to rounding: 1e-15 d of the largest eigenvalue, below which eigenvalues
are 0.

*Workers* get the path of the file, what the pass found, and no points. A file of another size or
another time of change than it had is read again, and refused if its digest is another.
"""

from __future__ import annotations

__all__ = ["MappedDataSet", "is_large"]

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ornstein.covariances import Covariance
from ornstein.data.blocks import Ranges, sample_of_rows
from ornstein.data.checks import block_findings
from ornstein.data.contents import BLOCK_BYTES
from ornstein.data.data_sets import PointSet
from ornstein.data.duplicates import digest_pairs, equal_rows
from ornstein.data.findings import refuse
from ornstein.data.running_moments import RunningMoments
from ornstein.data.sources import Draw
from ornstein.gaussians import Gaussian
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ornstein.data.contents import ArrayContents, Contents

    Array = NDArray[np.float64]

LARGE_BYTES = 2**30
"""Of all points as float64, from which on a file is read in blocks."""
TRAINING_BYTES = 2**28
"""Of a training set as float64, above which it is not in memory at once."""
ORIGINALS = 10_000
_KURTOSIS_ROWS = 100_000


def is_large(contents: Contents) -> bool:
    """Whether these are points of a mapped file that are not to be loaded."""
    file = getattr(contents, "file", None)
    return file is not None and 8 * contents.n_rows * math.prod(contents.shape) > LARGE_BYTES


class Pass(NamedTuple):
    """What the pass over all points finds."""

    law: Gaussian
    """With mean and covariance (over n - 1) of all points."""
    digest: str
    """SHA-256 of the points as float64."""
    constant: int
    """Coordinates that are equal in all points."""
    stamp: tuple[int, int]
    """Size and time of change of the file, in bytes and ns."""


@dataclass(frozen=True, eq=False)
class MappedDataSet(PointSet):
    """Points of a mapped file; use :meth:`read`.

    Parameters
    ----------
    contents : ArrayContents
        Of a mapped file.
    found : Pass
    notes : tuple of str
        How the data were read.
    """

    contents: ArrayContents
    found: Pass
    notes: tuple[str, ...] = ()  # type: ignore[assignment]

    @classmethod
    def read(cls, contents: ArrayContents, show: bool | None = None) -> MappedDataSet:
        """Read all points once, in blocks.

        Parameters
        ----------
        contents : ArrayContents
            Of a mapped file.
        show : bool, optional
            A progress bar; by default if stderr is a terminal.

        Raises
        ------
        ValueError
            If a value is not finite, there are fewer than 3 points, or all are equal.
        """
        n, dim, stamp = contents.n_rows, contents.dim, _stamp_of(contents)
        ranges, moments, digest = Ranges(dim), RunningMoments(dim), hashlib.sha256()
        digests = np.empty((n, 2), dtype=np.uint64)
        # On one thread, so that sums do not depend on the number of cores.
        with progress_bar(n, "rows", show, label="reading") as bar, threadpool_limits(1):
            for start, block in contents.blocks():
                digests[start : start + len(block)] = digest_pairs(block)
                digest.update(np.ascontiguousarray(block).data)
                ranges.add(start, block)
                if ranges.first_bad is None and ranges.is_measurable:
                    moments.absorb(block)
                bar.update(len(block))
            findings = block_findings(contents, ranges, equal_rows(digests))
            refuse(findings, contents.name)
            law = _without_zeros(moments.law(ddof=1))
        said = [*contents.findings, *findings]
        notes = [_on_blocks(n, dim), *(f"{contents.name}: {finding}." for finding in said)]
        constant = int((ranges.low == ranges.high).sum())
        return cls(contents, Pass(law, digest.hexdigest(), constant, stamp), tuple(notes))

    @property
    def name(self) -> str:  # type: ignore[override]
        """For tables and figures."""
        return self.contents.name

    @property
    def n_points(self) -> int:
        """Number of points."""
        return self.contents.n_rows

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return self.contents.dim

    @property
    def shape(self) -> tuple[int, ...]:
        """(dim,)."""
        return (self.dim,)

    @property
    def digest(self) -> str:
        """SHA-256 of the points as float64."""
        return self.found.digest

    @property
    def constant_coordinates(self) -> int:
        """Coordinates that are equal in all points."""
        return self.found.constant

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance over all points (constant coordinates count)."""
        return math.sqrt(self.found.law.covariance.trace / self.dim)

    @property
    def originals(self) -> int:
        """Number of held-out points that stand for the originals, which are too many."""
        return ORIGINALS

    @property
    def is_sent(self) -> bool:
        """True: it holds no points."""
        return True

    def fits(self, n: int) -> bool:
        """Whether a training set of `n` points is at most 256 MiB."""
        return 8 * n * self.dim <= TRAINING_BYTES

    def draw(self, n: int, rng: Any = None, held_out: int = 0) -> Draw:
        """Draw a training set without replacement; the first of the others are held out."""
        self._require_unchanged()
        order = self.order(n, rng)
        train = self.contents.rows(order[:n])
        return Draw(train, None, self.contents.rows(order[n : n + held_out]))

    def training_blocks(self, n: int, rng: Any = None) -> Iterator[Array]:
        """The training set that `draw` gives, in blocks of at least `dim` rows."""
        self._require_unchanged()
        order = self.order(n, rng)[:n]
        step = max(BLOCK_BYTES // (8 * self.dim), self.dim)
        for start in range(0, n, step):
            yield self.contents.rows(order[start : start + step])

    def moments(self) -> Gaussian:
        """The Gaussian with the mean and covariance of all points."""
        return self.found.law

    def excess_kurtosis(self) -> Array:
        """Excess kurtosis along each principal component that varies, of 100,000 rows at most."""
        return self._excess_kurtosis

    @cached_property
    def _excess_kurtosis(self) -> Array:
        mean, covariance = self.found.law.mean, self.found.law.covariance
        rows = sample_of_rows(self.n_points, _KURTOSIS_ROWS, "kurtosis")
        total = np.zeros(covariance.eigenvalues.size)
        step = max(1, BLOCK_BYTES // (8 * self.dim))
        for start in range(0, len(rows), step):
            centred = self.contents.rows(rows[start : start + step]) - mean
            scores = covariance.split(centred)[0] / np.sqrt(covariance.eigenvalues)
            total += np.square(np.square(scores)).sum(axis=0)
        return total / len(rows) - 3.0

    def _require_unchanged(self) -> None:
        """Raise ValueError if the file is another one than was read."""
        found = _stamp_of(self.contents)
        if found in {self.found.stamp, *self._same}:
            return
        digest = hashlib.sha256()
        for _, block in self.contents.blocks():
            digest.update(np.ascontiguousarray(block).data)
        if digest.hexdigest() != self.digest:
            raise ValueError(
                f"{self.name} has other points than when the study began: start again in another "
                "folder, or put the file back"
            )
        self._same.add(found)

    @cached_property
    def _same(self) -> set[tuple[int, int]]:
        """Stamps of files of the same points."""
        return set()


def _stamp_of(contents: ArrayContents) -> tuple[int, int]:
    """Size and time of the last change of the file."""
    assert contents.file is not None
    found = contents.file.stat()
    return found.st_size, found.st_mtime_ns


def _without_zeros(law: Gaussian) -> Gaussian:
    """The same law, by the directions that vary alone."""
    covariance = law.covariance
    kept = covariance.eigenvalues > 0
    if covariance.basis is None or kept.all():
        return law
    values, basis = covariance.eigenvalues[kept], covariance.basis[:, kept]
    return Gaussian(law.mean, Covariance(law.dim, values, basis))


def _on_blocks(n: int, dim: int) -> str:
    size = 8 * n * dim / 2**30
    least = TRAINING_BYTES // (8 * dim)
    sampled = (
        f" The excess kurtosis is that of {_KURTOSIS_ROWS} of them." if n > _KURTOSIS_ROWS else ""
    )
    return (
        f"The file is read in blocks: its {n} points would take {size:.3g} GiB.{sampled} Of "
        f"training sets above n = {least} ({TRAINING_BYTES >> 20} MiB) only moments are kept: "
        "Delta and the L2 distances are not measured there."
    )
