"""Pools of workers: one function on many tasks, results as they are finished.

Three adapters have the same contract (:class:`Pool`): this process, local processes, and a dask
cluster (:mod:`ornstein.engine.dask_pool`). The function travels to each worker once, and after that
only tasks do.
"""

from __future__ import annotations

__all__ = [
    "Finished",
    "PoolGoneError",
    "Pool",
    "SerialPool",
    "ProcessPool",
    "open_pool",
    "silent_trackers",
    "in_workers",
    "one_blas_thread",
]

import os
import signal
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections import deque
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

T = TypeVar("T")
R = TypeVar("R")

# Tasks in flight for each worker: one at work, one on its way. With more of them than the queue of
# loky's workers holds (two each, and one), its thread fails where the workers are killed.
_AHEAD = 2
_HANDOVER = 1.0  # seconds to wait for it at most
_WARNINGS = "PYTHONWARNINGS"


class PoolGoneError(ConnectionError):
    """The workers are gone, and with them what they computed; what was finished is not."""

    exit_status = 1


class Finished(NamedTuple, Generic[T, R]):
    """A task with its result, or without one if the worker that had it died."""

    task: T
    result: R | None
    lost: bool = False


class Pool(ABC, Generic[T, R]):
    """Base of all pools.

    A subclass promises that

    1. `next_finished` returns each submitted task once, in any order, with what `function` returns
       of it, or as lost if the worker that had it died (through no fault of the others in flight,
       which are then lost as well, or come later);
    2. an exception of `function` is raised by `next_finished`;
    3. after a lost task the pool accepts further ones;
    4. when `close` returns, no process started by the pool computes any more.
    """

    workers: int = 1

    @abstractmethod
    def submit(self, task: T) -> None:
        """Hand a task to the workers."""

    @abstractmethod
    def next_finished(self) -> Finished[T, R]:
        """Wait for a task to be finished."""

    def close(self) -> None:
        """End the workers; what is in flight is dropped."""

    def map(self, tasks: Iterable[T], ahead: int | None = None) -> Iterator[Finished[T, R]]:
        """Submit `tasks` as workers get free, and yield each when it is finished.

        Parameters
        ----------
        tasks : iterable
        ahead : int, optional
            Largest number of tasks in flight; by default two for each worker.
        """
        waiting = iter(tasks)
        running = 0
        while True:
            most = _AHEAD * self.workers if ahead is None else ahead  # workers may join
            for task in islice(waiting, max(0, most - running)):
                self.submit(task)
                running += 1
            if not running:
                return
            yield self.next_finished()
            running -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SerialPool(Pool[T, R]):
    """All tasks in this process, one after the other."""

    def __init__(self, function: Callable[[T], R]) -> None:
        self._function = function
        self._tasks: deque[T] = deque()

    def submit(self, task: T) -> None:
        """Keep the task for `next_finished`."""
        self._tasks.append(task)

    def next_finished(self) -> Finished[T, R]:
        """Compute the oldest task."""
        task = self._tasks.popleft()
        return Finished(task, self._function(task))


class ProcessPool(Pool[T, R]):
    """Local processes; a pool in which one has died is replaced by a fresh one.

    Parameters
    ----------
    function : callable
        Anything that cloudpickle can send.
    workers : int
        Number of processes.
    """

    def __init__(self, function: Callable[[T], R], workers: int) -> None:
        self.workers = workers
        self._function = function
        self._executor: Any = None
        self._futures: dict[Any, tuple[T, Any]] = {}  # tasks, and the processes that have them
        self._stack = ExitStack()
        # A process that has grown by 300 MB (as one that loads PyTorch does) is replaced, and its
        # work is done; loky warns of it in a thread that dies where warnings are errors.
        self._stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs")

    def submit(self, task: T) -> None:
        """Hand a task to the processes, which are started with the first one."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        if self._executor is None:
            _start_trackers()
        with _interrupts_wait():
            try:
                future = self._running().submit(_call, task)
            except BrokenProcessPool:
                self._executor = None
                future = self._running().submit(_call, task)
        self._futures[future] = task, self._executor

    def next_finished(self) -> Finished[T, R]:
        """Wait for a process; tasks of a pool that broke are lost."""
        from concurrent.futures import FIRST_COMPLETED, wait

        from joblib.externals.loky.process_executor import BrokenProcessPool

        done, _ = wait(self._futures, return_when=FIRST_COMPLETED)
        future = done.pop()
        task, executor = self._futures.pop(future)
        try:
            return Finished(task, future.result())
        except BrokenProcessPool:
            # Tasks that were lost together are told one by one: those that have taken the place of
            # the broken processes since then go on.
            if executor is self._executor:
                self._executor = None
            return Finished(task, None, lost=True)

    def close(self) -> None:
        """Kill the processes: what they compute is no longer wanted, or they are idle."""
        if self._executor is not None:
            self._wait_for_handover()
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None
        self._stack.close()

    def _wait_for_handover(self) -> None:
        """Until loky's thread has taken all tasks: one on its way would be the end of it."""
        deadline = time.monotonic() + _HANDOVER
        waiting = [future for future, (_, own) in self._futures.items() if own is self._executor]
        while time.monotonic() < deadline:
            waiting = [future for future in waiting if not (future.running() or future.done())]
            if not waiting:
                return
            time.sleep(0.001)

    def _running(self) -> Any:
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self.workers, initializer=_start, initargs=(self._function, os.getpid())
            )
        return self._executor


