"""A bank of constant-Q kernels made ready: short ones as matrices, long ones in the cheaper of two other forms.

A frame of the result is the inner product of the signal, around the middle of the frame, with each kernel. Three ways
lead there:

- short kernels are rows of a matrix, and meet frames of the signal (`Rows`);
- long kernels become short ones for a signal that is compressed block by block (`Compressed`);
- or they are kept as the part of their spectrum that matters (`Spectra`), which is cheaper for small hops. On a GPU,
  where memory is faster and less scarce, short ones are too. The spectrum X of a whole segment of the signal,
  n_fft = hop M samples, times that of the kernel is the spectrum of the response at every sample. Only every hop-th is
  wanted, so the product is folded to M values before it goes back.

With a segment for each frame, this is the method of Brown and Puckette (1992).
"""

import dataclasses
import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.arrays import Array, device, dtype_name, namespace, settled
from arrayaudio.constant_q.compression import Compressed, compressed
from arrayaudio.constant_q.rows import LANES, Rows, columns, groups, rows
from arrayaudio.constant_q.wavelets import Wavelets, spectral_reach

METHODS = ("auto", "1992", "1992v2")
# Operations that a core does in the same time in products of matrices, in folding spectra, and in FFTs.
MATRIX_SPEED, FOLD_SPEED, FFT_SPEED = 14.0, 1.0, 1.0
# Values that a spectrum is folded to for a single frame: one would do, but sums of many terms lose digits.
FOLDED = 64
# Bytes of kernel spectra for one bank, at most, and on a GPU; bytes of matrices kept from call to call.
LARGEST_SPECTRA, LARGEST_ON_GPU, LARGEST_KEPT = 2**24, 2**28, 2**24


@dataclass(frozen=True)
class Bank:
    """Kernels, the frames they meet, and how: by a method, with spectra that may miss `tolerance` of the largest value.

    Signals come padded: frame t is centred at sample t hop_length + wavelets.width // 2.
    """

    wavelets: Wavelets
    hop_length: int
    method: str = "auto"
    tolerance: float | None = None

    def missing(self, dtype: str) -> float:
        """Part of the largest value that may be missed."""
        default = 5e-7 if dtype == "float32" else 1e-13
        return default if self.tolerance is None else self.tolerance

    def reach(self, dtype: str) -> float:
        """Bins of sr / length on each side of its middle that are kept of a kernel's spectrum."""
        return spectral_reach(self.wavelets.window, self.missing(dtype))

    def part(self, first: int, stop: int) -> "Bank":
        """The kernels from `first` to before `stop`."""
        return dataclasses.replace(self, wavelets=self.wavelets.bins(first, stop))

    def like(self, array: Array) -> "Prepared":
        """The kernels in the precision and on the device of an array."""
        dtype = "float32" if dtype_name(array) in ("float32", "complex64") else "float64"
        return _prepared(self, dtype, namespace(array), device(array))


@dataclass(frozen=True)
class Spectra:
    """Conjugate spectra of kernels, divided by n_fft, for segments of n_fft samples with `n_frames` useful frames.

    That of kernel k is values[offsets[k] : offsets[k + 1]] and begins at FFT bin `starts[k]`, which may be negative:
    the bins go round. Bins that are `period` apart coincide when they are folded.
    """

    n_fft: int
    period: int
    n_frames: int
    starts: tuple[int, ...]
    offsets: tuple[int, ...]
    values: Array

    @property
    def pieces(self) -> Iterator[tuple[int, Array]]:
        """First FFT bin and conjugate spectrum of each kernel."""
        for start, (first, stop) in zip(self.starts, itertools.pairwise(self.offsets), strict=True):
            yield start, self.values[first:stop]

    @property
    def span(self) -> tuple[int, int]:
        """The first FFT bin that any kernel touches, at most 0, and the one after the last."""
        sizes = (stop - first for first, stop in itertools.pairwise(self.offsets))
        return min(0, *self.starts, 0), max(map(operator.add, self.starts, sizes))


def support(length: float, reach: float, n_fft: int) -> int:
    """FFT bins to keep of a kernel's spectrum; all of them if it reaches round."""
    wide = 2 * reach * n_fft / length
    return n_fft if wide + 2 >= n_fft else math.ceil(wide) + 2


