"""Energies divided by what is around them, and compressed, in one pass."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, Program, launch

THREADS, MOST_BLOCKS = 256, 2**16


def controlled(S: Any, smoothed: Any, control: Any) -> Any:
    """Control the gain of energies, or decline settings that are arrays."""
    settings = (control.gain, control.bias, control.power, control.eps)
    if not all(isinstance(value, float) for value in settings) or S.dtype.name not in REALS:
        return NotImplemented
    if (smoothed.dtype, smoothed.shape) != (S.dtype, S.shape):
        return NotImplemented
    out = cupy.empty(S.shape, S.dtype)
    if out.size == 0:
        return out
    launch(
        Program("controlled", S.dtype.name),
        (min(-(-out.size // THREADS), MOST_BLOCKS),),
        (THREADS,),
        (
            cupy.ascontiguousarray(S),
            cupy.ascontiguousarray(smoothed),
            out,
            np.int64(out.size),
            *map(S.dtype.type, settings),
        ),
    )
    return out
