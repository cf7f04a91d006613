"""The cells of a study that is only looked at: nothing is locked, written or computed.

What `ornstein report` reads: a folder of a colleague, on a medium that cannot be written to, or of
a study that another process is computing.
"""

from __future__ import annotations

__all__ = ["StoreToRead", "read_summary"]

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ornstein.engine.database import FORMAT, StudyError, get, read_only, said, study_file
from ornstein.engine.precision import enough
from ornstein.engine.running import summarized
from ornstein.engine.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ornstein.engine.precision import Precision
    from ornstein.engine.study import Study
    from ornstein.engine.summary import Summary


class StoreToRead(Store):
    """The store of a study folder, opened to be read.

    Parameters and errors are those of :class:`~ornstein.engine.store.Store`.
    """

    def __init__(
        self,
        folder: Path,
        identity: Mapping[str, Any],
        metrics: Sequence[str],
        arithmetic: int = 1,
    ) -> None:
        self.folder = folder
        self.metrics = tuple(metrics)
        self.path = study_file(folder)
        self.replicates: Mapping[int, int] | None = None
        self._lock = None
        self._open = ExitStack()
        with said("read", self.path):
            self._connection = self._open.enter_context(read_only(self.path))
            try:
                self._require_format(get(self._connection, "identity"))
                self._check({**identity, "arithmetic": arithmetic})
            except BaseException:
                self._open.close()
                raise

    def close(self) -> None:
        """Close the file."""
        self._open.close()

    def _require_format(self, known: Mapping[str, Any] | None) -> None:
        if known is None:
            raise StudyError(f"{str(self.path)!r} holds no study: a run ended before it began")
        found = known.get("format", 1)
        if found != FORMAT:
            raise StudyError(
                f"{str(self.path)!r} is of format {found}, and {FORMAT} is expected: run the study "
                "again with this version, which brings the file up to date and computes nothing"
            )


def read_summary(study: Study, folder: Path, precision: Precision | None = None) -> Summary:
    """Return the summary of what a study folder holds now, finished or not.

    Parameters
    ----------
    study : Study
        Of the configuration that the folder has.
    folder : Path
    precision : Precision, optional
        The rule that the study was run with.

    Raises
    ------
    StudyError
        If there is no readable study, or one of another configuration.
    """
    with StoreToRead(folder, study.identity, study.metrics, study.arithmetic) as store:
        if precision is not None:
            store.replicates, _ = enough(study, store, precision)
        return summarized(study, store, precision)
