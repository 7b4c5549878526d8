"""Bands of the spectrum of a whole signal, spaced as in a constant-Q transform, from which it comes back exactly.

This is a painless non-stationary Gabor frame (Balazs, Doerfler, Jaillet, Holighaus, Velasco, 2011; Velasco, Holighaus,
Doerfler, Grill, 2011). Each band is a piece of the half spectrum times a window, brought down to as many samples as it
has frequencies or more. The squared windows add up to 1, so the same windows lead back.
"""

import functools
from dataclasses import dataclass

import numpy as np

from arrayaudio.arrays import Array, namespace
from arrayaudio.constant_q.projection import folded, unfolded
from arrayaudio.constants import Constant
from arrayaudio.frames import lengthened


@dataclass(frozen=True)
class Tiling:
    """Windows over the half spectrum of `n_fft` samples: window k holds the FFT bins from starts[k] on."""

    n_fft: int
    starts: tuple[int, ...]
    windows: tuple[Constant, ...]


@functools.lru_cache(maxsize=8)
def tiling(nodes: tuple[float, ...], n_fft: int) -> Tiling:
    """Windows that rise from one node to the next and fall to the one after it, the first and the last but halves.

    Nodes are frequencies in cycles per sample, from 0 to 1/2.
    """
    bins = np.arange(n_fft // 2 + 1) / n_fft
    right = np.clip(np.searchsorted(nodes, bins, side="right"), 1, len(nodes) - 1)
    left = np.asarray(nodes)[right - 1]
    turn = np.pi / 2 * (bins - left) / (np.asarray(nodes)[right] - left)
    # Hann windows, divided by the root of the sum of their squares.
    falling, rising = np.cos(turn) ** 2, np.sin(turn) ** 2
    size = np.hypot(falling, rising)
    starts, windows = [], []
    for k in range(len(nodes)):
        inside = np.flatnonzero((right == k + 1) | (right == k))
        values = np.where(right == k + 1, falling, rising)[inside] / size[inside]
        starts.append(int(inside[0]) if len(inside) else 0)
        windows.append(Constant(values))
    return Tiling(n_fft, tuple(starts), tuple(windows))


def bands(y: Array, tiles: Tiling, periods: list[int]) -> list[Array]:
    """Cut real signals (..., n_fft) into complex bands (..., periods[k]); sinusoids get half their amplitude."""
    xp = namespace(y)
    X = xp.fft.rfft(y, axis=-1, norm="forward")
    rows = []
    for start, window, period in zip(tiles.starts, tiles.windows, periods, strict=True):
        piece = X[..., start : start + len(window.value)] * window.like(y)
        rows.append(xp.fft.ifft(folded(piece, start, period), axis=-1, norm="forward"))
    return rows


def joined(rows: list[Array], tiles: Tiling) -> Array:
    """Inverse, and up to a factor adjoint, of `bands`: (..., n_fft) from complex bands of any lengths."""
    xp = namespace(*rows)
    n_half = tiles.n_fft // 2 + 1
    total: Array = 0
    # A band overlaps with its neighbours alone, so every other band lies beside the next.
    for first in (0, 1):
        pieces, stop = [], 0
        for start, window, row in zip(tiles.starts[first::2], tiles.windows[first::2], rows[first::2], strict=True):
            size = len(window.value)
            if size:
                spectrum = unfolded(xp.fft.fft(row, axis=-1, norm="forward"), start, size)
                pieces.append(lengthened(spectrum * window.like(row), start - stop, start - stop + size))
                stop = start + size
        total = total + lengthened(xp.concat(pieces, axis=-1), 0, n_half)
    return xp.fft.irfft(total, n=tiles.n_fft, axis=-1, norm="forward")
