"""Gradients of products of matrices from those of the coefficients that are sums of them."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.merged import ROWS
from arrayaudio.kernels.cpu.threads import run


@jit
def part(X, signs, shifts, phase, first_row, products):  # type: ignore[no-untyped-def]
    """Add some rows of (n_items, all rows, n_frames) to the products (n_products, 2, n_rows, columns) in them."""
    phases, count = signs.shape[0], phase.shape[1]
    for k in range(products.shape[2]):
        for column in range(0, products.shape[3], count):
            item, s = column // count // shifts, column // count % shifts
            for m in range(signs.shape[1]):
                products[m, 0, k, column : column + count] = 0
                products[m, 1, k, column : column + count] = 0
            for p in range(phases):
                places = X[item, first_row + k, shifts * p + s :: shifts * phases]
                phase[:] = 0
                for u in range(places.size):
                    phase[0, u] = places[u].real
                    phase[1, u] = places[u].imag
                for m in range(signs.shape[1]):
                    sign = signs[p, m]
                    if sign != 0:
                        for c in range(2):
                            row, source = products[m, c, k, column : column + count], phase[c]
                            for u in range(count):
                                row[u] += sign * source[u]


def merged_adjoint(X: np.ndarray, way: Any) -> np.ndarray:
    """Adjoint of `merged`: (n_products, 2, n_rows, n_items * shifts * count)."""
    n_items, n_rows, _ = X.shape
    dtype = X.real.dtype
    signs = way.results.like(X)
    products = np.empty((signs.shape[1], 2, n_rows, n_items * way.shifts * way.count), dtype)

    def rows(first: int) -> None:
        phase = np.empty((2, way.count), dtype)
        part(X, signs, way.shifts, phase, first, products[:, :, first : first + ROWS])

    run(rows, range(0, n_rows, ROWS))
    return products
