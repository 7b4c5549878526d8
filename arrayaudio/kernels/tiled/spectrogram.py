"""Waveform to final feature, one tile of frames after the other, in NumPy."""

from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.threads import run

# Bytes of a tile's frames.
TILE_BYTES = 2**20


def seen(X: np.ndarray, detector: Any) -> np.ndarray:
    """What a detector sees of complex coefficients."""
    if detector == "complex":
        return X
    if detector == "phase":
        return np.arctan2(X.imag, X.real)
    if detector == 2.0:
        return X.real * X.real + X.imag * X.imag
    return np.abs(X) if detector == 1.0 else np.abs(X) ** detector


def conditioned(frames: np.ndarray, conditioning: Any) -> np.ndarray:
    """Frames without their mean, and with more treble, where that is wanted."""
    if conditioning is not None and conditioning.remove_dc:
        frames = frames - frames.mean(axis=-1, keepdims=True)
    if conditioning is None or not conditioning.preemphasis:
        return frames
    weight = frames.dtype.type(conditioning.preemphasis)
    raised = np.empty_like(frames)
    raised[:, 0] = frames[:, 0] - weight * frames[:, 0]
    np.subtract(frames[:, 1:], weight * frames[:, :-1], out=raised[:, 1:])
    return raised


def spectrogram(y: np.ndarray, plan: Any) -> Any:
    """Run `plan` on (..., n_samples), or decline other frequencies and learned arrays."""
    if plan.basis is not None or plan.frequencies is not None:
        return NotImplemented
    if not (plan.window.fixed and (plan.bank is None or plan.bank.fixed)):
        return NotImplemented
    framing, (*batch, n_samples) = plan.framing, y.shape
    n_frames, length, hop = framing.n_frames(n_samples), framing.frame_length, framing.hop_length
    window, bank = plan.window.like(y), None if plan.bank is None else plan.bank.like(y)
    n_rows = 1 + plan.n_fft // 2 if bank is None else bank.shape[0]
    dtype = np.result_type(y.dtype, np.complex64) if plan.detector == "complex" else y.dtype
    out = np.empty((*batch, n_rows, n_frames), dtype)
    results = out.reshape(-1, n_rows, n_frames)
    signals = np.pad(y.reshape(-1, n_samples), ((0, 0), (framing.padding,) * 2), mode=framing.pad_mode)
    size = max(1, TILE_BYTES // (plan.n_fft * y.itemsize))

    def tile(place: tuple[int, int]) -> None:
        item, first = place
        result = results[item, :, first : first + size]
        frames = np.lib.stride_tricks.sliding_window_view(signals[item, first * hop :], length)[::hop]
        frames = conditioned(frames[: result.shape[1]], plan.conditioning) * window
        S = seen(scipy.fft.rfft(frames, n=plan.n_fft, axis=-1, overwrite_x=True), plan.detector).T
        S = S if bank is None else bank @ S
        if plan.scaling is not None:
            levels(S, plan.scaling, out=result)
        else:
            result[...] = S

    run(tile, [(item, first) for item in range(len(results)) for first in range(0, n_frames, size)])
    if plan.scaling is not None and plan.scaling.range is not None and out.size:
        lowest = results.max(axis=(1, 2), keepdims=True) - y.dtype.type(plan.scaling.range)
        np.maximum(results, lowest, out=results)
    return out


def levels(S: np.ndarray, scaling: Any, out: np.ndarray) -> None:
    """Write the levels of values, but for their range."""
    floor = S.dtype.type(scaling.floor)
    np.maximum(S, floor, out=out)
    (np.log if scaling.base == "e" else np.log10)(out, out=out)
    out *= S.dtype.type(scaling.factor)
    out[S <= floor] = scaling.lowest
