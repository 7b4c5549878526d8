"""The real CuPy, set aside: it cannot compute without a device, but knows its own names and their arguments."""

import sys

import cupy

__all__ = ["cupy", "set_aside"]


def set_aside() -> None:
    """Take the real CuPy out of the modules that imports find."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("cupy", "cupyx")]:
        del sys.modules[name]
