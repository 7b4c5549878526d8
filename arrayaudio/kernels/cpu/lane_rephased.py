"""A step of Griffin and Lim for as many frames at a time as a vector has lanes, from waveform to waveform."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import VERSION, Layout, inlined, inverse, layout, load_frames, tables, transform
from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.lane_synthesis import overlap_add, window_frames
from arrayaudio.kernels.cpu.lanes import filled, load, sqrt, store, unless_above
from arrayaudio.kernels.cpu.tiles import scratch_parts


@inlined
def _give_magnitudes(L, n_bins, magnitudes, first, step, tiny, huge, up, bins):  # type: ignore[no-untyped-def]
    """Replace the magnitudes of rows (re, im) by those from `first` on, `step` apart; the phase of 0 is 0.

    Numbers whose power is below `tiny` or above `huge` are multiplied by `up` or its inverse, so that it exists.
    """
    one = filled(L, magnitudes.dtype.type(1))
    for k in range(n_bins):
        re, im, size = load(L, bins, 2 * k * L), load(L, bins, 2 * k * L + L), load(L, magnitudes, first + k * step)
        power = re * re + im * im
        scale = unless_above(power, tiny, up, unless_above(power, huge, one, one / up))
        re, im = re * scale, im * scale
        power = re * re + im * im
        gain = size / sqrt(power)
        store(unless_above(power, 0, size, re * gain), bins, 2 * k * L)
        store(unless_above(power, 0, 0, im * gain), bins, 2 * k * L + L)


@jit
def extrapolate(y, previous, momentum, left, right, padding, start, out):  # type: ignore[no-untyped-def]
    """Fill `out` with y + momentum (y - previous) from position `start` on, padded beyond it, and zeros after that."""
    low = min(out.size, max(0, -start))
    high = max(low, min(out.size, y.size - start))
    if high > low:
        here, before, ahead = y[start + low : start + high], previous[start + low : start + high], out[low:high]
        for j in range(high - low):
            ahead[j] = here[j] + momentum * (here[j] - before[j])
    for j in range(out.size):
        if low <= j < high:
            continue
        place = start + j - y.size
        source = left[start + j + padding] if j < low else right[place] if place < right.size else -1
        out[j] = y[source] + momentum * (y[source] - previous[source]) if source >= 0 else 0


@functools.cache
def kernel(place: Layout) -> Callable[..., None]:
    """Return the function that adds up frames from `first` to `last` of S with the phases of a signal.

    The signal begins with frame `before`, and reaches over a vector of frames at least, as S does.
    """
    L, a, b, c, first_step, second_step = place
    n_bins, version = a * b * c + 1, VERSION

    def run_frames(  # type: ignore[no-untyped-def]
        signal, before, S, n_frames, first, last, halved, scaled, hop, start, tables, limits, memory, out
    ):
        assert version  # which makes it part of the function
        rows, column, bins, frames = memory
        positions, second, third, halves = tables
        tiny, huge, up = limits
        n = halved.size
        done = first
        while done < last:
            # The last ones are found with some before them once more, as vectors hold so many.
            i = max(before, min(done, last - L))
            load_frames(L, signal, (i - before) * hop, hop, halved, positions, rows)
            transform(L, a, b, c, first_step, second_step, rows, second, third, halves, column, True, bins)
            _give_magnitudes(L, n_bins, S, i, n_frames, tiny, huge, up, bins)
            inverse(
                L, a, b, c, first_step, second_step, bins, 0, 2 * L, False,
                rows, positions, second, third, halves, column,
            )  # fmt: skip
            window_frames(L, column, scaled, frames, n)
            count = min(last, i + L) - done
            overlap_add(frames.reshape(L, n)[done - i : done - i + count], hop, start + (done - first) * hop, out)
            done += count

    return jit(run_frames)


def lane_rephased(
    pair: tuple[np.ndarray, np.ndarray], momentum: Any, edges: Any, padding: int, S: np.ndarray, frames: range,
    window: np.ndarray, hop: int, start: int, out: np.ndarray,
) -> None:  # fmt: skip
    """Add frames of a signal and the one before it up in `out`, from sample `start` on; S is (n_bins, n_frames)."""
    dtype, n_fft = window.dtype, len(window)
    place, (n_bins, n_frames) = layout(n_fft, dtype), S.shape
    L = place.n_lanes
    if n_frames < L:
        S = np.pad(S, ((0, 0), (0, L - n_frames)))
    before = max(0, min(frames.start, frames.stop - L))
    n_ahead = (max(L, frames.stop - before) - 1) * hop + n_fft
    exponents = (-80, 80, 100) if dtype.itemsize == 4 else (-900, 900, 600)
    limits = tuple(dtype.type(2.0) ** dtype.type(exponent) for exponent in exponents)
    ahead, *parts = scratch_parts((n_ahead, place.size, n_fft * L, 2 * n_bins * L, n_fft * L), dtype)
    extrapolate(*pair, momentum, *edges, padding, before * hop - padding, ahead)
    kernel(place)(
        ahead, before, S.reshape(-1), S.shape[-1], frames.start, frames.stop, window / 2, window / n_fft, hop,
        frames.start * hop - padding - start, tables(n_fft, dtype), limits, tuple(parts), out,
    )  # fmt: skip
