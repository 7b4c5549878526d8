"""Results in memory that the caller gives, since fresh memory may take as long as the work itself."""

from typing import Any

import numpy as np

from arrayaudio.arrays import Array, dtype_name, namespace, plain
from arrayaudio.errors import DifferentiationError, ParameterError


def require_output(out: Array, y: Array, shape: tuple[int, ...], dtype: Any) -> None:
    """Raise unless the result for `y` fits into `out`: its library, device, shape, dtype and layout.

    Half precision will do for single precision.
    """
    if plain(y) is not y or plain(out) is not out:
        raise DifferentiationError("out: arrays on the tape are never written to; leave it out")
    xp = namespace(out, y)
    wanted = np.dtype(dtype).name
    halved = wanted == "float32" and dtype_name(out) == "float16"
    if tuple(out.shape) != tuple(shape) or not (halved or dtype_name(out) == wanted):
        raise ParameterError(f"out has shape {out.shape} and dtype {dtype_name(out)}: must be {shape} and {wanted}")
    flags = getattr(out, "flags", None)
    if flags is not None and not flags.c_contiguous:
        raise ParameterError("out: must be C-contiguous; numpy.empty(shape, dtype) makes such memory")
    if flags is not None and not getattr(flags, "writeable", True):
        raise ParameterError("out: must not be read-only")
    # By bounds on a GPU, which the exact answer would have to wait for.
    overlap = np.shares_memory if xp is np else getattr(xp, "may_share_memory", None)
    if overlap is not None and overlap(out, y):
        raise ParameterError("out: must not overlap the signal")
