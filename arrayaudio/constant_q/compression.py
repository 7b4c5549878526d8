"""Long kernels as combinations of few shapes.

A kernel of a low bin changes little from sample to sample, and so do all of its neighbours. Cut into blocks of a hop,
they span a space of few dimensions: of 84 bins from C1 at 22 050 Hz, the lower 36 need 144 shapes instead of 512
samples, with an error below that of rounding. So each block of the signal is compressed once, to its inner products
with the shapes, and what is left of the kernels is short.

The lower a bin, the fewer shapes it needs: the first of them serve the lowest group of bins, a few more the next.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arrayaudio.arrays import Array
from arrayaudio.constant_q.rows import LANES, Rows, aligned_zeros
from arrayaudio.constant_q.wavelets import Wavelets

# Samples of a block: fewer save little, and with more it takes long to find the shapes.
SHORTEST_BLOCK, LONGEST_BLOCK = 16, 512
# Kernels are known to within this part of their largest value, so no smaller tolerance can be asked for.
LEAST_TOLERANCE = 1e-7
# A group holds the bins whose kernels are longer than this part of its longest, and not more values than this.
SHORTER, LARGEST_GROUP = 0.5, 2**21


@dataclass(frozen=True)
class Compressed:
    """Orthonormal shapes, (n_shapes, block), and groups of kernels as combinations of the first few of them.

    A group is the number n of its shapes, and rows for a signal that has n values for each block.
    """

    shapes: Array
    groups: tuple[tuple[int, Rows], ...] = ()

    @property
    def n_bins(self) -> int:
        """How many kernels there are."""
        return sum(rows.n_bins for _, rows in self.groups)

    @property
    def n_blocks(self) -> int:
        """Blocks of a frame that the kernels meet."""
        return max(((rows.start + rows.width) // n for n, rows in self.groups), default=0)

    def mapped(self, place: Callable[[np.ndarray], Array]) -> "Compressed":
        """The same in the memory of another device."""
        groups = tuple((n, dataclasses.replace(rows, matrix=place(rows.matrix))) for n, rows in self.groups)
        return Compressed(place(self.shapes), groups)


def block_length(hop: int) -> int:
    """Samples of a block, a divisor of the hop, or 0 if none is of use."""
    return next((n for n in range(min(hop, LONGEST_BLOCK), SHORTEST_BLOCK - 1, -1) if hop % n == 0), 0)


def compressed(wavelets: Wavelets, hop: int, tolerance: float, dtype: str) -> tuple[Compressed, float]:
    """Kernels from the lowest on, in groups as long as each saves operations, and operations for a frame of all bins.

    No value of a kernel changes by more than `tolerance` of the largest. Bins in no group meet the signal as they are.
    """
    length, n_bins, found = block_length(hop), len(wavelets.lengths), []
    shapes, first, cost = np.zeros((0, length)), 0, 4 * sum(wavelets.lengths)
    while length and tolerance >= LEAST_TOLERANCE and first < n_bins:
        longest = wavelets.lengths[first]
        stop = first + max(1, int(LARGEST_GROUP / (2 * longest)))
        stop = first + sum(size > SHORTER * longest for size in wavelets.lengths[first:stop])
        kernels = [_blocks(wavelets, k, length) for k in range(first, stop)]
        direct, combining = 4 * sum(wavelets.lengths[first:stop]), 4 * sum(len(blocks) for _, blocks in kernels)
        most = int((direct + 2 * hop * len(shapes)) / (2 * hop + combining))
        more = _extended(shapes, [blocks for _, blocks in kernels], tolerance, most)
        if more is None:
            break
        cost += 2 * hop * (len(more) - len(shapes)) + combining * len(more) - direct
        found.append((len(more), _combined(kernels, more, dtype)))
        shapes, first = more, stop
    kept = aligned_zeros(shapes.shape, dtype)
    kept[...] = shapes
    return Compressed(kept, tuple(found)), cost


def _blocks(wavelets: Wavelets, k: int, length: int) -> tuple[int, np.ndarray]:
    """Kernel k cut into blocks from the beginning of a frame on: the first block, and all, (n_blocks, 2, length).

    Real and conjugate imaginary parts are in single precision, which is far finer than any tolerance here.
    """
    start, kernel = wavelets.kernel(k)
    first, before = divmod(wavelets.width // 2 + start, length)
    n_blocks = -(-(before + len(kernel)) // length)
    parts = np.zeros((2, n_blocks * length), np.float32)
    parts[:, before : before + len(kernel)] = kernel.real, -kernel.imag
    return first, parts.reshape(2, n_blocks, length).swapaxes(0, 1)


def _extended(shapes: np.ndarray, kernels: list[np.ndarray], tolerance: float, most: int) -> np.ndarray | None:
    """Shapes and as many more as kernels, (n_blocks, 2, length) each, need, or None if that is more than `most`.

    The next shape is always what is left of the block that is missed most. There are a multiple of the lanes.
    """
    length, n = shapes.shape[1], len(shapes)
    rows = np.concatenate([blocks.reshape(-1, length) / np.float64(np.abs(blocks).max()) for blocks in kernels])
    found = np.zeros((max(n, min(most, length) // LANES * LANES), length))
    found[:n] = shapes
    rest = _rest(rows, shapes)
    missed = np.einsum("ij,ij->i", rest, rest)
    while n % LANES or max(rest.max(), -rest.min()) > tolerance:
        if n == len(found):
            return None
        shape = rows[np.argmax(missed)]
        for _ in range(3):  # rounding leaves a little of the others the first times
            shape = shape - (found[:n] @ shape) @ found[:n]
            shape /= np.linalg.norm(shape)
        # So small a product is done before the threads of a matrix product have met.
        missed -= np.einsum("ij,j->i", rows, shape) ** 2
        found[n] = shape
        n += 1
        if n % LANES == 0:
            del rest
            rest = _rest(rows, found[:n])
    return found[:n]


def _rest(rows: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """What the shapes miss, with the sign changed."""
    rest = (rows @ shapes.T) @ shapes
    rest -= rows
    return rest


def _combined(kernels: list[tuple[int, np.ndarray]], shapes: np.ndarray, dtype: str) -> Rows:
    """Rows for a signal of which each block is its inner products with the shapes."""
    n = len(shapes)
    first = min(first for first, _ in kernels)
    width = n * (max(place + len(blocks) for place, blocks in kernels) - first)
    matrix, spans = aligned_zeros((len(kernels), 2, width), dtype), []
    for row, (place, blocks) in zip(matrix, kernels, strict=True):
        span = n * (place - first), n * (place - first + len(blocks))
        row[:, slice(*span)] = (blocks @ shapes.T).swapaxes(0, 1).reshape(2, -1)
        spans.append(span)
    return Rows(n * first, matrix.reshape(-1, width), np.array(spans))
