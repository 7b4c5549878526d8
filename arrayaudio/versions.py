"""What runs here: versions, processor and GPU."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from arrayaudio.cuda import cuda_problem

__all__ = ["show_versions"]

PACKAGES = ("arrayaudio", "numpy", "scipy", "numba", "cupy", "soundfile", "matplotlib")
DISTRIBUTIONS = {"cupy": ("cupy", "cupy-cuda12x", "cupy-cuda13x")}


def _version(package: str) -> str:
    for name in DISTRIBUTIONS.get(package, (package,)):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "not installed"


def processor() -> str:
    """The name of the processor and the number of its cores."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} cores"


def gpu() -> str:
    """The name of the current GPU, or why there is none."""
    problem = cuda_problem()
    if problem:
        return f"none: {problem}"
    cupy = sys.modules["cupy"]
    return str(cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode())


def versions() -> dict[str, str]:
    """Versions of Python and the packages that matter here, the processor and the GPU."""
    return {
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
        "platform": platform.platform(),
        "processor": processor(),
        "gpu": gpu(),
    }


def show_versions() -> None:
    """Write `versions()` to standard output, for bug reports.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.show_versions()  # doctest: +ELLIPSIS
    python      3...
    """
    sys.stdout.write("".join(f"{name:<11} {value}\n" for name, value in versions().items()))
