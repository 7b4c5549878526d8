"""The Fourier transform of frames at any frequencies, between the bins of the FFT too, and its adjoint.

Few frequencies or short frames are a product with a dense basis. Otherwise it is a non-uniform FFT: frames are divided
by the transform of a short kernel, padded with zeros and transformed by the FFT, whose bins the kernel then weighs into
each frequency (Dutt and Rokhlin, 1993; the Kaiser-Bessel kernel after Jackson et al., 1991, and Beatty et al., 2005).
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arrayaudio.arrays import Array, dtype_name, namespace
from arrayaudio.constants import Constant

SINGLE = ("float32", "complex64")
# Bins that the kernel weighs into a frequency, as many as the error of each dtype needs: it falls tenfold with each.
TAPS = {"float32": 8, "float64": 16}
# Frequencies whose kernels make one matrix product.
BLOCK = 32
# Bytes of the zero-padded frames that are in memory at once.
CHUNK_BYTES = 2**25
# Values of a dense basis at most: 128 MiB.
LARGEST_BASIS = 2**24
IMAGINARY = Constant(1j)

Block = tuple[slice, Constant]


def exact_product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rounded product and what rounding took from it, by splitting both factors in halves (Dekker, 1971).

    Phases of late samples keep all their digits this way, as they must when whole turns are taken off.
    """
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wide = x * (2.0**27 + 1)
    high = wide - (wide - x)
    return high, x - high


@functools.lru_cache(maxsize=16)
def dense_basis(frequencies: Constant, n_fft: int) -> Constant:
    """Cosines, and below them negative sines, of (F,) frequencies in cycles per sample: (2 F, n_fft)."""
    product, lost = exact_product(frequencies.value[:, None], np.arange(n_fft, dtype=np.float64))
    angles = 2 * np.pi * (np.mod(product, 1.0) + lost)
    return Constant(np.concatenate([np.cos(angles), -np.sin(angles)]))


@dataclass(frozen=True, eq=False)
class Interpolation:
    """Constants of the non-uniform FFT.

    Frames times `correction` are padded to `length` and transformed. From bins -margin ... length // 2 + margin, `taps`
    weigh those from starts[k] on, counted from the first, into row k: taps[k, 0] their interleaved real and imaginary
    parts into its real part, taps[k, 1] into its imaginary part. `blocks` hold the same weights as complex matrices:
    each makes the next rows from a slice of bins, and `adjoint_blocks` the next bins from a slice of rows.
    """

    length: int
    margin: int
    correction: Constant
    starts: np.ndarray
    taps: Constant
    blocks: tuple[Block, ...]
    adjoint_blocks: tuple[Block, ...]

    def mirrored(self, X: Array) -> Array:
        """Add `margin` bins on both sides of half spectra (..., length // 2 + 1) of real frames."""
        xp = namespace(X)
        left, right = X[..., 1 : self.margin + 1], X[..., -self.margin - 1 : -1]
        return xp.concat([xp.conj(xp.flip(left, axis=-1)), X, xp.conj(xp.flip(right, axis=-1))], axis=-1)


def fft_length(n_fft: int) -> int:
    """An even length, at least twice the frame's, of which FFTs are fast."""
    import scipy.fft

    return 2 * int(scipy.fft.next_fast_len(n_fft, real=True))


@functools.lru_cache(maxsize=16)
def _interpolation(frequencies: Constant, n_fft: int, taps: int) -> Interpolation:
    length, middle, margin = fft_length(n_fft), (n_fft - 1) / 2, taps // 2
    beta = math.pi * taps * (1 - n_fft / length / 2)
    # The kernel I0(beta sqrt(1 - (2 x / taps)^2)) has the transform taps sinh(z) / z, z^2 = beta^2 - (pi taps nu)^2.
    z = np.sqrt(beta**2 - (math.pi * taps * (np.arange(n_fft) - middle) / length) ** 2)

    position, lost = exact_product(frequencies.value[:, None], np.array([float(length)]))
    first = np.ceil(position - taps / 2)
    distance = (position - (first + np.arange(taps))) + lost
    kernel = np.i0(beta * np.sqrt(np.maximum(0, 1 - (2 * distance / taps) ** 2)))
    # The kernel is meant for frames about time 0, and these begin there.
    weights = kernel * np.exp(-2j * np.pi * distance * (middle / length))

    starts = first[:, 0].astype(np.int64) + margin
    band, n_rows, n_bins = _Band(starts, weights), len(starts), length // 2 + 2 * margin + 1
    parts = np.stack([weights.real, -weights.imag, weights.imag, weights.real], axis=-1)  # of 2 x 2 matrices
    return Interpolation(
        length=length,
        margin=margin,
        correction=Constant(z / (taps * np.sinh(z))),
        starts=starts,
        taps=Constant(parts.reshape(n_rows, taps, 2, 2).swapaxes(1, 2).reshape(n_rows, 2, 2 * taps)),
        blocks=tuple(band.rows(k, min(k + BLOCK, n_rows)) for k in range(0, n_rows, BLOCK)),
        adjoint_blocks=tuple(band.columns(k, min(k + BLOCK, n_bins)) for k in range(0, n_bins, BLOCK)),
    )


