"""Phases of frames from the products that they are sums of, put in their places along time."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.threads import run

# Rows in one task.
ROWS = 64


@jit
def merge(products, signs, shifts, sums, first_row, out):  # type: ignore[no-untyped-def]
    """Add products (n_products, 2, n_rows, columns) up into some rows of (n_items, all rows, n_frames)."""
    phases, count = signs.shape[0], sums.shape[1]
    for k in range(products.shape[2]):
        for column in range(0, products.shape[3], count):
            item, s = column // count // shifts, column // count % shifts
            for p in range(phases):
                for part in range(2):
                    total = sums[part]
                    total[:] = 0
                    for m in range(signs.shape[1]):
                        sign = signs[p, m]
                        if sign != 0:
                            row = products[m, part, k, column : column + count]
                            for u in range(count):
                                total[u] += sign * row[u]
                places = out[item, first_row + k, shifts * p + s :: shifts * phases]
                for u in range(places.size):
                    places[u] = complex(sums[0, u], sums[1, u])


def merged(products: np.ndarray, way: Any) -> np.ndarray:
    """Coefficients (n_items, n_rows, n_frames) of products (n_products, 2, n_rows, n_items * shifts * count)."""
    n_rows, columns = products.shape[2:]
    n_items = columns // (way.shifts * way.count)
    out = np.empty((n_items, n_rows, way.n_frames), np.result_type(products.dtype, np.complex64))
    signs = way.results.like(products)

    def rows(first: int) -> None:
        sums = np.empty((2, way.count), products.dtype)
        merge(products[:, :, first : first + ROWS], signs, way.shifts, sums, first, out)

    run(rows, range(0, n_rows, ROWS))
    return out
