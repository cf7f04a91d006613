"""Images that cells of the U-Net study leave in its folder, for a picture."""

from __future__ import annotations

__all__ = ["Samples", "keep_samples", "read_samples"]

import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.files import atomic_write
from ornstein.memorization.neighbours import nearest_neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ornstein.studies.neural.models import TrainedModel

_SHOWN = 16


class Samples(NamedTuple):
    """A few images of one cell, each of shape (n_images, channels, H, W)."""

    train_size: int
    generated: NDArray[np.float64]
    nearest: NDArray[np.float64]
    train: NDArray[np.float64]


_SETS = Samples._fields[1:]


def keep_samples(
    folder: Path, trained: TrainedModel, points: NDArray[np.float64], shape: tuple[int, ...]
) -> None:
    """Write a few images of the cell; each nearest training image beside its generated one."""
    shown = points[:_SHOWN]
    nearest = trained.train[nearest_neighbours(shown, trained.train, k=1).indices[:, 0]]
    sets = {"generated": shown, "nearest": nearest, "train": trained.train[:_SHOWN]}
    images: Any = {name: rows.reshape(-1, *shape).astype(np.float32) for name, rows in sets.items()}
    path = _place(folder, trained.cell.train_size)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as draft:
        np.savez_compressed(draft, **images)


def read_samples(
    folder: Path | None, train_sizes: Sequence[int]
) -> tuple[list[Samples], list[str]]:
    """Read images that cells of these sizes left in a study folder.

    Returns
    -------
    samples : list of Samples
        Those that are there.
    notes : list of str
        Which files are there and cannot be read; the picture does without them.
    """
    found: list[Samples] = []
    notes: list[str] = []
    if folder is None:
        return found, notes
    for size in train_sizes:
        path = _place(folder, size)
        if not path.exists():
            continue
        try:
            found.append(Samples(size, *_images(path)))
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())
            notes.append(f"samples/{path.name} cannot be read ({reason}): samples.png lacks it.")
    return found, notes


def _images(path: Path) -> list[NDArray[np.float64]]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as sets:
        images = [np.asarray(sets[name], dtype=np.float64) for name in _SETS]
    if any(image.ndim != 4 for image in images):
        raise ValueError("its arrays are not of shape (n, channels, H, W)")
    return images


def _place(folder: Path, train_size: int) -> Path:
    return folder / "samples" / f"n{train_size}.npz"
