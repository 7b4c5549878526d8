"""Launches of kernels that add frames up: how blocks go along signals, and what all such kernels take."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.kernels.gpu.butterflies import butterflies
from arrayaudio.kernels.gpu.fft import BLOCKS, FULL, MOST_FRAMES, Tile, pitch, radices, tables
from arrayaudio.kernels.gpu.loader import REALS, Program, current_device, launch, shared_limit

THREADS, MOST_BLOCKS = 256, 2**16
RESERVED_BYTES = 1024  # that a multiprocessor takes for itself from the shared memory of each block
SECTOR_BYTES = 32  # global memory comes in no smaller pieces
LONGEST_HOP, MOST_FRAMES_IN_ALL = 2**26, 2**30  # as they are counted in 32 bits


class Runs(NamedTuple):
    """Frames that a block adds up, in tiles, and samples of the ring in which sums wait for more frames."""

    length: int
    ring: int
    tile: Tile

    def shared_bytes(self, itemsize: int) -> int:
        """The memory that real numbers of this size make it take."""
        return self.tile.shared_bytes(itemsize) + self.ring * itemsize


def runs(n_fft: int, hop: int, dtype: Any, n_items: int, n_frames: int) -> Runs | None:
    """Choose runs that fill a device, longer ones as there is more; None for what does not fit or is not covered."""
    sizes, itemsize, limit = ascending(n_fft), dtype.itemsize, shared_limit(current_device())
    if not sizes or dtype.name not in REALS or hop > LONGEST_HOP or n_items * n_frames > MOST_FRAMES_IN_ALL:
        return None
    overlap, total = (n_fft - 1) // hop, n_items * n_frames
    # The frames before a run are found once more, which is to cost an eighth at most while the device stays busy.
    length = max(1, min(n_frames, total // FULL, max(8 * overlap, total // (4 * FULL))))
    ring = THREADS * -(-max(1, n_fft - hop) // THREADS)

    def made_of(size: int) -> Runs:
        return Runs(-(-(length + overlap) // size) * size - overlap, ring, Tile(size, pitch(sizes, itemsize, size)))

    # Registers let one block of float64 and about three of float32 share a multiprocessor.
    size, least = MOST_FRAMES, SECTOR_BYTES // (2 * itemsize)
    share = limit if itemsize == 8 else limit // BLOCKS - RESERVED_BYTES
    while size > 1:
        needed = made_of(size).shared_bytes(itemsize)
        if needed <= limit and (size <= least or (needed <= share and size // 2 < length + overlap)):
            break
        size //= 2
    found = made_of(size)
    return found if found.shared_bytes(itemsize) <= limit else None


def ascending(n_fft: int) -> tuple[int, ...]:
    """Return sizes of butterflies, the smallest first: what the first loads and windows takes registers as well."""
    return (radices(n_fft) or ())[::-1]


def program(name: str, n_fft: int, dtype: str) -> Program:
    """Return a kernel for frames of a length and precision; all else is an argument of it."""
    sizes = ascending(n_fft)
    return Program(name, dtype, (f"RADICES={','.join(map(str, sizes))}",), butterflies(sizes))


def launch_runs(
    name: str, runs: Runs, framing: Any, arrays: Sequence[Any], out: Any, counts: tuple[int, int], more: Sequence[Any]
) -> None:
    """Launch a kernel on arrays, the last of which is the window, and tables, with counts of items and frames."""
    n_fft, real, (n_items, n_frames) = framing.frame_length, out.dtype, counts
    shape = (framing.hop_length, runs.length, runs.ring, int(math.log2(runs.tile.n_frames)), runs.tile.pitch)
    launch(
        program(name, n_fft, real.name),
        (min(n_items * -(-n_frames // runs.length), MOST_BLOCKS),),
        (THREADS,),
        (
            *arrays,
            tables(ascending(n_fft), real.name, current_device()),
            out,
            *map(np.int32, counts + shape),
            *more,
        ),
        runs.shared_bytes(real.itemsize),
    )
