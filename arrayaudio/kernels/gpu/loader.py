"""CUDA C sources -> kernels: compiled by NVRTC on first use, for each device and dtype, and launched.

Compiling needs CuPy and the NVRTC library, but no device, driver or nvcc; loading and launching need a device.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cupy
import numpy as np

from arrayaudio.errors import BackendError

REALS = {"float32": "float", "float64": "double"}


def source_path(name: str) -> Path:
    """Where the source of a kernel is."""
    return Path(__file__).with_name(f"{name}.cu")


def compile_options(dtype: Any) -> tuple[str, ...]:
    """The macros that a source is compiled with."""
    return (f"-DREAL={REALS[np.dtype(dtype).name]}",)


def compile_cubin(name: str, dtype: Any, architecture: int) -> bytes:
    """Compile a kernel to machine code for an architecture such as 90, or raise BackendError with the log."""
    from cupy.cuda import nvrtc  # the NVRTC library is looked for here

    try:
        program = nvrtc.createProgram(source_path(name).read_text(), f"{name}.cu", [], [])
    except Exception as error:  # a missing library shows as one of several types
        raise BackendError(f"NVRTC cannot be used ({error}): pip install nvidia-cuda-nvrtc") from error
    try:
        nvrtc.compileProgram(program, ["--std=c++17", f"--gpu-architecture=sm_{architecture}", *compile_options(dtype)])
        return bytes(nvrtc.getCUBIN(program))
    except nvrtc.NVRTCError as error:
        log = nvrtc.getProgramLog(program)
        raise BackendError(f"{name}.cu does not compile for sm_{architecture}: {error}\n{log}") from error
    finally:
        nvrtc.destroyProgram(program)


@functools.cache
def _kernel(name: str, dtype: str, device: int) -> Any:
    module = cupy.cuda.function.Module()
    module.load(compile_cubin(name, dtype, int(cupy.cuda.Device(device).compute_capability)))
    return module.get_function(name)


def launch(name: str, dtype: Any, grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any]) -> None:
    """Launch a kernel on the current device and stream; whole numbers must be NumPy scalars of the kernel's types."""
    kernel = _kernel(name, np.dtype(dtype).name, cupy.cuda.Device().id)
    kernel(tuple(grid), tuple(block), tuple(arguments))