def _start_trackers() -> None:
    """Start what removes the semaphores of killed workers, which use those of this process.

    Before signals wait: they ignore Ctrl-C themselves, and let it through again when they run.
    """
    from multiprocessing import resource_tracker as of_python

    from joblib.externals.loky.backend import resource_tracker as of_loky

    with silent_trackers():
        for tracker in (of_loky, of_python):
            tracker.ensure_running()


def open_pool(
    function: Callable[[T], R], jobs: int = -1, dask: str | None = None, tasks: int | None = None
) -> Pool[T, R]:
    """Return the pool that the options of a command ask for.

    Parameters
    ----------
    function : callable
    jobs : int
        Local processes; -1 for one per core. With one, all is done in this process.
    dask : str, optional
        Address of a dask scheduler to work on instead.
    tasks : int, optional
        How many there will be, if known: one alone is done in this process.

    Raises
    ------
    ValueError
        If there is no such dask scheduler, or `jobs` is 0.
    """
    import joblib

    if dask is not None:
        from ornstein.engine.dask_pool import DaskPool

        return DaskPool(function, dask, None if jobs == -1 else joblib.effective_n_jobs(jobs))
    workers = joblib.effective_n_jobs(jobs)
    if workers == 1 or tasks == 1:
        return SerialPool(function)
    return ProcessPool(function, workers)


def in_workers(
    function: Callable[..., R], calls: Iterable[tuple[Any, ...]], jobs: int = -1
) -> Iterator[R]:
    """Yield ``function(*arguments)`` for each of `calls`, in the order in which they are finished.

    Parameters
    ----------
    function : callable
    calls : iterable of tuples of arguments
    jobs : int
        Local processes; -1 for one per core.

    Raises
    ------
    RuntimeError
        If a worker died.
    ValueError
        If `jobs` is 0.
    """
    listed = list(calls)
    if not listed:
        return
    pool: Pool[tuple[Any, ...], R] = open_pool(_Starred(function), jobs, tasks=len(listed))
    with pool:
        for finished in pool.map(listed):
            if finished.lost:
                raise RuntimeError(
                    "a worker process died (out of memory?): fewer --jobs need less memory"
                )
            yield finished.result  # type: ignore[misc]


def one_blas_thread() -> Any:
    """Context in which linear algebra uses one thread; the libraries are looked up once."""
    global _controller  # noqa: PLW0603 - finding the libraries takes longer than a cell
    import threadpoolctl

    if _controller is None:
        _controller = threadpoolctl.ThreadpoolController()
    return _controller.limit(limits=1)


class _Starred:
    """A function of one tuple of arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, arguments: tuple[Any, ...]) -> Any:
        return self._function(*arguments)


_controller: Any = None
_function: Any = None


def _start(function: Any, parent: int) -> None:
    """Run in a new local worker: keep the function, ignore Ctrl-C, end with the parent."""
    global _function  # noqa: PLW0603 - of this worker process, for all its tasks
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


@contextmanager
def silent_trackers() -> Iterator[None]:
    """Within, processes that are started to remove what killed ones leave do not warn of it.

    Python and loky have such trackers of semaphores. They warn of what they remove: after Ctrl-C in
    the moment in which a worker starts, or after kill -9 that is their work.
    """
    before = os.environ.get(_WARNINGS)
    os.environ[_WARNINGS] = ",".join(filter(None, (before, "ignore:resource_tracker")))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WARNINGS]
        else:
            os.environ[_WARNINGS] = before


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, killed perhaps: nothing else would end it."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _call(task: Any) -> Any:
    return _function(task)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Within, signals wait: a task is handed over whole, and none of them is lost.

    Processes started within do not get Ctrl-C, which a terminal sends to all: a blocked signal
    stays blocked in a child, and in the threads that replace one. Where signals cannot be blocked
    (Windows), Ctrl-C is ignored instead. Only the main thread may change what a signal does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before: dict[int, Any] = {}
    blocked: Any = None
    if hasattr(signal, "pthread_sigmask"):
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    else:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and callable(signal.getsignal(number)):
            before[number] = signal.signal(number, lambda number, _: received.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number in received:
            signal.raise_signal(number)
