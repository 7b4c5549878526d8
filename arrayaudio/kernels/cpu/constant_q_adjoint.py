"""Adjoint of constant-Q analysis: segments through the inverse FFT and frames through matrices, in threads."""

from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.constant_q import TILE
from arrayaudio.kernels.cpu.jit import jit, summing_jit
from arrayaudio.kernels.cpu.threads import run


@jit
def unfold(Z, n_fft, values, offsets, starts, X):  # type: ignore[no-untyped-def]
    """Adjoint of `fold`: add what goes round in `Z`, (n_bins, period), times kernel spectra to a half spectrum.

    What belongs to a bin outside the half is added, conjugate, to its mirror image, which has the same real part.
    """
    n_half, period = X.shape[0], Z.shape[1]
    for k in range(Z.shape[0]):
        row = Z[k]
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
            source = row[place : place + run_length]
            kernel = values[done : done + run_length]
            if 0 <= j < n_half:
                spectrum = X[j : j + run_length]
                for i in range(spectrum.size):
                    spectrum[i] += source[i] * kernel[i].conjugate()
            else:
                mirror = -j if j < 0 else n_fft - j
                for i in range(source.size):
                    X[mirror - i] += source[i].conjugate() * kernel[i]
            done += run_length
            j += run_length


@summing_jit
def spread(C, matrix, hop, out):  # type: ignore[no-untyped-def]
    """Adjoint of `correlate`: add kernels, times coefficients (n_bins, n_frames), at their places; two at a time."""
    width, n_bins = matrix.shape[1], C.shape[0]
    for t in range(C.shape[1]):
        y = out[t * hop : t * hop + width]
        for k in range(0, n_bins, 2):
            other = min(k + 1, n_bins - 1)
            c0, c1 = C[k, t], C[other, t]
            if other == k:
                c1 = c1 * 0
            re0, im0, re1, im1 = c0.real, c0.imag, c1.real, c1.imag
            real0, imag0, real1, imag1 = matrix[2 * k], matrix[2 * k + 1], matrix[2 * other], matrix[2 * other + 1]
            for n in range(y.size):
                y[n] += (re0 * real0[n] + im0 * imag0[n]) + (re1 * real1[n] + im1 * imag1[n])


def constant_q_adjoint(C: np.ndarray, n_samples: int, framing: Any, bank: Any) -> np.ndarray:
    """Signals (..., n_samples) from coefficients (..., n_bins, n_frames)."""
    ready, hop, n_frames = bank.like(C), framing.hop_length, C.shape[-1]
    items = np.ascontiguousarray(C).reshape(-1, *C.shape[-2:])
    kernels = ready.spectra
    longest = max(kernels.n_fft, framing.frame_length)
    total = np.zeros((len(items), n_frames * hop + max(n_samples + 2 * framing.padding, longest)), C.real.dtype)

    def segment(item: int, first: int) -> tuple[int, int, np.ndarray]:
        piece = items[item, : ready.n_spectral, first : first + kernels.n_frames]
        Z = scipy.fft.fft(piece, n=kernels.period, axis=-1)
        X = np.zeros(kernels.n_fft // 2 + 1, C.dtype)
        unfold(Z, kernels.n_fft, kernels.values, offsets, starts, X)
        # The inverse FFT of a half spectrum counts all but its ends twice.
        X[1 : (kernels.n_fft + 1) // 2] *= 0.5
        return item, first * hop, scipy.fft.irfft(X, n=kernels.n_fft, norm="forward", overwrite_x=True)

    def frames(item: int, first: int) -> tuple[int, int, np.ndarray]:
        piece = rows[item, :, first : first + TILE]
        out = np.zeros((piece.shape[1] - 1) * hop + group.width, total.dtype)
        spread(piece, group.matrix, hop, out)
        return item, skip + first * hop, out

    def add(task: Any, step: int) -> None:
        # Pieces overlap: threads make them, and they are added up in one order, so that sums are always the same.
        places = [(item, first) for item in range(len(items)) for first in range(0, n_frames, step)]
        made: list[Any] = [None] * len(places)

        def work(index: int) -> None:
            made[index] = task(*places[index])

        batch = 64
        for begin in range(0, len(places), batch):
            run(work, range(begin, min(begin + batch, len(places))))
            for index in range(begin, min(begin + batch, len(places))):
                item, start, piece = made[index]
                total[item, start : start + piece.size] += piece
                made[index] = None

    if ready.n_spectral:
        offsets, starts = np.array(kernels.offsets), np.array(kernels.starts)
        add(segment, kernels.n_frames)
    first_bin = ready.n_spectral
    for group in ready.rows:
        rows, skip = items[:, first_bin : first_bin + group.n_bins], (framing.frame_length - group.width) // 2
        add(frames, TILE)
        first_bin += group.n_bins
    found = total[:, framing.padding : framing.padding + n_samples]
    return found.reshape(*C.shape[:-2], n_samples)
