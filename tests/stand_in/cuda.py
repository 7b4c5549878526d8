"""One device of the stand-in, and its streams, on which all work is done at once."""

import time
from types import SimpleNamespace
from typing import Any


class _Context:
    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def use(self) -> Any:
        return self

    def synchronize(self) -> None:
        pass


class Device(_Context):
    """The only device, number 0."""

    compute_capability = "90"
    shared_bytes = 99 * 1024  # for a block, on the smallest devices that kernels must fit

    def __init__(self, device: int | None = None) -> None:
        if device:
            raise ValueError(f"the stand-in has one device, number 0, and no {device}")
        self.id = 0

    @property
    def attributes(self) -> dict[str, int]:
        return {"MaxSharedMemoryPerBlockOptin": self.shared_bytes, "MultiProcessorCount": 132}

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device)

    def __hash__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return "<CUDA Device 0>"


class Event:
    """A moment between pieces of work."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.seconds = 0.0

    def record(self, stream: Any = None) -> None:
        self.seconds = time.perf_counter()

    def synchronize(self) -> None:
        pass


class Stream(_Context):
    """A queue of work, of which there is never any."""

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None):
        self.ptr = 0 if null else id(self)

    def record(self, event: Any = None) -> Any:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Any) -> None:
        pass


Stream.null = Stream(null=True)

CONTENT = {
    "Device": Device,
    "Stream": Stream,
    "Event": Event,
    "get_current_stream": lambda device_id=None: Stream.null,
    "get_device_id": lambda: 0,
    "get_elapsed_time": lambda start, end: 1e3 * (end.seconds - start.seconds),
    "is_available": lambda: True,
    "stream": SimpleNamespace(Stream=Stream),
}
RUNTIME = {
    "getDeviceCount": lambda: 1,
    "getDevice": lambda: 0,
    "getDeviceProperties": lambda device: {"name": b"stand-in", "multiProcessorCount": 132},
    "deviceSynchronize": lambda: None,
}
