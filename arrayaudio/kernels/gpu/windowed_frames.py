"""Padding, framing and windowing in one launch, without index arrays or a padded copy."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import Program, launch

MODES = {"constant": 0, "edge": 1, "reflect": 2, "symmetric": 3, "wrap": 4}
THREADS, MOST_BLOCKS = 256, 2**16


def windowed_frames(y: Any, framing: Any, window: Any) -> Any:
    """Pad, cut and window (..., n_samples), or decline padding with computed values."""
    if framing.pad_mode not in MODES:
        return NotImplemented
    n_samples, n_fft = y.shape[-1], framing.frame_length
    n_frames = framing.n_frames(n_samples)
    out = cupy.empty((*y.shape[:-1], n_frames, n_fft), dtype=y.dtype)
    if out.size == 0:
        return out
    sizes = (y.size // n_samples, n_samples, n_frames, n_fft, framing.hop_length, framing.padding)
    launch(
        Program("windowed_frames", y.dtype.name),
        (min(-(-out.size // THREADS), MOST_BLOCKS),),
        (THREADS,),
        (cupy.ascontiguousarray(y), window.like(y), out, *map(np.int64, sizes), np.int32(MODES[framing.pad_mode])),
    )
    return out
