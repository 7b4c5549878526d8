"""Phases from their slopes: added up along the loudest paths, which a heap finds one cell after the other."""

import heapq

import numpy as np

from arrayaudio.arrays import Array, namespace, on_device_of, to_numpy
from arrayaudio.primitive import primitive


def spread(
    heap: list[tuple[float, int]],
    end: int,
    sizes: list[float],
    slopes: tuple[list[float], list[float]],
    n_bins: int,
    waiting: list[bool],
    phases: list[float],
) -> None:
    """From the cells on the heap, loudest first, give phases to the waiting cells before `end` that they reach."""
    while heap:
        _, here = heapq.heappop(heap)
        f = here % n_bins
        in_time, in_frequency = slopes
        # Backward and forward in time, down and up in frequency; by the trapezoidal rule.
        for there, slope, sign in (
            (here - n_bins, in_time, -1),
            (here + n_bins, in_time, 1),
            (here - 1 if f > 0 else -1, in_frequency, -1),
            (here + 1 if f < n_bins - 1 else -1, in_frequency, 1),
        ):
            if 0 <= there < end and waiting[there]:
                phases[there] = phases[here] + sign * (slope[here] + slope[there]) / 2
                waiting[there] = False
                heapq.heappush(heap, (-sizes[there], there))


def item_phases(
    S: np.ndarray, wanted: np.ndarray, in_time: np.ndarray, in_frequency: np.ndarray, start: np.ndarray, causal: bool
) -> np.ndarray:
    """Return the phases of one item, (n_frames, n_bins)."""
    n_frames, n_bins = S.shape
    sizes, waiting, phases = S.ravel().tolist(), wanted.ravel().tolist(), start.ravel().tolist()
    slopes = in_time.ravel().tolist(), in_frequency.ravel().tolist()
    if causal:
        waiting[:n_bins] = [False] * n_bins
        for t in range(1, n_frames):
            before = range((t - 1) * n_bins, t * n_bins)
            heap = [(-sizes[cell], cell) for cell in before if waiting[cell + n_bins]]
            heapq.heapify(heap)
            spread(heap, (t + 1) * n_bins, sizes, slopes, n_bins, waiting, phases)
    else:
        for loudest in np.argsort(-S.ravel(), kind="stable").tolist():
            if waiting[loudest]:
                waiting[loudest], phases[loudest] = False, 0.0
                spread([(-sizes[loudest], loudest)], len(sizes), sizes, slopes, n_bins, waiting, phases)
    return np.array(phases).reshape(S.shape)


@primitive
def heap_phases(S: Array, wanted: Array, in_time: Array, in_frequency: Array, start: Array, causal: bool) -> Array:
    """Integrate the slopes of a phase over the `wanted` cells of magnitudes `S`, all (..., n_frames, n_bins).

    The slopes are in radians from one frame, or one bin, to the next. A heap holds the cells whose phases are known;
    the loudest of them, of equals the first, hands its phase on to its neighbours. The loudest of all has the phase 0,
    and so has the loudest of those that are left whenever the heap is empty; cells that are not wanted keep the phase
    of `start`. If `causal`, the first frame has the phases of `start`, and each of the others has its own heap, which
    begins with the cells of the frame before.

    All arrays but `wanted` are in double precision. Whatever their library, the work is done on the host.
    """
    xp, known = namespace(S), to_numpy(start)
    host = (to_numpy(x).reshape(-1, *S.shape[-2:]) for x in (S, wanted, in_time, in_frequency))
    phases = np.empty(S.shape)
    for out, *item in zip(phases.reshape(-1, *S.shape[-2:]), *host, strict=True):
        out[...] = item_phases(item[0], item[1], item[2], item[3], known, causal)
    with on_device_of(S):
        return xp.asarray(phases)
