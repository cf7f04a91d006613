"""Bring the cells of several folders of one study into one.

The folders are shards, or copies of one study that went on at different places. Their identities
must agree. What one has and another has not is taken; a finished cell replaces a failed one; a cell
that two have finished is kept once, and must have the same values up to rounding. Merging again
changes nothing.
"""

from __future__ import annotations

__all__ = ["Merged", "merge", "shards_in"]

import math
import shutil
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.engine.database import FILE_NAME, StudyError, get, read_only, said, study_file
from ornstein.engine.lock import read_holder
from ornstein.engine.store import Outcome, Store
from ornstein.engine.study import Cell
from ornstein.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CHUNK = 1000
_SAME = 1e-6  # relative difference of values that rounding explains
_OF_THE_STORE = ("arithmetic", "format")


class Merged(NamedTuple):
    """What was merged.

    Attributes
    ----------
    added : int
        Cells that are new in the target.
    known : int
        Cells that it had already.
    done : int
        Finished cells it has now.
    failed : int
        Failed cells it has now.
    missing : int
        Planned cells that none of the folders has.
    working : tuple of str
        Folders whose driver is still at work.
    """

    added: int
    known: int
    done: int
    failed: int
    missing: int
    working: tuple[str, ...]


def shards_in(folder: Path) -> list[Path]:
    """Folders of shards within a study folder, in order."""
    found = [path.parent for path in folder.glob(f"shard-*-of-*/{FILE_NAME}")]
    return sorted(found, key=lambda path: [int(part) for part in path.name.split("-")[1::2]])


def merge(sources: Sequence[Path], target: Path) -> Merged:
    """Merge the cells of `sources` into the folder `target`, which may exist.

    Raises
    ------
    StudyError
        If a folder holds no readable study, their studies differ, or two have different values of
        one cell.
    """
    if not sources:
        raise StudyError("there is nothing to merge: give folders of studies or of their shards")
    identities = {folder: _identity(folder) for folder in sources}
    first = sources[0]
    for folder, identity in identities.items():
        if identity != identities[first]:
            keys = {*identity, *identities[first]}
            differing = sorted(k for k in keys if identity.get(k) != identities[first].get(k))
            raise StudyError(
                f"{str(folder)!r} and {str(first)!r} are of different studies: their "
                f"{', '.join(differing)} differ"
            )
    what = {k: v for k, v in identities[first].items() if k not in _OF_THE_STORE}
    added = known = 0
    with Store(target, what, _metrics(first), identities[first].get("arithmetic", 1)) as store:
        plan = _joint_plan([_plan(folder) for folder in sources])
        store.plan(plan)
        have = store.finished()
        for folder in sources:
            if folder.resolve() == target.resolve():
                continue
            found = _outcomes(folder, store.metrics)
            while outcomes := list(islice(found, _CHUNK)):
                done = [each for each in outcomes if each.cell in have]
                _require_equal(folder, store, done)
                new = [each for each in outcomes if each.cell not in have]
                store.save(*new)
                have |= {each.cell for each in new if each.values is not None}
                added += len(new)
                known += len(done)
            _copy_beside(folder, target)
        finished, failed = store.finished(), store.failed()
    planned = {Cell(n, r) for n, count in _counts(plan).items() for r in range(count)}
    missing = len(planned - finished - failed)
    working = tuple(str(folder) for folder in sources if _at_work(folder))
    return Merged(added, known, len(finished), len(failed), missing, working)


def _identity(folder: Path) -> dict[str, Any]:
    path = study_file(folder)
    with said("read", path), read_only(path) as connection:
        # Folders of older versions do not say these.
        return {"arithmetic": 1, **(get(connection, "identity") or {}), "format": None}


def _metrics(folder: Path) -> list[str]:
    path = study_file(folder)
    with said("read", path), read_only(path) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(cells)")]
    return [name for name in names[5:] if name != "cpu"]


def _plan(folder: Path) -> dict[str, Any]:
    path = study_file(folder)
    with said("read", path), read_only(path) as connection:
        return get(connection, "plan") or {}


def _joint_plan(plans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All sizes, and the most replicates, that any of the plans has."""
    sizes = sorted({int(size) for plan in plans for size in plan.get("train_sizes", [])})
    return {
        "train_sizes": sizes,
        "simulations": max((int(plan.get("simulations", 0)) for plan in plans), default=0),
    }


def _counts(plan: Mapping[str, Any]) -> dict[int, int]:
    return {int(size): int(plan["simulations"]) for size in plan["train_sizes"]}


def _outcomes(folder: Path, metrics: Sequence[str]) -> Iterator[Outcome]:
    path = study_file(folder)
    with said("read", path), read_only(path) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(cells)")}
        cpus = {}
        if "cpu" in columns:
            cpus = dict(connection.execute("SELECT id, name FROM cpus"))
        names = "".join(f', "{name}"' for name in metrics)
        cpu = "cpu" if "cpu" in columns else "NULL"
        query = (
            f"SELECT train_size, replicate, status, seconds, error, {cpu}{names} FROM cells "  # noqa: S608
            "ORDER BY train_size, replicate"
        )
        for size, replicate, status, seconds, error, kind, *row in connection.execute(query):
            values = {
                name: math.nan if value is None else value
                for name, value in zip(metrics, row, strict=True)
            }
            yield Outcome(
                Cell(size, replicate),
                seconds,
                values=values if status == "done" else None,
                error=error,
                cpu=cpus.get(kind, ""),
            )


def _require_equal(folder: Path, store: Store, outcomes: Sequence[Outcome]) -> None:
    """Refuse two values of one cell that rounding does not explain."""
    found = [each for each in outcomes if each.values is not None]
    kept = store.values([each.cell for each in found])
    position: dict[int, int] = {}
    for each in sorted(found, key=lambda outcome: outcome.cell):
        size = each.cell.train_size
        index = position[size] = position.get(size, -1) + 1
        for name, value in (each.values or {}).items():
            other = kept[size][name][index]
            same = math.isclose(value, other, rel_tol=_SAME, abs_tol=1e-12)
            if not same and not (math.isnan(value) and math.isnan(other)):
                raise StudyError(
                    f"{str(folder)!r} has {name} = {value:.9g} at n = {size}, run "
                    f"{each.cell.replicate}, where another folder has {other:.9g}: these are not "
                    "runs of one study"
                )


def _copy_beside(folder: Path, target: Path) -> None:
    """Configuration and sample images, unless the target has them."""
    names = [Path("config.yaml"), *(p.relative_to(folder) for p in folder.glob("samples/*.npz"))]
    for name in names:
        place = target / name
        if (folder / name).is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(place) as draft:
                shutil.copyfile(folder / name, draft)


def _at_work(folder: Path) -> bool:
    holder = read_holder(folder)
    return holder is not None and holder.has_ended() is not True
