"""Streams of the stand-in. All work is done at once; what is read must nevertheless have been waited for.

Memory remembers the stream that wrote it last, and those that read it. Reading it on another stream, or writing what
others read, is an error, unless that stream was synchronised since, or the other one waits for an event recorded since.
The null stream waits for all others, and they for it. What non-blocking streams and the null stream do to each other is
not looked at. Host memory that is copied without waiting is filled, or looked at again, when the host waits.
"""

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

_here = threading.local()
_writers: dict[int, tuple["Stream", int, Any]] = {}
_readers: dict[int, tuple[dict["Stream", int], Any]] = {}
_streams: weakref.WeakValueDictionary[int, "Stream"] = weakref.WeakValueDictionary()


class RaceError(RuntimeError):
    """Memory is used before the work that fills it, or reads it, is known to be done."""


class Event:
    """A moment in the work of a stream."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.seconds, self.seen = 0.0, {}

    def record(self, stream: Any = None) -> None:
        stream = stream or current()
        self.seconds, self.seen = time.perf_counter(), stream.seen | {stream: stream.issued}

    def synchronize(self) -> None:
        for stream, moment in self.seen.items():
            stream.reach(moment)


class Stream:
    """A queue of work, of which there is never any."""

    null: "Stream"

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None):
        self.ptr = 0 if null else id(self)
        _streams[self.ptr] = self
        self.issued = self.done = 0
        self.seen: dict[Stream, int] = {}
        self.pending: list[tuple[int, Callable[[], None]]] = []

    @classmethod
    def from_external(cls, obj: Any) -> "Stream":
        version, pointer = obj.__cuda_stream__()
        assert version == 0
        return _streams[pointer]

    def __enter__(self) -> "Stream":
        _here.before = [*getattr(_here, "before", []), current()]
        return self.use()

    def __exit__(self, *_: Any) -> None:
        _here.before.pop().use()

    def use(self) -> "Stream":
        _here.stream = self
        return self

    def synchronize(self) -> None:
        self.reach(self.issued)

    def reach(self, moment: int) -> None:
        """Let the host wait for what was issued up to a moment."""
        self.done = max(self.done, moment)
        ready = [action for issued, action in self.pending if issued <= self.done]
        self.pending = [(issued, action) for issued, action in self.pending if issued > self.done]
        for action in ready:
            action()

    def later(self, action: Callable[[], None]) -> None:
        """Issue what the host sees when it waits."""
        self.issued += 1
        self.pending.append((self.issued, action))

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
    for stream in list(_streams.values()):
        stream.synchronize()


def synchronize(pointer: int) -> None:
    """Let the host wait for a stream, given by its address."""
    if pointer in _streams:
        _streams[pointer].synchronize()


def _memory(x: np.ndarray) -> tuple[np.ndarray, int]:
    """What owns the memory of an array, and its address."""
    owner = x.base if isinstance(x.base, np.ndarray) else x
    return owner, owner.__array_interface__["data"][0]


def written(x: np.ndarray) -> None:
    """Note that the current stream writes an array, or raise RaceError if others may still read it."""
    stream = current()
    if stream is Stream.null and not _writers and not _readers:
        return
    owner, key = _memory(x)
    readers, _ = _readers.pop(key, ({}, None))
    if any(not _knows(stream, reader, moment) for reader, moment in readers.items()):
        raise RaceError(f"an array of shape {x.shape} is written on a stream that has not waited for others to read it")
    if stream is Stream.null:
        _writers.pop(key, None)
        return
    stream.issued += 1
    _writers[key] = stream, stream.issued, weakref.ref(owner, lambda _: _writers.pop(key, None))


def read(x: np.ndarray) -> None:
    """Note that the current stream reads an array, or raise RaceError if it cannot know that it has been written."""
    here = current()
    if here is Stream.null:
        return
    owner, key = _memory(x)
    writer, moment, _ = _writers.get(key, (Stream.null, 0, None))
    if not _knows(here, writer, moment):
        raise RaceError(f"an array of shape {x.shape} is read on a stream that has not waited for another to write it")
    here.issued += 1
    if key not in _readers:
        _readers[key] = {}, weakref.ref(owner, lambda _: _readers.pop(key, None))
    _readers[key][0][here] = here.issued


def _knows(here: Stream, other: Stream, moment: int) -> bool:
    """Whether a stream comes after what another did at a moment."""
    return Stream.null in (here, other) or here is other or max(other.done, here.seen.get(other, 0)) >= moment
