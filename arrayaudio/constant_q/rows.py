"""Constant-Q kernels as rows of matrices, which meet frames of the signal."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrayaudio.arrays import Array
from arrayaudio.constant_q.wavelets import Wavelets

# Values of one matrix, at most; bytes and values between places where vector loads are fastest.
LARGEST_MATRIX = 2**20
CACHE_LINE, LANES = 64, 16


@dataclass(frozen=True)
class Rows:
    """Conjugate kernels of neighbouring bins, (2 n_bins, width): real parts and imaginary parts in turn.

    The first column meets value `start` of a frame. The rows of bin k hold zeros outside of the columns
    spans[k, 0] : spans[k, 1], so these can be left out.
    """

    start: int
    matrix: Array
    spans: np.ndarray | None = None

    @property
    def n_bins(self) -> int:
        """How many kernels there are."""
        return self.matrix.shape[0] // 2

    @property
    def width(self) -> int:
        """How many values of a frame they meet."""
        return self.matrix.shape[1]


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Zeros that begin with a line of the cache."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def groups(wavelets: Wavelets, first_bin: int) -> Iterator[tuple[int, int, int]]:
    """Bins from `first_bin` on in groups of similar length, so that few zeros are needed: (first, stop, width)."""
    first = first_bin
    while first < len(wavelets.lengths):
        longest = wavelets.lengths[first]
        most = first + max(1, int(LARGEST_MATRIX / (2 * longest)))
        stop = first + sum(length > longest / 1.5 for length in wavelets.lengths[first:most])
        yield first, stop, wavelets.bins(first, stop).width
        first = stop


def columns(wavelets: Wavelets, width: int, step: int) -> tuple[int, int]:
    """First and last column, and one more, of `width` samples around the middle of a frame, at multiples of `step`."""
    before = (wavelets.width - width) // 2
    start = before // step * step
    return start, min(wavelets.width, start + -(-(before + width - start) // step) * step)


def rows(wavelets: Wavelets, first_bin: int, dtype: str, step: int = 1) -> Iterator[Rows]:
    """Kernels from `first_bin` on as matrices, one for each group, that start at a multiple of `step`."""
    for first, stop, width in groups(wavelets, first_bin):
        start, end = columns(wavelets, width, step)
        matrix, spans = aligned_zeros((stop - first, 2, end - start), dtype), []
        for row, k in zip(matrix, range(first, stop), strict=True):
            place, kernel = wavelets.kernel(k)
            place += wavelets.width // 2 - start
            row[:, place : place + len(kernel)] = kernel.real, -kernel.imag
            spans.append((place // step * step, min(end - start, -(-(place + len(kernel)) // step) * step)))
        yield Rows(start, matrix.reshape(-1, end - start), np.array(spans))
