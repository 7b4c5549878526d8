"""A step of Griffin and Lim in one launch, for frames whose length has small factors."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.overlap_add import launch_runs, runs
from arrayaudio.kernels.gpu.windowed_frames import MODES


def rephased(y: Any, previous: Any, S: Any, framing: Any, window: Any, momentum: float, gain: Any) -> Any:
    """Return the next waveform, or decline other frame lengths, computed padding and what does not fit together."""
    (*batch, n_samples), real = y.shape, y.dtype
    n_fft, hop, padding, n_frames = framing.frame_length, framing.hop_length, framing.padding, S.shape[-1]
    shapes = ((previous, y.shape), (S, (*batch, 1 + n_fft // 2, n_frames)), (gain, (n_samples,)))
    if any((x.shape, x.dtype) != (shape, real) for x, shape in shapes) or framing.pad_mode not in MODES:
        return NotImplemented
    if n_frames != framing.n_frames(n_samples) or (n_frames - 1) * hop + n_fft < padding + n_samples:
        return NotImplemented
    n_items = y.size // n_samples
    here = runs(n_fft, hop, real, n_items, n_frames)
    if here is None:
        return NotImplemented
    out = cupy.empty(y.shape, dtype=real)
    if out.size:
        arrays = (*map(cupy.ascontiguousarray, (y, previous, S, gain)), window.like(y))
        more = (np.int64(n_samples), np.int64(padding), np.int32(MODES[framing.pad_mode]), real.type(momentum))
        launch_runs("rephased", here, framing, arrays, out, (n_items, n_frames), more)
    return out
