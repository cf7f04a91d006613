"""Worker processes: calls to all cores or to a dask cluster, results as they are finished.

Each call is of its own: what it returns does not depend on where it runs, or on how many workers
there are, if it pins its linear algebra to one thread (:func:`one_blas_thread`).
"""

from __future__ import annotations

__all__ = ["in_workers", "one_blas_thread"]

import signal
import threading
import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    T = TypeVar("T")

_controller: Any = None


def in_workers(
    function: Callable[..., T], calls: Sequence[tuple[Any, ...]], jobs: int, dask: str | None = None
) -> Iterator[T]:
    """Yield ``function(*arguments)`` for each of `calls`, in the order in which they are finished.

    Parameters
    ----------
    function : callable
        Of a module, as it travels by pickle.
    calls : sequence of tuples of arguments
    jobs : int
        Local processes; -1 for one per core. With one, or a single call, all is done here.
    dask : str, optional
        Address of a dask scheduler, ``tcp://...``, to work on instead.

    Raises
    ------
    ValueError
        If there is no such dask scheduler, or `jobs` is 0.
    """
    import joblib

    if not calls:
        return
    with ExitStack() as stack:
        if dask is not None:
            stack.enter_context(_dask_backend(dask))
        elif joblib.effective_n_jobs(jobs) == 1 or len(calls) == 1:
            yield from (function(*arguments) for arguments in calls)
            return
        # A worker that has grown (as one that loads PyTorch does) is replaced by a fresh one, and
        # its work is done; joblib warns, in a thread that dies of it where warnings are errors.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
        parallel = joblib.Parallel(n_jobs=-1 if dask else jobs, return_as="generator_unordered")
        with _deaf_to_interrupts():
            results: Any = parallel(joblib.delayed(function)(*arguments) for arguments in calls)
        stack.callback(results.close)
        yield from results


def one_blas_thread() -> Any:
    """Context in which linear algebra uses one thread; the libraries are looked up once."""
    global _controller  # noqa: PLW0603 - finding the libraries takes longer than a cell
    import threadpoolctl

    if _controller is None:
        _controller = threadpoolctl.ThreadpoolController()
    return _controller.limit(limits=1)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started within do not get Ctrl-C, which a terminal sends to all: the driver does.

    An ignored signal stays ignored in a child. (Blocking it would not do: the workers' library
    unblocks it on the way.) Only the main thread may change what a signal does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _dask_backend(address: str) -> Iterator[None]:
    try:
        from distributed import Client  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ValueError("--dask needs dask: pip install 'ornstein[cluster]'") from None
    import joblib

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ValueError(f"no dask scheduler at {address!r}: {error}") from error
    with client, joblib.parallel_config(backend="dask"):
        yield
