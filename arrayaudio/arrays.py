"""The file that knows array libraries, with cuda.py: which one an array belongs to, and how to bring data into it.

The array decides where work happens: NumPy in, NumPy out; CuPy in, CuPy out, on the caller's current device and
stream. Everything above this file is written once, against the functions that NumPy, CuPy and the array API
standard have in common.
"""

import contextlib
import functools
import re
import sys
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import numpy as np

from arrayaudio.cuda import OnGpu, in_the_same_memory, to_cuda, use_cuda
from arrayaudio.errors import BackendError, DifferentiationError, ParameterError

__all__ = ["asarray", "to_numpy"]

Array: TypeAlias = Any  # NumPy, CuPy, or any array with `__array_namespace__`
ArrayLike: TypeAlias = Any  # an Array, or what `asarray` turns into one

CUDA = 2  # the kind of device in DLPack
# Where JAX's arrays are defined, and what stands for them while a function is traced. They have functions of the array
# API too, which compile, hold to single precision and know no tape: NumPy or CuPy works in their memory instead.
JAX, TRACED_BY_JAX = "jaxlib", "jax"


def _is_cupy(x: Any) -> bool:
    return type(x).__module__.partition(".")[0] == "cupy"


def _namespace_of(x: Any) -> Any:
    if isinstance(x, np.ndarray | np.generic):  # arithmetic on 0-d arrays gives scalars
        return np
    if _is_cupy(x):
        use_cuda()
        return sys.modules["cupy"]
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    raise BackendError(f"{type(x).__name__} is not an array: convert it with aa.asarray first")


def namespace(*arrays: Array) -> Any:
    """Return the module whose functions work on `arrays`: NumPy, CuPy, or what `__array_namespace__` gives.

    A namespace that sets `lifts = True`, as one that records operations does, also takes the arrays of the library
    it records for. Apart from that, arrays of different libraries or devices raise BackendError.
    """
    if all(isinstance(x, np.ndarray) for x in arrays):
        return np
    namespaces = {id(xp): xp for xp in map(_namespace_of, arrays)}
    found = [xp for xp in namespaces.values() if getattr(xp, "lifts", False)] or list(namespaces.values())
    devices = {device(x) for x in arrays}
    if len(found) > 1 or len(devices) > 1:
        places = " and ".join(sorted({f"{_namespace_of(x).__name__} on {device(x)}" for x in arrays}))
        raise BackendError(f"arrays live in different places ({places}): move them with aa.asarray(x, device=...)")
    return found[0]


def plain(x: Array) -> Array:
    """Return the array itself, of one that records what is done to it: for checks, which need no derivative."""
    return getattr(x, "value", x)


def device(x: Array) -> str:
    """Return where `x` lives: "cpu", or "cuda:0" and so on."""
    x = plain(x)
    return f"cuda:{x.device.id}" if _is_cupy(x) else "cpu"


def on_device_of(x: Array) -> AbstractContextManager[Any]:
    """Return a context in which new arrays come to the device where `x` lives, and too little memory is explained."""
    x = plain(x)
    return OnGpu(x.device) if _is_cupy(x) else contextlib.nullcontext()


def _on_cuda(x: Any) -> bool:
    if hasattr(x, "__dlpack_device__"):
        return bool(x.__dlpack_device__()[0] == CUDA)
    return hasattr(x, "__cuda_array_interface__")


def _from_numpy_world(x: Any) -> np.ndarray:
    if isinstance(x, np.ma.MaskedArray):
        masked = int(np.sum(np.ma.getmaskarray(x)))
        if masked:
            raise ParameterError(f"{masked} samples are masked: fill them first, as in y.filled(0.0)")
    # NumPy itself takes what has `__array__`, and keeps its dtype; of the rest, it knows no DLPack.
    array = np.from_dlpack(x) if hasattr(x, "__dlpack__") and not hasattr(x, "__array__") else np.asarray(x)
    # Python's own whole numbers carry no sample format, unlike arrays of integers.
    if isinstance(x, list | tuple) and array.dtype == np.int64:
        array = array.astype(np.float64)
    return array


def _passes(x: Any) -> bool:
    """Whether work is done with the array as it is, by the functions of its library."""
    library = type(x).__module__.partition(".")[0]
    if library == "cupy":
        return True
    if isinstance(x, np.ndarray | np.generic) or not hasattr(x, "__array_namespace__") or library == JAX:
        return False
    if library == TRACED_BY_JAX:
        raise DifferentiationError(
            f"{type(x).__name__} stands for an array while JAX traces a function, which ends here: wrap the transform "
            "in arrayaudio.ext.jax.differentiable for jit, vmap and gradients in JAX, or take these with aa.vjp"
        )
    return True


