"""Samples as they are stored, in integer PCM or half precision -> floating point, PCM in [-1, 1)."""

from arrayaudio.arrays import Array, ArrayLike, asarray, cast, dtype_name, on_device_of
from arrayaudio.errors import DTypeError
from arrayaudio.signals import as_real

__all__ = ["pcm_to_float"]

# Zero level, full scale, and the float format that holds every value exactly.
FORMATS = {
    "uint8": (128, 2**7, "float32"),
    "int8": (0, 2**7, "float32"),
    "int16": (0, 2**15, "float32"),
    "int32": (0, 2**31, "float64"),
}


def pcm_to_float(samples: ArrayLike) -> Array:
    """Scale integer PCM to floating point in [-1, 1), exactly.

    Parameters
    ----------
    samples : integer array
        int16, int32, int8, or uint8 with its zero at 128, as WAV files have it.

    Returns
    -------
    array of the same shape
        float64 for int32, float32 for the others.

    Raises
    ------
    DTypeError
        For other dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.pcm_to_float(np.array([-32768, 0, 16384], dtype=np.int16))
    array([-1. ,  0. ,  0.5], dtype=float32)
    """
    pcm = asarray(samples)
    if dtype_name(pcm) not in FORMATS:
        raise DTypeError(f"samples have dtype {dtype_name(pcm)}: must be one of {', '.join(FORMATS)}")
    zero, full_scale, dtype = FORMATS[dtype_name(pcm)]
    with on_device_of(pcm):
        return (cast(pcm, dtype) - zero) / full_scale


def in_floats(y: Array) -> Array:
    """Return stored samples, PCM or floats of any precision, as float32 or float64."""
    return pcm_to_float(y) if dtype_name(y) in FORMATS else as_real(y)
