"""Frames from their coefficients, added up where they lie in the signal, by cuBLAS."""

from typing import Any

import cupy

from arrayaudio.kernels.gpu.merged_adjoint import spread
from arrayaudio.kernels.gpu.residues import (
    Operand,
    Residues,
    covered,
    multiply,
    nested_is_faster,
    operand_parts,
    together,
)


def coefficients(X: Any, frames: Residues) -> Any:
    """Coefficients (n_items, n_rows, n_frames) in the order of residues and their rows."""
    spreaded = cupy.empty((1, 2, X.shape[1], frames.count * frames.columns), X.real.dtype)
    used = frames.n_items * frames.rows
    spreaded.reshape(-1, frames.columns)[:, used:] = 0
    spread(X, spreaded, 1, frames.count, frames.rows, frames.rows, frames.columns)
    return spreaded


def dense_products_adjoint(X: Any, basis: Any, hop_length: int, n_samples: int, precision: str | None = None) -> Any:
    """Adjoint of `dense_products` as a function of signals: (n_items, n_samples)."""
    (n_items, n_rows, n_frames), n_fft, dtype = X.shape, basis.shape[-1], X.real.dtype
    if not covered(dtype, precision) or nested_is_faster(n_frames, n_fft, hop_length, precision):
        return NotImplemented
    out = cupy.zeros((n_items, n_samples), dtype)
    kernels = operand_parts(cupy.ascontiguousarray(basis), precision)
    for here in together(n_items, n_frames):
        frames = Residues(here.stop - here.start, n_frames, n_fft, hop_length)
        parts, columns = operand_parts(coefficients(X[here], frames), precision), frames.columns
        total = cupy.zeros((columns + 1, frames.row), dtype)
        for s in range(frames.count):
            multiply(
                Operand(kernels, n_fft),
                Operand(parts, frames.count * columns, s * columns, transposed=True),
                Operand((total,), frames.row, s * hop_length),
                (n_fft, columns, 2 * n_rows),
                precision,
                add=True,
            )
        covers = min(n_samples, frames.rows * frames.row)
        out[here, :covers] = frames.items(total)[:, :covers]
    return out
