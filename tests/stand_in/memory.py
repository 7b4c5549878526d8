"""Memory of the stand-in: how much is in use, and an error where that is more than is allowed."""

import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np

_in_use: dict[int, tuple[int, Any]] = {}


class OutOfMemoryError(MemoryError):
    """An array does not fit."""

    __module__ = "cupy.cuda.memory"


class MemoryPool:
    """What arrays come from, of all devices together. It keeps nothing for later."""

    limit = 0

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        assert fraction is None
        self.limit = size or 0

    def get_limit(self) -> int:
        return self.limit

    def used_bytes(self) -> int:
        return sum(n_bytes for n_bytes, _ in list(_in_use.values()))

    def free_all_blocks(self, stream: Any = None) -> None:
        pass


POOL, PINNED_POOL = MemoryPool(), MemoryPool()


class PinnedMemory(bytearray):
    """Host memory that a device reads and writes by itself, while the host goes on."""


def alloc_pinned_memory(size: int) -> PinnedMemory:
    """Return memory that holds NaN."""
    return PinnedMemory(b"\xff" * size)


def is_pinned(x: np.ndarray) -> bool:
    """Whether a NumPy array lies in pinned memory."""
    owner: Any = x
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    return isinstance(owner, PinnedMemory)


FFT_CONFIG = SimpleNamespace(get_plan_cache=lambda: SimpleNamespace(clear=lambda: None))


def allocated(x: np.ndarray) -> None:
    """Count an array, unless it is a view of another."""
    if x.base is not None:
        return
    used = POOL.used_bytes() if POOL.limit else 0
    if used + x.nbytes > POOL.limit > 0:
        raise OutOfMemoryError(
            f"Out of memory allocating {x.nbytes:,} bytes (allocated so far: {used:,} bytes, "
            f"limit set to: {POOL.limit:,} bytes)."
        )
    key = id(x)
    _in_use[key] = x.nbytes, weakref.ref(x, lambda _: _in_use.pop(key, None))


def found(pointer: int, n_bytes: int) -> tuple[np.ndarray, int]:
    """The array that holds so many bytes from an address on, and how far from its beginning they lie."""
    for _, reference in list(_in_use.values()):
        x = reference()
        if x is not None and 0 <= pointer - x.ctypes.data and pointer + n_bytes <= x.ctypes.data + x.nbytes:
            return x, pointer - x.ctypes.data
    raise IndexError(f"{n_bytes} bytes from {pointer:#x} on lie in no array")


def info() -> tuple[int, int]:
    """Free bytes, and those there are."""
    total = POOL.limit or 2**34
    return max(0, total - POOL.used_bytes()), total
