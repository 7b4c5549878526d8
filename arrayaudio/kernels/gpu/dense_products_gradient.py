"""The gradient of a basis from those of the coefficients, by cuBLAS, with frames where they lie in the signal."""

from typing import Any

import cupy

from arrayaudio.kernels.gpu.dense_products_adjoint import coefficients
from arrayaudio.kernels.gpu.residues import (
    Operand,
    Residues,
    covered,
    multiply,
    nested_is_faster,
    operand_parts,
    together,
)


def dense_products_gradient(X: Any, y: Any, n_fft: int, hop_length: int, precision: str | None = None) -> Any:
    """Adjoint of `dense_products` as a function of the basis: (2, n_rows, n_fft)."""
    n_items, n_rows, n_frames = X.shape
    if not covered(y.dtype, precision) or nested_is_faster(n_frames, n_fft, hop_length, precision):
        return NotImplemented
    out = cupy.zeros((2, n_rows, n_fft), y.dtype)
    for here in together(n_items, n_frames):
        frames = Residues(here.stop - here.start, n_frames, n_fft, hop_length)
        parts, columns = operand_parts(coefficients(X[here], frames), precision), frames.columns
        signals = operand_parts(frames.laid(y[here]), precision)
        for s in range(frames.count):
            multiply(
                Operand(signals, frames.row, s * hop_length),
                Operand(parts, frames.count * columns, s * columns),
                Operand((out,), n_fft),
                (n_fft, 2 * n_rows, columns),
                precision,
                add=True,
            )
    return out
