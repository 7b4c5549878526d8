"""Running medians by windows that stay sorted in registers."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, Program, launch

LARGEST = 63  # window that the registers hold
LANES, CHUNK, MOST_BLOCKS = 32, 128, 2**20


def program(size: int, dtype: str) -> Program:
    """Return the kernel for windows of a size."""
    return Program("median_filter", dtype, (f"SIZE={size}",))


def median_filter(S: Any, size: int, axis: int) -> Any:
    """Medians of `size` neighbours along axis -1 or -2 of (..., freq, time), or decline large windows."""
    if size > LARGEST or S.dtype.name not in REALS:
        return NotImplemented
    out = cupy.empty(S.shape, S.dtype)
    if out.size == 0:
        return out
    n, step = S.shape[axis], S.shape[-1] if axis == -2 else 1
    n_lines = S.size // n
    launch(
        program(size, S.dtype.name),
        (min(-(-n_lines // LANES) * -(-n // CHUNK), MOST_BLOCKS),),
        (LANES,),
        (cupy.ascontiguousarray(S), out, *map(np.int64, (n_lines, n, step))),
        (CHUNK + size - 1) * (LANES + 1) * S.dtype.itemsize,
    )
    return out
