"""Gradients of products of matrices from those of the coefficients that are sums of them, in one launch."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, launch
from arrayaudio.kernels.gpu.merged import BLOCK, grid, program


def merged_adjoint(X: Any, way: Any) -> Any:
    """Adjoint of `merged`: (n_products, 2, n_rows, n_items * shifts * count)."""
    dtype = X.real.dtype
    if dtype.name not in REALS or X.dtype.kind != "c":
        return NotImplemented
    n_items, n_rows, _ = X.shape
    products = cupy.empty((way.n_products, 2, n_rows, n_items * way.shifts * way.count), dtype)
    spread(X, products, way.phases, way.shifts, way.count, way.shifts * way.count, way.count)
    return products


def spread(X: Any, products: Any, phases: int, shifts: int, count: int, item_stride: int, shift_stride: int) -> None:
    """Write all products (n_products, 2, n_rows, columns) that lie so far apart for each item."""
    n_items, n_rows, n_frames = X.shape
    if products.size and X.size:
        launch(
            program("merged_adjoint", phases, products.dtype.name),
            grid(n_items * n_rows, shifts * count),
            BLOCK,
            (
                cupy.ascontiguousarray(X).view(products.dtype),
                products,
                *map(np.int64, (n_items, n_rows)),
                *map(np.int32, (n_frames, shifts, count)),
                *map(np.int64, (item_stride, shift_stride, products.shape[-1])),
            ),
        )
