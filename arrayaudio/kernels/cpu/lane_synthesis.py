"""Spectra to waveform for as many frames at a time as a vector has lanes.

Spectra are read as they lie, neighbours in time side by side, and only samples are transposed.
"""

import functools
from collections.abc import Callable

import numpy as np

from arrayaudio.kernels.cpu.butterflies import transpose_back
from arrayaudio.kernels.cpu.fft import VERSION, Layout, inlined, inverse, layout, tables
from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.tiles import scratch_parts


@jit
def overlap_add(frames, hop, start, out):  # type: ignore[no-untyped-def]
    """Add frames up, the first at `start`; what lies outside of `out` is left to other segments."""
    n_fft = frames.shape[1]
    for i in range(frames.shape[0]):
        low, high = max(0, -start), min(n_fft, out.size - start)
        if high > low:
            here = out[start + low : start + high]
            frame = frames[i, low:high]
            for j in range(high - low):
                here[j] += frame[j]
        start += hop


@inlined
def window_frames(L, samples, window, frames, step):  # type: ignore[no-untyped-def]
    """Put rows of samples into windowed frames."""
    n = window.size
    for at in range(0, n, L):
        transpose_back(L, samples, window, min(at, n - L), frames, step)


@functools.cache
def kernel(place: Layout) -> Callable[..., None]:
    """Return the function that adds up the frames of (re, im) in rows of `n_frames` from `first` to `last`."""
    L, a, b, c, first_step, second_step = place
    version = VERSION

    def run_frames(S, n_frames, first, last, window, hop, start, tables, memory, out):  # type: ignore[no-untyped-def]
        assert version  # which makes it part of the function
        rows, samples, frames = memory
        positions, second, third, halves = tables
        frames = frames.reshape(L, -1)
        done = first
        while done < last:
            # The last ones are found with some before them once more, as rows are read in whole vectors.
            place = min(done, n_frames - L)
            inverse(
                L, a, b, c, first_step, second_step, S, 2 * place, 2 * n_frames, True,
                rows, positions, second, third, halves, samples,
            )  # fmt: skip
            window_frames(L, samples, window, frames.ravel(), frames.shape[1])
            count = min(last, place + L) - done
            overlap_add(frames[done - place : done - place + count], hop, start + (done - first) * hop, out)
            done += count

    return jit(run_frames)


def lane_segment(
    S: np.ndarray, first: int, last: int, window: np.ndarray, hop: int, start: int, out: np.ndarray
) -> None:
    """Add frames `first` to `last` of (n_bins, n_frames) up in `out`, the first at `start`; `window` is over n_fft."""
    dtype, n_fft = window.dtype, len(window)
    place = layout(n_fft, dtype)
    L, n_frames = place.n_lanes, S.shape[-1]
    if n_frames < L:
        S = np.pad(S, ((0, 0), (0, L - n_frames)))
    parts = scratch_parts((place.size, n_fft * L, n_fft * L), dtype)
    flat = S.view(dtype).reshape(-1)
    kernel(place)(flat, S.shape[-1], first, last, window, hop, start, tables(n_fft, dtype), parts, out)
