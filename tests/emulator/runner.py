"""The small process that runs kernels: a child of its own is made for each, and a large process takes long for that.

It reads requests from its standard input and writes what became of them, without NumPy, which would make it large.
"""

import ctypes
import mmap
import pickle
import sys
from collections.abc import Sequence

_GUARD_BYTES = 4 << 20
_CANARY = (0x7FFADEAD).to_bytes(4, "little")  # NaN as float32, and twice in a row as float64
_DYNAMIC = -1  # in place of the number of an argument: dynamic shared memory


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

    def __init__(self, content: bytes, argument: int, writeable: bool) -> None:
        size = len(content)
        inner = max(1, -(-size // mmap.PAGESIZE)) * mmap.PAGESIZE
        self._memory = mmap.mmap(-1, inner + 2 * _GUARD_BYTES)
        self._first, self._start, self._end = _GUARD_BYTES, _GUARD_BYTES + inner - size, _GUARD_BYTES + inner
        slack = inner - size
        self._canary = (_CANARY * slack)[3 * slack :]  # whole at its end
        self._memory[self._first : self._start] = self._canary
        self._memory[self._start : self._end] = content
        begin = _address(self._memory)
        self.address = begin + self._start
        self.region = _Region(begin, _GUARD_BYTES, inner, size, writeable, argument)

    @property
    def content(self) -> bytes:
        return self._memory[self._start : self._end]

    def is_intact(self) -> bool:
        return self._memory[self._first : self._start] == self._canary


def _address(memory: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def run(
    library: str,
    grid: tuple[int, ...],
    block: tuple[int, ...],
    args: Sequence[tuple[bytes, bool] | bytes],
    shared_mem: int,
    schedule: int,
    time_limit: int,
) -> tuple[str, dict[int, bytes]]:
    """Run a compiled kernel; return what went wrong, or else nothing and the content of the writeable arrays.

    Arguments are bytes of numbers, and those of arrays with whether they are writeable.
    """
    memories = {i: _GuardedMemory(arg[0], i, arg[1]) for i, arg in enumerate(args) if isinstance(arg, tuple)}
    values = [bytes(ctypes.c_void_p(memories[i].address)) if i in memories else arg for i, arg in enumerate(args)]
    boxes = [ctypes.create_string_buffer(value, len(value)) for value in values]
    pointers = (ctypes.c_void_p * max(1, len(boxes)))(*map(ctypes.addressof, boxes))
    memories[_DYNAMIC] = _GuardedMemory(bytes(shared_mem), _DYNAMIC, True)  # the last, as the scheduler expects
    regions = (_Region * len(memories))(*(memory.region for memory in memories.values()))
    message = mmap.mmap(-1, mmap.PAGESIZE)
    request = _Launch(
        grid,
        block,
        schedule,
        time_limit,
        ctypes.addressof(pointers),
        ctypes.addressof(regions),
        len(regions),
        _address(message),
        len(message),
    )
    status = ctypes.CDLL(library).run_in_child(ctypes.byref(request))
    if status:
        return message[:].split(b"\0")[0].decode() or f"the process ended with status {status:#x}", {}
    for i, memory in memories.items():
        if not memory.is_intact():
            return f"write before the start of {'dynamic shared memory' if i == _DYNAMIC else f'argument {i}'}", {}
    return "", {i: memory.content for i, memory in memories.items() if i != _DYNAMIC and args[i][1]}


def serve() -> None:
    """Do what comes in, until nothing more can come."""
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(run(*request), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
