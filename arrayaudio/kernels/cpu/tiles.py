"""Tiles of frames: how many fit into the cache, and memory to hold them."""

import threading
from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.vectors import CACHE_LINE, aligned

# Bytes of a tile's frames: with their spectra they stay in a core's second-level cache, and a tile is long enough that
# threads seldom wait for the interpreter between its steps.
TILE_BYTES = 2**19
LARGEST_KEPT = 8 * TILE_BYTES
_memory = threading.local()


def tile_length(n_frames: int, frame_length: int, itemsize: int) -> int:
    """Return how many frames a tile holds."""
    return max(1, min(n_frames, TILE_BYTES // (frame_length * itemsize)))


def scratch(n_rows: int, n_columns: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Return uninitialised memory that a thread uses again for each tile, since fresh pages cost as much as the FFT."""
    return _bytes(n_rows * n_columns * dtype.itemsize).view(dtype).reshape(n_rows, n_columns)


def scratch_parts(sizes: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[np.ndarray, ...]:
    """Return such memory in parts of given sizes, each of which begins with a line of the cache."""
    lines = [-(-size * dtype.itemsize // CACHE_LINE) * CACHE_LINE for size in sizes]
    memory, places = _bytes(sum(lines)), np.cumsum([0, *lines])
    return tuple(memory[at : at + size * dtype.itemsize].view(dtype) for at, size in zip(places, sizes, strict=False))


def _bytes(size: int) -> np.ndarray:
    if size > LARGEST_KEPT:
        return aligned((size,), np.uint8)
    if not hasattr(_memory, "tile") or _memory.tile.size < size:
        _memory.tile = aligned((max(size, 2 * TILE_BYTES),), np.uint8)
    return _memory.tile[:size]
