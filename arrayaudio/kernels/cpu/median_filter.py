"""Running medians: sorted windows of 16 columns side by side, moved on together by vector instructions.

In a step the oldest value of each window leaves, and the newest sinks to its place. Selections and not branches decide
what moves, so that the compiler vectorises, and a step takes the same time whatever the values are.
"""

import math

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.threads import run

LANES = 16
# Columns of one task: enough that threads seldom wait for the interpreter.
TASK = 8 * LANES


@jit
def source(i, n):  # type: ignore[no-untyped-def]
    """The index from 0 to n - 1 of what a signal of n values, mirrored at its ends again and again, holds at `i`."""
    folded = i % (2 * n)
    return folded if folded < n else 2 * n - 1 - folded


@jit
def replace(window, old, new, sinking):  # type: ignore[no-untyped-def]
    """Take one value equal to `old` out of each sorted column of (size, LANES), and put `new` in."""
    size = window.shape[0]
    for lane in range(LANES):
        sinking[lane] = new[lane]
    for j in range(size - 1):
        row, above = window[j], window[j + 1]
        for lane in range(LANES):
            # All is loaded first, because a load that depends on a comparison would not be vectorised.
            here, there, gone, other = row[lane], above[lane], old[lane], sinking[lane]
            value = here if here < gone else there
            row[lane] = value if value < other else other
            sinking[lane] = other if value < other else value
    row = window[size - 1]
    for lane in range(LANES):
        row[lane] = sinking[lane]


@jit
def medians(S, size, first, last, out):  # type: ignore[no-untyped-def]
    """Write the running medians of columns first..last-1 of (n, n_columns) to `out`, of the same shape."""
    n, left = S.shape[0], size // 2
    columns = np.empty((n, LANES), dtype=S.dtype)
    window = np.empty((size, LANES), dtype=S.dtype)
    empty, sinking = np.full(LANES, math.inf, dtype=S.dtype), np.empty(LANES, dtype=S.dtype)
    for begin in range(first, last, LANES):
        for i in range(n):
            for lane in range(LANES):
                columns[i, lane] = S[i, min(begin + lane, last - 1)]
        window[:] = math.inf
        for j in range(size):
            replace(window, empty, columns[source(j - left, n)], sinking)
        for i in range(n):
            if i > 0:
                start = i - left
                replace(window, columns[source(start - 1, n)], columns[source(start + size - 1, n)], sinking)
            for lane in range(min(LANES, last - begin)):
                out[i, begin + lane] = window[left, lane]


def median_filter(S: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Medians of `size` neighbours along axis -1 or -2 of (..., freq, time)."""
    out = np.empty(S.shape, dtype=S.dtype)
    if out.size == 0:
        return out
    n_rows, n_columns = S.shape[-2:]
    shape = (-1, n_rows, n_columns) if axis == -2 else (1, -1, n_columns)
    items, results = S.reshape(shape), out.reshape(shape)
    if axis == -1:
        items, results = items.swapaxes(1, 2), results.swapaxes(1, 2)
    width = items.shape[2]

    def task(place: tuple[int, int]) -> None:
        item, first = place
        medians(items[item], size, first, min(first + TASK, width), results[item])

    run(task, [(item, first) for item in range(len(items)) for first in range(0, width, TASK)])
    return out
