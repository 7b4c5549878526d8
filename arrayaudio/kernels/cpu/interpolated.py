"""Spectra at other frequencies than the FFT's: sums of a few of its bins around each, tile by tile.

Frames are loaded and windowed, transformed by SciPy's FFT, interpolated and detected while they sit in the cache.
"""

import math
from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.jit import jit, summing_jit
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.tiles import scratch, tile_length


@jit
def load(y, window, left, right, padding, hop, first, frames):  # type: ignore[no-untyped-def]
    """Fill (n_frames, n_fft) with windowed frames; `left` and `right` say which sample each padded one repeats."""
    n_fft = frames.shape[1]
    for i in range(frames.shape[0]):
        start = (first + i) * hop - padding
        frame = frames[i]
        if start >= 0 and start + n_fft <= y.size:
            piece = y[start : start + n_fft]
            for j in range(n_fft):
                frame[j] = piece[j] * window[j]
        else:
            for j in range(n_fft):
                source = start + j
                if source < 0:
                    source = left[source + padding]
                elif source >= y.size:
                    source = right[source - y.size]
                frame[j] = y[source] * window[j] if source >= 0 else window[j] * 0


@summing_jit
def interpolate(parts, starts, taps, out):  # type: ignore[no-untyped-def]
    """Weigh real and imaginary parts of bins, (n_frames, 2 n_bins), into (n_frames, n_rows) by taps (n_rows, 2, n)."""
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            piece = parts[i, 2 * starts[k] : 2 * starts[k] + taps.shape[2]]
            to_re, to_im = taps[k, 0], taps[k, 1]
            re, im = piece[0] * 0, piece[0] * 0
            for j in range(piece.size):
                re += to_re[j] * piece[j]
                im += to_im[j] * piece[j]
            out[i, k] = complex(re, im)


@jit
def transpose(X, out):  # type: ignore[no-untyped-def]
    """Write spectra (n_frames, n_bins) as (n_bins, n_frames)."""
    for f in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[f, i] = X[i, f]


@jit
def detect(X, root, out):  # type: ignore[no-untyped-def]
    """Write the power of (n_frames, n_bins), or its square root, as (n_bins, n_frames)."""
    for f in range(out.shape[0]):
        for i in range(out.shape[1]):
            power = X[i, f].real * X[i, f].real + X[i, f].imag * X[i, f].imag
            out[f, i] = math.sqrt(power) if root else power


def interpolated(signals: np.ndarray, plan: Any, edges: Any, between: Any, results: np.ndarray) -> None:
    """Run `plan` on (n_signals, n_samples), for (n_signals, n_rows, n_frames)."""
    framing, root = plan.framing, plan.detector == 1.0
    n_fft, (_, n_rows, n_frames), dtype = framing.frame_length, results.shape, signals.dtype
    window = plan.window.like(signals) * between.correction.like(signals)
    size = tile_length(n_frames, between.length, dtype.itemsize)

    def tile(place: tuple[int, int]) -> None:
        item, first = place
        result = results[item, :, first : first + size]
        frames = scratch(result.shape[1], n_fft, dtype)
        load(signals[item], window, *edges, framing.padding, framing.hop_length, first, frames)
        X = scipy.fft.rfft(frames, n=between.length, axis=-1, overwrite_x=True)
        rows = np.empty((len(X), n_rows), dtype=X.dtype)
        interpolate(between.mirrored(X).view(dtype), between.starts, between.taps.like(signals), rows)
        if plan.detector == "complex":
            transpose(rows, result)
        else:
            detect(rows, root, result)

    run(tile, [(item, first) for item in range(len(signals)) for first in range(0, n_frames, size)])
