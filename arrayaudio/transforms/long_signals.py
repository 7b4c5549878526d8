"""Signals longer than memory allows at once: block by block, or in chunks into one result."""

import importlib
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, asarray, dtype_name, namespace, plain
from arrayaudio.errors import DifferentiationError, MemoryBudgetError, ParameterError
from arrayaudio.frames import INDEX_MODES, Framing
from arrayaudio.signals import require_finite
from arrayaudio.spectrum import limit_range
from arrayaudio.streaming.analysis import Analysis
from arrayaudio.streaming.base import Channels
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.output import require_output

READER = "arrayaudio.ext.io"  # loaded when a file is read
# Copies of a frame, and of its results, that a chunk holds at most on the slowest way.
COPIES_OF_FRAMES, COPIES_OF_RESULTS = 8, 4


def blocks(
    source: Any, stream: Callable[[Channels], Analysis], sr: float | None, block_length: int, mono: bool
) -> Iterator[Array]:
    """Frames of an array or a file, pushed through a stream block by block."""
    if isinstance(source, str | os.PathLike):
        rate, n_channels, pieces = importlib.import_module(READER).read_blocks(source, block_length, mono=mono)
        if sr is not None and rate != sr:
            raise ParameterError(
                f"{source}: has a sampling rate of {rate:g} Hz, and the transform sr={sr:g}; build it with sr={rate:g}"
            )
        running = stream(n_channels)
    else:
        y = asarray(source)
        if y.ndim == 0 or y.shape[-1] == 0:
            raise ParameterError(f"signal has shape {tuple(y.shape)}: must be (..., n_samples), with at least 1 sample")
        running = stream(tuple(y.shape[:-1]))
        n = y.shape[-1]
        pieces = (y[..., first : min(first + block_length, n)] for first in range(0, n, block_length))
    ready = itertools.chain(map(running.push, pieces), map(Analysis.flush, [running]))
    return (frames for frames in ready if frames.shape[-1])


def in_chunks(
    y: Array, checked: Callable[[Array], Array], framing: Framing, steps: ByFrames, budget: int, out: Array | None
) -> Array:
    """Results of (..., n_samples) in `out`, or in fresh memory, with no more than `budget` bytes beside it.

    Chunks of frames of an item have one shape, as have groups of items: caches of plans and buffers stay small. Where
    results are limited below the loudest value of an item, it is found first, which takes as long again.
    """
    if plain(y) is not y:
        raise DifferentiationError("memory_budget: an array on the tape is transformed at once; leave the budget out")
    if framing.padding and framing.pad_mode not in INDEX_MODES:
        raise ParameterError(
            f"pad_mode={framing.pad_mode!r}: needs the whole signal at once; with memory_budget, use one of "
            f"{', '.join(INDEX_MODES)}"
        )
    xp, n_frames = namespace(y), framing.n_frames(y.shape[-1])
    probe = steps.finish(steps.run(checked(xp.zeros((framing.frame_length,), dtype=y.dtype))))
    shape = (*y.shape[:-1], probe.shape[0], n_frames)
    if out is None:
        out = xp.empty(shape, dtype=probe.dtype)
    require_output(out, y, shape, dtype_name(probe))
    a_frame = COPIES_OF_FRAMES * framing.frame_length * max(4, np.dtype(dtype_name(y)).itemsize)
    a_frame += COPIES_OF_RESULTS * probe.shape[0] * np.dtype(dtype_name(probe)).itemsize
    items, count = _items(y.shape[:-1], budget // a_frame, n_frames)
    if count == 0:
        raise MemoryBudgetError(
            f"memory_budget={budget}: a frame of {framing.frame_length} samples takes up to {a_frame} bytes; allow more"
        )

    def levels(item: tuple[Any, ...], first: int) -> Array:
        hop = framing.hop_length
        part = piece(y[(*item, ...)], framing, first * hop, (first + count - 1) * hop + framing.frame_length)
        try:
            return steps.run(checked(part))
        except ParameterError:
            require_finite(y)  # which says where in the whole signal
            raise

    starts = [min(first, n_frames - count) for first in range(0, n_frames, count)]
    for item in items:
        loudest = None
        if steps.span is not None and len(starts) > 1:
            loudest = max(xp.max(levels(item, first)) for first in starts)
        for first in starts:
            S = levels(item, first)
            if steps.span is not None:
                S = limit_range(S, steps.span) if loudest is None else xp.maximum(S, loudest - steps.span)
            out[(*item, ..., slice(first, first + count))] = steps.finish(S)
    return out


def _items(batch: tuple[int, ...], frames: int, n_frames: int) -> tuple[Iterable[tuple[Any, ...]], int]:
    """Which items go together, as indices, and how many of their frames, if so many frames may be held at a time."""
    if batch and 0 not in batch:
        several = frames // (n_frames * math.prod(batch[1:]))
        if several:
            starts = range(0, batch[0], several)
            return ((slice(first, min(first + several, batch[0])),) for first in starts), n_frames
    return np.ndindex(batch), min(frames, n_frames)


def piece(y: Array, framing: Framing, start: int, stop: int) -> Array:
    """Samples from `start` to before `stop` of the padded signal."""
    xp, n, padding = namespace(y), y.shape[-1], framing.padding
    edges = framing.edge_indices(n)
    assert edges is not None
    parts = [y[..., max(0, start - padding) : min(n, max(0, stop - padding))]]
    for index, place in zip(edges, (0, padding + n), strict=True):
        here = index[max(0, start - place) : max(0, stop - place)]
        if here.size and here[0] < 0:
            values = xp.zeros((*y.shape[:-1], here.size), dtype=y.dtype)
        else:
            values = xp.take(y, xp.asarray(here), axis=-1)
        parts.insert(len(parts) if place else 0, values)
    return xp.concat(parts, axis=-1)
