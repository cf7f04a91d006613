"""One driver a study folder: a lock file with host, process and a heartbeat.

Only the driver of a study writes to its folder. The lock says who that is:

- on this machine a process that has ended holds nothing, whatever its file says (so a killed study
  goes on at once);
- elsewhere, as on a network file system, the heartbeat decides: the driver touches the file every
  `HEARTBEAT` seconds, and a lock that was not touched for `STALE` seconds is taken over. Both times
  are those of the file system, so clocks may differ.

A driver that was stopped for so long, and then goes on, sees that its lock is another's, and ends.
"""

from __future__ import annotations

__all__ = ["DriverLock", "Holder", "LOCK_NAME", "HEARTBEAT", "STALE", "read_holder"]

import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

LOCK_NAME = "study.lock"
HEARTBEAT = 15.0
STALE = 120.0


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes
    ----------
    host : str
        Name of the machine.
    machine : str
        Boot and process namespace, within which process numbers mean something; empty if unknown.
    pid : int
        Process number.
    born : str
        When that process started, in the kernel's ticks; empty if unknown.
    since : float
        Seconds since the epoch, by the clock of the host.
    token : str
        Of this lock alone.
    """

    host: str
    machine: str
    pid: int
    born: str
    since: float
    token: str

    @classmethod
    def of_this_process(cls) -> Holder:
        """The holder that this process would be."""
        pid = os.getpid()
        return cls(socket.gethostname(), _machine(), pid, _born(pid), time.time(), uuid.uuid4().hex)

    def has_ended(self) -> bool | None:
        """Whether the process has ended; None if this machine cannot know."""
        if not self.machine or self.machine != _machine():
            return None
        return not _runs(self.pid) or (bool(self.born) and _born(self.pid) != self.born)

    def __str__(self) -> str:
        started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"process {self.pid} on {self.host}, since {started}"


class DriverLock:
    """The right to write to a folder, from construction to `release`.

    Parameters
    ----------
    folder : Path
        Study folder, which exists.

    Raises
    ------
    BlockingIOError
        If another driver holds it; the message says who, and what to do.
    OSError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / LOCK_NAME
        self.holder = Holder.of_this_process()
        self._ended = threading.Event()
        self._lost = False
        self._acquire()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    @property
    def lost(self) -> bool:
        """Whether another driver has taken the lock over."""
        return self._lost

    def release(self) -> None:
        """Stop the heartbeat, and remove the file if it is still this driver's."""
        self._ended.set()
        self._thread.join()
        if self._is_mine():
            with suppress(OSError):
                self.path.unlink()

    def _acquire(self) -> None:
        content = json.dumps(asdict(self.holder))
        for _ in range(20):
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                self._take_over(content)
                return
            with os.fdopen(descriptor, "w") as stream:
                stream.write(content)
            return

    def _take_over(self, content: str) -> None:
        """Replace a lock whose driver has ended; of two who try at once, one finds it lost."""
        known = read_holder(self.path.parent)
        age = self._age()
        ended = None if known is None else known.has_ended()
        if ended is False or (ended is None and age < STALE):
            wait = "" if ended is False else f"; it is taken over {STALE - age:.0f} s from now"
            raise BlockingIOError(
                f"{known or 'another driver'} computes this study already: wait for it, or use "
                f"another --out{wait if known else ''}"
            )
        draft = self.path.with_name(f".{LOCK_NAME}.{self.holder.token}")
        draft.write_text(content)
        os.replace(draft, self.path)  # noqa: PTH105 - atomic on every platform
        time.sleep(0.05)  # time for one who was as fast
        if not self._is_mine():
            raise BlockingIOError("another driver has just started on this study: wait for it")

    def _age(self) -> float:
        """Seconds since the lock was touched, by the clock of the file system."""
        probe = self.path.with_name(f".{LOCK_NAME}.{self.holder.token}.probe")
        try:
            probe.touch()
            return probe.stat().st_mtime - self.path.stat().st_mtime
        except FileNotFoundError:
            return STALE
        finally:
            probe.unlink(missing_ok=True)

    def _is_mine(self) -> bool:
        known = read_holder(self.path.parent)
        return known is not None and known.token == self.holder.token

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT):
            if not self._is_mine():
                self._lost = True
                return
            with suppress(OSError):
                os.utime(self.path)


def read_holder(folder: Path) -> Holder | None:
    """Who holds the lock of a folder; None if nobody does, or the file cannot be read."""
    try:
        return Holder(**json.loads((Path(folder) / LOCK_NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _runs(pid: int) -> bool:
    if _stat(pid)[:1] == ["Z"]:  # killed, and not yet waited for by its parent
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def _born(pid: int) -> str:
    return "".join(_stat(pid)[19:20])


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process, from its state on; empty if it says nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _machine() -> str:
    if os.name == "nt":  # where signal 0 is not a question
        return ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        # Without /proc, as on macOS, the name of the host has to do.
        return socket.gethostname()
