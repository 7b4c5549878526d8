"""Waveform <-> frames: padding, framing and overlap-add.

Framing and overlap-add are each other's adjoint. Both are written with slices, reshapes and concatenation alone, so
that they run, and can be differentiated, on any array library.
"""

from dataclasses import dataclass

import numpy as np

from arrayaudio.arrays import Array, namespace
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.primitive import primitive

# Each mode of numpy.pad but "empty", whose samples would be uninitialised memory.
INDEX_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")
VALUE_MODES = ("linear_ramp", "maximum", "mean", "median", "minimum")
PAD_MODES = INDEX_MODES + VALUE_MODES


@dataclass(frozen=True)
class Framing:
    """How a signal is cut into frames: their length, their distance and the padding on each side, in samples."""

    frame_length: int
    hop_length: int
    padding: int = 0
    pad_mode: str = "constant"

    @property
    def min_length(self) -> int:
        """The shortest signal that can be framed, in samples."""
        shortest = max(1, self.frame_length - 2 * self.padding)
        return max(shortest, self.padding + 1) if self.padding and self.pad_mode == "reflect" else shortest

    def n_frames(self, n_samples: int) -> int:
        """The number of whole frames in a signal of `n_samples` samples, or ParameterError if it is too short."""
        if n_samples < self.min_length:
            modes = "; pad_mode='constant' takes shorter ones" if self.padding and self.pad_mode == "reflect" else ""
            raise ParameterError(
                f"signal has {n_samples} samples: must have at least {self.min_length} for frames of "
                f"{self.frame_length} with {self.padding} samples of {self.pad_mode} padding on each side{modes}"
            )
        return 1 + (n_samples + 2 * self.padding - self.frame_length) // self.hop_length

    def edge_indices(self, n_samples: int) -> tuple[np.ndarray, np.ndarray] | None:
        """For each padded sample on the left and on the right, the index of the sample it repeats, or -1 for zero.

        None if the mode computes values that the signal does not hold.
        """
        if self.pad_mode not in INDEX_MODES:
            return None
        outside = np.arange(-self.padding, 0), np.arange(n_samples, n_samples + self.padding)
        left, right = (_source_index(position, n_samples, self.pad_mode) for position in outside)
        return left, right


def _source_index(position: np.ndarray, n: int, mode: str) -> np.ndarray:
    """Map positions outside 0..n-1 to those that `numpy.pad` repeats there, bouncing as often as needed."""
    if mode == "constant":
        return np.full_like(position, -1)
    if mode == "edge":
        return np.clip(position, 0, n - 1)
    if mode == "wrap":
        return position % n
    turn = n - 1 if mode == "reflect" else n  # samples between two mirrors
    folded = position % (2 * max(turn, 1))
    return np.where(folded < n, folded, 2 * turn - folded - (mode == "symmetric"))


def pad(y: Array, padding: int, mode: str) -> Array:
    """Add `padding` samples on each side of (..., n_samples), as numpy.pad does with its default options."""
    if padding == 0:
        return y
    xp = namespace(y)
    n = y.shape[-1]
    edges = Framing(1, 1, padding, mode).edge_indices(n)
    if mode == "constant":
        left = right = xp.zeros((*y.shape[:-1], padding), dtype=y.dtype)
    elif edges is not None:
        left, right = (xp.take(y, xp.asarray(index), axis=-1) for index in edges)
    else:
        left, right = _edge_values(y, padding, mode)
    return xp.concat([left, y, right], axis=-1)


def _edge_values(y: Array, padding: int, mode: str) -> tuple[Array, Array]:
    xp = namespace(y)
    if mode == "linear_ramp":
        ramp = Constant(np.arange(padding) / padding).like(y)
        return y[..., :1] * ramp, y[..., -1:] * xp.flip(ramp)
    if mode == "median":
        ordered, middle = xp.sort(y, axis=-1), y.shape[-1] // 2
        value = xp.mean(ordered[..., middle - (1 - y.shape[-1] % 2) : middle + 1], axis=-1, keepdims=True)
    else:
        reduce = {"maximum": xp.max, "mean": xp.mean, "minimum": xp.min}[mode]
        value = reduce(y, axis=-1, keepdims=True)
    flat = xp.broadcast_to(value, (*y.shape[:-1], padding))
    return flat, flat


def lengthened(x: Array, before: int, length: int) -> Array:
    """Put `before` zeros in front of the last axis, and zeros or nothing behind it, so that it has `length` values."""
    xp = namespace(x)
    left, right = (xp.zeros((*x.shape[:-1], n), dtype=x.dtype) for n in (before, max(0, length - before - x.shape[-1])))
    return xp.concat([left, x, right], axis=-1)[..., :length]


def frame(y: Array, frame_length: int, hop_length: int) -> Array:
    """Cut (..., n_samples) into all whole frames: (..., n_frames, frame_length). Adjoint of `overlap_add`."""
    xp = namespace(y)
    count = 1 + (y.shape[-1] - frame_length) // hop_length
    if count == 1:
        return y[..., None, :frame_length]
    parts = -(-frame_length // hop_length)
    n_blocks = count + parts - 1
    missing = max(0, n_blocks * hop_length - y.shape[-1])
    whole = xp.concat([y, xp.zeros((*y.shape[:-1], missing), dtype=y.dtype)], axis=-1) if missing else y
    blocks = xp.reshape(whole[..., : n_blocks * hop_length], (*y.shape[:-1], n_blocks, hop_length))
    frames = xp.concat([blocks[..., j : j + count, :] for j in range(parts)], axis=-1)
    return frames[..., :frame_length]


def overlap_add(frames: Array, hop_length: int) -> Array:
    """Add (..., n_frames, frame_length) up at their places: (..., (n_frames - 1) hop_length + frame_length)."""
    xp = namespace(frames)
    *batch, count, frame_length = frames.shape
    if count == 1:
        return frames[..., 0, :]
    parts = -(-frame_length // hop_length)
    filler = xp.zeros((*batch, count, parts * hop_length - frame_length), dtype=frames.dtype)
    wide = xp.concat([frames, filler], axis=-1)
    total = 0
    for j in range(parts):
        before, after = (xp.zeros((*batch, k, hop_length), dtype=frames.dtype) for k in (j, parts - 1 - j))
        block = wide[..., j * hop_length : (j + 1) * hop_length]
        total = total + xp.concat([before, block, after], axis=-2)
    flat = xp.reshape(total, (*batch, (count + parts - 1) * hop_length))
    return flat[..., : (count - 1) * hop_length + frame_length]


def framed(y: Array, framing: Framing) -> Array:
    """Pad and cut (..., n_samples): (..., n_frames, frame_length)."""
    framing.n_frames(y.shape[-1])
    return frame(pad(y, framing.padding, framing.pad_mode), framing.frame_length, framing.hop_length)


@primitive
def windowed_frames(y: Array, framing: Framing, window: Constant) -> Array:
    """Pad, cut and window (..., n_samples): (..., n_frames, frame_length)."""
    return framed(y, framing) * window.like(y)
