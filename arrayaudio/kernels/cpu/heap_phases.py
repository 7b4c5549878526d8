"""Phases along the loudest paths, item by item on the threads, with a binary heap of cell numbers.

The order of the cells is total, loudest first and of equals the first one, so any heap gives them in the same order,
and the phases are those of the reference to the last bit.
"""

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.threads import run


@jit
def comes_first(sizes, a, b):  # type: ignore[no-untyped-def]
    """Whether cell `a` leaves the heap before cell `b`."""
    return sizes[a] > sizes[b] or (sizes[a] == sizes[b] and a < b)


@jit
def push(heap, n, sizes, cell):  # type: ignore[no-untyped-def]
    """Put a cell on a heap of `n`."""
    place = n
    while place > 0:
        parent = (place - 1) // 2
        if not comes_first(sizes, cell, heap[parent]):
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = cell


@jit
def pop(heap, n, sizes):  # type: ignore[no-untyped-def]
    """Take the first cell from a heap of `n`."""
    top, cell = heap[0], heap[n - 1]
    place, child = 0, 1
    while child < n - 1:
        if child + 1 < n - 1 and comes_first(sizes, heap[child + 1], heap[child]):
            child += 1
        if not comes_first(sizes, heap[child], cell):
            break
        heap[place] = heap[child]
        place, child = child, 2 * child + 1
    heap[place] = cell
    return top


@jit
def spread(heap, n, end, sizes, in_time, in_frequency, n_bins, waiting, phases):  # type: ignore[no-untyped-def]
    """From the `n` cells on the heap, give phases to the waiting cells before `end` that they reach."""
    while n > 0:
        here = pop(heap, n, sizes)
        n -= 1
        f = here % n_bins
        for way in range(4):
            sign = 1.0 if way % 2 else -1.0
            if way < 2:
                there = here + n_bins if way else here - n_bins
                step = in_time[here] + in_time[there] if 0 <= there < end else 0.0
            else:
                inside = f < n_bins - 1 if way == 3 else f > 0
                there = here + way * 2 - 5 if inside else -1
                step = in_frequency[here] + in_frequency[there] if inside else 0.0
            if 0 <= there < end and waiting[there]:
                phases[there] = phases[here] + sign * step / 2
                waiting[there] = False
                push(heap, n, sizes, there)
                n += 1


@jit
def frame_by_frame(sizes, in_time, in_frequency, n_bins, waiting, phases):  # type: ignore[no-untyped-def]
    """Integrate over each frame on its own, from the phases of the frame before."""
    heap = np.empty(2 * n_bins, dtype=np.int64)
    waiting[:n_bins] = False
    for begin in range(n_bins, sizes.size, n_bins):
        n = 0
        for cell in range(begin, begin + n_bins):
            if waiting[cell]:
                push(heap, n, sizes, cell - n_bins)
                n += 1
        spread(heap, n, begin + n_bins, sizes, in_time, in_frequency, n_bins, waiting, phases)


@jit
def all_at_once(order, sizes, in_time, in_frequency, n_bins, waiting, phases):  # type: ignore[no-untyped-def]
    """Integrate over all cells, from the loudest of each region that hangs together."""
    heap = np.empty(order.size, dtype=np.int64)
    for loudest in order:
        if waiting[loudest]:
            waiting[loudest], phases[loudest] = False, 0.0
            heap[0] = loudest
            spread(heap, 1, sizes.size, sizes, in_time, in_frequency, n_bins, waiting, phases)


def heap_phases(
    S: np.ndarray,
    wanted: np.ndarray,
    in_time: np.ndarray,
    in_frequency: np.ndarray,
    start: np.ndarray,
    causal: bool,
) -> np.ndarray:
    """Phases of the wanted cells of (..., n_frames, n_bins), item by item."""
    n_bins = S.shape[-1]
    phases = np.empty(S.shape, dtype=np.float64)
    phases[...] = start
    if phases.size == 0:
        return phases
    size = S.shape[-2] * n_bins
    sizes, along, across, out = (
        np.ascontiguousarray(x, dtype=np.float64).reshape(-1, size) for x in (S, in_time, in_frequency, phases)
    )
    waiting = np.array(wanted).reshape(-1, size)

    def item(i: int) -> None:
        arrays = sizes[i], along[i], across[i], n_bins, waiting[i], out[i]
        if causal:
            frame_by_frame(*arrays)
        else:
            cells = np.flatnonzero(waiting[i])
            all_at_once(cells[np.argsort(-sizes[i, cells], kind="stable")], *arrays)

    run(item, range(len(sizes)))
    return phases
