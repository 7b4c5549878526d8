"""The STFT of a signal, multiplied bin by bin, and back in one launch, for frames whose length has small factors."""

import math
from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.overlap_add import launch_runs, runs


def gabor_multiplier(y: Any, G: Any, framing: Any, window: Any, directions: bool) -> Any:
    """Return (..., n_covered), or decline padding and other frame lengths."""
    (*batch, n_samples), real = y.shape, y.dtype
    n_fft, hop, n_frames = framing.frame_length, framing.hop_length, framing.n_frames(n_samples)
    n_items = math.prod(batch)
    here = runs(n_fft, hop, real, n_items, n_frames)
    if here is None or framing.padding or (G.shape, G.dtype) != ((*batch, 1 + n_fft // 2, n_frames), real):
        return NotImplemented
    out = cupy.empty((*batch, (n_frames - 1) * hop + n_fft), dtype=real)
    if out.size:
        arrays = (*map(cupy.ascontiguousarray, (y, G)), window.like(y))
        more = (np.int64(n_samples), np.int32(directions))
        launch_runs("gabor_multiplier", here, framing, arrays, out, (n_items, n_frames), more)
    return out
