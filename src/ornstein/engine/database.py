"""The SQLite file of a study: how it is opened, on any file system, and what is refused.

A write-ahead log is fast, and lets `ornstein status` read while cells are written. It needs memory
that is shared between processes, which network file systems do not have: there, and wherever SQLite
itself declines, a rollback journal is used with every transaction synchronised to the disk.

A file of an older format is migrated, one of a newer format refused, as is a damaged one.
"""

from __future__ import annotations

__all__ = [
    "FILE_NAME",
    "FORMAT",
    "StudyError",
    "study_file",
    "open_database",
    "read_only",
    "said",
    "get",
    "put",
]

import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein.engine.lock import read_holder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE_NAME = "study.sqlite"
FORMAT = 2
PATIENCE = 10.0  # seconds to wait for another program that has the file locked
_TABLES = {"study", "cells", "cpus"}
_NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p",
    "glusterfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "orangefs", "panfs", "wekafs",
}  # fmt: skip


class StudyError(ValueError):
    """A study folder that cannot be used as asked; the message is for the user."""


def study_file(folder: Path) -> Path:
    """The file of the study in a folder.

    Raises
    ------
    StudyError
        If there is none.
    """
    path = Path(folder) / FILE_NAME
    if not path.is_file():
        raise StudyError(
            f"no study in {str(folder)!r}: expected a folder with {FILE_NAME}, as --out makes it"
        )
    return path


def open_database(path: Path | None) -> sqlite3.Connection:
    """Open the file of a study for its driver, or a database in memory.

    Raises
    ------
    sqlite3.Error
        If it is damaged, of something else, or of a newer format, or the disk refuses.
    """
    connection = sqlite3.connect(":memory:" if path is None else path, timeout=PATIENCE)
    try:
        _require_health(connection)
        if path is not None:
            _choose_journal(connection, path)
        _migrate(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file of a study to read it, leaving nothing behind.

    A file that no driver has open, and beside which there is no log, is whole: it is read as it is,
    from a medium that cannot be written to as well.
    """
    logs = [path.with_name(path.name + ending) for ending in ("-wal", "-journal")]
    whole = read_holder(path.parent) is None and not any(
        log.exists() and log.stat().st_size for log in logs
    )
    mode = "immutable=1" if whole else "mode=ro"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def said(what: str, path: Path) -> Iterator[None]:
    """Turn what SQLite, or the disk, refuses into one line for the user.

    Raises
    ------
    StudyError
        ``cannot <what> '<path>': <reason>``.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StudyError(f"cannot {what} {str(path)!r}: {error}") from error


def get(connection: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    """A JSON object that the study has under a key.

    Raises
    ------
    sqlite3.DatabaseError
        If something else is there.
    """
    row = connection.execute("SELECT value FROM study WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    try:
        found = json.loads(row[0])
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise sqlite3.DatabaseError(f"its {key} is no JSON object: the file is damaged")
    return found


def put(connection: sqlite3.Connection, key: str, value: Mapping[str, Any]) -> None:
    """Store a JSON object under a key."""
    text = json.dumps(dict(value))
    connection.execute("INSERT OR REPLACE INTO study VALUES (?, ?)", (key, text))


def _choose_journal(connection: sqlite3.Connection, path: Path) -> None:
    wanted = "TRUNCATE" if _file_system(path) in _NETWORK else "WAL"
    (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
    if mode.upper() != "WAL":
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
    else:
        connection.execute("PRAGMA synchronous = NORMAL")


def _file_system(path: Path) -> str:
    """Type of the file system that a path is on, as Linux names it; empty elsewhere."""
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    place = path.resolve()
    found = [
        (len(point), kind)
        for _, point, kind, *_ in (line.split(" ") for line in mounts)
        if place.is_relative_to(point.replace("\\040", " "))
    ]
    return max(found, default=(0, ""))[1]


def _require_health(connection: sqlite3.Connection) -> None:
    tables = _tables(connection)
    foreign = sorted(tables - _TABLES)
    if foreign:
        raise sqlite3.DatabaseError(
            f"it has the table(s) {', '.join(foreign[:3])}, which no study has: use another --out"
        )
    (health,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if health != "ok":
        raise sqlite3.DatabaseError(
            f"the file is damaged ({' '.join(health.split())}): use another --out, or restore it"
        )


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring a file of an older format to this one."""
    identity = get(connection, "identity") if "study" in _tables(connection) else None
    if identity is None:
        return
    found = identity.get("format", 1)
    if found > FORMAT:
        raise sqlite3.DatabaseError(
            f"it is of format {found}, and this version of ornstein knows formats up to {FORMAT}: "
            "use the version that wrote it, or a newer one"
        )
    if found < 2:
        with connection:
            connection.execute("ALTER TABLE cells ADD COLUMN cpu INTEGER")
            put(connection, "identity", {**identity, "format": 2})


def _tables(connection: sqlite3.Connection) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return {name for (name,) in connection.execute(query)}
