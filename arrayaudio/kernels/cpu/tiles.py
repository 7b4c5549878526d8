"""Tiles of frames: how many fit into the cache, and memory to hold them."""

import threading
from typing import Any

import numpy as np

# Bytes of a tile's frames: with their spectra they stay in a core's second-level cache, and a tile is long enough that
# threads seldom wait for the interpreter between its steps.
TILE_BYTES = 2**19
LARGEST_KEPT = 2 * TILE_BYTES
_memory = threading.local()


def tile_length(n_frames: int, frame_length: int, itemsize: int) -> int:
    """Return how many frames a tile holds."""
    return max(1, min(n_frames, TILE_BYTES // (frame_length * itemsize)))


def scratch(n_rows: int, n_columns: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Return uninitialised memory that a thread uses again for each tile, since fresh pages cost as much as the FFT."""
    size = n_rows * n_columns * dtype.itemsize
    if size > LARGEST_KEPT:
        return np.empty((n_rows, n_columns), dtype=dtype)
    if not hasattr(_memory, "tile"):
        _memory.tile = np.empty(LARGEST_KEPT, dtype=np.uint8)
    return _memory.tile[:size].view(dtype).reshape(n_rows, n_columns)
