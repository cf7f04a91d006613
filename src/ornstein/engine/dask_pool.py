"""A pool whose workers are those of a dask cluster."""

from __future__ import annotations

__all__ = ["DaskPool"]

import sys
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ornstein.engine.pool import Finished, Pool, R, T

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 10.0  # seconds without a worker after which a line says so


class DaskPool(Pool[T, R]):
    """The workers of a dask cluster.

    Parameters
    ----------
    function : callable
        Anything that cloudpickle can send; each worker keeps it, those that join later too.
    address : str
        Of the scheduler, ``tcp://host:port``.

    Raises
    ------
    ValueError
        If dask is not installed, or there is no such scheduler.
    """

    def __init__(self, function: Callable[[T], R], address: str) -> None:
        try:
            from distributed import Client, WorkerPlugin, as_completed
        except ImportError:
            raise ValueError("--dask needs dask: pip install 'ornstein[cluster]'") from None

        class Keeper(WorkerPlugin):
            """Keeps the function on a worker."""

            def __init__(self, function: Any) -> None:
                self.function = function

        self._address = address
        try:
            self._client: Any = Client(address, timeout="10s")
        except (OSError, ValueError) as error:
            raise ValueError(f"no dask scheduler at {address!r}: {error}") from error
        self._name = f"ornstein-{uuid.uuid4().hex}"
        self._client.register_plugin(Keeper(function), name=self._name)
        self._tasks: dict[str, T] = {}
        self._done: Any = as_completed([], raise_errors=False)
        self.workers = max(1, sum(self._client.nthreads().values()))
        self._wait_for_workers()

    def submit(self, task: T) -> None:
        """Hand a task to the scheduler."""
        future: Any = self._client.submit(_call_on_dask, self._name, task, pure=False)
        self._tasks[future.key] = task
        self._done.add(future)

    def next_finished(self) -> Finished[T, R]:
        """Wait for a worker."""
        from distributed import KilledWorker

        future = next(self._done)
        task = self._tasks.pop(future.key)
        if future.status == "finished":
            result = future.result()
            future.release()
            return Finished(task, result)
        if future.status in {"cancelled", "lost"}:
            raise ConnectionError(f"the dask scheduler at {self._address!r} is gone")
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Finished(task, None, lost=True)
        raise error

    def close(self) -> None:
        """Leave the cluster; its workers stay."""
        with suppress(Exception):  # the scheduler may be gone, and its plugin with it
            self._client.unregister_worker_plugin(self._name)
        self._client.close()

    def _wait_for_workers(self) -> None:
        since, said = time.monotonic(), False
        while not self._client.nthreads():
            if not said and time.monotonic() - since > _PATIENCE:
                said = True
                print(  # noqa: T201 - without it, waiting would look like work
                    f"ornstein: no worker at {self._address} yet: waiting for one", file=sys.stderr
                )
            time.sleep(0.1)
        self.workers = sum(self._client.nthreads().values())


def _call_on_dask(name: str, task: Any) -> Any:
    from distributed import get_worker

    keeper: Any = get_worker().plugins[name]
    return keeper.function(task)
