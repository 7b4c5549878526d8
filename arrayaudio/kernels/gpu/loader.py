"""CUDA C sources -> kernels: compiled by NVRTC on first use, kept on disk, loaded for each device, and launched.

Compiling needs CuPy and the NVRTC library, but no device, driver or nvcc; loading and launching need a device.
"""

import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cupy
import numpy as np

from arrayaudio.errors import BackendError
from arrayaudio.kernels.gpu import disk_cache

REALS = {"float32": "float", "float64": "double"}
SHARED_BYTES = 48 * 1024  # what every kernel may ask for without further ado
_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8  # of the driver's CUfunction_attribute


class Program(NamedTuple):
    """A kernel to be compiled: its name, the precision of REAL, more macros, and text that goes before its source."""

    name: str
    dtype: str
    macros: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def text(self) -> str:
        """The whole source; numbers of lines count from the beginning of the kernel's own file."""
        return f'{self.prefix}#line 1 "{self.name}.cu"\n{_with_headers(source_path(self.name).read_text())}'

    @property
    def options(self) -> tuple[str, ...]:
        """The macros as options of a compiler."""
        real = REALS[self.dtype]
        return (f"-DREAL={real}", f"-DREAL2={real}2", *(f"-D{macro}" for macro in self.macros))


def source_path(name: str) -> Path:
    """Where the source of a kernel is."""
    return Path(__file__).with_name(f"{name}.cu")


def _with_headers(text: str) -> str:
    return re.sub(r'^#include "(.+)"$', lambda found: _with_headers(_included(found[1])), text, flags=re.MULTILINE)


def _included(name: str) -> str:
    return Path(__file__).with_name(name).read_text()


def compile_cubin(program: Program, architecture: int, *extra: str) -> tuple[bytes, str]:
    """Compile to machine code for an architecture such as 90, and return it with the log; BackendError if it fails.

    A kernel whose registers do not suffice, as its log shows, is compiled for fewer blocks to share a multiprocessor.
    """
    for fewer in range(3):
        machine_code, log = _compiled(program, architecture, f"-DFEWER_BLOCKS={fewer}", "--ptxas-options=-v", *extra)
        if "FEWER_BLOCKS" not in program.text or not re.search(r"[1-9]\d* bytes spill", log):
            break
    return machine_code, log


def _compiled(program: Program, architecture: int, *extra: str) -> tuple[bytes, str]:
    nvrtc = _nvrtc()
    name = f"{program.name}.cu"
    try:
        handle = nvrtc.createProgram(program.text, name, [], [])
    except Exception as error:  # a missing library shows as one of several types
        raise BackendError(f"NVRTC cannot be used ({error}): pip install nvidia-cuda-nvrtc") from error
    try:
        nvrtc.compileProgram(handle, [*_flags(program, architecture), *extra])
        return bytes(nvrtc.getCUBIN(handle)), str(nvrtc.getProgramLog(handle))
    except nvrtc.NVRTCError as error:
        log = nvrtc.getProgramLog(handle)
        raise BackendError(f"{name} does not compile for sm_{architecture}: {error}\n{log}") from error
    finally:
        nvrtc.destroyProgram(handle)


def _nvrtc() -> Any:
    from cupy.cuda import nvrtc  # the NVRTC library is looked for here

    return nvrtc


def _flags(program: Program, architecture: int) -> list[str]:
    return ["--std=c++17", f"--gpu-architecture=sm_{architecture}", *program.options]


def cubin(program: Program, architecture: int) -> bytes:
    """Return machine code from the disk, or compile it and keep it there."""
    try:
        version = _nvrtc().getVersion()
    except Exception:  # no compiler, and so nothing that it made; compiling says what is wrong
        return compile_cubin(program, architecture)[0]
    parts = (program.name, program.text, *_flags(program, architecture), *map(str, version))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return disk_cache.kept(f"{program.name}-{key}.cubin", lambda: compile_cubin(program, architecture)[0])


@functools.cache
def shared_limit(device: int) -> int:
    """The most shared memory in bytes that a block can have on a device."""
    return int(cupy.cuda.Device(device).attributes.get("MaxSharedMemoryPerBlockOptin", SHARED_BYTES))


@functools.cache
def _kernel(program: Program, device: int) -> Any:
    module = cupy.cuda.function.Module()
    module.load(cubin(program, int(cupy.cuda.Device(device).compute_capability)))
    kernel = module.get_function(program.name)
    if shared_limit(device) > SHARED_BYTES:
        cupy.cuda.driver.funcSetAttribute(kernel.ptr, _MAX_DYNAMIC_SHARED_SIZE_BYTES, shared_limit(device))
    return kernel


def launch(
    program: Program, grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any], shared_bytes: int = 0
) -> None:
    """Launch a kernel on the current device and stream; whole numbers must be NumPy scalars of the kernel's types."""
    kernel = _kernel(program, cupy.cuda.Device().id)
    kernel(tuple(grid), tuple(block), tuple(arguments), shared_bytes)


def current_device() -> int:
    """The number of the device on which launches run."""
    return int(cupy.cuda.Device().id)


def on_device(values: np.ndarray) -> Any:
    """Copy a table to the current device; the copy is there for all streams when this returns."""
    table = cupy.asarray(values)
    cupy.cuda.get_current_stream().synchronize()
    return table
