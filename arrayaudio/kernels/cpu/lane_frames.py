"""Waveform to final feature for as many frames at a time as a vector has lanes, without a step outside the cache.

Lanes are neighbours in time, which is the order of the result: bands and logarithms work on all of them at once, and
their rows are written as they are.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.kernels.cpu.fft import VERSION, Layout, inlined, layout, load_frames, tables, transform
from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.lanes import filled, load, log, sqrt, store, store_in_turn, unless_above
from arrayaudio.kernels.cpu.threads import num_threads, run
from arrayaudio.kernels.cpu.tiles import scratch_parts, tile_length


class Bands(NamedTuple):
    """The first bin and the number of bins of each band, and the weights of all of them, one band after the other."""

    starts: np.ndarray
    widths: np.ndarray
    weights: np.ndarray


class Levels(NamedTuple):
    """Natural logarithms times a factor, and what values up to the floor become."""

    floor: np.floating[Any]
    factor: np.floating[Any]
    lowest: np.floating[Any]


@jit
def copy_frames(L, n, signal, left, right, padding, hop, first, count, frames):  # type: ignore[no-untyped-def]
    """Fill rows with `count` frames, padded where they reach beyond the signal, and the others with zeros."""
    for i in range(L):
        frame = frames[i * n : (i + 1) * n]
        start = (first + i) * hop - padding
        low, high = (0, 0) if i >= count else (min(n, max(0, -start)), max(0, min(n, signal.size - start)))
        if high > low:
            frame[low:high] = signal[start + low : start + high]
        for j in range(low):
            frame[j] = signal[left[start + j + padding]] if left[start + j + padding] >= 0 else 0
        for j in range(max(low, high), n):
            source = -1 if i >= count else right[start + j - signal.size]
            frame[j] = signal[source] if source >= 0 else 0


@inlined
def _weighed(L, bins, start, width, weights, at):  # type: ignore[no-untyped-def]
    """Sum rows from `start` on, weighed; four sums at a time, as each addition waits for the one before."""
    a = b = c = d = filled(L, weights.dtype.type(0))
    whole = width - width % 4
    for k in range(0, whole, 4):
        place = (start + k) * L
        a = a + load(L, bins, place) * weights[at + k]
        b = b + load(L, bins, place + L) * weights[at + k + 1]
        c = c + load(L, bins, place + 2 * L) * weights[at + k + 2]
        d = d + load(L, bins, place + 3 * L) * weights[at + k + 3]
    for k in range(whole, width):
        a = a + load(L, bins, (start + k) * L) * weights[at + k]
    return (a + b) + (c + d)


@inlined
def _write(L, value, count, spare, out, place):  # type: ignore[no-untyped-def]
    """Write the first `count` lanes."""
    if count == L:
        store(value, out, place)
    else:
        store(value, spare, 0)
        for i in range(count):
            out[place + i] = spare[i]


@functools.cache
def kernel(place: Layout, detector: str, banded: bool, scaled: bool) -> Callable[..., None]:
    """Return the function that runs frames of some signals, from one to another, through a plan of this kind."""
    L, a, b, c, first_step, second_step = place
    spectrum, root = detector == "complex", detector == "magnitude"
    n_bins, version = a * b * c + 1, VERSION

    def run_frames(  # type: ignore[no-untyped-def]
        signals, window, edges, padding, hop, items, frames_of_each, tables, bands, levels, memory, results, n_frames
    ):
        assert version  # which makes it part of the function
        rows, column, bins, frames, spare = memory
        left, right = edges
        positions, second, third, halves = tables
        starts, widths, weights = bands
        (first_item, last_item), (first, last) = items, frames_of_each
        n, n_rows = window.size, starts.size if banded else n_bins
        for item in range(first_item, last_item):
            signal, out = signals[item], results[item]
            for i in range(first, last, L):
                count = min(L, last - i)
                start = i * hop - padding
                if count == L and start >= 0 and start + (L - 1) * hop + n <= signal.size:
                    source, place, step = signal, start, hop
                else:
                    copy_frames(L, n, signal, left, right, padding, hop, i, count, frames)
                    source, place, step = frames, 0, n
                load_frames(L, source, place, step, window, positions, rows)
                transform(L, a, b, c, first_step, second_step, rows, second, third, halves, column, spectrum, bins)
                if root and banded:
                    for k in range(n_bins):
                        store(sqrt(load(L, bins, k * L)), bins, k * L)
                at = 0
                for k in range(n_rows):
                    if spectrum:
                        re, im = load(L, bins, 2 * k * L), load(L, bins, 2 * k * L + L)
                        if count == L:
                            store_in_turn(re, im, out, 2 * (k * n_frames + i))
                        else:
                            store_in_turn(re, im, spare, 0)
                            for j in range(2 * count):
                                out[2 * (k * n_frames + i) + j] = spare[j]
                    else:
                        if banded:
                            value = _weighed(L, bins, starts[k], widths[k], weights, at)
                            at += widths[k]
                        else:
                            value = load(L, bins, k * L)
                            if root:
                                value = sqrt(value)
                        if scaled:
                            value = unless_above(value, levels.floor, levels.lowest, log(value) * levels.factor)
                        _write(L, value, count, spare, out, k * n_frames + i)

    return jit(run_frames)


def lane_spectrogram(signals: np.ndarray, plan: Any, edges: Any, results: np.ndarray) -> None:
    """Run `plan` on (n_signals, n_samples), for (n_signals, n_rows, n_frames)."""
    signals = signals.view()
    signals.flags.writeable = False  # as those of some callers are, for which kernels would be compiled once more
    framing, dtype = plan.framing, signals.dtype
    n_fft, n_frames = framing.frame_length, results.shape[-1]
    place = layout(n_fft, dtype)
    L = place.n_lanes
    window = plan.window.derived(_halved, dtype)
    bands = _bands(np.zeros((1, 1)), dtype) if plan.bank is None else plan.bank.derived(_bands, dtype)
    detector = {"complex": "complex", 1.0: "magnitude", 2.0: "power"}[plan.detector]
    run_frames = kernel(place, detector, plan.bank is not None, plan.scaling is not None)
    sizes = (place.size, 4 * place.third * L, (n_fft // 2 + 1) * 2 * L, L * n_fft, 2 * L)
    size = L * -(-4 * tile_length(n_frames, n_fft, dtype.itemsize) // L)
    flat = results.view(dtype).reshape(len(signals), -1)

    fixed, levels = tables(n_fft, dtype), _levels(plan.scaling, dtype)
    # Calls cost as much as some frames, so that short signals go together.
    together = max(1, min(size // n_frames, -(-len(signals) // num_threads())))

    def tile(item_and_first: tuple[int, int]) -> None:
        item, first = item_and_first
        run_frames(
            signals,
            window,
            edges,
            framing.padding,
            framing.hop_length,
            (item, min(item + together, len(signals))),
            (first, min(first + size, n_frames)),
            fixed,
            bands,
            levels,
            scratch_parts(sizes, dtype),
            flat,
            n_frames,
        )

    run(tile, [(item, first) for item in range(0, len(signals), together) for first in range(0, n_frames, size)])


def _halved(window: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Half a window in a dtype: spectra of real numbers are sums of two halves."""
    return (window / 2).astype(dtype)


def _bands(matrix: np.ndarray, dtype: np.dtype[Any]) -> Bands:
    """Bands of a matrix in a dtype."""
    starts, widths, weights = banded(matrix)
    inside = np.arange(weights.shape[1]) < widths[:, None]
    return Bands(starts, widths, weights[inside].astype(dtype))


def banded(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First column, number of columns and packed weights of what is not zero in each row of a matrix."""
    used = matrix != 0
    starts = used.argmax(axis=1)
    widths = np.where(used.any(axis=1), matrix.shape[1] - used[:, ::-1].argmax(axis=1) - starts, 0)
    weights = np.zeros((len(matrix), max(1, widths.max())))
    for row, start, width in zip(range(len(matrix)), starts, widths, strict=True):
        weights[row, :width] = matrix[row, start : start + width]
    return starts, widths, weights


def _levels(scaling: Any, dtype: np.dtype[Any]) -> Levels:
    if scaling is None:
        return Levels(dtype.type(0), dtype.type(0), dtype.type(0))
    factor = scaling.factor / (1 if scaling.base == "e" else math.log(10))
    return Levels(dtype.type(scaling.floor), dtype.type(factor), dtype.type(scaling.lowest))