def segment(bank: Bank) -> tuple[int, int, int]:
    """Samples of a segment, FFT bins between those that coincide when folded, and frames in a segment."""
    width, hop = bank.wavelets.width, bank.hop_length
    if bank.method == "1992":
        return max(FOLDED, 2 ** math.ceil(math.log2(width))), FOLDED, 1
    overlap = -(-width // hop)
    period = scipy.fft.next_fast_len(overlap + max(3 * overlap, 64))  # three quarters of a segment are of use
    return hop * period, period, period - overlap


def supports(bank: Bank, dtype: str) -> np.ndarray:
    """FFT bins to keep of the spectrum of each kernel."""
    n_fft, reach = segment(bank)[0], bank.reach(dtype)
    return np.array([support(length, reach, n_fft) for length in bank.wavelets.lengths])


def spectral_costs(bank: Bank, dtype: str) -> np.ndarray:
    """Cost of a frame if the first 0, 1, 2, ... bins go through the spectrum, and the others through frames."""
    n_fft, _, n_useful = segment(bank)
    lengths, kept = np.array(bank.wavelets.lengths), supports(bank, dtype)
    spectral = np.cumsum(8 * kept / n_useful) / FOLD_SPEED
    framed = np.cumsum((4 * lengths)[::-1])[::-1] / MATRIX_SPEED
    fft = 2.5 * n_fft * math.log2(n_fft) / n_useful / FFT_SPEED
    costs = np.append(framed, 0.0) + np.append(0.0, fft + spectral)
    costs[1:][np.cumsum(kept) * 2 * np.dtype(dtype).itemsize > LARGEST_SPECTRA] = math.inf
    return costs


def long_kernels(bank: Bank, dtype: str, on_gpu: bool = False) -> tuple[int, Compressed]:
    """How many bins, from the lowest on, go through the spectrum, and those that are compressed, if any do."""
    n_bins, none = len(bank.wavelets.lengths), Compressed(np.zeros((0, 0), dtype))
    if bank.method != "auto":
        return (n_bins if bank.method == "1992" else 0), none
    if on_gpu and supports(bank, dtype).sum() * 2 * np.dtype(dtype).itemsize <= LARGEST_ON_GPU:
        return n_bins, none
    costs = spectral_costs(bank, dtype)
    short, cost = compressed(bank.wavelets, bank.hop_length, bank.missing(dtype), dtype)
    return (0, short) if cost / MATRIX_SPEED <= costs.min() else (int(np.argmin(costs)), none)


def spectra(bank: Bank, stop_bin: int, dtype: str) -> Spectra:
    """Spectra of the kernels before `stop_bin`."""
    n_fft, period, n_useful = segment(bank)
    wavelets, reach, complex_type = bank.wavelets, bank.reach(dtype), np.result_type(dtype, np.complex64)
    starts, values = [], []
    for k in range(stop_bin):
        first, kernel = wavelets.kernel(k)
        kept = support(wavelets.lengths[k], reach, n_fft)
        start = 0 if kept == n_fft else round(wavelets.frequencies[k] / wavelets.sr * n_fft) - kept // 2
        step = 1 if kept == n_fft else stride(wavelets.lengths[k] / (8 * reach), n_fft)
        place = wavelets.width // 2 + first
        skip = -place % step
        samples = np.zeros(n_fft // step, np.complex128)
        some = kernel[skip::step]
        samples[(place + skip) // step :][: len(some)] = some
        spectrum = scipy.fft.fft(samples).take(np.arange(start, start + kept), mode="wrap")
        starts.append(start)
        values.append((np.conj(spectrum) * (step / n_fft)).astype(complex_type))
    offsets = (0, *itertools.accumulate(map(len, values)))
    flat = np.concatenate(values) if values else np.zeros(0, complex_type)
    return Spectra(n_fft, period, n_useful, tuple(starts), offsets, flat)


def stride(most: float, n_fft: int) -> int:
    """The largest divisor of n_fft up to `most`: a kernel sampled so much more thinly has the same spectrum.

    With four times the samples that the kept part of the spectrum needs, what folds back is below the tolerance.
    """
    return next(step for step in range(max(1, int(most)), 0, -1) if n_fft % step == 0)


class Prepared:
    """The kernels of a bank in one dtype and in the memory of one device, made when they are first needed.

    The lowest bins are in `compressed` or in `spectra`, and the others, from `n_long` on, in `rows`.
    """

    def __init__(self, bank: Bank, dtype: str, place: Callable[[np.ndarray], Array], on_gpu: bool = False) -> None:
        self._bank, self._dtype, self._place = bank, dtype, place
        self.n_spectral, short = long_kernels(bank, dtype, on_gpu)
        self.n_long = self.n_spectral + short.n_bins
        self.compressed = short.mapped(place)
        made = spectra(bank, self.n_spectral, dtype)
        self.spectra = dataclasses.replace(made, values=place(made.values))
        self.is_kept = 2 * np.dtype(dtype).itemsize * sum(bank.wavelets.lengths[self.n_long :]) <= LARGEST_KEPT
        self._kept: list[Rows] | None = None

    @property
    def n_values(self) -> int:
        """The size of all matrices of the other bins together."""
        wavelets, total = self._bank.wavelets, 0
        for first, stop, width in groups(wavelets, self.n_long):
            start, end = columns(wavelets, width, LANES)
            total += 2 * (stop - first) * (end - start)
        return total

    def made_rows(self) -> Iterator[Rows]:
        """Make the matrices of the other bins, one after the other."""
        for group in rows(self._bank.wavelets, self.n_long, self._dtype, LANES):
            yield dataclasses.replace(group, matrix=self._place(group.matrix))

    @property
    def rows(self) -> Iterable[Rows]:
        """The matrices of the other bins; those of a large bank are made again each time, so that none are kept."""
        if self._kept is None and self.is_kept:
            self._kept = list(self.made_rows())
        return self.made_rows() if self._kept is None else self._kept


@functools.lru_cache(maxsize=8)
def _prepared(bank: Bank, dtype: str, xp: Any, place: str) -> Prepared:
    return Prepared(bank, dtype, lambda values: settled(xp.asarray(values)), on_gpu=place != "cpu")
