"""CUDA as CuPy offers it: whether it can be used here, its devices, streams and memory, and the way there."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from arrayaudio.errors import BackendError, MemoryBudgetError

CUDA_REMEDY = "pip install 'arrayaudio[cuda13]' (CUDA 13 driver) or 'arrayaudio[cuda12]' (CUDA 12)"
FORKED = (
    "this process is a fork of one that had used CUDA, and cannot use it: start processes by 'spawn', as in "
    "multiprocessing.get_context('spawn'), or before CUDA is used"
)
# How the errors of CUDA and its libraries say that memory is too small.
NO_MEMORY = (
    "OutOfMemoryError",
    "cudaErrorMemoryAllocation",
    "CUDA_ERROR_OUT_OF_MEMORY",
    "CUFFT_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


class OnGpu:
    """A device as CuPy's current one, and its lack of memory as MemoryBudgetError."""

    def __init__(self, device: Any) -> None:
        self.device = device

    def __enter__(self) -> None:
        use_cuda()
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
    cupy = usable_cupy(f"cuda:{number}")
    with OnGpu(cupy.cuda.Device(number)), cupy.cuda.Stream.from_external(stream):
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


def use_cuda() -> None:
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
    except ImportError as error:
        return f"CuPy cannot be imported ({error})"
    if _process_with_cuda not in (None, os.getpid()):
        return FORKED
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CuPy raises its own type, and others when libraries are missing
        return FORKED if "cudaErrorInitializationError" in str(error) else f"CUDA does not answer ({error})"
    if not count:
        return "no CUDA device is visible"
    use_cuda()
    return None


def usable_cupy(place: str) -> Any:
    """Return CuPy, or raise BackendError if it cannot be used."""
    problem = cuda_problem()
    if problem:
        remedy = "" if problem == FORKED else f". With an NVIDIA GPU and its driver: {CUDA_REMEDY}"
        raise BackendError(f"device={place!r}: {problem}{remedy}")
    return sys.modules["cupy"]


def to_cuda(x: Any, place: str) -> Any:
    """Return `x` as a CuPy array on the device "cuda" or "cuda:N"."""
    cupy = usable_cupy(place)
    number = int(place.partition(":")[2] or cupy.cuda.Device().id)
    count = cupy.cuda.runtime.getDeviceCount()
    if number >= count:
        raise BackendError(f"device={place!r}: this machine has {count} CUDA device(s), counted from 0")
    with OnGpu(cupy.cuda.Device(number)):
        return cupy.asarray(x)


def in_the_same_memory(x: Any) -> Any:
    """An array of another library on a GPU as one of CuPy's in the same memory, after the work that fills it."""
    cupy = usable_cupy("cuda")
    if hasattr(x, "__dlpack_device__"):  # first, as it lets the device wait and not the host, and for any stream
        return cupy.from_dlpack(x)
    pointer = x.__cuda_array_interface__["data"][0]
    place = cupy.cuda.runtime.pointerGetAttributes(pointer).device if pointer else cupy.cuda.Device().id
    with cupy.cuda.Device(place):
        return cupy.asarray(x)
