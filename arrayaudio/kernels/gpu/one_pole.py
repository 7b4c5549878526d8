"""The one-pole recursion by scans of warps: a row in one launch, a long one in segments."""

import functools
from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, Program, current_device, launch, on_device

LENGTH = 2048  # samples of a segment, a multiple of the 256 of a step
LANES, MOST_BLOCKS = 32, 2**20


@functools.cache
def zero(dtype: str, device: int) -> Any:  # noqa: ARG001 - copies live on devices
    """A single zero."""
    return on_device(np.zeros(1, dtype))


def program(dtype: str, *, ends: bool = False) -> Program:
    """Return the kernel that finds all states, or those at the ends of segments."""
    return Program("one_pole", dtype, (f"LENGTH={LENGTH}", *["ENDS"] * ends))


def one_pole(x: Any, pole: Any, *, initial: Any = None) -> Any:
    """Solve s[t] = pole s[t - 1] + x[t] along the last axis, or decline poles that are arrays, and complex values."""
    if not isinstance(pole, float) or x.dtype.name not in REALS:
        return NotImplemented
    if initial is None:
        initial = zero(x.dtype.name, current_device())
    if not isinstance(initial, cupy.ndarray) or initial.dtype != x.dtype:  # it may be on the tape
        return NotImplemented
    if x.size == 0:
        return cupy.empty_like(x)
    before = initial.ravel() if initial.size == 1 else cupy.broadcast_to(initial, (*x.shape[:-1], 1)).reshape(-1)
    rows = cupy.ascontiguousarray(x).reshape(-1, x.shape[-1])
    return _states(rows, pole, before).reshape(x.shape)


def _states(x: Any, pole: float, before: Any) -> Any:
    """States (n_rows, n) after those before each row, or one before all. Ends of segments follow the recursion too."""
    n_rows, n = x.shape
    n_segments, row_step = -(-n // LENGTH), int(before.size > 1)
    if n_segments > 1:
        ends = cupy.empty((n_rows, n_segments - 1), x.dtype)
        _run(program(x.dtype.name, ends=True), x, before, ends, n_segments - 1, 0, pole)
        states = cupy.empty((n_rows, n_segments), x.dtype)
        states[:, 0] = before
        states[:, 1:] = _states(ends, pole**LENGTH, before)
        before, row_step = states, n_segments
    out = cupy.empty_like(x)
    _run(program(x.dtype.name), x, before, out, n_segments, row_step, pole)
    return out


def _run(kernel: Program, x: Any, before: Any, out: Any, n_segments: int, row_step: int, pole: float) -> None:
    sizes = map(np.int64, (*x.shape, n_segments, row_step))
    launch(kernel, (min(len(x) * n_segments, MOST_BLOCKS),), (LANES,), (x, before, out, *sizes, np.float64(pole)))
