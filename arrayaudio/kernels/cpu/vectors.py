"""Wide vector registers: leave to use them, and memory that suits them."""

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

CACHE_LINE = 64


def _widest_vectors(context: Any) -> Any:  # noqa: ARG001
    """Let the loops of the calling function use vectors of 512 bits, where the processor has them.

    Compilers avoid these on processors that lower their clock for them, which loops of products and sums outweigh.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        attributes = builder.function.attributes
        if isinstance(attributes, set):
            # `add` knows only the attributes that have no value.
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


widest_vectors: Any = intrinsic(_widest_vectors)


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Uninitialised memory that begins with a line of the cache."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)
