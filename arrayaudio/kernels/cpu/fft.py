"""Fourier transforms of real frames that lie side by side, one in each lane of a vector.

Two samples make a complex number, which halves the transform: n samples are N = n / 2 complex points. These pass
through at most three butterflies, N = abc, in place. The last one gives the bins of one residue modulo ab at a time;
those of the opposite residue beside them, the spectrum of the samples follows on the spot. Rows are samples or bins:
nothing is ever transposed but the samples.
"""

import functools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.kernels import codelets
from arrayaudio.kernels.codelets import codelet
from arrayaudio.kernels.cpu import butterflies
from arrayaudio.kernels.cpu import lanes as vectors
from arrayaudio.kernels.cpu.butterflies import butterfly, transpose
from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.lanes import filled, lanes, load, load_in_turn, store

RADICES = tuple(r for r in range(1, 33) if all(r % p for p in (11, 13, 17, 19, 23, 29, 31)))
LARGEST = 2**14
# Loading and storing a row, in arithmetic operations.
PASSAGE = 10
# Functions that Numba keeps on disk outlive changes in other files, unless they hold something that changes with them.
PARTS = (codelets.__file__, vectors.__file__, butterflies.__file__, __file__)
VERSION = 1 + zlib.crc32(b"".join(Path(part).read_bytes() for part in PARTS))


def inlined(function: Callable[..., Any]) -> Any:
    """Compile into the functions that call it, where numbers that these know are known to it too."""
    return jit(function, inline="always")


class Layout(NamedTuple):
    """The lanes of a vector, the sizes of the butterflies, and how far apart the rows of the first two lie."""

    n_lanes: int
    first: int
    second: int
    third: int
    first_step: int
    second_step: int

    @property
    def size(self) -> int:
        """The memory that rows take, in numbers."""
        return self.first * self.first_step


class Tables(NamedTuple):
    """Where the row of each sample lies, and factors exp(-2 pi i x): those before the butterflies, and of halves."""

    positions: np.ndarray
    second: np.ndarray
    third: np.ndarray
    halves: np.ndarray


