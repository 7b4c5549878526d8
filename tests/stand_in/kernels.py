"""NVRTC and launches: a "cubin" is the source and its options, which the emulator compiles and runs."""

import functools
import json
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import emulator  # noqa: TID252 - the tests are no package that is installed
from .arrays import ndarray, unwrap
from .cuda import Device

SHARED_BYTES = 48 * 1024  # what a kernel may use that has not asked for more

# One order of execution shows wrong numbers and wild addresses; all of them, whether results depend on the order.
schedules: Sequence[str] = ("shuffle",)

_one_at_a_time = threading.Lock()


class NVRTCError(RuntimeError):
    """A source does not compile."""


class CUDADriverError(RuntimeError):
    """The driver refuses a launch."""


class _Program:
    """A source on its way through NVRTC."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name, self.log = text, name.removesuffix(".cu"), ""
        self.options: list[str] = []

    def compile(self, options: Sequence[str]) -> None:
        self.options = [option for option in options if option.startswith("-D")]
        try:
            _library(self.text, self.name, tuple(self.options))
        except emulator.EmulationError as error:
            self.log = str(error)
            raise NVRTCError("NVRTC_ERROR_COMPILATION (6)") from error

    def cubin(self) -> bytes:
        return json.dumps([self.text, self.options]).encode()


@functools.cache
def _library(text: str, name: str, options: tuple[str, ...]) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{name}.cu"
        source.write_text(text)
        return emulator.build(source, name, options)


NVRTC = {
    "NVRTCError": NVRTCError,
    "getVersion": lambda: (0, 0),
    "createProgram": lambda text, name, headers, include_names: _Program(text, name),
    "compileProgram": _Program.compile,
    "getCUBIN": _Program.cubin,
    "getProgramLog": lambda program: program.log,
    "destroyProgram": lambda program: None,
}


class Module:
    """What was compiled, on the device."""

    def load(self, cubin: bytes) -> None:
        self.text, self.options = json.loads(cubin)

    def get_function(self, name: str) -> "Function":
        return Function(_library(self.text, name, tuple(self.options)), name)


class Function:
    """A kernel: launches go to the emulator with the arguments that a GPU would get."""

    def __init__(self, library: Path, name: str) -> None:
        self.library, self.name, self.ptr = library, name, self
        self.shared_bytes = SHARED_BYTES

    def __call__(
        self,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: Sequence[Any],
        shared_mem: int = 0,
        stream: Any = None,
    ) -> None:
        if shared_mem > self.shared_bytes:
            raise CUDADriverError(f"CUDA_ERROR_INVALID_VALUE: {shared_mem} bytes of shared memory for {self.name}")
        for arg in args:
            if not isinstance(arg, ndarray | np.generic):
                raise TypeError(f"Unsupported type {type(arg)}")
        plain = [unwrap(arg) if isinstance(arg, ndarray) else arg for arg in args]
        with _one_at_a_time:
            emulator.run(self.library, self.name, grid, block, plain, shared_mem=shared_mem, schedules=schedules)


def funcSetAttribute(function: Function, attribute: int, value: int) -> None:  # noqa: N802
    """Grant a kernel more shared memory, attribute 8 of the driver."""
    if attribute != 8 or value > Device.shared_bytes:
        raise CUDADriverError(f"CUDA_ERROR_INVALID_VALUE: {value} for attribute {attribute} of {function.name}")
    function.shared_bytes = value
