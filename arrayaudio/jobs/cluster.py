"""Tasks on the workers of dask.distributed, which may die; recordings and outputs lie where all of them can reach."""

import os
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.arrays import asarray
from arrayaudio.errors import BackendError, MissingExtraError
from arrayaudio.jobs.budget import half_of_memory
from arrayaudio.jobs.decoding import Decoder
from arrayaudio.jobs.extract import Task, extract_one, fingerprint
from arrayaudio.jobs.local import usable_cores
from arrayaudio.jobs.manifest import Row
from arrayaudio.jobs.settings import Settings

try:
    import distributed
except ImportError as problem:
    raise MissingExtraError("a scheduler", "dask", problem) from problem

LOCAL = "local"
# Ctrl-C goes to the workers of a terminal too, and they have to finish what they have in hand.
PRELOAD = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
SECONDS_TO_CONNECT, SECONDS_FOR_WORKERS = 10, 60
# Tasks that each thread of the cluster has, at work or waiting: where a job stops, all of them are still done.
AHEAD = 2
# How often a task is tried again whose error is nobody's fault, as of a disk that does not answer.
RETRIES = 2


class Decoders(distributed.WorkerPlugin):
    """The decoder processes of a worker, which live as long as the job does."""

    def __init__(self, timeout: float, memory_budget: int | None) -> None:
        self.name = f"arrayaudio-decoders-{os.urandom(8).hex()}"  # jobs may share workers
        self.timeout, self.memory_budget = timeout, memory_budget

    def setup(self, worker: Any) -> None:
        """Share the memory among the threads of the worker."""
        n_threads = worker.state.nthreads
        total = self.memory_budget or (worker.memory_manager.memory_limit or half_of_memory()) // 2
        self.budget = max(1, total // n_threads)
        self.idle: queue.SimpleQueue[Decoder] = queue.SimpleQueue()
        for _ in range(n_threads):
            self.idle.put(Decoder(self.timeout))

    def teardown(self, worker: Any) -> None:  # noqa: ARG002
        """End the decoders that are idle; the others end with the worker."""
        while not self.idle.empty():
            self.idle.get().close()


def _on_worker(task: Task, settings: Settings, out: Path, pictures: bool, plugin: str) -> Row:
    decoders: Any = distributed.get_worker().plugins[plugin]
    decoder = decoders.idle.get()
    try:
        return extract_one(task, settings, out=out, pictures=pictures, memory_budget=decoders.budget, decoder=decoder)
    finally:
        decoders.idle.put(decoder)


def on_cluster(
    tasks: list[Task],
    settings: Settings,
    *,
    scheduler: str,
    out: Path,
    pictures: bool = False,
    workers: int | None = None,
    memory_budget: int | None = None,
    timeout: float = 300.0,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Task, Row]]:
    """Iterate over tasks and their rows, in the order in which they are done by the workers of a scheduler.

    What a worker had in hand when it died is done by others. No task is sent once `stopped()`.

    Parameters
    ----------
    scheduler : str
        The address of a scheduler, or "local" for worker processes on this machine that end with the job.
    workers : int, optional
        How many of these; by default one for each core. They have two threads each, one of which computes while the
        other waits for its decoder or for the disk.
    memory_budget : int, optional
        Bytes that the recordings in work on one worker may take; by default half of its memory.
    timeout : float
        Seconds after which a decoder is given up.

    Raises
    ------
    BackendError
        If there is no scheduler at that address, it has no workers, or these have not the device.
    """
    decoders = Decoders(timeout, memory_budget)
    with _connected(scheduler, workers) as client:
        client.run(asarray, np.zeros(1, np.float32), device=settings.device)
        client.register_plugin(decoders)
        try:
            yield from _rows(client, tasks, settings, out, pictures, decoders.name, stopped)
        finally:
            client.unregister_worker_plugin(decoders.name)


def _rows(
    client: Any,
    tasks: list[Task],
    settings: Settings,
    out: Path,
    pictures: bool,
    plugin: str,
    stopped: Callable[[], bool],
) -> Iterator[tuple[Task, Row]]:
    done, todo = distributed.as_completed(loop=client.loop, raise_errors=False), iter(tasks)
    begun: dict[Any, Task] = {}
    suspects: list[Task] = []

    def sent(task: Task) -> Any:
        arguments = _absolute(task), settings, out.absolute(), pictures, plugin
        return client.submit(_on_worker, *arguments, pure=False, retries=RETRIES)

    while True:
        if not stopped():
            room = max(1, AHEAD * sum(client.nthreads().values())) - len(begun)
            for task in islice(todo, max(0, room)):
                future = sent(task)
                begun[future] = task
                done.add(future)
        if not begun:
            break
        for future in done.next_batch():
            task = begun.pop(future)
            try:
                row = future.result()
            except distributed.KilledWorker:
                suspects.append(task)
            else:
                yield task, row
    # A death is held against all tasks that a worker had, those that only waited too. Alone, none can be blamed for
    # another.
    for task in suspects:
        if stopped():
            return
        yield task, _row(sent(task), task, settings, out)


def _absolute(task: Task) -> Task:
    return Task(*(Path(os.path.abspath(path)) for path in task))  # noqa: PTH100 - links stay what they are


def _row(future: Any, task: Task, settings: Settings, out: Path) -> Row:
    try:
        row: Row = future.result()
        return row
    except distributed.KilledWorker as error:
        return Row(
            path=os.path.abspath(task.source),  # noqa: PTH100
            output=str(task.target.relative_to(out)),
            status="failed",
            reason=f"its worker died, and so did the next ones ({error}); give them more memory, or leave it out",
            settings=settings.digest,
            fingerprint=fingerprint(task.source),
            seconds=0.0,
        )


@contextmanager
def _connected(scheduler: str, workers: int | None) -> Iterator[Any]:
    """A client of the scheduler, which has workers."""
    if scheduler == LOCAL:
        n_workers = usable_cores() if workers is None else workers
        options = {"threads_per_worker": 2, "dashboard_address": "127.0.0.1:0", "preload": [PRELOAD]}
        with (
            distributed.LocalCluster(n_workers=n_workers, **options) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BackendError(
            f"no scheduler at {scheduler!r} ({error}): start one by `dask scheduler`, or give 'local'"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_FOR_WORKERS)
        except TimeoutError as error:
            raise BackendError(f"{scheduler} has no workers: start some by `dask worker {scheduler}`") from error
        yield client
