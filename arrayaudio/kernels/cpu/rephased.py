"""One step of Griffin and Lim, segment by segment of the output, with no spectrum in main memory.

A segment loads the frames that reach into it, takes their FFT, gives the coefficients their magnitudes, and goes back
to the waveform while they sit in the cache. Segments are those of `synthesis`, and independent for the same reason.
"""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import covered
from arrayaudio.kernels.cpu.lane_rephased import lane_rephased
from arrayaudio.kernels.cpu.lanes import lanes
from arrayaudio.kernels.cpu.synthesis import TILES
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.tiles import tile_length


def rephased(y: np.ndarray, S: np.ndarray, framing: Any, window: Any) -> Any:
    """Overlap-added inverse FFTs of `S` with the phases of `y`; other sizes and computed padding are declined."""
    edges = framing.edge_indices(y.shape[-1])
    n_fft, hop, n_frames = framing.frame_length, framing.hop_length, S.shape[-2]
    # Rows of S are read in whole vectors.
    if edges is None or not covered(n_fft, y.dtype) or S.shape[-1] < lanes(y.dtype):
        return NotImplemented
    n_covered = (n_frames - 1) * hop + n_fft
    weights = window.like(y)
    out = np.zeros((*y.shape[:-1], n_covered), dtype=y.dtype)
    if out.size == 0:
        return out
    signals = np.ascontiguousarray(y).reshape(-1, y.shape[-1])
    magnitudes = np.ascontiguousarray(S).reshape(len(signals), *S.shape[-2:])
    waveforms = out.reshape(len(signals), n_covered)
    overlap = -(-n_fft // hop) - 1  # frames that reach into a segment from before it
    size = max(TILES * tile_length(n_frames, n_fft, y.itemsize), 4 * overlap)

    def segment(place: tuple[int, int]) -> None:
        item, begin = place
        first, last = max(0, begin - overlap), min(n_frames, begin + size)
        end = n_covered if last == n_frames else last * hop
        here = waveforms[item, begin * hop : end]
        shift = (first - begin) * hop
        lane_rephased(signals[item], edges, framing.padding, magnitudes[item], first, last, weights, hop, shift, here)

    run(segment, [(item, begin) for item in range(len(signals)) for begin in range(0, n_frames, size)])
    return out
