"""One step of Griffin and Lim, segment by segment of the output, with no spectrum in main memory.

A segment loads the frames that reach into it, takes their FFT, gives the coefficients their magnitudes, and goes back
to the waveform while they sit in the cache. Segments are those of `synthesis`, and independent for the same reason.
"""

import math
from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import covered
from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.lane_rephased import lane_rephased
from arrayaudio.kernels.cpu.lanes import lanes
from arrayaudio.kernels.cpu.spectrogram import load
from arrayaudio.kernels.cpu.synthesis import overlap_add
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.tiles import scratch, tile_length


@jit
def give_magnitudes(X, S):  # type: ignore[no-untyped-def]
    """Replace the magnitudes of (n_frames, n_bins) by S; the phase of 0 is 0. `X` has its real and imaginary parts."""
    for i in range(S.shape[0]):
        pairs, sizes = X[i], S[i]
        for f in range(sizes.size):
            # In double precision, where the squares of the smallest and the largest float32 exist.
            re, im = np.float64(pairs[2 * f]), np.float64(pairs[2 * f + 1])
            power = re * re + im * im
            gain = sizes[f] / math.sqrt(power) if power > 0 else 0.0
            pairs[2 * f] = re * gain if power > 0 else sizes[f]
            pairs[2 * f + 1] = im * gain


def rephased(y: np.ndarray, S: np.ndarray, framing: Any, window: Any) -> Any:
    """Overlap-added inverse FFTs of `S` with the phases of `y`, or decline padding with computed values."""
    edges = framing.edge_indices(y.shape[-1])
    if edges is None:
        return NotImplemented
    n_fft, hop, n_frames = framing.frame_length, framing.hop_length, S.shape[-2]
    n_covered = (n_frames - 1) * hop + n_fft
    weights = window.like(y)
    out = np.zeros((*y.shape[:-1], n_covered), dtype=y.dtype)
    if out.size == 0:
        return out
    signals = np.ascontiguousarray(y).reshape(-1, y.shape[-1])
    magnitudes = np.ascontiguousarray(S).reshape(len(signals), *S.shape[-2:])
    waveforms = out.reshape(len(signals), n_covered)
    overlap = -(-n_fft // hop) - 1  # frames that reach into a segment from before it
    own = covered(n_fft, y.dtype) and S.shape[-1] >= lanes(y.dtype)  # vectors of which its rows are read
    size = max(tile_length(n_frames, n_fft, y.itemsize) * (8 if own else 1), 4 * overlap)

    def segment(place: tuple[int, int]) -> None:
        item, begin = place
        first, last = max(0, begin - overlap), min(n_frames, begin + size)
        end = n_covered if last == n_frames else last * hop
        if own:
            here = waveforms[item, begin * hop : end]
            shift = (first - begin) * hop
            lane_rephased(
                signals[item], edges, framing.padding, magnitudes[item], first, last, weights, hop, shift, here
            )
            return
        import scipy.fft  # takes long, and is for these sizes alone

        frames = scratch(last - first, n_fft, y.dtype)
        load(signals[item], weights, *edges, framing.padding, hop, first, frames)
        X = scipy.fft.rfft(frames, axis=-1, overwrite_x=True)
        give_magnitudes(X.view(y.dtype), magnitudes[item, first:last])
        frames = scipy.fft.irfft(X, n=n_fft, axis=-1, overwrite_x=True)
        overlap_add(frames, weights, hop, (first - begin) * hop, waveforms[item, begin * hop : end])

    run(segment, [(item, begin) for item in range(len(signals)) for begin in range(0, n_frames, size)])
    return out