@dataclass(frozen=True, eq=False)
class _Band:
    """A matrix whose row k holds weights[k] from column starts[k] on; starts ascend."""

    starts: np.ndarray
    weights: np.ndarray

    def part(self, rows: slice, columns: slice) -> np.ndarray:
        """Cut a part out of the matrix."""
        starts, weights = self.starts[rows], self.weights[rows]
        out = np.zeros((len(starts), columns.stop - columns.start), dtype=weights.dtype)
        column = starts[:, None] - columns.start + np.arange(weights.shape[1])
        row, tap = np.nonzero((column >= 0) & (column < out.shape[1]))
        out[row, column[row, tap]] = weights[row, tap]
        return out

    def rows(self, first: int, end: int) -> Block:
        """Some rows, and the columns they need."""
        columns = slice(int(self.starts[first]), int(self.starts[end - 1]) + self.weights.shape[1])
        return columns, Constant(self.part(slice(first, end), columns))

    def columns(self, first: int, end: int) -> Block:
        """Some columns, transposed and conjugated, and the rows they need; at least one, for the matrix product."""
        low = min(int(np.searchsorted(self.starts, first - self.weights.shape[1], side="right")), len(self.starts) - 1)
        rows = slice(low, max(low + 1, int(np.searchsorted(self.starts, end))))
        return rows, Constant(self.part(rows, slice(first, end)).conj().T)


def is_dense(n_rows: int, n_fft: int) -> bool:
    """Whether the product with a dense basis is the cheaper way.

    It costs 2 n_fft n_rows multiplications for each frame; the other way costs blocks of 128 n_fft, and an FFT of twice
    the length, about 2 n_fft log2(2 n_fft) multiplications that each take some twenty times as long. Bases beyond
    LARGEST_BASIS are not built.
    """
    cheaper = n_fft < 64 or n_rows <= 64 + 20 * math.log2(2 * n_fft)
    return cheaper and 2 * n_fft * n_rows <= LARGEST_BASIS


def interpolation(frequencies: Constant, n_fft: int, array: Array) -> Interpolation | None:
    """Constants for (F,) ascending frequencies of 0 to 1/2 cycles per sample, or None where a dense basis is cheaper.

    They are exact enough for the precision of `array`.
    """
    if is_dense(len(frequencies.value), n_fft):
        return None
    return _interpolation(frequencies, n_fft, TAPS["float32" if dtype_name(array) in SINGLE else "float64"])


def fourier_at(frames: Array, frequencies: Constant) -> Array:
    """Spectra of real frames at ascending frequencies, in cycles per sample: (..., T, n_fft) -> (..., F, T).

    S[k, t] = sum_n frames[t, n] exp(-2 pi i frequencies[k] n).
    """
    xp = namespace(frames)
    n_rows, n_fft = len(frequencies.value), frames.shape[-1]
    constants = interpolation(frequencies, n_fft, frames)
    if constants is None:
        stacked = xp.matmul(dense_basis(frequencies, n_fft).like(frames), xp.matrix_transpose(frames))
        return stacked[..., :n_rows, :] + IMAGINARY.like(frames) * stacked[..., n_rows:, :]

    def at_once(piece: Array) -> Array:
        X = constants.mirrored(xp.fft.rfft(piece * constants.correction.like(piece), n=constants.length, axis=-1))
        rows = [xp.matmul(block.like(X), xp.matrix_transpose(X[..., bins])) for bins, block in constants.blocks]
        return xp.concat(rows, axis=-2)

    return _in_pieces(at_once, frames, constants.length, -1)


def fourier_at_adjoint(S: Array, frequencies: Constant, n_fft: int) -> Array:
    """Adjoint of `fourier_at` over the real numbers: (..., F, T) -> real frames (..., T, n_fft).

    frames[t, n] = sum_k Re(S[k, t] exp(2 pi i frequencies[k] n)).
    """
    xp = namespace(S)
    constants = interpolation(frequencies, n_fft, S)
    if constants is None:
        stacked = xp.concat([xp.real(S), xp.imag(S)], axis=-2)
        return xp.matmul(xp.matrix_transpose(stacked), dense_basis(frequencies, n_fft).like(S))

    def at_once(piece: Array) -> Array:
        bins = [
            xp.matmul(piece[..., rows], xp.matrix_transpose(block.like(piece)))
            for rows, block in constants.adjoint_blocks
        ]
        X = xp.concat(bins, axis=-1)
        # The real part of what bins on both sides of 0 give is half of what their Hermitian sum gives.
        margin, inner = constants.margin, X[..., constants.margin : -constants.margin]
        left = xp.conj(xp.flip(X[..., : margin + 1], axis=-1))
        right = xp.conj(xp.flip(X[..., -margin - 1 :], axis=-1))
        between = xp.zeros((*inner.shape[:-1], inner.shape[-1] - 2 * margin - 2), dtype=inner.dtype)
        frames = xp.fft.irfft(inner + xp.concat([left, between, right], axis=-1), n=constants.length, axis=-1)
        return frames[..., :n_fft] * (constants.correction.like(frames) * (constants.length / 2))

    return _in_pieces(at_once, xp.matrix_transpose(S), constants.length, -2)


def _in_pieces(function: Callable[[Array], Array], x: Array, length: int, axis: int) -> Array:
    """Apply a function to some items and frames of (..., T, n) at a time, and join what it returns along `axis`.

    An item is cut in the same pieces whatever else is in its batch, since matrix products round by their size.
    """
    xp = namespace(x)
    *batch, n_frames, n = x.shape
    n_items = math.prod(batch)
    size = max(1, CHUNK_BYTES // (8 * length))
    together = max(1, size // n_frames)
    if n_frames <= size and n_items <= together:
        return function(x)
    items, parts = xp.reshape(x, (n_items, n_frames, n)), []
    for i in range(0, max(1, n_items), together):
        some = items[i : min(i + together, n_items), :, :]
        pieces = [function(some[:, t : min(t + size, n_frames), :]) for t in range(0, n_frames, size)]
        parts.append(xp.concat(pieces, axis=axis))
    joined = xp.concat(parts, axis=0)
    return xp.reshape(joined, (*batch, *joined.shape[1:]))
