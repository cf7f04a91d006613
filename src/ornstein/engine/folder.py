"""What a study folder holds beside its cells: the resolved configuration, table and figure."""

from __future__ import annotations

__all__ = [
    "default_folder",
    "require_study_folder",
    "versions_in_use",
    "write_settings",
    "write_summary",
    "written",
]

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ornstein import __version__
from ornstein.engine.store import FILE_NAME, StudyError
from ornstein.engine.summary import write_csv
from ornstein.files import atomic_write
from ornstein.settings_files import dump_settings, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.engine.precision import Precision
    from ornstein.engine.study import Study
    from ornstein.engine.summary import Summary

_BESIDE = ("config.yaml", "summary.csv", "figure.svg", "figure.png", "samples.png")


def default_folder(study: Study) -> Path:
    """``runs/<study>-<digest of its identity>``: the same command finds its cells again."""
    # Folders of older versions, whose identity has no shape of the data, keep their names.
    identity = {key: value for key, value in study.identity.items() if key != "data_shape"}
    text = json.dumps(identity, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Path("runs") / f"{study.name}-{digest}"


def require_study_folder(folder: Path) -> None:
    """Refuse a folder without a study in which a study would overwrite a file.

    Raises
    ------
    StudyError
        If it holds such a file.
    """
    if (folder / FILE_NAME).exists():
        return
    foreign = [name for name in _BESIDE if (folder / name).exists()]
    if foreign:
        raise StudyError(
            f"{str(folder)!r} holds {', '.join(foreign)} and no {FILE_NAME}, so they are not of "
            "this study: use another --out, or move them"
        )


def write_settings(folder: Path, study: Study, precision: Precision | None = None) -> None:
    """Write the settings of a study to ``config.yaml``, with the versions in use.

    ``--config`` reads it again.
    """
    options = {
        # Lists as the command line writes them.
        key: listed(value) if isinstance(value, list | tuple) else value
        for key, value in study.settings.items()
    }
    if precision is not None:
        targets = precision.targets.items()
        options["target_se"] = ",".join(f"{name}={value!r}" for name, value in targets)
        options["max_simulations"] = precision.max_simulations
    options["versions"] = versions_in_use(study.packages)
    text = f"# {study.name} study; run again with --config\n"
    try:
        with atomic_write(folder / "config.yaml") as draft:
            draft.write_text(text + dump_settings(options))
    except OSError as error:
        raise StudyError(f"cannot write to the folder {str(folder)!r}: {error}") from error


def versions_in_use(more: Sequence[str] = ()) -> dict[str, str]:
    """Versions of Python, of this package, of those that all numbers depend on, and of `more`."""
    packages = ("numpy", "scipy", "scikit-learn", "joblib", *more)
    return {
        "ornstein": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def write_summary(folder: Path, summary: Summary) -> None:
    """Write ``summary.csv`` and the figures."""
    write_csv(folder / "summary.csv", summary.rows)
    summary.write_figures(folder)


def written(folder: Path) -> list[str]:
    """Names of the files that a study leaves, those that are there."""
    return [name for name in (FILE_NAME, *_BESIDE) if (folder / name).exists()]
