"""The devices of the stand-in, and what CuPy says of them."""

import os
import threading
from types import SimpleNamespace
from typing import Any

from . import memory, streams

N_DEVICES = 2
_here = threading.local()
_process = os.getpid()


class CUDARuntimeError(RuntimeError):
    """CUDA does not do what it is asked for."""

    __module__ = "cupy_backends.cuda.api.runtime"


def current_device() -> int:
    """The number of the device of this thread; CUDA is of no use in forks of the process."""
    if os.getpid() != _process:
        raise CUDARuntimeError("cudaErrorInitializationError: initialization error")
    return getattr(_here, "device", 0)


class Device:
    """A device, as the current one inside of its context."""

    compute_capability = "90"
    shared_bytes = 99 * 1024  # for a block, on the smallest devices that kernels must fit

    def __init__(self, device: int | None = None) -> None:
        self.id = current_device() if device is None else int(device)

    def __enter__(self) -> "Device":
        self._before = [*getattr(self, "_before", []), current_device()]
        return self.use()

    def __exit__(self, *_: Any) -> None:
        _here.device = self._before.pop()

    def use(self) -> "Device":
        if not 0 <= self.id < N_DEVICES:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        _here.device = self.id
        return self

    def synchronize(self) -> None:
        streams.synchronize_all()

    @property
    def attributes(self) -> dict[str, int]:
        return {"MaxSharedMemoryPerBlockOptin": self.shared_bytes, "MultiProcessorCount": 132}

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


def _count() -> int:
    current_device()
    return N_DEVICES


CONTENT = {
    "Device": Device,
    "alloc_pinned_memory": memory.alloc_pinned_memory,
    "Stream": streams.Stream,
    "Event": streams.Event,
    "get_current_stream": streams.current,
    "get_device_id": current_device,
    "get_elapsed_time": lambda start, end: 1e3 * (end.seconds - start.seconds),
    "is_available": lambda: True,
    "stream": SimpleNamespace(Stream=streams.Stream),
    "memory": SimpleNamespace(OutOfMemoryError=memory.OutOfMemoryError),
}
RUNTIME = {
    "CUDARuntimeError": CUDARuntimeError,
    "getDeviceCount": _count,
    "getDevice": current_device,
    "pointerGetAttributes": lambda pointer: SimpleNamespace(device=0),
    "getDeviceProperties": lambda device: {"name": b"stand-in", "multiProcessorCount": 132},
    "deviceSynchronize": streams.synchronize_all,
    "memGetInfo": memory.info,
}
