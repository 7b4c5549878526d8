"""Waveform to final feature, one tile of frames after the other, with nothing in between in main memory.

A tile is loaded and windowed, transformed, detected, gathered into bands and turned into levels while it sits in the
cache; then it is written once, in the (freq, time) order of the result. Tiles are shared among threads. Frames of
common sizes are transformed side by side (`lane_frames.py`), the others one by one by SciPy's FFT.
"""

import math
from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import covered
from arrayaudio.kernels.cpu.jit import jit, summing_jit
from arrayaudio.kernels.cpu.lane_frames import banded, lane_spectrogram
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


@summing_jit
def detect_bands(X, root, starts, widths, weights, values, out):  # type: ignore[no-untyped-def]
    """Gather the power of (n_frames, n_bins), or its square root, into (n_bands, n_frames); `values` is scratch."""
    for i in range(X.shape[0]):
        spectrum = X[i]
        for f in range(values.size):
            values[f] = spectrum[f].real * spectrum[f].real + spectrum[f].imag * spectrum[f].imag
        if root:
            for f in range(values.size):
                values[f] = math.sqrt(values[f])
        for band in range(out.shape[0]):
            inside = values[starts[band] : starts[band] + widths[band]]
            row = weights[band]
            total = values.dtype.type(0)
            for k in range(inside.size):
                total += row[k] * inside[k]
            out[band, i] = total


def spectrogram(y: np.ndarray, plan: Any) -> Any:
    """Run `plan` on (..., n_samples), or decline phases, odd powers, computed padding, and learned arrays."""
    if plan.basis is not None or not (plan.window.fixed and (plan.bank is None or plan.bank.fixed)):
        return NotImplemented
    framing, between = plan.framing, plan.interpolation(y)
    if plan.frequencies is not None and (between is None or plan.bank):
        return NotImplemented
    edges = framing.edge_indices(y.shape[-1])
    if edges is None or plan.detector not in ("complex", 1.0, 2.0) or (plan.detector == "complex" and plan.bank):
        return NotImplemented
    n_frames, n_fft = framing.n_frames(y.shape[-1]), framing.frame_length
    n_bins = len(plan.frequencies.value) if between else 1 + n_fft // 2
    n_rows = n_bins if plan.bank is None else plan.bank.value.shape[0]
    dtype = y.dtype if plan.detector != "complex" else np.result_type(y.dtype, np.complex64)
    out = np.empty((*y.shape[:-1], n_rows, n_frames), dtype=dtype)
    if out.size == 0:
        return out
    signals = np.ascontiguousarray(y).reshape(-1, y.shape[-1])
    results = out.reshape(len(signals), n_rows, n_frames)
    if between is None and covered(n_fft, y.dtype):
        lane_spectrogram(signals, plan, edges, results)
    else:
        _one_by_one(signals, plan, edges, between, results)
    if plan.scaling is not None and plan.scaling.range is not None:
        run(lambda result: limit_range(result, plan.scaling.range), results)
    return out


def _one_by_one(signals: np.ndarray, plan: Any, edges: Any, between: Any, results: np.ndarray) -> None:
    """Take the FFT of frames row by row, and write it as columns."""
    import scipy.fft  # takes long, and is for these alone

    framing, root = plan.framing, plan.detector == 1.0
    n_fft, n_frames, dtype = framing.frame_length, results.shape[-1], signals.dtype
    window = plan.window.like(signals)
    if plan.bank is not None:
        starts, widths, weights = plan.bank.derived(banded)
        weights = weights.astype(dtype)
    length = n_fft
    if between is not None:
        length, window = between.length, window * between.correction.like(signals)
    size = tile_length(n_frames, length, dtype.itemsize)

    def tile(place: tuple[int, int]) -> None:
        item, first = place
        result = results[item, :, first : first + size]
        frames = scratch(result.shape[1], n_fft, dtype)
        load(signals[item], window, *edges, framing.padding, framing.hop_length, first, frames)
        X = scipy.fft.rfft(frames, n=length, axis=-1, overwrite_x=True)
        if between is not None:
            parts, X = between.mirrored(X).view(dtype), np.empty((len(X), results.shape[1]), dtype=X.dtype)
            interpolate(parts, between.starts, between.taps.like(signals), X)
        if plan.detector == "complex":
            transpose(X, result)
        elif plan.bank is None:
            detect(X, root, result)
        else:
            detect_bands(X, root, starts, widths, weights, frames.ravel()[: X.shape[1]], result)
        if plan.scaling is not None:
            to_levels(result, plan.scaling)

    run(tile, [(item, first) for item in range(len(signals)) for first in range(0, n_frames, size)])


def to_levels(S: np.ndarray, scaling: Any) -> None:
    """Turn values into levels in place, but for their range."""
    floor = S.dtype.type(scaling.floor)
    at_floor = S <= floor
    np.maximum(S, floor, out=S)
    (np.log if scaling.base == "e" else np.log10)(S, out=S)
    S *= S.dtype.type(scaling.factor)
    S[at_floor] = scaling.lowest


def limit_range(levels: np.ndarray, span: float) -> None:
    """Raise what lies more than `span` under the maximum to that level, in place."""
    np.maximum(levels, levels.max() - levels.dtype.type(span), out=levels)