def check_device(device: Any) -> None:
    """Raise ParameterError unless `device` is None or names one."""
    if device is not None and not re.fullmatch(r"cpu|cuda(:\d+)?", str(device)):
        raise ParameterError(f"device={device!r}: must be None, 'cpu', 'cuda' or 'cuda:N'")


def asarray(x: ArrayLike, device: str | None = None) -> Array:
    """Return `x` as an array, without a copy where that is possible.

    Parameters
    ----------
    x : array, list, pandas or xarray object, or anything with DLPack or the CUDA array interface
        CuPy arrays and arrays of other libraries with `__array_namespace__`, but for JAX, pass as they are; what else
        lives on a GPU becomes a CuPy array in the same memory, once the work that fills it is done, all the rest a
        NumPy array.
    device : None, "cpu", "cuda" or "cuda:N"
        Where the result must live; None leaves `x` where it is. "cuda" is CuPy's current device.

    Raises
    ------
    BackendError
        If a GPU is asked for and none is usable, or this process is a fork of one that used it.
    DifferentiationError
        If another library records or traces what is done to `x`.
    ParameterError
        If `x` is a masked array with masked samples, or `device` is none of the above.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.asarray([0, 1, 0, -1])
    array([ 0.,  1.,  0., -1.])
    """
    check_device(device)
    if _passes(x):
        array = x
    elif getattr(x, "requires_grad", False):
        raise DifferentiationError(
            f"{type(x).__name__} requires its gradient, which ends here: pass x.detach(), wrap the transform in "
            "arrayaudio.ext.torch.Module for gradients in PyTorch, or take them with aa.vjp"
        )
    elif _on_cuda(x):
        array = in_the_same_memory(x)
    else:
        array = _from_numpy_world(x)
    if device is None:
        return array
    if plain(array) is not array:
        return _staying(array, device)
    return to_numpy(array) if device == "cpu" else to_cuda(array, device)


def _staying(x: Array, place: str) -> Array:
    here = device(x)
    if place not in (here, here.partition(":")[0]):
        raise BackendError(f"device={place!r}: an array on the tape lives on {here!r}; move it before it is recorded")
    return x


def to_numpy(x: ArrayLike) -> np.ndarray:
    """Return `x` as a NumPy array; the one place where data leaves a GPU.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.to_numpy([1.0, 2.0])
    array([1., 2.])
    """
    array: Any = x if isinstance(x, list | tuple) else asarray(x)
    if _is_cupy(array):
        use_cuda()
        array = array.get()
    return np.asarray(array)


def dtype_name(x: Array) -> str:
    """Return the dtype's name, such as "float32", in every library."""
    if isinstance(x.dtype, np.dtype):
        return _numpy_name(x.dtype)
    return str(getattr(x.dtype, "name", x.dtype)).rpartition(".")[2]


@functools.lru_cache(maxsize=64)  # NumPy puts its names together anew each time
def _numpy_name(dtype: np.dtype[Any]) -> str:
    return dtype.name


def cast(x: Array, dtype: str) -> Array:
    """Return `x` with the dtype of that name in native byte order, without a copy if it has it already."""
    xp = namespace(x)
    if dtype_name(x) == dtype and getattr(x.dtype, "isnative", True):
        return x
    with on_device_of(x):  # as CuPy's goes to the current device
        return xp.asarray(x, dtype=getattr(xp, dtype))


def cumulative_sum(x: Array) -> Array:
    """Return the sums of all values up to each along the last axis; the standard's name is not yet everywhere."""
    xp = namespace(x)
    function = getattr(xp, "cumulative_sum", None) or xp.cumsum
    return function(x, axis=-1)


def contiguous(x: Array) -> Array:
    """Return `x` in C order where the library lets one choose."""
    if isinstance(x, np.ndarray):
        return np.ascontiguousarray(x)
    return sys.modules["cupy"].ascontiguousarray(x) if _is_cupy(x) else x


def settled(x: Array) -> Array:
    """Return `x` when what the current stream does is done: what is kept for later may then be used on any stream."""
    if _is_cupy(x):
        sys.modules["cupy"].cuda.get_current_stream().synchronize()
    return x
