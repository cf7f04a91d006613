"""The store of a study: on any file system, with one driver, whole after any accident."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ornstein.engine import database
from ornstein.engine import lock as locking
from ornstein.engine.lock import LOCK_NAME, STALE, DriverLock, Holder, read_holder
from ornstein.engine.status import read_status
from ornstein.engine.store import Outcome, Store, StudyError
from ornstein.engine.study import Cell

IDENTITY = {"study": "toy"}


def opened(folder: Path, metrics: tuple[str, ...] = ("x",)) -> Store:
    return Store(folder, IDENTITY, metrics)


def filled(folder: Path, count: int = 50) -> None:
    with opened(folder) as store:
        store.plan({"train_sizes": [3], "simulations": count})
        store.save(*(Outcome(Cell(3, r), 0.5, values={"x": float(r)}) for r in range(count)))


def journal(store: Store) -> str:
    return store._connection.execute("PRAGMA journal_mode").fetchone()[0]


class TestFileSystems:
    def test_a_log_on_a_local_disk(self, tmp_path: Path) -> None:
        with opened(tmp_path / "s") as store:
            assert journal(store) == "wal"

    @pytest.mark.parametrize("kind", ["nfs4", "lustre", "gpfs", "fuse.sshfs"])
    def test_a_rollback_journal_on_a_network(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        monkeypatch.setattr(database, "_file_system", lambda _: kind)
        with opened(tmp_path / "s") as store:
            assert journal(store) == "truncate"
            # 2: every transaction is on the disk before the next one begins.
            assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)

    def test_where_sqlite_has_no_shared_memory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The VFS unix-dotfile locks by files, and answers a wish for a log with another mode."""
        connect = sqlite3.connect

        def by_files(path: Path, **options: float) -> sqlite3.Connection:
            return connect(f"file:{path}?vfs=unix-dotfile", uri=True, **options)

        monkeypatch.setattr(database.sqlite3, "connect", by_files)
        with opened(tmp_path / "s") as store:
            assert journal(store) == "truncate"
            store.save(Outcome(Cell(3, 0), 0.5, values={"x": 7.0}))
            assert store.values([Cell(3, 0)]) == {3: {"x": [7.0]}}

    def test_the_type_of_a_file_system(self) -> None:
        assert database._file_system(Path("/proc/self")) == "proc"

    @pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a mount")
    def test_a_full_disk(self, tmp_path: Path) -> None:
        """What was saved before stays, and the study goes on when there is space."""
        place = tmp_path / "small"
        place.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False
        )
        if mounted.returncode:
            pytest.skip("cannot mount here")
        try:
            saved = 0
            with opened(place / "s") as store:
                saved, refusal = self.fill(store)
            assert "cannot write to" in refusal
            assert "full" in refusal
            assert read_status(place / "s").failed == dict.fromkeys(range(saved), 50)
            subprocess.run(["mount", "-o", "remount,size=8m", place], check=True)
            with opened(place / "s") as store:
                store.save(Outcome(Cell(1, 0), 0.5, values={"x": 1.0}))
        finally:
            subprocess.run(["umount", place], check=True)

    @pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a mount")
    def test_status_of_a_medium_that_cannot_be_written(self, tmp_path: Path) -> None:
        place = tmp_path / "medium"
        place.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=False).returncode:
            pytest.skip("cannot mount here")
        try:
            filled(place / "s")
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
            assert read_status(place / "s").done == {3: 50}
            with pytest.raises(StudyError, match=r"cannot use the folder .* [Rr]ead-only"):
                opened(place / "s")
        finally:
            subprocess.run(["umount", place], check=True)

    def test_a_database_that_is_locked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a backup or another program may do: one line, nothing lost."""
        monkeypatch.setattr(database, "PATIENCE", 0.05)
        with opened(tmp_path / "s") as store:
            other = sqlite3.connect(tmp_path / "s" / "study.sqlite")
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StudyError, match=r"cannot write to .* locked"):
                store.save(Outcome(Cell(3, 0), 0.5, values={"x": 1.0}))
            other.rollback()
            other.close()
            store.save(Outcome(Cell(3, 0), 0.5, values={"x": 1.0}))
            assert store.finished() == {Cell(3, 0)}

    def fill(self, store: Store) -> tuple[int, str]:
        """Save groups of 50 cells until the disk refuses: how many went in, and what was said."""
        for saved in range(10_000):
            try:
                store.save(*(Outcome(Cell(saved, r), 0.5, error="e" * 80) for r in range(50)))
            except StudyError as error:
                return saved, str(error)
        raise AssertionError("the disk is larger than it should be")

    def test_full_by_its_own_limit(self, tmp_path: Path) -> None:
        with opened(tmp_path / "s") as store:
            pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
            store._connection.execute(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(StudyError, match="disk is full"):
                store.save(*(Outcome(Cell(3, r), 0.5, error="e" * 80) for r in range(500)))
            assert store.failed() == set()


class TestDamage:
    def test_a_page_that_is_overwritten(self, tmp_path: Path) -> None:
        filled(tmp_path / "s", 2000)
        path = tmp_path / "s" / "study.sqlite"
        content = bytearray(path.read_bytes())
        content[8192:12288] = b"\x7f" * 4096
        path.write_bytes(content)
        with pytest.raises(StudyError, match=r"damaged|malformed"):
            opened(tmp_path / "s")

    def test_a_file_that_is_cut_off(self, tmp_path: Path) -> None:
        filled(tmp_path / "s", 2000)
        path = tmp_path / "s" / "study.sqlite"
        path.write_bytes(path.read_bytes()[:10_000])
        with pytest.raises(StudyError, match=r"damaged|malformed"):
            opened(tmp_path / "s")

    @pytest.mark.parametrize("plan", ["[1, 2]", '{"train_sizes": [3]}', "nothing", '"text"'])
    def test_a_plan_that_is_none(self, tmp_path: Path, plan: str) -> None:
        filled(tmp_path / "s")
        connection = sqlite3.connect(tmp_path / "s" / "study.sqlite")
        with connection:
            connection.execute("UPDATE study SET value = ? WHERE key = 'plan'", (plan,))
        connection.close()
        with pytest.raises(StudyError, match=r"its plan is .*: the file is damaged"):
            read_status(tmp_path / "s")

    def test_the_folder_can_be_used_after_a_refusal(self, tmp_path: Path) -> None:
        filled(tmp_path / "s")
        with pytest.raises(StudyError, match="another configuration"):
            Store(tmp_path / "s", {"study": "other"}, ("x",))
        with opened(tmp_path / "s") as store:
            assert len(store.finished()) == 50


class TestFormats:
    def old(self, folder: Path) -> None:
        """As version 1 of the format wrote it."""
        folder.mkdir()
        connection = sqlite3.connect(folder / "study.sqlite")
        with connection:
            connection.execute("CREATE TABLE study (key TEXT PRIMARY KEY, value)")
            connection.execute(
                "CREATE TABLE cells (train_size INTEGER, replicate INTEGER, status TEXT, "
                'seconds REAL, error TEXT, "x" REAL, PRIMARY KEY (train_size, replicate))'
            )
            identity = json.dumps({**IDENTITY, "format": 1})
            connection.execute("INSERT INTO study VALUES ('identity', ?)", (identity,))
            connection.execute("INSERT INTO cells VALUES (3, 1, 'done', 0.5, NULL, 7.25)")
        connection.close()

    def test_an_older_one_is_migrated(self, tmp_path: Path) -> None:
        self.old(tmp_path / "s")
        with opened(tmp_path / "s") as store:
            assert store.values([Cell(3, 1)]) == {3: {"x": [7.25]}}
            store.save(Outcome(Cell(3, 2), 0.5, values={"x": 8.0}, cpu="Babbage"))
            assert store.cpus() == {"Babbage": 1}
        with opened(tmp_path / "s") as store:
            assert store.values([Cell(3, 1), Cell(3, 2)]) == {3: {"x": [7.25, 8.0]}}

    def test_a_newer_one_is_refused(self, tmp_path: Path) -> None:
        filled(tmp_path / "s")
        connection = sqlite3.connect(tmp_path / "s" / "study.sqlite")
        with connection:
            newer = json.dumps({**IDENTITY, "arithmetic": 1, "format": 99})
            connection.execute("UPDATE study SET value = ? WHERE key = 'identity'", (newer,))
        connection.close()
        before = (tmp_path / "s" / "study.sqlite").read_bytes()
        with pytest.raises(StudyError, match="format 99, and this version of ornstein knows"):
            opened(tmp_path / "s")
        assert (tmp_path / "s" / "study.sqlite").read_bytes() == before


class TestLock:
    def test_a_second_driver_is_refused(self, tmp_path: Path) -> None:
        with opened(tmp_path / "s"):
            with pytest.raises(StudyError, match=rf"process {os.getpid()} on .*, since \d{{4}}-"):
                opened(tmp_path / "s")
            assert (tmp_path / "s" / LOCK_NAME).exists()
        assert not (tmp_path / "s" / LOCK_NAME).exists()
        opened(tmp_path / "s").close()

    def test_of_two_at_once_one_is_refused(self, tmp_path: Path) -> None:
        code = (
            "import sys\n"
            "from pathlib import Path\n"
            "from ornstein.engine.store import Store, StudyError\n"
            "try:\n"
            f"    with Store(Path(sys.argv[1]), {IDENTITY!r}, ('x',)):\n"
            "        print('driver'); sys.stdin.read()\n"
            "except StudyError as error:\n"
            "    print(error)\n"
        )
        started = [
            subprocess.Popen(
                [sys.executable, "-c", code, tmp_path / "s"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        deadline = time.monotonic() + 60
        while sum(p.poll() is not None for p in started) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        said = [process.communicate("")[0].strip() for process in started]
        assert said.count("driver") == 1
        assert sum("computes this study already" in line for line in said) == 2

    def held(self, folder: Path, **changes: object) -> Holder:
        folder.mkdir()
        holder = replace(Holder.of_this_process(), token="theirs", **changes)
        (folder / LOCK_NAME).write_text(json.dumps(asdict(holder)))
        return holder

    def test_a_process_that_has_ended_holds_nothing(self, tmp_path: Path) -> None:
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        self.held(tmp_path / "s", pid=ended.pid, born="1")
        opened(tmp_path / "s").close()

    def test_nor_does_one_whose_number_another_process_has(self, tmp_path: Path) -> None:
        self.held(tmp_path / "s", born="1")
        opened(tmp_path / "s").close()

    def test_on_another_machine_the_heartbeat_decides(self, tmp_path: Path) -> None:
        self.held(tmp_path / "s", host="node7", machine="elsewhere", pid=1)
        with pytest.raises(StudyError, match=r"process 1 on node7, .* taken over 1[12]\d s from"):
            opened(tmp_path / "s")
        long_ago = time.time() - STALE - 1
        os.utime(tmp_path / "s" / LOCK_NAME, (long_ago, long_ago))
        with opened(tmp_path / "s"):
            held = read_holder(tmp_path / "s")
            assert held is not None
            assert held.host == socket.gethostname()

    def test_a_driver_that_was_stopped_ends(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(locking, "HEARTBEAT", 0.01)
        store = opened(tmp_path / "s")
        theirs = replace(Holder.of_this_process(), token="theirs")
        (tmp_path / "s" / LOCK_NAME).write_text(json.dumps(asdict(theirs)))
        assert store._lock is not None
        store._lock._thread.join(5)
        with pytest.raises(StudyError, match="another driver has taken over"):
            store.save(Outcome(Cell(3, 0), 0.5, values={"x": 1.0}))
        store.close()
        assert read_holder(tmp_path / "s") == theirs  # whose lock stays

    def test_the_heart_beats(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(locking, "HEARTBEAT", 0.01)
        lock = DriverLock(tmp_path)
        try:
            os.utime(lock.path, (1.0, 1.0))
            deadline = time.monotonic() + 5
            while lock.path.stat().st_mtime < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert lock.path.stat().st_mtime > 2
        finally:
            lock.release()


class TestStatus:
    def test_reading_leaves_nothing_behind(self, tmp_path: Path) -> None:
        filled(tmp_path / "s")
        before = sorted(path.name for path in (tmp_path / "s").iterdir())
        found = read_status(tmp_path / "s")
        assert (found.done, found.planned, found.seconds, found.left) == ({3: 50}, {3: 50}, 25.0, 0)
        assert sorted(path.name for path in (tmp_path / "s").iterdir()) == before

    def test_of_a_study_at_work(self, tmp_path: Path) -> None:
        with opened(tmp_path / "s") as store:
            store.plan({"train_sizes": [3, 5], "simulations": 2})
            store.save(Outcome(Cell(3, 0), 0.5, values={"x": 1.0}), Outcome(Cell(5, 0), 0.25))
            found = read_status(tmp_path / "s")
            assert (found.done, found.failed, found.left) == ({3: 1}, {5: 1}, 2)
            assert found.holder is not None
            assert found.holder.pid == os.getpid()
        assert read_status(tmp_path / "s").holder is None


def test_types_of_cpu_are_counted(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.save(*(Outcome(Cell(3, r), 0.5, values={"x": 0.0}, cpu="A") for r in range(3)))
        store.save(Outcome(Cell(5, 0), 0.5, values={"x": 0.0}, cpu="B"))
        store.save(Outcome(Cell(5, 1), 0.5, error="no", cpu="B"))
        assert store.cpus() == {"A": 3, "B": 1}
