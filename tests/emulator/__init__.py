"""Runs CUDA C kernels on the CPU, so that they can be verified without a GPU.

g++ compiles the unchanged kernel source against ``cuda_on_cpu.h``; ``scheduler.cpp`` executes it. Shared memory holds
NaN at the start of every block, and threads run one after the other between barriers, so that a missing barrier
changes the result. Arrays lie between inaccessible pages, so that access outside of them is an error.
"""

import atexit
import ctypes
import functools
import pickle
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .build import EmulationError, build, with_line

__all__ = ["SCHEDULES", "EmulationError", "build", "launch", "launch_all_schedules", "run"]

SCHEDULES = ("forward", "reverse", "shuffle")

_MAX_BLOCK = (1024, 1024, 64)
_MAX_GRID = (2**31 - 1, 65535, 65535)
_KINDS = {"f": "f", "i": "i", "u": "i", "b": "i", "c": "s", "V": "s"}
_FORMS = {"*": "array", "<": "array", "=": "scalar"}
_KIND_NAMES = {"f": "floating-point number", "i": "integer", "s": "struct"}


class _Runner:
    """The process that runs kernels, started when it is needed first."""

    process: subprocess.Popen[bytes] | None = None

    def __call__(self, *request: Any) -> tuple[str, dict[int, bytes]]:
        if self.process is None:
            command = [sys.executable, "-S", "-E", str(Path(__file__).with_name("runner.py"))]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            atexit.register(self.close)
        pickle.dump(request, self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)

    def close(self) -> None:
        self.process.communicate()
        self.process = None


_run = _Runner()


def launch(
    source: Path,
    name: str,
    grid: int | Sequence[int],
    block: int | Sequence[int],
    args: Sequence[np.ndarray | np.generic],
    *,
    options: Sequence[str] = ("-DREAL=float",),
    schedules: Sequence[str] = SCHEDULES[:1],
    **settings: int,
) -> None:
    """Compile a kernel from a file and run it: see `run`.

    Parameters
    ----------
    source
        File with the kernel. Relative paths in `options` are relative to its folder.
    name
        Name of the kernel, which must be ``extern "C"``.
    options
        Options of the compiler.
    grid, block, args, schedules, settings
        As for `run`.

    Raises
    ------
    EmulationError
        If the kernel does not compile or misbehaves. The arrays are unchanged then.
    """
    run(build(Path(source), name, tuple(options)), name, grid, block, args, schedules=schedules, **settings)


launch_all_schedules = functools.partial(launch, schedules=SCHEDULES)


def run(
    library_path: Path,
    name: str,
    grid: int | Sequence[int],
    block: int | Sequence[int],
    args: Sequence[np.ndarray | np.generic],
    *,
    shared_mem: int = 0,
    schedules: Sequence[str] = SCHEDULES,
    time_limit: int = 60,
) -> None:
    """Run a kernel that `build` compiled, in one order of the threads or in several, and demand the same bits of each.

    Fill outputs with NaN beforehand: what the kernel does not write stays.

    Parameters
    ----------
    library_path, name
        The compiled kernel.
    grid, block
        Number of blocks and of threads per block, with one to three dimensions.
    args
        C-contiguous arrays and numpy scalars. Results are written into the writeable arrays whose elements are not
        const to the kernel; one that writes into another array fails.
    shared_mem
        Size of the dynamic shared memory in bytes.
    schedules
        Orders of the threads between barriers, and of the blocks: some of `SCHEDULES`.
    time_limit
        Seconds of computing after which the kernel fails.

    Raises
    ------
    EmulationError
        If the kernel misbehaves, or results depend on the order. The arrays are unchanged then.
    """
    parameters = _parameters(library_path)
    _check_types(name, args, parameters)
    args = [_read_only(arg) if code[0] == "<" else arg for arg, code in zip(args, parameters, strict=True)]
    _check_arrays(name, args)
    block_size, grid_size = _sizes(block, _MAX_BLOCK, "block"), _sizes(grid, _MAX_GRID, "grid")
    if np.prod(block_size) > 1024:
        raise ValueError(f"block {block_size} has more than 1024 threads")
    contents = [(arg.tobytes(), _is_output(arg)) if isinstance(arg, np.ndarray) else arg.tobytes() for arg in args]
    results = []
    for schedule in schedules:
        order = SCHEDULES.index(schedule)
        problem, outputs = _run(str(library_path), grid_size, block_size, contents, shared_mem, order, time_limit)
        if problem:
            raise EmulationError(f"kernel {name}: {with_line(problem, library_path)}")
        results.append({i: np.frombuffer(content, args[i].dtype) for i, content in outputs.items()})
        for i, last in results[-1].items():
            if (differing := np.flatnonzero(_differs(results[0][i], last))).size:
                raise EmulationError(
                    f"kernel {name}: argument {i} differs between the schedules {schedules[0]} and {schedule} "
                    f"in {differing.size} numbers, the first at flat index {differing[0]}: is a barrier missing?"
                )
    for i, result in results[0].items():
        args[i][...] = result.reshape(args[i].shape)


