"""How the CPU kernels are compiled: without the GIL, cached on disk where that is possible."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile with Numba on first use, for each dtype."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        compiled: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no place to write the cache to
        compiled = numba.njit(**options)(function)
    return compiled
