"""Spectra to waveform: inverse FFT, window and overlap-add, segment by segment of the output.

A segment gathers all the frames that reach into it, those that begin before it included, so that segments depend on
nothing but their place: threads need no locks, and results not on their number.
"""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import covered
from arrayaudio.kernels.cpu.lane_synthesis import lane_segment
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.tiles import tile_length

# Frames of a segment, in tiles: those before it are found twice.
TILES = 8


def synthesis(S: np.ndarray, framing: Any, window: Any) -> Any:
    """Overlap-added inverse FFTs of (..., n_bins, n_frames): (..., n_covered); large prime factors are declined."""
    n_fft, hop, n_frames = framing.frame_length, framing.hop_length, S.shape[-1]
    weights, n_covered = window.like(S), (n_frames - 1) * hop + n_fft
    if not covered(n_fft, weights.dtype):
        return NotImplemented
    out = np.zeros((*S.shape[:-2], n_covered), dtype=weights.dtype)
    if out.size == 0:
        return out
    spectra = np.ascontiguousarray(S.reshape(-1, *S.shape[-2:]))
    waveforms = out.reshape(len(spectra), n_covered)
    overlap = -(-n_fft // hop) - 1  # frames that reach into a segment from before it
    size = max(TILES * tile_length(n_frames, n_fft, weights.itemsize), 4 * overlap)
    scaled = weights / n_fft

    def segment(place: tuple[int, int]) -> None:
        item, begin = place
        first, last = max(0, begin - overlap), min(n_frames, begin + size)
        end = n_covered if last == n_frames else last * hop
        here = waveforms[item, begin * hop : end]
        lane_segment(spectra[item], first, last, scaled, hop, (first - begin) * hop, here)

    run(segment, [(item, begin) for item in range(len(spectra)) for begin in range(0, n_frames, size)])
    return out
