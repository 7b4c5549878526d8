"""Phases of frames from the products that they are sums of, put in their places along time, in one launch."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, Program, launch

BLOCK = (32, 8)  # frames side by side, and lines
MOST_BLOCKS, ENOUGH_BLOCKS = 2**16, 2**12


def program(name: str, phases: int, dtype: str) -> Program:
    """Return the kernel for so many phases."""
    return Program(name, dtype, (f"PHASES={phases}",))


def merged(products: Any, way: Any) -> Any:
    """Coefficients (n_items, n_rows, n_frames) of products (n_products, 2, n_rows, n_items * shifts * count)."""
    if products.dtype.name not in REALS:
        return NotImplemented
    n_rows, columns = products.shape[2:]
    n_items = columns // (way.shifts * way.count)
    out = cupy.empty((n_items, n_rows, way.n_frames), np.result_type(products.dtype, np.complex64))
    merge(cupy.ascontiguousarray(products), out, way.phases, way.shifts, way.shifts * way.count, way.count)
    return out


def merge(products: Any, out: Any, phases: int, shifts: int, item_stride: int, shift_stride: int) -> None:
    """Put coefficients together from products (n_products, 2, n_rows, columns) that lie so far apart for each item."""
    n_items, n_rows, n_frames = out.shape
    if out.size:
        launch(
            program("merged", phases, products.dtype.name),
            grid(n_items * n_rows, n_frames),
            BLOCK,
            (
                products,
                out.view(products.dtype),
                *map(np.int64, (n_items, n_rows)),
                *map(np.int32, (n_frames, shifts)),
                *map(np.int64, (item_stride, shift_stride, products.shape[-1])),
            ),
        )


def grid(n_lines: int, n_columns: int) -> tuple[int, int]:
    """Blocks for lines and, if these are few, for parts of them."""
    blocks = min(-(-n_lines // BLOCK[1]), MOST_BLOCKS)
    return blocks, min(-(-n_columns // BLOCK[0]), -(-ENOUGH_BLOCKS // blocks))
