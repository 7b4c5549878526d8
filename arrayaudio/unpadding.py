"""The adjoint of padding: what lies on the padding is added to the samples it repeats."""

from itertools import pairwise

import numpy as np

from arrayaudio.arrays import Array, namespace
from arrayaudio.errors import ParameterError
from arrayaudio.frames import INDEX_MODES, Framing


def unpad(padded: Array, padding: int, mode: str) -> Array:
    """Adjoint of `frames.pad`: (..., padding + n_samples + padding) -> (..., n_samples)."""
    if padding == 0:
        return padded
    n_samples = padded.shape[-1] - 2 * padding
    sources = Framing(1, 1, padding, mode).edge_indices(n_samples)
    if sources is None:
        raise ParameterError(
            f"pad_mode={mode!r}: has no adjoint here, which the inverse needs; use one of {', '.join(INDEX_MODES)}"
        )
    total = padded[..., padding : padding + n_samples]
    if mode != "constant":
        for index, start in zip(sources, (0, padding + n_samples), strict=True):
            for first, end in _runs(index):
                total = total + _at_sources(padded[..., start + first : start + end], index[first:end], n_samples)
    return total


def _runs(index: np.ndarray) -> list[tuple[int, int]]:
    """First and last place, exclusive, of the runs in which an index goes up by one, down by one, or stays."""
    step = np.diff(index)
    new = (np.abs(step) > 1) | (step != np.concatenate([step[:1], step[:-1]]))
    return list(pairwise([0, *(1 + np.flatnonzero(new)), len(index)]))


def _at_sources(values: Array, index: np.ndarray, n_samples: int) -> Array:
    """Put (..., n) values of one run at the samples that `index` names, and zeros elsewhere."""
    xp = namespace(values)
    low, high = int(index.min()), int(index.max())
    if low == high:
        values = xp.sum(values, axis=-1, keepdims=True)
    elif index[0] > index[-1]:
        values = xp.flip(values, axis=-1)
    before, after = (xp.zeros((*values.shape[:-1], n), dtype=values.dtype) for n in (low, n_samples - high - 1))
    return xp.concat([before, values, after], axis=-1)
