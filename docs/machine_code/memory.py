"""Shared and global memory of a block, and how evenly and how often they are used."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

WARP, BANKS, SECTOR = 32, 32, 32
SHARED_BASE = 0x400  # where the shared memory of a block begins
ALIGNMENT = 512  # of arrays in global memory, as CuPy allots it


class Memory:
    """The arrays of a launch, at addresses of their own, and shared memory, which holds NaN at first."""

    def __init__(self, arrays: Sequence[np.ndarray], shared_bytes: int) -> None:
        self.shared = np.full(SHARED_BASE + shared_bytes, 0xFF, np.uint8)
        self.arrays = [array.reshape(-1).view(np.uint8) for array in arrays]
        self.addresses: list[int] = []
        free = 2**40
        for array in self.arrays:
            self.addresses.append(free)
            free += array.nbytes + ALIGNMENT + -array.nbytes % ALIGNMENT
        self.counts: Counter[str] = Counter()

    def words(self, name: str, places: np.ndarray, warps: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Count an access, and return the memory that it goes to and where in it the bytes of each value are."""
        assert not (places % width).any(), f"{name} of {width} bytes at an address that is no multiple"
        if name.endswith("S"):
            assert places.min() >= SHARED_BASE
            self.counts["shared bytes"] += width * len(places)
            self.counts["shared wavefronts"] += wavefronts(places, warps, width)
            memory, start = self.shared, 0
        else:
            touched = np.unique(np.stack([warps, places // SECTOR]), axis=1).shape[1]
            self.counts["read sectors" if name == "LDG" else "written sectors"] += touched
            memory, start = next(
                (array, address)
                for array, address in zip(self.arrays, self.addresses, strict=True)
                if address <= places.min() and places.max() + width <= address + array.nbytes
            )
        return memory, (places - start)[:, None] + np.arange(width)


def wavefronts(places: np.ndarray, warps: np.ndarray, width: int) -> int:
    """Passes through the banks of shared memory: a bank gives one word at a time, to all that want it.

    Values of two or four words go in two or four parts of a warp.
    """
    total = 0
    for warp in np.unique(warps):
        mine = places[warps == warp]
        size = WARP * 4 // width
        for begin in range(0, len(mine), size):
            words = np.unique((mine[begin : begin + size, None] // 4 + np.arange(width // 4)).ravel())
            total += int(np.bincount(words % BANKS).max())
    return total
