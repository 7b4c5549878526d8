"""Real values in the directions of complex ones: the gradient of a magnitude, in one pass."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.threads import run

# Values in one task.
TASK = 2**18


@jit
def turn(g, X, size, tiny, out):  # type: ignore[no-untyped-def]
    """Write g X / size, with at least `tiny` for the size."""
    for i in range(out.size):
        scale = 1 / max(size[i], tiny)
        out[i] = complex(g[i] * (scale * X[i].real), g[i] * (scale * X[i].imag))


def along(g: np.ndarray, X: np.ndarray, size: np.ndarray) -> Any:
    """Give real values `g` the directions of X, or decline other dtypes, shapes and layouts."""
    same = g.dtype == size.dtype == X.real.dtype and X.dtype.kind == "c" and g.shape == X.shape == size.shape
    if not (same and X.flags.c_contiguous and size.flags.c_contiguous):
        return NotImplemented
    out = np.empty_like(X)
    flat = [np.ascontiguousarray(a).reshape(-1) for a in (g, X, size, out)]
    tiny = np.finfo(g.dtype).smallest_normal
    tasks = [slice(first, first + TASK) for first in range(0, X.size, TASK)]
    run(lambda here: turn(flat[0][here], flat[1][here], flat[2][here], tiny, flat[3][here]), tasks)
    return out
