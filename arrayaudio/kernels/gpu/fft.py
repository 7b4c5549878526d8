"""FFTs of real frames in shared memory: sizes of butterflies, factors, and where things lie."""

import functools
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.kernels.codelets import codelet
from arrayaudio.kernels.gpu.loader import on_device

# Larger butterflies take more registers than leave room for other blocks.
RADICES = (20, 16, 15, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2)
SHORTEST, LONGEST = 32, 2**14
MOST_FRAMES = 16  # in a tile
BLOCKS = 3  # that should find room in a multiprocessor
FULL = 264  # blocks that keep the largest devices busy


class Tile(NamedTuple):
    """How many frames a block holds, and how far apart they lie in shared memory, in complex numbers."""

    n_frames: int
    pitch: int

    def shared_bytes(self, itemsize: int) -> int:
        """The memory that real numbers of this size make it take."""
        return 2 * itemsize * self.n_frames * self.pitch


@functools.lru_cache(maxsize=256)
def radices(n_fft: int) -> tuple[int, ...] | None:
    """Return sizes of butterflies whose product is n_fft / 2, the largest first; None for lengths not covered.

    Passes through shared memory cost most, then registers, then operations.
    """

    def splits(n: int, most: int) -> list[tuple[int, ...]]:
        whole = [(n,)] if n in RADICES and n <= most else []
        return whole + [(r, *rest) for r in RADICES if r <= most and n % r == 0 for rest in splits(n // r, r)]

    def work(sizes: tuple[int, ...]) -> tuple[int, int, float]:
        return len(sizes), sizes[0], sum(len(codelet(r).operations) / r for r in sizes)

    if n_fft % 2 or not SHORTEST <= n_fft <= LONGEST:
        return None
    return min(splits(n_fft // 2, RADICES[0]), key=work, default=None)


def places(sizes: tuple[int, ...]) -> np.ndarray:
    """Where the kernel leaves bins 0, 1, ..., in complex numbers from the beginning of a row."""
    n = int(np.prod(sizes))
    k, length, place = np.arange(n), n, np.zeros(n, int)
    for size in sizes:
        step = length // size
        place += k % size * (step | 1 if length == n else step)
        k, length = k // size, step
    return place


@functools.lru_cache(maxsize=64)
def tables(sizes: tuple[int, ...], dtype: str, device: int) -> Any:  # noqa: ARG001 - copies live on devices
    """Factors exp(-2 pi i x) of the real split, then those after each pass, as pairs of real numbers."""
    n = int(np.prod(sizes))
    turns, length = [np.arange(n // 2 + 1) / (2 * n)], n
    for size in sizes[:-1]:
        turns.append(np.outer(np.arange(1, size), np.arange(length // size)).ravel() / length)
        length //= size
    angles = 2 * np.pi * np.concatenate(turns)
    return on_device(np.stack([np.cos(angles), -np.sin(angles)], axis=-1).astype(dtype))


def tile(sizes: tuple[int, ...], itemsize: int, n_items: int, n_frames: int, shared_bytes: int) -> Tile:
    """Choose tiles: long runs along time, unless a device would stay empty or shared memory too full."""
    n, size = int(np.prod(sizes)), MOST_FRAMES
    while size > 1 and (2 * itemsize * n * size > shared_bytes // BLOCKS or n_items * -(-n_frames // size) < FULL):
        size //= 2
    return Tile(size, pitch(sizes, itemsize, size))


def pitch(sizes: tuple[int, ...], itemsize: int, n_frames: int) -> int:
    """How far apart the rows of a tile lie, in complex numbers.

    The threads that read shared memory at a time take one value each of 128 bytes: their frames lie apart by what fills
    these evenly.
    """
    at_a_time = 64 // itemsize
    row, wanted = sizes[0] * (int(np.prod(sizes[1:])) | 1), max(1, at_a_time // n_frames)
    return row + (wanted - row) % at_a_time
