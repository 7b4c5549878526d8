"""Few weighted sums of rows, which threads of a matrix library take longer to share out than to find."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.vectors import widest_vectors

# Multiplications of an item above which a matrix library is faster, and columns of a task, which stay in the cache.
MOST, COLUMNS = 2**24, 512


@jit
def mix(S, weights, out):  # type: ignore[no-untyped-def]
    """Weigh rows (n_in, n) into (n_out, n), four rows at a time."""
    widest_vectors()
    whole = weights.shape[1] - weights.shape[1] % 4
    for i in range(out.shape[0]):
        row = out[i]
        row[:] = 0
        for k in range(0, whole, 4):
            a, b, c, d = weights[i, k], weights[i, k + 1], weights[i, k + 2], weights[i, k + 3]
            if a != 0 or b != 0 or c != 0 or d != 0:
                s, t, u, v = S[k], S[k + 1], S[k + 2], S[k + 3]
                for j in range(row.size):
                    row[j] += (a * s[j] + b * t[j]) + (c * u[j] + d * v[j])
        for k in range(whole, weights.shape[1]):
            a, s = weights[i, k], S[k]
            for j in range(row.size):
                row[j] += a * s[j]


def mix_rows(S: np.ndarray, matrix: Any) -> Any:
    """Weighted sums of rows, (..., n_in, n_frames) -> (..., n_out, n_frames), or decline many and learned ones."""
    if not matrix.fixed or S.dtype.kind != "f":
        return NotImplemented
    n_out, n_in = matrix.value.shape
    if n_out * n_in * S.shape[-1] > MOST or S.shape[-2] != n_in:
        return NotImplemented
    weights = matrix.like(S)
    if weights.dtype != S.dtype:
        return NotImplemented
    out = np.empty((*S.shape[:-2], n_out, S.shape[-1]), S.dtype)
    if out.size == 0:
        return out
    sources, targets = S.reshape(-1, *S.shape[-2:]), out.reshape(-1, *out.shape[-2:])

    def tile(place: tuple[int, int]) -> None:
        item, first = place
        here = slice(first, first + COLUMNS)
        mix(sources[item, :, here], weights, targets[item, :, here])

    run(tile, [(item, first) for item in range(len(targets)) for first in range(0, S.shape[-1], COLUMNS)])
    return out
