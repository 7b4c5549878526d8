"""Running medians along one axis of a spectrogram."""

import numpy as np

from arrayaudio.arrays import Array, contiguous, namespace
from arrayaudio.frames import Framing
from arrayaudio.primitive import primitive

# Values of the windows that are sorted at a time.
BLOCK = 2**22


@primitive
def median_filter(S: Array, size: int, axis: int) -> Array:
    """Medians of `size` neighbours along axis -1 or -2 of (..., freq, time), beyond the ends of their mirror image.

    Windows begin size // 2 places before their own; of an even number of values, the upper one of the middle counts.
    Both are rules of scipy.ndimage.median_filter, and so is the mirror, its mode "reflect".
    """
    if 0 in S.shape:
        return S
    xp = namespace(S)
    lines = xp.matrix_transpose(S) if axis == -2 else S
    n = lines.shape[-1]
    rows = xp.reshape(lines, (-1, n))
    outside = Framing(1, 1, size // 2, "symmetric").edge_indices(n)
    assert outside is not None
    sources = np.concatenate([outside[0], np.arange(n), outside[1]])
    width = min(n, max(1, BLOCK // size))
    n_rows = rows.shape[0]
    height = max(1, BLOCK // (size * width))
    strips = []
    for first in range(0, n, width):
        places = np.arange(first, min(first + width, n))
        index = xp.asarray(sources[places[:, None] + np.arange(size)].ravel())
        medians = []
        for row in range(0, n_rows, height):
            piece = rows[row : min(row + height, n_rows), :]
            windows = xp.reshape(xp.take(piece, index, axis=-1), (-1, len(places), size))
            medians.append(xp.sort(windows, axis=-1)[..., size // 2])
        strips.append(xp.concat(medians, axis=0))
    result = xp.reshape(xp.concat(strips, axis=-1), lines.shape)
    return contiguous(xp.matrix_transpose(result) if axis == -2 else result)
