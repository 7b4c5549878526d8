"""Streams of the stand-in. All work is done at once; what is read must nevertheless have been waited for.

Memory remembers the stream that wrote it last. Reading it on another stream is an error, unless that stream was
synchronised since, or the other one waits for an event recorded since. The null stream waits for all others, and they
for it. What non-blocking streams and the null stream do to each other is not looked at.
"""

import threading
import time
import weakref
from typing import Any

import numpy as np

_here = threading.local()
_writers: dict[int, tuple["Stream", int, Any]] = {}
_streams: weakref.WeakValueDictionary[int, "Stream"] = weakref.WeakValueDictionary()


class RaceError(RuntimeError):
    """Memory is read before the work that fills it is known to be done."""


class Event:
    """A moment in the work of a stream."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.seconds, self.seen = 0.0, {}

    def record(self, stream: Any = None) -> None:
        stream = stream or current()
        self.seconds, self.seen = time.perf_counter(), stream.seen | {stream: stream.issued}

    def synchronize(self) -> None:
        for stream, moment in self.seen.items():
            stream.done = max(stream.done, moment)


class Stream:
    """A queue of work, of which there is never any."""

    null: "Stream"

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None):
        self.ptr = 0 if null else id(self)
        _streams[self.ptr] = self
        self.issued = self.done = 0
        self.seen: dict[Stream, int] = {}

    def __enter__(self) -> "Stream":
        _here.before = [*getattr(_here, "before", []), current()]
        return self.use()

    def __exit__(self, *_: Any) -> None:
        _here.before.pop().use()

    def use(self) -> "Stream":
        _here.stream = self
        return self

    def synchronize(self) -> None:
        self.done = self.issued

    def record(self, event: Any = None) -> Any:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Any) -> None:
        for stream, moment in event.seen.items():
            self.seen[stream] = max(self.seen.get(stream, 0), moment)


Stream.null = Stream(null=True)


def current(device_id: int | None = None) -> Stream:
    """The stream of this thread."""
    return getattr(_here, "stream", Stream.null)


def synchronize_all() -> None:
    """Let the host wait for all that was written."""
    for stream, moment, _ in list(_writers.values()):
        stream.done = max(stream.done, moment)


def synchronize(pointer: int) -> None:
    """Let the host wait for a stream, given by its address."""
    if pointer in _streams:
        _streams[pointer].synchronize()


def _memory(x: np.ndarray) -> tuple[np.ndarray, int]:
    """What owns the memory of an array, and its address."""
    owner = x.base if isinstance(x.base, np.ndarray) else x
    return owner, owner.__array_interface__["data"][0]


def written(x: np.ndarray) -> None:
    """Note that the current stream writes an array."""
    stream = current()
    if stream is not Stream.null:
        stream.issued += 1
        owner, key = _memory(x)
        _writers[key] = stream, stream.issued, weakref.ref(owner, lambda _: _writers.pop(key, None))
    elif _writers:
        _writers.pop(_memory(x)[1], None)


def read(x: np.ndarray) -> None:
    """Raise RaceError if the current stream cannot know that an array has been written."""
    if not _writers:
        return
    stream, moment, _ = _writers.get(_memory(x)[1], (Stream.null, 0, None))
    here = current()
    if here not in (stream, Stream.null) and stream.done < moment and here.seen.get(stream, 0) < moment:
        raise RaceError(f"an array of shape {x.shape} is read on a stream that has not waited for another to write it")
