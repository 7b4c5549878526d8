"""What a signal and a spectrum must be: real or complex numbers of a known precision, at least one, all finite."""

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, cast, device, dtype_name, namespace, plain, to_numpy
from arrayaudio.errors import DTypeError, ParameterError


def as_real(x: ArrayLike, name: str = "signal") -> Array:
    """Return `x` as a float32 or float64 array in native byte order, or raise DTypeError.

    Half precision becomes float32; integers are refused, because only the caller knows their full scale.
    """
    array = asarray(x)
    dtype = dtype_name(array)
    if dtype in ("float16", "bfloat16"):
        return cast(array, "float32")
    if dtype in ("float32", "float64"):
        return cast(array, dtype)
    if dtype.startswith(("int", "uint")):
        remedy = (
            "scale it with aa.pcm_to_float, or build the transform with pcm=True; if it isn't PCM, convert it with "
            "astype('float32')"
        )
    elif dtype.startswith("complex"):
        remedy = "take its magnitude, or its real and its imaginary part on their own"
    else:
        remedy = "convert it with astype('float32')"
    raise DTypeError(f"{name} has dtype {dtype}: must be float32 or float64; {remedy}")


def as_complex(x: ArrayLike, name: str = "spectrum") -> Array:
    """Return `x` as a complex64 or complex128 array in native byte order, or raise DTypeError."""
    array = asarray(x)
    dtype = dtype_name(array)
    if dtype in ("float16", "bfloat16", "float32", "complex64"):
        return cast(array, "complex64")
    if dtype in ("float64", "complex128"):
        return cast(array, "complex128")
    raise DTypeError(f"{name} has dtype {dtype}: must be complex64 or complex128")


def as_signal(y: ArrayLike) -> Array:
    """Return `y` as a real array (..., n_samples) with at least one sample, or raise."""
    signal = as_real(y)
    if signal.ndim == 0:
        raise ParameterError(f"signal is a single number ({signal}): must have shape (..., n_samples)")
    if signal.shape[-1] == 0:
        raise ParameterError(f"signal has 0 samples (shape {signal.shape}): must have at least 1")
    return signal


def require_finite(y: Array) -> None:
    """Raise ParameterError if a signal in host memory has NaN or infinite samples.

    On a GPU this would wait for the device, so there such samples go through and spoil the frames that hold them.
    """
    if device(y) != "cpu" or 0 in y.shape:
        return
    y = plain(y)
    xp = namespace(y)
    # NaN and infinities survive in a sum, for which samples are read once; finite ones may become too large.
    with np.errstate(over="ignore", invalid="ignore"):
        if bool(xp.isfinite(xp.sum(y))):
            return
    if bool(xp.isfinite(xp.min(y))) and bool(xp.isfinite(xp.max(y))):
        return
    bad = np.argwhere(~np.isfinite(to_numpy(y)))
    *channel, index = (int(i) for i in bad[0])
    where = f" of channel {tuple(channel)}" if channel else ""
    raise ParameterError(
        f"signal has {len(bad)} NaN or infinite samples, the first at index {index}{where}: "
        "repair them, or pass check_finite=False"
    )
