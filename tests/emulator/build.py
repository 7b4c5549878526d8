"""Compiles kernels for the CPU."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent
# addr2line misses the file name in version 5 of DWARF.
_FLAGS = ("-std=c++17", "-O1", "-gdwarf-4", "-fPIC", "-ffp-contract=off", "-fno-strict-aliasing", "-Wall", "-Werror")
# Traps instead of undefined behaviour, and no jump over the guard below a stack. Comparing an int with threadIdx.x is
# common and harmless.
_KERNEL_FLAGS = (
    "-fsanitize=bounds,signed-integer-overflow",
    "-fsanitize-undefined-trap-on-error",
    "-fstack-clash-protection",
    "-Wno-unknown-pragmas",
    "-Wno-sign-compare",
)


class EmulationError(RuntimeError):
    """A kernel does not compile, or did something that is wrong on a GPU."""


def available() -> bool:
    """Return whether kernels can be compiled here."""
    return sys.platform == "linux" and shutil.which("g++") is not None


def build(source: Path, name: str, options: tuple[str, ...]) -> Path:
    """Compile a kernel and the scheduler into a shared library, unless that is done already."""
    if not available():
        raise EmulationError("the emulator needs Linux and g++: apt-get install g++")
    source = source.resolve(strict=True)
    # Without a namespace, g++ refuses shared variables in inline functions and templates ("section type conflict").
    kernel = f'namespace {{\n#include "{source.name}"\n}}\nCUDA_ON_CPU_KERNEL({name})\n'
    unit = f'#include "{_HERE}/cuda_on_cpu.h"\n' + kernel
    flags = (*_FLAGS, *_KERNEL_FLAGS, *options)
    # The text must not depend on the folder, since it identifies the library.
    preprocessed = _compile((*flags, "-E", "-fno-working-directory", "-x", "c++", "-"), unit, source.parent)

    own_files = [_HERE / name for name in ("scheduler.cpp", "faults.h", "cuda_on_cpu.h")]
    own_text = "".join(file.read_text() for file in own_files)
    scheduler = _cached(own_text, (*_FLAGS, "-c", str(own_files[0])), "", _HERE, ".o")
    link = ("-shared", "-Wl,-Bsymbolic", "-x", "c++-cpp-output", "-", "-x", "none", str(scheduler))
    return _cached(preprocessed, (*flags, *link), preprocessed, source.parent, ".so")


def with_line(message: str, library: Path) -> str:
    """Replace the address of an instruction in a message by the line of the source."""
    if not (found := re.search(" at <(.*)>", message)):
        return message
    command = ["addr2line", "-e", str(library), found[1]]
    path_and_line = subprocess.run(command, capture_output=True, text=True).stdout.split(" ")[0].strip()
    line = "" if "?" in path_and_line else f" at {Path(path_and_line).name}"
    return message.replace(found[0], line)


def _cached(key: str, arguments: tuple[str, ...], text: str, folder: Path, suffix: str) -> Path:
    """Compile `text` unless a file for the same key and arguments exists."""
    cache = Path(tempfile.gettempdir()) / f"cuda_on_cpu-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    if cache.stat().st_uid != os.getuid():
        raise EmulationError(f"{cache} belongs to another user")
    target = cache / (hashlib.sha256("\0".join((key, *arguments)).encode()).hexdigest()[:32] + suffix)
    if not target.exists():
        unfinished = target.with_suffix(f".{os.getpid()}{suffix}")
        _compile((*arguments, "-o", str(unfinished)), text, folder)
        unfinished.replace(target)
    return target


def _compile(arguments: tuple[str, ...], text: str, folder: Path) -> str:
    done = subprocess.run(["g++", *arguments], input=text, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise EmulationError(f"g++ {' '.join(arguments)}:\n{done.stderr}")
    return done.stdout
