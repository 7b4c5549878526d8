"""Adjoint of constant-Q analysis: segments through the inverse FFT and frames through matrices, in threads."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.constant_q import BLOCK, SHORTEST_TILE, packed
from arrayaudio.kernels.cpu.jit import jit, summing_jit
from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.cpu.vectors import widest_vectors

# Samples of a tile. Its length decides in which order values are added up: the same for all threads and batches.
TILE_SAMPLES = 2**16


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
def spread(C, matrix, spans, hop, out):  # type: ignore[no-untyped-def]
    """Adjoint of `correlate`: add kernels, times coefficients (n_bins, n_frames), at their places.

    Four bins at a time, and a part of their kernels that stays in the cache for all frames.
    """
    widest_vectors()
    last, zero = C.shape[0] - 1, out.dtype.type(0)
    for k0 in range(0, last + 1, 4):
        k1, k2, k3 = min(k0 + 1, last), min(k0 + 2, last), min(k0 + 3, last)
        first, stop = spans[k0 : k3 + 1, 0].min(), spans[k0 : k3 + 1, 1].max()
        for start in range(first, stop, BLOCK):
            size = min(BLOCK, stop - start)
            re0, im0 = matrix[2 * k0, start:][:size], matrix[2 * k0 + 1, start:][:size]
            re1, im1 = matrix[2 * k1, start:][:size], matrix[2 * k1 + 1, start:][:size]
            re2, im2 = matrix[2 * k2, start:][:size], matrix[2 * k2 + 1, start:][:size]
            re3, im3 = matrix[2 * k3, start:][:size], matrix[2 * k3 + 1, start:][:size]
            for t in range(C.shape[1]):
                a0, b0 = C[k0, t].real, C[k0, t].imag
                # Where fewer than four are left, the last is there again, and counts once.
                a1, b1 = (C[k1, t].real, C[k1, t].imag) if k1 > k0 else (zero, zero)
                a2, b2 = (C[k2, t].real, C[k2, t].imag) if k2 > k1 else (zero, zero)
                a3, b3 = (C[k3, t].real, C[k3, t].imag) if k3 > k2 else (zero, zero)
                y = out[t * hop + start :][:size]
                for n in range(size):
                    y[n] += ((a0 * re0[n] + b0 * im0[n]) + (a1 * re1[n] + b1 * im1[n])) + (
                        (a2 * re2[n] + b2 * im2[n]) + (a3 * re3[n] + b3 * im3[n])
                    )


@summing_jit
def sums(C, shapes, table, spans, values, hop, blocks, pairs, some, out):  # type: ignore[no-untyped-def]
    """Adjoint of `products`: add packed kernels, times coefficients (n_bins, n_frames), to a piece of a signal."""
    widest_vectors()
    (n_blocks, n_shapes), length = blocks.shape, shapes.shape[1]
    blocks[:] = 0
    first = 0
    for row in range(table.shape[0]):
        n, start, width, place, n_bins = table[row]
        matrix = values[place : place + 2 * n_bins * width].reshape(2 * n_bins, width)
        given, inside = C[first : first + n_bins], spans[first : first + n_bins]
        if n:
            some[: n_blocks * n] = 0
            spread(given, matrix, inside, hop // length * n, some[start:])
            for i in range(n_blocks):
                blocks[i, :n] += some[i * n : i * n + n]
        else:
            spread(given, matrix, inside, hop, out[start:])
        first += n_bins
    if n_shapes:
        whole = np.empty((n_shapes // 2, 2), np.int64)
        whole[:, 0], whole[:, 1] = 0, length
        spread(pairs[:, : n_shapes // 2].T, shapes, whole, length, out)


def constant_q_adjoint(C: np.ndarray, n_samples: int, framing: Any, bank: Any) -> np.ndarray:
    """Signals (..., n_samples) from coefficients (..., n_bins, n_frames)."""
    ready, hop, n_frames = bank.like(C), framing.hop_length, C.shape[-1]
    items, spectra = np.ascontiguousarray(C).reshape(-1, *C.shape[-2:]), ready.spectra
    total = np.zeros((len(items), n_samples + 2 * framing.padding), C.real.dtype)

    def segment(item: int, first: int) -> np.ndarray:
        piece = items[item, : ready.n_spectral, first : first + spectra.n_frames]
        Z = scipy.fft.fft(piece, n=spectra.period, axis=-1)
        X = np.zeros(spectra.n_fft // 2 + 1, C.dtype)
        unfold(Z, spectra.n_fft, spectra.values, offsets, starts, X)
        # The inverse FFT of a half spectrum counts all but its ends twice.
        X[1 : (spectra.n_fft + 1) // 2] *= 0.5
        return scipy.fft.irfft(X, n=spectra.n_fft, norm="forward", overwrite_x=True)

    def tile(item: int, first: int) -> np.ndarray:
        piece = items[item, first_bin : first_bin + some.n_bins, first : first + length]
        out = np.zeros((piece.shape[1] - 1) * hop + some.reach, total.dtype)
        blocks, scratch = some.scratch(piece.shape[1], hop)
        kernels = some.shapes, some.table, some.spans, some.values
        sums(piece, *kernels, hop, blocks, blocks.view(C.dtype), scratch, out)
        return out

    def add(task: Callable[[int, int], np.ndarray], step: int) -> None:
        # Pieces overlap: threads make them, and they are added up in one order, so that sums are always the same.
        places = [(item, first) for item in range(len(items)) for first in range(0, n_frames, step)]
        made: list[Any] = [None] * len(places)

        def work(index: int) -> None:
            made[index] = task(*places[index])

        together = 64
        for begin in range(0, len(places), together):
            run(work, range(begin, min(begin + together, len(places))))
            for index in range(begin, min(begin + together, len(places))):
                item, first = places[index]
                # Behind the last frame there may be zeros.
                target = total[item, first * hop :]
                target[: made[index].size] += made[index][: target.size]
                made[index] = None

    if ready.n_spectral:
        offsets, starts = np.array(spectra.offsets), np.array(spectra.starts)
        add(segment, spectra.n_frames)
    length, first_bin = max(SHORTEST_TILE, TILE_SAMPLES // hop), ready.n_spectral
    for some in packed(ready):
        add(tile, length)
        first_bin += some.n_bins
    found = total[:, framing.padding : framing.padding + n_samples]
    return found.reshape(*C.shape[:-2], n_samples)
