"""How calls are timed on a GPU.

A call is timed in three ways, each on several inputs in turn, so that none finds the last one's data in the cache:

- graph: calls captured in a CUDA graph, between two events. What the device needs, and nothing of the host's.
- loop: the same calls made one by one, between two events. What the device needs if the host keeps up.
- end to end: one call and the wait for it, by the clock of the host.

CuPy and torch work on the same stream here, so one pair of events serves all.
"""

import contextlib
import functools
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import cupy
import numpy as np

MOST_CALLS = 30  # of a rotation through the inputs, in a graph


class Call(NamedTuple):
    """What a contender does with an input, and how it writes to memory that is given, where it can."""

    fresh: Callable[[Any], Any]
    into: Callable[[Any, Any], Any] | None = None
    library: str = "cupy"
    shown: Callable[[Any], Any] = lambda result: result
    """What makes the result comparable; not timed."""


class Effort(NamedTuple):
    """How often to repeat: at most, at least, and until when, in seconds, or ten times as long if that is less than the
    least; how long a graph ought to take; and how many rotations come before.
    """

    most: int = 50
    least: int = 5
    seconds: float = 0.15
    graph_seconds: float = 1e-3
    warm_ups: int = 2


@contextlib.contextmanager
def one_stream() -> Iterator[Any]:
    """A stream for all that is timed, of CuPy and, where it is there, torch."""
    with cupy.cuda.Stream(non_blocking=True) as stream:
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_available():
            yield stream
        else:
            with torch.cuda.stream(torch.cuda.ExternalStream(stream.ptr)):
                yield stream


def between_events(run: Callable[[], Any], stream: Any) -> float:
    """Seconds of the device from before a run to after it."""
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    start.record(stream)
    run()
    end.record(stream)
    end.synchronize()
    return float(cupy.cuda.get_elapsed_time(start, end)) * 1e-3


def by_the_clock(run: Callable[[], Any], stream: Any) -> float:
    """Seconds of the host for a run and the wait for it."""
    start = time.perf_counter()
    run()
    stream.synchronize()
    return time.perf_counter() - start


def median(seconds: Callable[[], float], effort: Effort) -> float:
    """The median of repeats."""
    times = [seconds()]
    while len(times) < effort.most and sum(times) < effort.seconds * (10 if len(times) < effort.least else 1):
        times.append(seconds())
    return statistics.median(times)


def captured(run: Callable[[], Any], stream: Any, library: str) -> Callable[[], None]:
    """Capture a run in a graph, and return what launches it."""
    if library == "torch":
        import torch

        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
            run()
        return graph.replay
    stream.begin_capture()
    try:
        run()
    except Exception:
        with contextlib.suppress(Exception):  # the capture is broken, and says so once more
            stream.end_capture()
        raise
    graph = stream.end_capture()
    return lambda: graph.launch(stream)


def rotation(call: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any] | None = None) -> Any:
    """A function that calls once for each input; the last result of each stays, so fresh ones lie elsewhere."""
    kept: list[Any] = [None] * len(inputs)

    def run() -> None:
        for i, x in enumerate(inputs):
            kept[i] = call(x) if outputs is None else call(x, outputs[i])

    return run


def microseconds(call: Callable[..., Any], inputs: Sequence[Any], outputs: Any, library: str, effort: Effort) -> dict:
    """Times of one call in each of the ways, in microseconds; why there is no graph, where there is none."""
    stream, n, run = cupy.cuda.get_current_stream(), len(inputs), rotation(call, inputs, outputs)
    once = by_the_clock(run, stream)
    for _ in range(effort.warm_ups if once < 10 * effort.seconds else 0):
        once = by_the_clock(run, stream)
    times: dict[str, Any] = {}
    rounds = max(1, min(MOST_CALLS, math.ceil(effort.graph_seconds / once)))
    try:
        launch = captured(lambda: [run() for _ in range(rounds)], stream, library)
        launch()
        times["graph_us"] = 1e6 / (n * rounds) * median(functools.partial(between_events, launch, stream), effort)
    except Exception as problem:  # of any library: capture forbids much
        error: BaseException = problem
        while error.__context__ is not None:  # the first of several
            error = error.__context__
        times["no_graph"] = explained(error)
        stream.synchronize()
    launch = None  # which holds memory
    times["loop_us"] = 1e6 / n * median(lambda: between_events(run, stream), effort)
    turn = iter(range(10**9))

    def single() -> Any:
        i = next(turn) % n
        return call(inputs[i]) if outputs is None else call(inputs[i], outputs[i])

    times["end_to_end_us"] = 1e6 * median(lambda: by_the_clock(single, stream), effort)
    return times


def explained(error: BaseException) -> str:
    """The kind of an error and the first line of its message."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:300]


def copy_bandwidth(n_bytes: int, effort: Effort) -> float:
    """Bytes that a copy in the memory of the device reads and writes in a second, the best of repeats."""
    source, target = cupy.zeros(n_bytes, cupy.uint8), cupy.zeros(n_bytes, cupy.uint8)
    stream = cupy.cuda.get_current_stream()
    copy = functools.partial(cupy.copyto, target, source)
    copy()
    return 2 * n_bytes / min(between_events(copy, stream) for _ in range(effort.most))


def on_host(result: Any) -> np.ndarray:
    """A result in the memory of the host."""
    if isinstance(result, np.ndarray):
        return result
    return np.asarray(result.get() if hasattr(result, "get") else result.detach().resolve_conj().cpu().numpy())


def is_contiguous(result: Any) -> bool:
    """Whether an array lies in memory as (freq, time)."""
    return bool(result.is_contiguous() if hasattr(result, "is_contiguous") else result.flags.c_contiguous)
