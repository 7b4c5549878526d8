"""Resampling by a polyphase matrix: two outputs of a frame at a time, as if they were one complex coefficient."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.constant_q import correlate
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.vectors import CACHE_LINE, aligned

# Frames of a task, and places in a frame where vector loads are fastest.
TILE, STEP = 256, CACHE_LINE // 4


def pairs(matrix: np.ndarray, dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Columns of a matrix (taps, up) as rows, an even number, and the columns of each two that are not all zero."""
    taps, up = matrix.shape
    rows = aligned((up + up % 2, -(-taps // STEP) * STEP), dtype)
    rows[...] = 0
    rows[:up, :taps] = matrix.T
    used = (rows != 0).reshape(-1, 2, rows.shape[1]).any(axis=1)
    stops = rows.shape[1] - used[:, ::-1].argmax(axis=1)
    return rows, np.stack([used.argmax(axis=1) // STEP * STEP, -(-stops // STEP) * STEP], axis=1)


def polyphase(y: np.ndarray, up: int, down: int, reach: int, matrix: Any) -> Any:
    """Frames of (..., n_samples), `down` apart, times a matrix (taps, up): (..., ceil(n_samples up / down))."""
    (*batch, n_samples), (rows, spans) = y.shape, matrix.derived(pairs, y.dtype)
    n_out = -(-n_samples * up // down)
    count = -(-n_out // up)
    signals = y.reshape(-1, n_samples)
    out = np.empty((len(signals), count, up), y.dtype)
    padded = np.zeros((len(signals), max(reach - 1 + n_samples, (count - 1) * down + rows.shape[1])), y.dtype)
    padded[:, reach - 1 : reach - 1 + n_samples] = signals

    def tile(place: tuple[int, int]) -> None:
        item, first = place
        here = out[item, first : first + TILE]
        found = np.empty((len(spans), len(here)), np.result_type(y.dtype, np.complex64))
        correlate(padded[item, first * down :], rows, spans, down, found)
        here[...] = np.ascontiguousarray(found.T).view(y.dtype)[:, :up]

    run(tile, [(item, first) for item in range(len(signals)) for first in range(0, count, TILE)])
    return out.reshape(len(signals), count * up)[:, :n_out].reshape(*batch, n_out)
