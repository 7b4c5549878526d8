"""Filters that feed back, without a loop over samples: the one-pole recursion in blocks."""

import functools

import numpy as np

from arrayaudio.arrays import Array, cast, dtype_name, namespace
from arrayaudio.constants import Constant
from arrayaudio.primitive import primitive

BLOCK = 64


Pole = float | Array

DISTANCE = np.arange(BLOCK) - np.arange(BLOCK)[:, None]


@functools.lru_cache(maxsize=32)
def _powers(pole: float) -> tuple[Constant, Constant]:
    """What one block needs: the matrix (BLOCK, BLOCK) with pole^(j - i) above its diagonal, and pole^1, pole^2, ..."""
    matrix = np.where(DISTANCE >= 0, pole ** np.maximum(DISTANCE, 0), 0.0)
    return Constant(matrix), Constant(pole ** np.arange(1, BLOCK + 1))


def _block(pole: Pole, x: Array) -> tuple[Array, Array, Pole]:
    """The same in the precision of `x`, and the pole of the recursion from block to block."""
    if isinstance(pole, float):
        matrix, decay = (constant.like(x) for constant in _powers(pole))
        return matrix, decay, pole**BLOCK
    xp = namespace(pole)
    powers = xp.reshape(pole, (1,)) ** Constant(np.arange(BLOCK + 1)).like(pole)
    # Behind all powers a zero, for what lies below the diagonal.
    padded = xp.concat([powers, xp.zeros((1,), dtype=powers.dtype)])
    place = xp.asarray(np.where(DISTANCE >= 0, DISTANCE, BLOCK + 1).ravel())
    matrix = xp.reshape(xp.take(padded, place, axis=0), DISTANCE.shape)
    return cast(matrix, dtype_name(x)), cast(powers[1:], dtype_name(x)), powers[BLOCK]


@primitive
def one_pole(x: Array, pole: Pole, *, initial: Array | None = None) -> Array:
    """Solve s[t] = pole s[t - 1] + x[t] along the last axis of (..., n), for a pole from -1 to 1.

    The pole is a number, or an array of shape (). `initial`, of shape (..., 1), is s[-1]; None means 0. Within blocks
    the recursion is a triangular matrix. The ends of the blocks follow the same recursion with the pole to the power of
    BLOCK, so the depth is the logarithm of n.
    """
    *batch, n = x.shape
    matrix, decay, pole_of_blocks = _block(pole, x)
    xp = namespace(x, matrix, *([] if initial is None else [initial]))
    before = xp.zeros((*batch, 1), dtype=x.dtype) if initial is None else xp.broadcast_to(initial, (*batch, 1))
    if n <= BLOCK:
        return xp.matmul(x, matrix[:n, :n]) + before * decay[:n]
    filler = xp.zeros((*batch, -n % BLOCK), dtype=x.dtype)
    blocks = xp.reshape(xp.concat([x, filler], axis=-1), (*batch, -(-n // BLOCK), BLOCK))
    local = xp.matmul(blocks, matrix)
    ends = one_pole(local[..., -1], pole_of_blocks, initial=before)
    before = xp.concat([before, ends[..., :-1]], axis=-1)
    whole = local + before[..., None] * decay
    return xp.reshape(whole, (*batch, -(-n // BLOCK) * BLOCK))[..., :n]
