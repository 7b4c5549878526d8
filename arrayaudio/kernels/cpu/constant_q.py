"""Constant-Q coefficients: segments through the FFT and frames through matrices, shared among threads."""

from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.jit import jit, summing_jit
from arrayaudio.kernels.cpu.threads import run

# Frames that meet a matrix in one task.
TILE = 64
# Products that are added up at a time.
BLOCK = 512


@jit
def fold(X, n_fft, values, offsets, starts, out):  # type: ignore[no-untyped-def]
    """Multiply a half spectrum by kernel spectra, one behind the other in `values`, and fold it into (n_bins, period).

    Kernel k takes values[offsets[k] : offsets[k + 1]] and FFT bins from starts[k] on, which go round; the spectrum of
    a real signal holds n_fft // 2 + 1 of them.
    """
    n_half, period = X.shape[0], out.shape[1]
    for k in range(out.shape[0]):
        row = out[k]
        for i in range(period):
            row[i] = 0
        j = starts[k]
        done = offsets[k]
        while done < offsets[k + 1]:
            # A run neither turns in the period nor leaves the half of the spectrum that it is in.
            place = j % period
            run_length = min(offsets[k + 1] - done, period - place)
            if j < 0:
                run_length = min(run_length, -j)
            elif j < n_half:
                run_length = min(run_length, n_half - j)
            target = row[place : place + run_length]
            kernel = values[done : done + run_length]
            if 0 <= j < n_half:
                spectrum = X[j : j + run_length]
                for i in range(target.size):
                    target[i] += spectrum[i] * kernel[i]
            else:
                mirror = -j if j < 0 else n_fft - j
                for i in range(target.size):
                    target[i] += X[mirror - i].conjugate() * kernel[i]
            done += run_length
            j += run_length


@summing_jit
def correlate(y, matrix, hop, out):  # type: ignore[no-untyped-def]
    """Inner products of frames, `hop` apart, with the rows of a matrix, real and imaginary in turn: (n_bins, n_frames).

    Four frames at a time share each kernel on its way through the registers; the last ones are repeated where fewer
    are left. Sums are added up block by block, which keeps rounding errors from growing with their length.
    """
    width, last, zero = matrix.shape[1], out.shape[1] - 1, y.dtype.type(0)
    for t in range(0, last + 1, 4):
        t1, t2, t3 = min(t + 1, last), min(t + 2, last), min(t + 3, last)
        for k in range(out.shape[0]):
            c0 = c1 = c2 = c3 = complex(zero, zero)
            for start in range(0, width, BLOCK):
                size = min(BLOCK, width - start)
                real, imag = matrix[2 * k, start : start + size], matrix[2 * k + 1, start : start + size]
                y0, y1 = y[t * hop + start :][:size], y[t1 * hop + start :][:size]
                y2, y3 = y[t2 * hop + start :][:size], y[t3 * hop + start :][:size]
                re0 = re1 = re2 = re3 = im0 = im1 = im2 = im3 = zero
                for n in range(size):
                    re0 += y0[n] * real[n]
                    im0 += y0[n] * imag[n]
                    re1 += y1[n] * real[n]
                    im1 += y1[n] * imag[n]
                    re2 += y2[n] * real[n]
                    im2 += y2[n] * imag[n]
                    re3 += y3[n] * real[n]
                    im3 += y3[n] * imag[n]
                c0 += complex(re0, im0)
                c1 += complex(re1, im1)
                c2 += complex(re2, im2)
                c3 += complex(re3, im3)
            out[k, t], out[k, t1], out[k, t2], out[k, t3] = c0, c1, c2, c3


def padded(y: np.ndarray, framing: Any) -> np.ndarray | None:
    """Pad (n_signals, n_samples) on both sides, or None if the padding has computed values."""
    edges, n, padding = framing.edge_indices(y.shape[-1]), y.shape[-1], framing.padding
    if edges is None:
        return None
    out = np.zeros((len(y), n + 2 * padding), dtype=y.dtype)
    out[:, padding : padding + n] = y
    for side, index in zip((out[:, :padding], out[:, padding + n :]), edges, strict=True):
        if framing.pad_mode != "constant":
            side[...] = y[:, index]
    return out


def constant_q(y: np.ndarray, framing: Any, bank: Any) -> Any:
    """Coefficients (..., n_bins, n_frames) of (..., n_samples), or decline padding with computed values."""
    n_frames, ready, hop = framing.n_frames(y.shape[-1]), bank.like(y), framing.hop_length
    signals = padded(y.reshape(-1, y.shape[-1]), framing)
    if signals is None:
        return NotImplemented
    n_bins = len(bank.wavelets.lengths)
    out = np.empty((len(signals), n_bins, n_frames), dtype=np.result_type(y.dtype, np.complex64))

    def segments(item: int, first: int) -> None:
        kernels = ready.spectra
        piece = signals[item, first * hop :][: kernels.n_fft]
        X = scipy.fft.rfft(piece, n=kernels.n_fft)
        folded = np.empty((ready.n_spectral, kernels.period), dtype=out.dtype)
        fold(X, kernels.n_fft, kernels.values, offsets, starts, folded)
        responses = scipy.fft.ifft(folded, axis=-1, norm="forward", overwrite_x=True)
        result = out[item, : ready.n_spectral, first : first + kernels.n_frames]
        result[...] = responses[:, : result.shape[1]]

    def frames(item: int, first: int) -> None:
        correlate(signals[item, skip + first * hop :], group.matrix, hop, result[item, :, first : first + TILE])

    if ready.n_spectral:
        offsets, starts = np.array(ready.spectra.offsets), np.array(ready.spectra.starts)
        step = ready.spectra.n_frames
        run(lambda place: segments(*place), [(item, t) for item in range(len(out)) for t in range(0, n_frames, step)])
    first_bin = ready.n_spectral
    for group in ready.rows:
        result, skip = out[:, first_bin : first_bin + group.n_bins], (framing.frame_length - group.width) // 2
        tiles = [(item, first) for item in range(len(out)) for first in range(0, n_frames, TILE)]
        run(lambda place: frames(*place), tiles)
        first_bin += group.n_bins
    return out.reshape(*y.shape[:-1], n_bins, n_frames)
