"""Spectra to waveform in one launch, for frames whose length has small factors."""

import math
from typing import Any

import cupy

from arrayaudio.kernels.gpu.overlap_add import launch_runs, runs


def synthesis(S: Any, framing: Any, window: Any) -> Any:
    """Overlap-added inverse FFTs of (..., n_bins, n_frames): (..., n_covered), or decline other frame lengths."""
    n_fft, hop, (*batch, n_bins, n_frames) = framing.frame_length, framing.hop_length, S.shape
    n_items = math.prod(batch)
    here = runs(n_fft, hop, S.real.dtype, n_items, n_frames)
    if here is None or S.dtype.kind != "c" or n_bins != 1 + n_fft // 2 or n_frames == 0:
        return NotImplemented
    out = cupy.empty((*batch, (n_frames - 1) * hop + n_fft), dtype=S.real.dtype)
    if out.size:
        arrays = (cupy.ascontiguousarray(S).view(out.dtype), window.like(S))
        launch_runs("synthesis", here, framing, arrays, out, (n_items, n_frames), ())
    return out