@functools.cache
def _parameters(library_path: Path) -> list[str]:
    """What the kernel takes, for example ``["<f04", "*f04", "=i04"]``."""
    signature = ctypes.CDLL(str(library_path)).kernel_signature
    signature.restype = ctypes.c_char_p
    return re.findall(".{4}", signature().decode())


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _is_output(arg: np.ndarray | np.generic) -> bool:
    return isinstance(arg, np.ndarray) and arg.flags.writeable


def _differs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compare the bits of two arrays, number by number; NaN equals NaN, but 0 differs from -0."""
    if a.dtype.kind == "c":
        a, b = (x.reshape(-1).view(x.real.dtype) for x in (a, b))
    bits_a, bits_b = (x.reshape(-1).view(np.uint8).reshape(-1, x.itemsize) for x in (a, b))
    differing = (bits_a != bits_b).any(axis=1)
    if a.dtype.kind == "f":
        differing &= ~(np.isnan(a) & np.isnan(b)).reshape(-1)
    return differing


def _sizes(sizes: int | Sequence[int], limits: tuple[int, ...], what: str) -> tuple[int, ...]:
    given = tuple(np.atleast_1d(sizes).tolist())
    padded = given + (1,) * (3 - len(given))
    if len(padded) != 3 or not all(0 < size <= limit for size, limit in zip(padded, limits, strict=True)):
        raise ValueError(f"{what} must have one to three sizes from 1 to {limits}, not {sizes}")
    return padded


def _check_arrays(name: str, args: Sequence[np.ndarray | np.generic]) -> None:
    for i, arg in enumerate(args):
        if isinstance(arg, np.ndarray) and not arg.flags.c_contiguous:
            raise ValueError(f"argument {i} of {name} must be C-contiguous")
        for j in range(i):
            if (_is_output(arg) or _is_output(args[j])) and np.may_share_memory(arg, args[j]):
                raise ValueError(f"arguments {j} and {i} of {name} overlap in memory")


def _check_types(name: str, args: Sequence[np.ndarray | np.generic], expected: Sequence[str]) -> None:
    """Compare the arguments with the parameters of the kernel."""
    if len(args) != len(expected):
        raise TypeError(f"kernel {name} has {len(expected)} parameters, not {len(args)}")
    for i, (arg, code) in enumerate(zip(args, expected, strict=True)):
        if not isinstance(arg, np.ndarray | np.generic):
            raise TypeError(f"argument {i} of {name} must be an array or numpy scalar, such as np.int32, not {arg!r}")
        form = "*" if isinstance(arg, np.ndarray) else "="
        # C++ knows half precision only as a struct of two bytes.
        if f"{form}{_KINDS.get(arg.dtype.kind)}{arg.dtype.itemsize:02d}" != code.replace("<", "*").replace(
            "s02", "f02"
        ):
            wanted = f"{_FORMS[code[0]]} ({int(code[2:])}-byte {_KIND_NAMES[code[1]]})"
            raise TypeError(f"argument {i} of {name} must be: {wanted}, not {_FORMS[form]} of {arg.dtype}")
