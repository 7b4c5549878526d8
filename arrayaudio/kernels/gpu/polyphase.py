"""Resampling by a polyphase matrix, of which only the taps that count are taken."""

from typing import Any, NamedTuple

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, Program, current_device, launch, on_device, shared_limit

WIDTH = 16  # outputs of a group, which share their taps
FRAME_LANES, FRAMES = 8, (4, 2, 1)  # of a warp, and how many each of them may take
MOST_WARPS, MOST_BLOCKS = 16, 2**16
FULL = 264  # blocks that keep the largest devices busy


class Taps(NamedTuple):
    """Weights of all groups in rows of WIDTH, where those of each begin, and its first tap; the end of the last."""

    weights: Any
    begins: Any
    first: Any
    stop: int


def grouped(matrix: np.ndarray, dtype: str, device: int) -> Taps:  # noqa: ARG001 - copies live on devices
    """Taps of a matrix (taps, up) from the first to the last that counts, in the memory of the current device."""
    taps, up = matrix.shape
    whole = np.zeros((taps, -(-up // WIDTH) * WIDTH))
    whole[:, :up] = matrix
    groups = np.split(whole, whole.shape[1] // WIDTH, axis=1)
    counted = [np.flatnonzero(group.any(axis=1)) for group in groups]
    spans = [(at[0], at[-1] + 1) if at.size else (0, 1) for at in counted]
    weights = np.concatenate([group[first:stop] for group, (first, stop) in zip(groups, spans, strict=True)])
    begins = np.cumsum([0, *(stop - first for first, stop in spans)])
    first, stops = np.array(spans, np.int32).T
    places = (on_device(begins.astype(np.int32)), on_device(np.ascontiguousarray(first)))
    return Taps(on_device(weights.astype(dtype)), *places, int(stops.max()))


def program(frames: int, dtype: str) -> Program:
    """Return the kernel whose threads take so many frames."""
    return Program("polyphase", dtype, (f"FRAMES={frames}",))


def polyphase(y: Any, up: int, down: int, reach: int, matrix: Any) -> Any:
    """Frames of (..., n_samples), `down` apart, times a matrix (taps, up): (..., ceil(n_samples up / down))."""
    if y.dtype.name not in REALS or not matrix.fixed:
        return NotImplemented
    n_samples = y.shape[-1]
    n_out = -(-n_samples * up // down)
    n_frames, n_items = -(-n_out // up), y.size // max(1, n_samples)
    device = current_device()
    taps = matrix.derived(grouped, y.dtype.name, device)

    def tile(frames: int) -> tuple[int, int]:
        """Samples of a block, and bytes that it keeps them in."""
        n_tile = (FRAME_LANES * frames - 1) * down + taps.stop
        return n_tile, -(-n_tile // down) * (down | 1) * y.dtype.itemsize

    def suits(frames: int) -> bool:
        full = n_items * -(-n_frames // (FRAME_LANES * frames)) >= FULL
        return full and tile(frames)[1] <= shared_limit(device) // 2

    frames = next(filter(suits, FRAMES), FRAMES[-1])
    n_tile, shared_bytes = tile(frames)
    if shared_bytes > shared_limit(device):
        return NotImplemented
    out = cupy.empty((*y.shape[:-1], n_out), y.dtype)
    if out.size == 0:
        return out
    n_groups = -(-up // WIDTH)
    rounds = -(-n_groups // MOST_WARPS)
    launch(
        program(frames, y.dtype.name),
        (min(n_items * -(-n_frames // (FRAME_LANES * frames)), MOST_BLOCKS),),
        (32 * -(-n_groups // rounds),),
        (
            cupy.ascontiguousarray(y),
            taps.weights,
            taps.begins,
            taps.first,
            out,
            *map(np.int64, (n_items, n_samples, n_out, n_frames)),
            *map(np.int32, (up, down, reach - 1, n_groups, n_tile)),
        ),
        shared_bytes,
    )
    return out
