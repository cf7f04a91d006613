"""What an audit found: three verdicts, each with its number, interval and sentence."""

from __future__ import annotations

__all__ = ["AuditReport", "Pairs", "VERDICTS"]

import math
from dataclasses import MISSING, dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.json_values import from_json
from ornstein.memorization.copies import Copy
from ornstein.memorization.metrics import Metric
from ornstein.memorization.near_training_points import NearDuplicates
from ornstein.memorization.power import Detectable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

VERDICTS = ("copies", "closer than a Gaussian", "depends on the training data", "nothing detected")


_KINDS: dict[str, Any] = {
    "copies": Copy,
    "exact_copies": Copy,
    "suspects": Copy,
    "detectable": Detectable,
    "metrics": Metric,
}
"""Of the entries of lists."""


class Pairs(NamedTuple):
    """Images of the listed pairs (or of the suspects), and of held-out points for comparison.

    Each of shape (n_pairs, ...) with the shape of the images; ``held_out`` are those held-out
    points that lie nearest to a training point, ``held_out_nearest`` the training points.
    """

    generated: Array
    train: Array
    held_out: Array
    held_out_nearest: Array
    rows: tuple[tuple[int, int, float], ...] = ()
    """Of each pair: rows of the generated and the training point, counted from 0, and distance."""
    held_out_rows: tuple[tuple[int, int, float], ...] = ()
    """The same of the held-out points and the training points nearest to them."""


@dataclass(frozen=True, repr=False)
class AuditReport:
    """What :func:`ornstein.audit` returns.

    Printed, it is the text of ``ornstein audit``; in a notebook it is a table.
    """

    verdict: str
    """The strongest that was found, of the four of `VERDICTS`."""
    copies: tuple[Copy, ...]
    """Listed at the false discovery rate, largest contrast first."""
    exact_copies: tuple[Copy, ...]
    """Generated points that equal a training point, within the rounding of the file."""
    suspects: tuple[Copy, ...]
    """Generated points with the largest contrast, listed or not."""
    copied_share: float
    """Share of generated points that are listed or exact copies, with its 95% interval."""
    copied_share_low: float
    copied_share_high: float
    threshold: float
    """Least contrast on the list; NaN if it is empty."""
    least_copies: int
    """Fewer copied training points (or groups) cannot be listed."""
    minimum_detectable_fraction: float
    """Least share of copies, within 1% of the data's standard deviation, found with probability
    0.8; NaN if none would have been."""
    detectable: tuple[Detectable, ...]
    """The same at several noise levels."""
    train_share: float
    """f: share of generated points nearer to the training set, with its 95% interval."""
    train_share_low: float
    train_share_high: float
    dependence_p_value: float
    """Of f, if the training set were any other part of the pooled points."""
    detectable_share: float
    """f that is found with probability 0.8."""
    effective_number: float
    """Of pooled points (or groups) to which generated points are nearest."""
    gaussian_share: float
    """Mean f of Gaussians fitted to the training set, with the range of 95% of them."""
    gaussian_share_low: float
    gaussian_share_high: float
    gaussian_p_value: float
    """Of f, were the model such a Gaussian."""
    gaussian_detectable_share: float
    """f that is found to be larger with probability 0.8."""
    metrics: tuple[Metric, ...]
    """Descriptive, each beside its held-out value."""
    cautions: tuple[str, ...]
    """What may make all verdicts meaningless, as sets on different scales."""
    warnings: tuple[str, ...]
    """What was removed, and what limits the verdicts."""
    sizes: dict[str, int]
    """Points that were compared: train, held_out, generated; and their dimension."""
    fdr: float
    alpha: float
    grouped: bool
    """Groups were relabelled, not points."""
    values_repeat: bool
    """The data repeat their values, so that an exact copy is no evidence."""
    gaussian_closed_form: float = math.nan
    """f of Gaussians fitted to as many points of a Gaussian population of the same spectrum, by
    theory; NaN where that does not hold."""
    near_duplicates: NearDuplicates | None = None
    """Points that nearly equal a training point; None where they were not counted."""
    pairs: Pairs | None = field(default=None, compare=False)
    """Images to look at, if points are images."""

    def __str__(self) -> str:
        return self._reports().audit_text(self)

    def __repr__(self) -> str:
        return (
            f"AuditReport({self.verdict!r}: {len(self.copies)} copies, "
            f"{len(self.exact_copies)} exact, f = {self.train_share:.3f}, "
            f"p = {self.dependence_p_value:.2g})"
        )

    def _repr_html_(self) -> str:
        return self._reports("audit_html").audit_fragment(self)

    def to_dict(self) -> dict[str, Any]:
        """All numbers and texts, without the images; copies and metrics as lists of mappings."""
        plain: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if name != "pairs":
                plain[name] = _plain(value)
        plain["sentences"] = self.sentences()
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], pairs: Pairs | None = None) -> AuditReport:
        """Return the report that `to_dict` wrote, from its JSON document.

        Parameters
        ----------
        plain : mapping
            Numbers that JSON does not have are null for NaN, ``inf`` and ``-inf``.
        pairs : Pairs, optional
            Images, which the document does not have.

        Raises
        ------
        ValueError
            If an entry is missing, or is not what it should be.
        """
        values: dict[str, Any] = {}
        try:
            for name, field_ in cls.__dataclass_fields__.items():
                if name == "pairs" or (name not in plain and field_.default is not MISSING):
                    continue
                kind, value = _KINDS.get(name), plain[name]
                if name == "near_duplicates":
                    values[name] = None if value is None else NearDuplicates(**value)
                elif kind is None:
                    values[name] = from_json(value)
                else:
                    values[name] = tuple(kind(**entry) for entry in from_json(value))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no document of an audit: {error}") from error
        return cls(**values, pairs=pairs)

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` of verdicts and metrics, a row each."""
        import pandas as pd

        return pd.DataFrame(self._reports().audit_rows(self))

    def copies_to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` of listed and exact copies and suspects, a row each."""
        import pandas as pd

        return pd.DataFrame(self._reports().copy_rows(self))

    def to_html(self, path: str | Path) -> None:
        """Write one HTML file that needs no other: verdicts, copies, pictures, metrics.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._reports("audit_html").write_audit_html(self, path)

    def figure(self) -> Any:
        """Return the picture of pairs, a ``matplotlib.figure.Figure``; None without images."""
        return self._reports("audit_html").pairs_figure(self)

    def sentences(self) -> dict[str, str]:
        """The sentence of each of the three verdicts."""
        return self._reports("audit_sentences").audit_sentences(self)

    @staticmethod
    def _reports(name: str = "audit") -> Any:
        # By name: reports are a layer above, and are looked up only when one is asked for.
        return import_module(f"ornstein.reports.{name}")


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {key: _plain(entry) for key, entry in value._asdict().items()}
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value
