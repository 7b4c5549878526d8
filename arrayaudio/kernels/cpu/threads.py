"""One pool of threads for all kernels, right from any thread and after a fork."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from arrayaudio.errors import ParameterError

__all__ = ["set_num_threads"]


class _Pool:
    def __init__(self) -> None:
        self.reset(None)

    def reset(self, n_threads: int | None) -> None:
        self.lock = threading.Lock()
        self.chosen = self.n_threads = n_threads
        self.at_work = 0
        self.executor: ThreadPoolExecutor | None = None

    def start(self) -> tuple[ThreadPoolExecutor | None, int]:
        with self.lock:
            if self.n_threads is None:
                self.n_threads = _usable_cores()
            if self.executor is None and self.n_threads > 1:
                self.executor = ThreadPoolExecutor(self.n_threads - 1, thread_name_prefix="arrayaudio")
            return self.executor, self.n_threads

    def enter(self, wanted: int) -> tuple[ThreadPoolExecutor | None, int]:
        """Count a caller, and as many helpers as it wants and cores are free; callers that come together share them."""
        executor, n_threads = self.start()
        with self.lock:
            helpers = max(0, min(wanted, n_threads - 1 - self.at_work))
            self.at_work += 1 + helpers
            return executor, helpers

    def leave(self, n: int) -> None:
        with self.lock:
            self.at_work -= n


def _usable_cores() -> int:
    """Cores that this process may use: one in the workers of a pool of processes, which share the machine."""
    multiprocessing = sys.modules.get("multiprocessing.process")  # loaded in every worker, and slow to load elsewhere
    if multiprocessing is not None and multiprocessing.current_process().daemon:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    # A child of fork inherits the pool without its threads, and perhaps with its lock held.
    os.register_at_fork(after_in_child=lambda: _pool.reset(_pool.chosen))


def num_threads() -> int:
    """The number of threads that kernels use, the caller's included."""
    return _pool.start()[1]


def set_num_threads(n: int) -> None:
    """Set how many threads the CPU kernels use, the caller's included.

    By default it is one for each usable core, and one in daemonic worker processes, as of `multiprocessing.Pool`, Dask
    or a DataLoader, since these share the cores. Calls that come at once from several threads share them as well.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.set_num_threads(2)
    """
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise ParameterError(f"n={n!r}: must be a whole number of at least 1")
    with _pool.lock:
        _pool.chosen = n
        if n == _pool.n_threads:
            return
        old, _pool.executor, _pool.n_threads = _pool.executor, None, n
    if old is not None:
        old.shutdown(wait=False)


def run(task: Callable[[Any], None], items: Iterable[Any]) -> None:
    """Call `task` on every item, shared among the threads; the caller works too, and all are done on return.

    Tasks must not depend on each other or call `run`. The first exception is raised once every thread has stopped.
    """
    tasks = list(items)
    queue = iter(tasks)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                item = next(queue, _DONE)
            if item is _DONE:
                return
            task(item)

    executor, n_helpers = _pool.enter(len(tasks) - 1)
    helpers = []
    try:
        if executor is not None:
            # Submitting fails if another thread has just replaced the pool, or if the interpreter is closing.
            with contextlib.suppress(RuntimeError):
                helpers = [executor.submit(work) for _ in range(n_helpers)]
        work()
    finally:
        for helper in helpers:
            helper.cancel()
        errors = [helper.exception() for helper in helpers if not helper.cancelled()]
        _pool.leave(1 + n_helpers)
    for error in errors:
        if error is not None:
            raise error


_DONE = object()
