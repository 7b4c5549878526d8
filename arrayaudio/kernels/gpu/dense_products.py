"""Frames times a basis by cuBLAS, with frames where they lie in the signal, in single precision or by tensor cores."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.merged import merge
from arrayaudio.kernels.gpu.residues import (
    Operand,
    Residues,
    covered,
    multiply,
    nested_is_faster,
    operand_parts,
    together,
)


def dense_products(y: Any, basis: Any, hop_length: int, precision: str | None = None) -> Any:
    """Inner products of all whole frames of (n_items, n_samples) with a basis (2, n_rows, n_fft).

    Declined where nested products are faster, and precisions that the array or the device does not have.
    """
    _, n_rows, n_fft = basis.shape
    n_frames = 1 + (y.shape[-1] - n_fft) // hop_length
    if not covered(y.dtype, precision) or nested_is_faster(n_frames, n_fft, hop_length, precision):
        return NotImplemented
    out = cupy.empty((y.shape[0], n_rows, n_frames), np.result_type(y.dtype, np.complex64))
    if out.size == 0:
        return out
    kernels = operand_parts(cupy.ascontiguousarray(basis), precision)
    for here in together(y.shape[0], n_frames):
        frames = Residues(here.stop - here.start, n_frames, n_fft, hop_length)
        products = cupy.empty((1, 2, n_rows, frames.count * frames.columns), y.dtype)
        multiply(
            Operand(operand_parts(frames.laid(y[here]), precision), frames.row, apart=hop_length, transposed=True),
            Operand(kernels, n_fft),
            Operand((products,), frames.count * frames.columns, apart=frames.columns),
            (frames.columns, 2 * n_rows, n_fft),
            precision,
            add=False,
            n=frames.count,
        )
        merge(products, out[here], 1, frames.count, frames.rows, frames.columns)
    return out
