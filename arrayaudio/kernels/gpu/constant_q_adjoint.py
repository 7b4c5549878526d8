"""Adjoint of constant-Q analysis: coefficients through cuFFT around a kernel that unfolds, and segments added up."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.constant_q import launch_folding
from arrayaudio.kernels.gpu.loader import Program, launch
from arrayaudio.kernels.gpu.spectra import MOST_BLOCKS, MOST_ROWS, THREADS, Chunk, chunks, pairs

COMPLEX = ("complex64", "complex128")


def constant_q_adjoint(C: Any, n_samples: int, framing: Any, bank: Any) -> Any:
    """Signals (..., n_samples) from coefficients (..., n_bins, n_frames), or decline rows."""
    *batch, n_bins, n_frames = C.shape
    ready = bank.like(C)
    if ready.n_spectral < n_bins or C.dtype.name not in COMPLEX:
        return NotImplemented
    spectra = ready.spectra
    if C.size == 0 or n_samples == 0:
        return cupy.zeros((*batch, n_samples), C.real.dtype)
    coefficients = C.reshape(-1, n_bins, n_frames)
    out = cupy.empty((len(coefficients), n_samples), C.real.dtype)
    n_segments = -(-n_frames // spectra.n_frames)
    for chunk in chunks(len(out), n_segments, max(spectra.n_fft, 2 * n_bins * spectra.period)):
        pieces = cupy.zeros((chunk.n_items, chunk.n_segments, n_bins, spectra.period), C.dtype)
        first = chunk.first * spectra.n_frames
        for source, target in pairs(coefficients[chunk.items], pieces, first, spectra.n_frames):
            target[...] = source
        Z = cupy.fft.fft(pieces, axis=-1)
        X = cupy.empty((*Z.shape[:2], 1 + spectra.n_fft // 2), C.dtype)
        turns = 1 + spectra.n_fft // (2 * spectra.period)
        launch_folding("constant_q_adjoint", -(-turns // 32) * -(-chunk.size // 4), Z, X, spectra)
        made = cupy.fft.irfft(X, n=spectra.n_fft, axis=-1, norm="forward")
        _add(made, out[chunk.items], chunk, framing, spectra.n_frames * framing.hop_length, n_segments)
    return out.reshape(*batch, n_samples)


def _add(made: Any, out: Any, chunk: Chunk, framing: Any, step: int, n_segments: int) -> None:
    """Add up the segments of a chunk, and what earlier chunks left in the samples that they share."""
    n_fft = made.shape[-1]

    def reached(count: int) -> int:
        """How far the first segments reach, the distance to the next one included."""
        return min(out.shape[-1], max(0, (count - 1) * step + max(step, n_fft) - framing.padding))

    begin = min(out.shape[-1], max(0, chunk.first * step - framing.padding))
    stop = chunk.first + chunk.n_segments
    fresh, end = reached(chunk.first) if chunk.first else 0, reached(stop) if stop < n_segments else out.shape[-1]
    sizes = (*out.shape, chunk.n_segments, chunk.first, n_fft, step, framing.padding, begin, end, fresh)
    launch(
        Program("overlapped", out.dtype.name),
        (max(1, min(-(-(end - begin) // THREADS), MOST_BLOCKS)), min(len(out), MOST_ROWS)),
        (THREADS,),
        (made, out, *map(np.int64, sizes)),
    )
