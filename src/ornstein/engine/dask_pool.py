"""A pool whose workers are those of a dask cluster.

The function travels once, as a plugin that each worker keeps, those that join later too; tasks are
futures, gathered and released as they finish. A task whose worker died goes to another one; if it
has outlived several, it is reported as lost.
"""

from __future__ import annotations

__all__ = ["DaskPool"]

import logging
import pickle
import socket
import sys
import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ornstein import __version__
from ornstein.engine.pool import Finished, Pool, PoolGoneError, R, T, silent_trackers

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT = 10.0  # seconds to wait for a scheduler
_PATIENCE = 10.0  # seconds without a worker after which a line says so
_LOOK = 1.0  # seconds between two looks at the workers


class DaskPool(Pool[T, R]):
    """The workers of a dask cluster.

    Parameters
    ----------
    function : callable
        Anything that cloudpickle can send.
    address : str
        Of the scheduler, ``tcp://host:port``; ``local`` starts a cluster on 127.0.0.1.
    workers : int, optional
        Processes of a local cluster; by default one per core.

    Raises
    ------
    ValueError
        If dask is not installed, there is no such scheduler, or a worker has another version of
        ornstein, or none.
    """

    def __init__(
        self, function: Callable[[T], R], address: str, workers: int | None = None
    ) -> None:
        try:
            from distributed import Client, as_completed
        except ImportError:
            raise ValueError("--dask needs dask: pip install 'ornstein[cluster]'") from None
        # What it logs of workers and schedulers that die is said here, in a line and not a
        # traceback.
        self._logger = logging.getLogger("distributed")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)
        self._cluster: Any = _local_cluster(workers) if address == "local" else None
        self._address = address if self._cluster is None else self._cluster.scheduler_address
        self._ended = threading.Event()
        self._client: Any = None
        try:
            _require_listener(self._address)
            self._client = Client(self._address, timeout=f"{_TIMEOUT}s", set_as_default=False)
            self._name = f"ornstein-{uuid.uuid4().hex}"
            self._keep(function)
        except (OSError, ValueError) as error:
            self.close()
            raise ValueError(f"no dask scheduler at {self._address!r}: {error}") from error
        except BaseException:
            self.close()
            raise
        self._tasks: dict[str, T] = {}
        self._done: Any = as_completed([], loop=self._client.loop, raise_errors=False)
        self.workers = max(1, self._count())
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(self, task: T) -> None:
        """Hand a task to the scheduler."""
        sent = pickle.dumps(task)
        future: Any = self._client.submit(self._call, self._name, __version__, sent, pure=False)
        self._tasks[future.key] = task
        self._done.add(future)

    def next_finished(self) -> Finished[T, R]:
        """Wait for a worker."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        future = next(self._done)
        task = self._tasks.pop(future.key)
        try:
            # Of a worker that died with it the result is computed again, while this waits.
            other, result = future.result()
        except KilledWorker:
            return Finished(task, None, lost=True)
        except CancelledError:
            try:
                _require_listener(self._address)
            except OSError:
                raise PoolGoneError(f"the dask scheduler at {self._address!r} is gone") from None
            return Finished(task, None, lost=True)
        future.release()
        if other is not None:
            raise TypeError(_refusal(*other))
        return Finished(task, result)

    def close(self) -> None:
        """Leave the cluster; its workers stay, unless it was started here."""
        self._ended.set()
        with suppress(Exception):  # the scheduler may be gone, and its plugin with it
            self._client.unregister_worker_plugin(self._name)
        with suppress(Exception):
            self._client.close(timeout=2)
        if self._cluster is not None:
            self._cluster.close()
        self._logger.setLevel(self._level)

    def _keep(self, function: Callable[[T], R]) -> None:
        """Give the function to all workers, and refuse those with another ornstein."""
        import cloudpickle

        keeper, version_there, self._call = _sent_whole()
        for worker, version in self._client.run(version_there).items():
            if version != __version__:
                raise TypeError(_refusal(worker, version))
        self._client.register_plugin(keeper(cloudpickle.dumps(function)), name=self._name)

    def _count(self) -> int:
        return sum(self._client.nthreads().values())

    def _watch(self) -> None:
        """Follow the number of workers; say so when there has been none for a while."""
        without, said = 0.0, False
        while not self._ended.wait(_LOOK):
            with suppress(Exception):
                count = self._count()
                self.workers = max(1, count)
                without, said = (0.0, False) if count else (without + _LOOK, said)
                if without >= _PATIENCE and not said:
                    said = True
                    print(  # noqa: T201 - without it, waiting would look like work
                        f"ornstein: no worker at {self._address}: waiting for one", file=sys.stderr
                    )


def _require_listener(address: str) -> None:
    """Refuse what is no address, and where nobody listens: the client would try for long."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme not in {"tcp", "tls"}:
        return  # of another protocol the client knows more
    if not parts.hostname or parts.port is None:
        raise ValueError("expected tcp://host:port, or local for one on this machine")
    with socket.create_connection((parts.hostname, parts.port), timeout=_TIMEOUT):
        pass


def _local_cluster(workers: int | None) -> Any:
    from distributed import LocalCluster

    with silent_trackers():
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any port: another cluster may have the usual one
            silence_logs=logging.CRITICAL,
        )


def _refusal(worker: str, version: str) -> str:
    has = f"ornstein {version}" if version else "no ornstein"
    return (
        f"the dask worker {worker} has {has}, and this is ornstein {__version__}: install the same "
        "version there, since values of two versions are not mixed"
    )


def _sent_whole() -> tuple[Any, Callable[[], str], Callable[[str, str, bytes], Any]]:
    """What a worker runs: defined here, so that it is sent whole, not by the name of a module.

    A worker that has no such module, or another version of it, can then say so.
    """
    from distributed import WorkerPlugin

    class Keeper(WorkerPlugin):
        """Keeps the function on a worker, unread until the first task."""

        def __init__(self, sent: bytes) -> None:
            self.sent = sent
            self.function: Any = None

    def version_there() -> str:
        try:
            import ornstein
        except ImportError:
            return ""
        return ornstein.__version__

    def call_there(name: str, version: str, task: bytes) -> Any:
        from distributed import get_worker

        worker = get_worker()
        there = version_there()
        if there != version:  # of a worker that joined late
            return (worker.address, there), None
        keeper: Any = worker.plugins[name]
        if keeper.function is None:
            keeper.function = pickle.loads(keeper.sent)  # noqa: S301 - from the driver, as tasks are
        return None, keeper.function(pickle.loads(task))  # noqa: S301

    return Keeper, version_there, call_there
