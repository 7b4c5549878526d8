"""Tasks on the cores of this machine: processes do short ones, threads those that share the memory that is allowed."""

import os
import queue
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

from arrayaudio.jobs.budget import Budget, half_of_memory
from arrayaudio.jobs.decoding import Decoder
from arrayaudio.jobs.extract import Task, extract_by
from arrayaudio.jobs.manifest import Row
from arrayaudio.jobs.settings import Settings

# What a decoder takes besides samples and features, and the most that it takes for these.
BYTES_OF_DECODER, SHORT = 2 * 10**8, 5 * 10**7
# Recordings from which on it pays that all processes load the kernels, which takes each half a second or more.
MANY = 500
# Recordings that a process is given at a time, which spares it and this one most of the talk.
AT_ONCE = 50


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(
    tasks: list[Task],
    settings: Settings,
    *,
    out: Path,
    pictures: bool = False,
    workers: int | None = None,
    memory_budget: int | None = None,
    timeout: float = 300.0,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Task, Row]]:
    """Iterate over tasks and their rows, in the order in which they are done.

    Each thread has a process that decodes. Recordings are transformed here, by all cores: while one thread waits for
    its decoder or for the disk, others compute. Of many, the processes do all of those that are short, since threads
    would wait for each other. No task is begun once `stopped()`.

    Parameters
    ----------
    workers : int, optional
        How many recordings are in work at a time, if memory allows; by default one more than there are cores, or as
        many as cores if the processes do all of it.
    memory_budget : int, optional
        Bytes that recordings, their features and decoders may take together; by default half of the memory.
    timeout : float
        Seconds after which a decoder is given up.
    """
    total = half_of_memory() if memory_budget is None else memory_budget
    many = len(tasks) >= MANY
    wanted = usable_cores() + (not many) if workers is None else workers
    workers = max(1, min(wanted, len(tasks), total // 2 // BYTES_OF_DECODER))
    budget = Budget(max(1, total // 2, total - workers * BYTES_OF_DECODER))
    decoders: queue.SimpleQueue[Decoder] = queue.SimpleQueue()

    def work(tasks: list[Task]) -> list[Row]:
        decoder = decoders.get()
        try:
            return extract_by(
                decoder,
                tasks,
                settings,
                out=out,
                pictures=pictures,
                memory_budget=budget.total,
                most=min(SHORT, budget.total // workers) if many else 0,
                holding=budget.held,
            )
        finally:
            decoders.put(decoder)

    with ExitStack() as stack:
        for _ in range(workers):
            decoders.put(stack.enter_context(Decoder(timeout)))
        pool = stack.enter_context(ThreadPoolExecutor(workers, thread_name_prefix="job"))
        todo = deque(tasks)
        begun: dict[Future[list[Row]], list[Task]] = {}
        while True:
            while todo and len(begun) < workers and not stopped():
                some = [todo.popleft() for _ in range(min(AT_ONCE if many else 1, len(todo)))]
                begun[pool.submit(work, some)] = some
            if not begun:
                return
            for done in wait(begun, return_when=FIRST_COMPLETED).done:
                some, rows = begun.pop(done), done.result()
                todo.extendleft(reversed(some[len(rows) :]))
                yield from zip(some, rows, strict=False)
