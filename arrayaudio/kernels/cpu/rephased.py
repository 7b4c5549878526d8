"""One step of Griffin and Lim, segment by segment of the output, with no spectrum in main memory.

A segment extrapolates the signal under the frames that reach into it, takes their FFT, gives the coefficients their
magnitudes, and goes back to the waveform while they sit in the cache. Segments are those of `synthesis`, and
independent for the same reason.
"""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import covered
from arrayaudio.kernels.cpu.lane_rephased import lane_rephased
from arrayaudio.kernels.cpu.synthesis import TILES
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.tiles import tile_length


def rephased(
    y: np.ndarray, previous: np.ndarray, S: np.ndarray, framing: Any, window: Any, momentum: float, gain: np.ndarray
) -> Any:
    """Return the next waveform, or decline other sizes and computed padding."""
    n_samples, n_frames = y.shape[-1], S.shape[-1]
    edges, n_fft, hop, padding = (
        framing.edge_indices(n_samples),
        framing.frame_length,
        framing.hop_length,
        framing.padding,
    )
    if edges is None or not covered(n_fft, y.dtype):
        return NotImplemented
    out = np.empty(y.shape, y.dtype)
    if out.size == 0:
        return out
    weights, factor = window.like(y), y.dtype.type(momentum)
    flat = (np.ascontiguousarray(x).reshape(-1, n_samples) for x in (y, previous))
    pairs = list(zip(*flat, strict=True))
    magnitudes, waveforms = np.ascontiguousarray(S).reshape(-1, *S.shape[-2:]), out.reshape(-1, n_samples)
    overlap = -(-n_fft // hop) - 1  # frames that reach into a segment from before it
    size = max(TILES * tile_length(n_frames, n_fft, y.itemsize), 4 * overlap)

    def segment(place: tuple[int, int]) -> None:
        item, begin = place
        frames = range(max(0, begin - overlap), min(n_frames, begin + size))
        start = max(0, begin * hop - padding)
        stop = n_samples if frames.stop == n_frames else max(0, frames.stop * hop - padding)
        here = waveforms[item, start:stop]
        here[...] = 0
        lane_rephased(pairs[item], factor, edges, padding, magnitudes[item], frames, weights, hop, start, here)
        here *= gain[start:stop]

    run(segment, [(item, begin) for item in range(len(pairs)) for begin in range(0, n_frames, size)])
    return out
