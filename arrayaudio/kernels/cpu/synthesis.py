"""Spectra to waveform: inverse FFT, window and overlap-add, segment by segment of the output.

A segment gathers all the frames that reach into it, those that begin before it included, so that segments depend on
nothing but their place: threads need no locks, and results not on their number. Frames of common sizes are
transformed side by side (`lane_synthesis.py`), the others one by one by SciPy's FFT.
"""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import covered
from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.lane_synthesis import lane_segment
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.tiles import scratch, tile_length


@jit
def gather(S, first, X):  # type: ignore[no-untyped-def]
    """Copy columns of (n_bins, n_frames), from `first` on, into rows of (n, n_bins)."""
    for f in range(X.shape[1]):
        for i in range(X.shape[0]):
            X[i, f] = S[f, first + i]


@jit
def overlap_add(frames, window, hop, shift, out):  # type: ignore[no-untyped-def]
    """Add windowed frames up, the first at `shift`; what lies outside of `out` is left to other segments."""
    n_fft = frames.shape[1]
    for i in range(frames.shape[0]):
        start = i * hop + shift
        low, high = max(0, -start), min(n_fft, out.size - start)
        if high > low:
            here = out[start + low : start + high]
            frame, weights = frames[i, low:high], window[low:high]
            for j in range(high - low):
                here[j] += frame[j] * weights[j]


def synthesis(S: np.ndarray, framing: Any, window: Any) -> Any:
    """Windowed, overlap-added inverse FFTs of (..., n_bins, n_frames): (..., n_covered)."""
    n_fft, hop, n_frames = framing.frame_length, framing.hop_length, S.shape[-1]
    n_covered = (n_frames - 1) * hop + n_fft
    weights = window.like(S)
    out = np.zeros((*S.shape[:-2], n_covered), dtype=weights.dtype)
    if out.size == 0:
        return out
    spectra = S.reshape(-1, *S.shape[-2:])
    waveforms = out.reshape(len(spectra), n_covered)
    overlap = -(-n_fft // hop) - 1  # frames that reach into a segment from before it
    own = covered(n_fft, weights.dtype)
    spectra = np.ascontiguousarray(spectra) if own else spectra
    size = max(tile_length(n_frames, n_fft, weights.itemsize) * (8 if own else 1), 4 * overlap)
    scaled = weights / n_fft

    def segment(place: tuple[int, int]) -> None:
        item, begin = place
        first, last = max(0, begin - overlap), min(n_frames, begin + size)
        end = n_covered if last == n_frames else last * hop
        if own:
            here = waveforms[item, begin * hop : end]
            lane_segment(spectra[item], first, last, scaled, hop, (first - begin) * hop, here)
            return
        import scipy.fft  # takes long, and is for these sizes alone

        X = scratch(last - first, S.shape[-2], S.dtype)
        gather(spectra[item], first, X)
        frames = scipy.fft.irfft(X, n=n_fft, axis=-1, overwrite_x=True)
        overlap_add(frames, weights, hop, (first - begin) * hop, waveforms[item, begin * hop : end])

    run(segment, [(item, begin) for item in range(len(spectra)) for begin in range(0, n_frames, size)])
    return out
