"""The only file that knows array libraries: which one an array belongs to, and how to bring data into it.

The array decides where work happens: NumPy in, NumPy out; CuPy in, CuPy out, on the caller's current device and
stream. Everything above this file is written once, against the functions that NumPy, CuPy and the array API
standard have in common.
"""

import contextlib
import functools
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import numpy as np

from arrayaudio.checks import one_of
from arrayaudio.errors import BackendError, DifferentiationError, DTypeError, MemoryBudgetError, ParameterError

__all__ = ["asarray", "to_numpy"]

Array: TypeAlias = Any  # NumPy, CuPy, or any array with `__array_namespace__`
ArrayLike: TypeAlias = Any  # an Array, or what `asarray` turns into one

CUDA_REMEDY = "pip install 'arrayaudio[cuda13]' (CUDA 13 driver) or 'arrayaudio[cuda12]' (CUDA 12)"
FORKED = (
    "this process is a fork of one that had used CUDA, and cannot use it: start processes by 'spawn', as in "
    "multiprocessing.get_context('spawn'), or before CUDA is used"
)
# Samples that are searched at a time.
BLOCK = 2**20
CUDA = 2  # the kind of device in DLPack
# Where JAX's arrays are defined, and what stands for them while a function is traced. They have functions of the array
# API too, which compile, hold to single precision and know no tape: NumPy or CuPy works in their memory instead.
JAX, TRACED_BY_JAX = "jaxlib", "jax"
# How the errors of CUDA and its libraries say that memory is too small.
NO_MEMORY = (
    "OutOfMemoryError",
    "cudaErrorMemoryAllocation",
    "CUDA_ERROR_OUT_OF_MEMORY",
    "CUFFT_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def _is_cupy(x: Any) -> bool:
    return type(x).__module__.partition(".")[0] == "cupy"


def _namespace_of(x: Any) -> Any:
    if isinstance(x, np.ndarray | np.generic):  # arithmetic on 0-d arrays gives scalars
        return np
    if _is_cupy(x):
        _use_cuda()
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
    return _OnGpu(x.device) if _is_cupy(x) else contextlib.nullcontext()


class _OnGpu:
    """A device as CuPy's current one, and its lack of memory as MemoryBudgetError."""

    def __init__(self, device: Any) -> None:
        self.device = device

    def __enter__(self) -> None:
        _use_cuda()
        self.device.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or not _lacks_memory(error):
            self.device.__exit__(kind, error, trace)
            return
        free, total = sys.modules["cupy"].cuda.runtime.memGetInfo()
        self.device.__exit__(kind, error, trace)
        raise MemoryBudgetError(
            f"cuda:{self.device.id} is out of memory ({error}); {free / 1e9:.3g} of its {total / 1e9:.3g} GB are free. "
            "Give up arrays that are not needed, use float32, shorter signals or smaller batches, or device='cpu'"
        ) from None


@contextlib.contextmanager
def on_stream(number: int, stream: Any) -> Iterator[None]:
    """Let CuPy work on the device of that number, and on another library's stream, which has `__cuda_stream__`."""
    cupy = _usable_cupy(f"cuda:{number}")
    with _OnGpu(cupy.cuda.Device(number)), cupy.cuda.Stream.from_external(stream):
        yield


def _lacks_memory(error: BaseException) -> bool:
    if not type(error).__module__.startswith("cupy"):
        return False
    return any(name in f"{type(error).__name__}: {error}" for name in NO_MEMORY)


def free_caches() -> None:
    """Give memory back to the GPU that CuPy keeps for arrays to come, and for FFTs."""
    cupy = sys.modules["cupy"]
    cupy.fft.config.get_plan_cache().clear()
    cupy.get_default_memory_pool().free_all_blocks()
    cupy.get_default_pinned_memory_pool().free_all_blocks()


_process_with_cuda: int | None = None


def _use_cuda() -> None:
    """Note which process uses CUDA, as its forks cannot; BackendError in one of these, where CUDA might not answer."""
    global _process_with_cuda
    here = os.getpid()
    if _process_with_cuda is None:
        _process_with_cuda = here
    if _process_with_cuda != here:
        raise BackendError(FORKED)


def cuda_problem() -> str | None:
    """Say why no GPU can be used from this process, or return None when one can."""
    try:
        cupy = importlib.import_module("cupy")
    except Exception as error:  # of a broken installation, which raises whatever it likes
        return f"CuPy cannot be imported ({error})"
    if _process_with_cuda not in (None, os.getpid()):
        return FORKED
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CuPy raises its own type, and others when libraries are missing
        return FORKED if "cudaErrorInitializationError" in str(error) else f"CUDA does not answer ({error})"
    if not count:
        return "no CUDA device is visible"
    _use_cuda()
    return None


def _usable_cupy(place: str) -> Any:
    """Return CuPy, or raise BackendError if it cannot be used."""
    problem = cuda_problem()
    if problem:
        remedy = "" if problem == FORKED else f". With an NVIDIA GPU and its driver: {CUDA_REMEDY}"
        raise BackendError(f"device={place!r}: {problem}{remedy}")
    return sys.modules["cupy"]


def _to_cuda(x: Any, place: str) -> Array:
    cupy = _usable_cupy(place)
    number = int(place.partition(":")[2] or cupy.cuda.Device().id)
    count = cupy.cuda.runtime.getDeviceCount()
    if number >= count:
        raise BackendError(f"device={place!r}: this machine has {count} CUDA device(s), counted from 0")
    with _OnGpu(cupy.cuda.Device(number)):
        return cupy.asarray(x)


def _shared(x: Any) -> Array:
    """An array of another library on a GPU as one of CuPy's in the same memory, after the work that fills it."""
    cupy = _usable_cupy("cuda")
    if hasattr(x, "__dlpack_device__"):  # first, as it lets the device wait and not the host, and for any stream
        return cupy.from_dlpack(x)
    pointer = x.__cuda_array_interface__["data"][0]
    place = cupy.cuda.runtime.pointerGetAttributes(pointer).device if pointer else cupy.cuda.Device().id
    with cupy.cuda.Device(place):
        return cupy.asarray(x)


def _on_cuda(x: Any) -> bool:
    if hasattr(x, "__dlpack_device__"):
        return bool(x.__dlpack_device__()[0] == CUDA)
    return hasattr(x, "__cuda_array_interface__")


def _numpys(x: Any) -> np.ndarray:
    try:
        return np.asarray(x)
    except ValueError as error:
        raise ParameterError(
            f"{type(x).__name__} is no array ({error}): give lists of one length, or clips of several to "
            "transform.ragged"
        ) from None


def _from_numpy_world(x: Any) -> np.ndarray:
    if isinstance(x, np.ma.MaskedArray):
        masked = int(np.sum(np.ma.getmaskarray(x)))
        if masked:
            raise ParameterError(f"{masked} samples are masked: fill them first, as in y.filled(0.0)")
    # NumPy itself takes what has `__array__`, and keeps its dtype; of the rest, it knows no DLPack.
    array = np.from_dlpack(x) if hasattr(x, "__dlpack__") and not hasattr(x, "__array__") else _numpys(x)
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
        array = _shared(x)
    else:
        array = _from_numpy_world(x)
    if device is None:
        return array
    if plain(array) is not array:
        return _staying(array, device)
    return to_numpy(array) if device == "cpu" else _to_cuda(array, device)


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
    array: Any = _numpys(x) if isinstance(x, list | tuple) else asarray(x)
    if _is_cupy(array):
        _use_cuda()
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
    count, where, n = 0, "", y.shape[-1]
    for channel in np.ndindex(*y.shape[:-1]):  # in blocks, as signals may be longer than memory
        for start in range(0, n, BLOCK):
            bad = np.flatnonzero(~np.isfinite(to_numpy(y[(*channel, slice(start, min(start + BLOCK, n)))])))
            if bad.size and not count:
                where = f"{start + int(bad[0])}" + (f" of channel {channel}" if channel else "")
            count += bad.size
    raise ParameterError(
        f"signal has {count} NaN or infinite samples, the first at index {where}: repair them, or pass "
        "check_finite=False"
    )


def checked_signal(y: ArrayLike, check_finite: bool) -> Array:
    """Return `y` as `as_signal` does, searched for NaN and infinite samples if `check_finite`, or raise."""
    signal = as_signal(y)
    if one_of("check_finite", check_finite, (True, False)):
        require_finite(signal)
    return signal


def contiguous(x: Array) -> Array:
    """Return `x` in C order where the library lets one choose."""
    if isinstance(x, np.ndarray):
        return np.ascontiguousarray(x)
    if not _is_cupy(x):
        return x
    with on_device_of(x):
        return sys.modules["cupy"].ascontiguousarray(x)


def settled(x: Array) -> Array:
    """Return `x` when what the current stream does is done: what is kept for later may then be used on any stream."""
    if _is_cupy(x):
        sys.modules["cupy"].cuda.get_current_stream().synchronize()
    return x


class Constant:
    """A read-only float64 or complex128 array that hands out copies in the precision, and on the device, of another.

    Windows, filterbanks and bases are built once in double precision by NumPy and cast once for each dtype and device.
    Two constants with the same values are equal and hash alike; the copies are not pickled.
    """

    fixed = True
    """Whether the values stay as they are, so that what is derived from them may be kept."""
    taped = False
    """Whether what is done with it must be recorded."""

    def __init__(self, value: ArrayLike) -> None:
        given = np.asarray(value)
        self.value = np.array(given, dtype=np.complex128 if np.iscomplexobj(given) else np.float64)
        self.value.setflags(write=False)
        self._dtype = given.dtype if given.dtype in (np.float16, np.float32) else self.value.dtype
        self._copies: dict[tuple[str, str, str], Array] = {}
        self._derived: dict[Callable[[np.ndarray], Any], Any] = {}

    def like(self, array: Array) -> Array:
        """Return the constant in the precision of `array`, to be combined with it."""
        xp = namespace(array)
        single = dtype_name(array) in ("float32", "complex64")
        kinds = {"f": ("float64", "float32"), "c": ("complex128", "complex64")}
        dtype = kinds[self.value.dtype.kind][single]
        key = (xp.__name__, dtype, device(array))
        if key not in self._copies:
            with on_device_of(array):
                copy = settled(xp.asarray(self.value, dtype=getattr(xp, dtype)))
            if isinstance(copy, np.ndarray):
                copy.setflags(write=False)
            self._copies[key] = copy
        return self._copies[key]

    @property
    def original(self) -> Array:
        """A copy of the values in the precision in which they came."""
        return self.value.astype(self._dtype)

    def derived(self, build: Callable[[np.ndarray], Any]) -> Any:
        """Return build(value), computed once."""
        if build not in self._derived:
            self._derived[build] = build(self.value)
        return self._derived[build]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and np.array_equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash((self.value.shape, self.value.tobytes()))

    def __reduce__(self) -> tuple[type["Constant"], tuple[np.ndarray]]:
        return Constant, (self.original,)

    def __repr__(self) -> str:
        return f"Constant(shape={self.value.shape})"


class Given(Constant):
    """An array of the caller's in the place of a constant: one that is being learned, or is on the tape."""

    fixed = False

    def __init__(self, value: Array) -> None:
        self.value = value
        self.taped = plain(value) is not value

    def like(self, array: Array) -> Array:
        """Return the array in the precision of another, to be combined with it."""
        namespace(array, self.value)  # refuses what lives elsewhere
        return cast(self.value, "float32" if dtype_name(array) in ("float32", "complex64") else "float64")

    @property
    def original(self) -> Array:
        """The array itself."""
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Given) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __reduce__(self) -> tuple[type["Given"], tuple[Array]]:
        return Given, (self.value,)


def constant(value: Array) -> Constant:
    """Return plain NumPy arrays as a `Constant`, which fast versions know, and all others as `Given`."""
    return Constant(value) if isinstance(value, np.ndarray) else Given(value)
