"""What a study folder holds beside its cells: the resolved configuration, table and figure."""

from __future__ import annotations

__all__ = ["default_folder", "write_config", "written"]

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ornstein import __version__
from ornstein.studies.linear import LinearStudy, resolved
from ornstein.studies.store import StudyError

if TYPE_CHECKING:
    from ornstein.studies.engine import Study


def default_folder(study: Study) -> Path:
    """``runs/<study>-<digest of its identity>``: the same command finds its cells again."""
    text = json.dumps(dict(study.identity), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Path("runs") / f"{study.identity['study']}-{digest}"


def write_config(folder: Path, study: LinearStudy) -> None:
    """Write ``config.yaml``, which ``--config`` reads again, with the versions in use."""
    import yaml

    options = {
        # Lists as the command line writes them.
        key: ",".join(f"{entry:g}" if isinstance(entry, float) else str(entry) for entry in value)
        if isinstance(value, list)
        else value
        for key, value in resolved(study).items()
    }
    packages = ("numpy", "scipy", "scikit-learn", "joblib")
    options["versions"] = {
        "ornstein": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
    text = f"# {study.identity['study']} study; run again with --config\n"
    try:
        (folder / "config.yaml").write_text(text + yaml.safe_dump(options, sort_keys=False))
    except OSError as error:
        raise StudyError(f"cannot write to the folder {str(folder)!r}: {error}") from error


def written(folder: Path) -> list[str]:
    """Names of the files that a study leaves, those that are there."""
    names = ("study.sqlite", "config.yaml", "summary.csv", "figure.svg", "figure.png")
    return [name for name in names if (folder / name).exists()]
