"""Runs CUDA C kernels on the CPU, so that they can be verified without a GPU.

g++ compiles the unchanged kernel source against ``cuda_on_cpu.h``; ``scheduler.cpp`` executes it. Shared memory holds
NaN at the start of every block, and threads run one after the other between barriers, so that a missing barrier
changes the result. Arrays lie between inaccessible pages, so that access outside of them is an error.
"""

import ctypes
import functools
import mmap
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .build import EmulationError, build, with_line

__all__ = ["SCHEDULES", "EmulationError", "build", "launch", "launch_all_schedules", "run"]

SCHEDULES = ("forward", "reverse", "shuffle")

_GUARD_BYTES = 4 << 20
_CANARY = (0x7FFADEAD).to_bytes(4, "little")  # NaN as float32, and twice in a row as float64
_MAX_BLOCK = (1024, 1024, 64)
_MAX_GRID = (2**31 - 1, 65535, 65535)
_KINDS = {"f": "f", "i": "i", "u": "i", "b": "i", "c": "s", "V": "s"}
_FORMS = {"*": "array", "<": "array", "=": "scalar"}
_KIND_NAMES = {"f": "floating-point number", "i": "integer", "s": "struct"}


class _Region(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("begin", "guard", "inner", "data", "writeable", "argument")]


class _Launch(ctypes.Structure):
    _fields_ = [
        ("grid", ctypes.c_uint32 * 3),
        ("block", ctypes.c_uint32 * 3),
        ("schedule", ctypes.c_uint32),
        ("time_limit", ctypes.c_uint32),
        ("args", ctypes.c_void_p),
        ("regions", ctypes.c_void_p),
        ("region_count", ctypes.c_uint64),
        ("message", ctypes.c_void_p),
        ("message_bytes", ctypes.c_uint64),
    ]


class _GuardedMemory:
    """Memory shared with the child process, which ends at an inaccessible page and has a canary before its start."""

    def __init__(self, size: int, argument: int, writeable: bool) -> None:
        inner = max(1, -(-size // mmap.PAGESIZE)) * mmap.PAGESIZE
        memory = np.frombuffer(mmap.mmap(-1, inner + 2 * _GUARD_BYTES), np.uint8)
        slack = inner - size
        self.data = memory[_GUARD_BYTES + slack : _GUARD_BYTES + inner]
        self.region = _Region(memory.ctypes.data, _GUARD_BYTES, inner, size, writeable, argument)
        self._slack = memory[_GUARD_BYTES : _GUARD_BYTES + slack]
        self._canary = np.frombuffer((_CANARY * slack)[3 * slack :], np.uint8)  # whole at its end
        self._slack[:] = self._canary

    def is_intact(self) -> bool:
        return np.array_equal(self._slack, self._canary)


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
    library = ctypes.CDLL(str(library_path))
    library.kernel_signature.restype = ctypes.c_char_p
    parameters = re.findall(".{4}", library.kernel_signature().decode())
    _check_types(name, args, parameters)
    args = [_read_only(arg) if code[0] == "<" else arg for arg, code in zip(args, parameters, strict=True)]
    _check_arrays(name, args)
    results = []
    for schedule in schedules:
        copies = [arg.copy() if _is_output(arg) else arg for arg in args]
        _run(library_path, name, grid, block, copies, shared_mem, schedule, time_limit)
        results.append(copies)
        for i, (first, last) in enumerate(zip(results[0], copies, strict=True)):
            if _is_output(args[i]) and (differing := np.flatnonzero(_differs(first, last))).size:
                raise EmulationError(
                    f"kernel {name}: argument {i} differs between the schedules {schedules[0]} and {schedule} "
                    f"in {differing.size} numbers, the first at flat index {differing[0]}: is a barrier missing?"
                )
    for arg, result in zip(args, results[0], strict=True):
        if _is_output(arg):
            arg[...] = result


def _run(
    library_path: Path,
    name: str,
    grid: int | Sequence[int],
    block: int | Sequence[int],
    args: Sequence[np.ndarray | np.generic],
    shared_mem: int,
    schedule: str,
    time_limit: int,
) -> None:
    block_size, grid_size = _sizes(block, _MAX_BLOCK, "block"), _sizes(grid, _MAX_GRID, "grid")
    if np.prod(block_size) > 1024:
        raise ValueError(f"block {block_size} has more than 1024 threads")
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {SCHEDULES}, not {schedule!r}")
    arrays = {i: arg for i, arg in enumerate(args) if isinstance(arg, np.ndarray)}
    memories = {i: _GuardedMemory(array.nbytes, i, array.flags.writeable) for i, array in arrays.items()}
    for i, array in arrays.items():
        memories[i].data[:] = array.reshape(-1).view(np.uint8)
    memories[-1] = _GuardedMemory(shared_mem, -1, True)  # the last region, as the scheduler expects

    values = [np.uintp(memories[i].data.ctypes.data) if i in arrays else arg for i, arg in enumerate(args)]
    boxes = [np.array(value) for value in values]  # keep the values in memory during the launch
    pointers = np.array([box.ctypes.data for box in boxes], np.uintp)
    regions = (_Region * len(memories))(*(memory.region for memory in memories.values()))
    message = mmap.mmap(-1, mmap.PAGESIZE)
    message_bytes = np.frombuffer(message, np.uint8)
    request = _Launch(
        grid_size,
        block_size,
        SCHEDULES.index(schedule),
        time_limit,
        pointers.ctypes.data,
        ctypes.addressof(regions),
        len(regions),
        message_bytes.ctypes.data,
        len(message),
    )
    status = ctypes.CDLL(str(library_path)).run_in_child(ctypes.byref(request))
    if status:
        text = message[:].split(b"\0")[0].decode() or f"the process ended with status {status:#x}"
        raise EmulationError(f"kernel {name}: {with_line(text, library_path)}")
    for i, memory in memories.items():
        if not memory.is_intact():
            what = f"argument {i}" if i in arrays else "dynamic shared memory"
            raise EmulationError(f"kernel {name}: write before the start of {what}")
    for i, array in arrays.items():
        if array.flags.writeable:
            array.reshape(-1).view(np.uint8)[:] = memories[i].data


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
    """Compare the arguments with the parameters of the kernel, for example ``["<f04", "*f04", "=i04"]``."""
    if len(args) != len(expected):
        raise TypeError(f"kernel {name} has {len(expected)} parameters, not {len(args)}")
    for i, (arg, code) in enumerate(zip(args, expected, strict=True)):
        if not isinstance(arg, np.ndarray | np.generic):
            raise TypeError(f"argument {i} of {name} must be an array or numpy scalar, such as np.int32, not {arg!r}")
        form = "*" if isinstance(arg, np.ndarray) else "="
        if f"{form}{_KINDS.get(arg.dtype.kind)}{arg.dtype.itemsize:02d}" != code.replace("<", "*"):
            wanted = f"{_FORMS[code[0]]} ({int(code[2:])}-byte {_KIND_NAMES[code[1]]})"
            raise TypeError(f"argument {i} of {name} must be: {wanted}, not {_FORMS[form]} of {arg.dtype}")
