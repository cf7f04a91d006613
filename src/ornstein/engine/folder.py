"""What a study folder holds beside its cells: the resolved configuration, table and figure."""

from __future__ import annotations

__all__ = ["default_folder", "refuse_foreign", "write_config", "written"]

import hashlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein import __version__
from ornstein.engine.store import FILE_NAME, StudyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ornstein.engine.running import Study

_BESIDE = ("config.yaml", "summary.csv", "figure.svg", "figure.png", "samples.png")


def default_folder(study: Study) -> Path:
    """``runs/<study>-<digest of its identity>``: the same command finds its cells again."""
    text = json.dumps(dict(study.identity), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Path("runs") / f"{study.identity['study']}-{digest}"


def refuse_foreign(folder: Path) -> None:
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


def write_config(folder: Path, study: Study, config: Mapping[str, Any]) -> None:
    """Write the resolved `config` to ``config.yaml``, with the versions in use.

    ``--config`` reads it again.
    """
    import yaml

    options = {
        # Lists as the command line writes them.
        key: ",".join(map(_plain, value)) if isinstance(value, list) else value
        for key, value in config.items()
    }
    packages = ("numpy", "scipy", "scikit-learn", "joblib", *getattr(study, "packages", ()))
    options["versions"] = {
        "ornstein": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
    text = f"# {study.identity['study']} study; run again with --config\n"
    draft, final = folder / ".config.yaml.tmp", folder / "config.yaml"
    try:
        draft.write_text(text + yaml.safe_dump(options, sort_keys=False))
        os.replace(draft, final)  # noqa: PTH105 - atomic on every platform
    except OSError as error:
        raise StudyError(f"cannot write to the folder {str(folder)!r}: {error}") from error


def written(folder: Path) -> list[str]:
    """Names of the files that a study leaves, those that are there."""
    return [name for name in (FILE_NAME, *_BESIDE) if (folder / name).exists()]


def _plain(entry: float | str) -> str:
    """All digits of a number, and 10 rather than 10.0."""
    if isinstance(entry, str):
        return entry
    return str(int(entry)) if float(entry).is_integer() else repr(entry)
