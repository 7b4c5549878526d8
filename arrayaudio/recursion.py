"""Filters that feed back, without a loop over samples: the one-pole recursion in blocks."""

import functools

import numpy as np

from arrayaudio.arrays import Array, Constant, namespace

BLOCK = 64


@functools.lru_cache(maxsize=32)
def _powers(pole: float) -> tuple[Constant, Constant]:
    """What one block needs: the matrix (BLOCK, BLOCK) with pole^(j - i) above its diagonal, and pole^1, pole^2, ..."""
    distance = np.arange(BLOCK) - np.arange(BLOCK)[:, None]
    matrix = np.where(distance >= 0, pole ** np.maximum(distance, 0), 0.0)
    return Constant(matrix), Constant(pole ** np.arange(1, BLOCK + 1))


def one_pole(x: Array, pole: float, *, initial: Array | None = None) -> Array:
    """Solve s[t] = pole s[t - 1] + x[t] along the last axis of (..., n), for a pole from -1 to 1.

    `initial`, of shape (..., 1), is s[-1]; None means 0. Within blocks the recursion is a triangular matrix. The ends
    of the blocks follow the same recursion with the pole to the power of BLOCK, so the depth is the logarithm of n.
    """
    xp = namespace(x)
    *batch, n = x.shape
    matrix, decay = (constant.like(x) for constant in _powers(pole))
    before = xp.zeros((*batch, 1), dtype=x.dtype) if initial is None else xp.broadcast_to(initial, (*batch, 1))
    if n <= BLOCK:
        return xp.matmul(x, matrix[:n, :n]) + before * decay[:n]
    filler = xp.zeros((*batch, -n % BLOCK), dtype=x.dtype)
    blocks = xp.reshape(xp.concat([x, filler], axis=-1), (*batch, -(-n // BLOCK), BLOCK))
    local = xp.matmul(blocks, matrix)
    ends = one_pole(local[..., -1], pole**BLOCK, initial=before)
    before = xp.concat([before, ends[..., :-1]], axis=-1)
    whole = local + before[..., None] * decay
    return xp.reshape(whole, (*batch, -(-n // BLOCK) * BLOCK))[..., :n]
