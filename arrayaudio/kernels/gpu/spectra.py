"""Constant-Q kernels by their spectra: tables of them, and segments of signals in chunks that memory holds."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.kernels.gpu.loader import current_device, on_device

# Values of a chunk in segments or, if these are more, in folded spectra.
CHUNK = 2**25
THREADS, MOST_BLOCKS, MOST_ROWS = 256, 2**16, 2**15


class Chunk(NamedTuple):
    """Some segments of some items; segments beyond the last one hold nothing."""

    item: int
    n_items: int
    first: int
    n_segments: int

    @property
    def size(self) -> int:
        """How many segments there are."""
        return self.n_items * self.n_segments

    @property
    def items(self) -> slice:
        """The items as an index."""
        return slice(self.item, self.item + self.n_items)


def chunks(n_items: int, n_segments: int, size: int) -> Iterator[Chunk]:
    """Go over all segments in chunks of one shape, so that FFTs need one plan; the last items may come twice.

    `size` is how many values a segment counts for. Only segments of a single item are ever shared out.
    """
    most = max(1, CHUNK // size)
    segments = _even(n_segments, most)
    items = _even(n_items, max(1, most // segments))
    for item in range(0, n_items, items):
        for first in range(0, n_segments, segments):
            yield Chunk(min(item, n_items - items), items, first, segments)


def _even(n: int, most: int) -> int:
    return -(-n // -(-n // most))


@functools.lru_cache(maxsize=16)
def _tables(offsets: tuple[int, ...], starts: tuple[int, ...], device: int) -> Any:  # noqa: ARG001 - copies live there
    return on_device(np.array(offsets, np.int64)), on_device(np.array(starts, np.int32))


def tables(spectra: Any) -> Any:
    """Where the spectrum of each kernel begins in the list of all, and at which FFT bin, on the current device."""
    return _tables(spectra.offsets, spectra.starts, current_device())


def pairs(coefficients: Any, responses: Any, first: int, useful: int) -> Iterator[tuple[Any, Any]]:
    """Views of coefficients (n_items, n_bins, n_frames) from a frame on, each with its places in segments.

    Of responses (n_items, n_segments, n_bins, period), `useful` frames count.
    """
    n_items, n_segments, n_bins, _ = responses.shape
    n_here = min(coefficients.shape[-1] - first, n_segments * useful)
    whole, rest = divmod(n_here, useful)
    end = first + whole * useful
    if whole:
        some = coefficients[..., first:end]
        yield some.reshape(n_items, n_bins, whole, useful), responses[:, :whole, :, :useful].swapaxes(1, 2)
    if rest:
        yield coefficients[..., end : end + rest], responses[:, whole, :, :rest]
