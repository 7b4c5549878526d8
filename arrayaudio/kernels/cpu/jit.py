"""How the CPU kernels are compiled: without the GIL, cached on disk where that is possible."""

from collections.abc import Callable
from typing import Any

import numba


def jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile with Numba on first use, for each dtype."""
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no place to write the cache to
        return numba.njit(**options)(function)


def summing_jit(function: Callable[..., Any]) -> Any:
    """Compile with leave to add in any order, so that sums run in vector lanes; NaN and infinity still count."""
    return jit(function, fastmath={"reassoc", "contract", "nsz"})
