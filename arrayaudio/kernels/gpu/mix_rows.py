"""Few weighted sums of rows: columns side by side in threads, where a matrix library would wait for memory."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, Program, current_device, launch, on_device

# Sums above which a matrix library is faster; those of a thread, at most.
MOST_SUMS, MOST_ROWS = 64, 16
THREADS, MOST_BLOCKS = 128, 2**16
COLUMNS = 2  # of a thread, if there are enough to keep the largest devices busy
FULL = 264  # blocks that do


def rows_of_thread(n_out: int) -> int:
    """Sums of a thread, a multiple of 4: groups of them are as few, and as equal, as possible."""
    n_groups = -(-n_out // MOST_ROWS)
    return 4 * -(-n_out // (4 * n_groups))


def program(n_rows: int, n_columns: int, dtype: str) -> Program:
    """Return the kernel whose threads take so many sums of so many columns."""
    return Program("mix_rows", dtype, (f"ROWS={n_rows}", f"COLUMNS={n_columns}"))


def grouped(matrix: np.ndarray, dtype: str, device: int) -> Any:  # noqa: ARG001 - copies live on devices
    """Weights of groups of sums next to each other, (n_groups, n_in, rows), in the memory of the current device."""
    n_out, n_in = matrix.shape
    n_rows = rows_of_thread(n_out)
    whole = np.zeros((-(-n_out // n_rows) * n_rows, n_in), dtype)
    whole[:n_out] = matrix
    return on_device(np.ascontiguousarray(whole.reshape(-1, n_rows, n_in).swapaxes(1, 2)))


def mix_rows(S: Any, matrix: Any) -> Any:
    """Weighted sums of rows, (..., n_in, n_frames) -> (..., n_out, n_frames), or decline many and learned ones."""
    if not matrix.fixed or S.dtype.name not in REALS or S.ndim < 2:
        return NotImplemented
    n_out, n_in = matrix.value.shape
    if n_out > MOST_SUMS or S.shape[-2] != n_in or matrix.value.dtype.kind != "f":
        return NotImplemented
    out = cupy.empty((*S.shape[:-2], n_out, S.shape[-1]), S.dtype)
    if out.size == 0 or n_in == 0:
        out.fill(0)
        return out
    n_frames, n_rows = S.shape[-1], rows_of_thread(n_out)
    n_items = S.size // (n_in * n_frames)
    n_columns = COLUMNS if n_items * n_frames >= FULL * THREADS * COLUMNS else 1
    tiles = -(-n_items * n_frames // (THREADS * n_columns))
    launch(
        program(n_rows, n_columns, S.dtype.name),
        (min(tiles * -(-n_out // n_rows), MOST_BLOCKS),),
        (THREADS,),
        (
            cupy.ascontiguousarray(S),
            matrix.derived(grouped, S.dtype.name, current_device()),
            out,
            np.int64(n_items),
            np.int64(n_frames),
            np.int32(n_in),
            np.int32(n_out),
        ),
    )
    return out