@functools.cache
def radices(n: int) -> tuple[int, int, int] | None:
    """Return the three factors of n, 1 where they are not needed, with the least work; None if there are none."""

    def work(factors: tuple[int, int, int]) -> float:
        return sum((len(codelet(r).operations) + 2 * r * PASSAGE) / r for r in factors if r > 1)

    splits = ((a, n // (a * c), c) for a in RADICES for c in RADICES[::-1] if n % (a * c) == 0)
    found = [f for f in splits if f[1] in RADICES and f[2] >= min(n, 2) and (f[0] > 1 or f[1] == 1)]
    return min(found, key=work, default=None)


def covered(n: int, dtype: np.dtype[Any]) -> bool:
    """Whether frames of `n` samples can be transformed here."""
    return n % 2 == 0 and lanes(dtype) <= n <= LARGEST and radices(n // 2) is not None


def layout(n: int, dtype: np.dtype[Any]) -> Layout:
    """Return how frames of `n` samples are laid out; odd distances of rows, as powers of two share few cache sets."""
    first, second, third = radices(n // 2) or (1, 1, 1)
    row = 2 * lanes(dtype)
    return Layout(lanes(dtype), first, second, third, row * (second * (third | 1) | 1), row * (third | 1))


@functools.lru_cache(maxsize=32)
def tables(n: int, dtype: np.dtype[Any]) -> Tables:
    """Return the tables for frames of `n` samples."""
    place = layout(n, dtype)
    a, b, c = place.first, place.second, place.third

    def turns(x: np.ndarray) -> np.ndarray:
        return np.stack([np.cos(2 * np.pi * x), -np.sin(2 * np.pi * x)], axis=-1).astype(dtype).ravel()

    i, j, k = np.ogrid[:a, :b, :c]
    points = i * place.first_step + j * place.second_step + k * 2 * place.n_lanes
    positions = points.reshape(-1, 1) + np.array([0, place.n_lanes])
    return Tables(
        positions.ravel().astype(np.intp),
        turns(np.outer(np.arange(a), np.arange(b)) / (a * b)),
        turns(np.outer(np.arange(a * b), np.arange(c)) / (n // 2)),
        turns(np.arange(n // 2) / n),
    )


@inlined
def load_frames(L, signal, first, hop, window, positions, rows):  # type: ignore[no-untyped-def]
    """Put the windowed samples of as many frames as there are lanes into rows."""
    n = window.size
    for place in range(0, n, L):
        transpose(L, signal, first, hop, window, min(place, n - L), rows, positions)


@inlined
def _columns(L, a, b, c, first_step, second_step, rows, second):  # type: ignore[no-untyped-def]
    """Do all but the last butterflies."""
    row = 2 * L
    if a > 1:
        for j in range(b):
            for k in range(c):
                place = j * second_step + k * row
                butterfly(a, L, rows, place, first_step, None, 0, rows, place, first_step)
    if b > 1:
        for i in range(a):
            for k in range(c):
                place = i * first_step + k * row
                butterfly(b, L, rows, place, second_step, second, 2 * b * i, rows, place, second_step)


@inlined
def transform(L, a, b, c, first_step, second_step, rows, second, third, halves, column, spectrum, bins):  # type: ignore[no-untyped-def]
    """Transform the frames in `rows` to twice their (re, im), in rows of `bins`, or to four times their power."""
    _columns(L, a, b, c, first_step, second_step, rows, second)
    row = 2 * L
    n_columns, n_bins = a * b, a * b * c + 1
    for i in range(n_columns // 2 + 1):
        alone = 2 * i % n_columns == 0
        for half in range(1 if alone else 2):
            j = n_columns - i if half else i
            place = j % a * first_step + j // a * second_step
            butterfly(c, L, rows, place, row, third, 2 * c * j, column, half * c * row, row)
        # Bins k and N - k of half the transform make those of the whole: even samples' spectrum +- that of odd ones.
        opposite, beside = c - 1 if i else c, 0 if alone else c
        for j in range(opposite // 2 + 1 if alone else c):
            one, other = j * row, (beside + (opposite - j) % c) * row
            k = i + j * n_columns
            re, im, w_re, w_im = load(L, column, one), load(L, column, one + L), halves[2 * k], halves[2 * k + 1]
            mirror_re, mirror_im = load(L, column, other), load(L, column, other + L)
            even_re, even_im = re + mirror_re, im - mirror_im
            odd_re, odd_im = im + mirror_im, mirror_re - re
            turned_re, turned_im = odd_re * w_re - odd_im * w_im, odd_re * w_im + odd_im * w_re
            re, im = even_re + turned_re, even_im + turned_im
            mirror_re, mirror_im = even_re - turned_re, turned_im - even_im
            k_mirror = n_bins - 1 - k
            if spectrum:
                store(re, bins, k * row)
                store(im, bins, k * row + L)
                store(mirror_re, bins, k_mirror * row)
                store(mirror_im, bins, k_mirror * row + L)
            else:
                store(re * re + im * im, bins, k * L)
                store(mirror_re * mirror_re + mirror_im * mirror_im, bins, k_mirror * L)


@inlined
def inverse(  # type: ignore[no-untyped-def]
    L, a, b, c, first_step, second_step, spectra, start, step, in_turn, rows, positions, second, third, halves, samples
):
    """Transform complex rows in the array `spectra`, `step` numbers apart, back into n times the samples.

    In a row, real and imaginary parts are in turn, or the ones after the others as in the rows of `transform`. Going
    back is going forth with real and imaginary parts in each other's place; so those of samples are.
    """
    _combine(L, a * b * c, spectra, start, step, in_turn, positions, halves, rows)
    _columns(L, a, b, c, first_step, second_step, rows, second)
    row = 2 * L
    for j in range(a * b):
        place = j % a * first_step + j // a * second_step
        butterfly(c, L, rows, place, row, third, 2 * c * j, samples, j * row, a * b * row)


@inlined
def _combine(L, n, spectra, start, step, in_turn, positions, halves, rows):  # type: ignore[no-untyped-def]
    """From rows k and n - k of the whole spectrum those of half of it; what those at its ends have is real."""
    for k in range(n // 2 + 1):
        one, other = start + k * step, start + (n - k) * step
        if in_turn:
            re, im = load_in_turn(L, spectra, one)
            mirror_re, mirror_im = load_in_turn(L, spectra, other)
        else:
            re, im = load(L, spectra, one), load(L, spectra, one + L)
            mirror_re, mirror_im = load(L, spectra, other), load(L, spectra, other + L)
        if k == 0:
            im, mirror_im = filled(L, spectra.dtype.type(0)), filled(L, spectra.dtype.type(0))
        w_re, w_im = halves[2 * k], halves[2 * k + 1]
        even_re, even_im = re + mirror_re, im - mirror_im
        turned_re, turned_im = re - mirror_re, im + mirror_im
        odd_re, odd_im = turned_re * w_re + turned_im * w_im, turned_im * w_re - turned_re * w_im
        here, there = positions[2 * k], positions[2 * ((n - k) % n)]
        # Even samples are real parts, odd ones imaginary; their spectra add up as even + i odd.
        store(odd_re - even_im, rows, there)
        store(even_re + odd_im, rows, there + L)
        store(even_im + odd_re, rows, here)
        store(even_re - odd_im, rows, here + L)
