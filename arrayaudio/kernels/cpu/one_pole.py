"""The one-pole recursion, sample by sample."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.threads import run


@jit
def recur(x, pole, start, out):  # type: ignore[no-untyped-def]
    """Solve s[t] = pole s[t - 1] + x[t], s[-1] being `start`, in double precision."""
    s = np.float64(start)
    for t in range(x.size):
        s = pole * s + x[t]
        out[t] = s


def one_pole(x: np.ndarray, pole: Any, *, initial: Any = None) -> Any:
    """Solve s[t] = pole s[t - 1] + x[t] along the last axis, or decline poles that are arrays, and complex values."""
    known = initial is None or isinstance(initial, np.ndarray)
    if not isinstance(pole, float) or x.dtype.kind != "f" or not known or x.size == 0:
        return NotImplemented
    out = np.empty_like(x, order="C")
    sources, targets = x.reshape(-1, x.shape[-1]), out.reshape(-1, x.shape[-1])
    starts = np.zeros(len(sources)) if initial is None else np.broadcast_to(initial, (*x.shape[:-1], 1)).ravel()
    run(lambda i: recur(sources[i], pole, starts[i], targets[i]), range(len(sources)))
    return out
