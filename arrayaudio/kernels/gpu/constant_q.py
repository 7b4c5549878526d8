"""Constant-Q coefficients, all through the spectrum: segments of signals through cuFFT around a kernel that folds."""

from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import REALS, Program, launch
from arrayaudio.kernels.gpu.spectra import MOST_BLOCKS, MOST_ROWS, THREADS, Chunk, chunks, pairs, tables
from arrayaudio.kernels.gpu.windowed_frames import MODES


def constant_q(y: Any, framing: Any, bank: Any) -> Any:
    """Coefficients (..., n_bins, n_frames) of (..., n_samples), or decline padding with computed values, and rows."""
    if framing.pad_mode not in MODES or y.dtype.name not in REALS:
        return NotImplemented
    n_frames, n_bins, ready = framing.n_frames(y.shape[-1]), len(bank.wavelets.lengths), bank.like(y)
    if ready.n_spectral < n_bins:
        return NotImplemented
    spectra, dtype = ready.spectra, np.result_type(y.dtype, np.complex64)
    if y.size == 0:
        return cupy.empty((*y.shape[:-1], n_bins, n_frames), dtype)
    signals = cupy.ascontiguousarray(y).reshape(-1, y.shape[-1])
    out = cupy.empty((len(signals), n_bins, n_frames), dtype)
    size = max(spectra.n_fft, 2 * n_bins * spectra.period)
    for chunk in chunks(len(out), -(-n_frames // spectra.n_frames), size):
        X = cupy.fft.rfft(_segments(signals[chunk.items], chunk, framing, spectra), axis=-1)
        folded = cupy.empty((*X.shape[:2], n_bins, spectra.period), dtype)
        launch_folding("constant_q", -(-n_bins // 16) * -(-chunk.size // 8), X, folded, spectra)
        responses = cupy.fft.ifft(folded, axis=-1, norm="forward")
        for target, source in pairs(out[chunk.items], responses, chunk.first * spectra.n_frames, spectra.n_frames):
            target[...] = source
    return out.reshape(*y.shape[:-1], n_bins, n_frames)


def _segments(signals: Any, chunk: Chunk, framing: Any, spectra: Any) -> Any:
    """Samples of the segments of a chunk: (n_items, n_segments, n_fft)."""
    out = cupy.empty((chunk.n_items, chunk.n_segments, spectra.n_fft), signals.dtype)
    step = spectra.n_frames * framing.hop_length
    sizes = (*signals.shape, chunk.n_segments, chunk.first, spectra.n_fft, step, framing.padding)
    launch(
        Program("segments", signals.dtype.name),
        (-(-spectra.n_fft // (4 * THREADS)), min(chunk.size, MOST_ROWS)),
        (THREADS,),
        (signals, out, *map(np.int64, sizes), np.int32(MODES[framing.pad_mode])),
    )
    return out


def launch_folding(name: str, n_blocks: int, source: Any, target: Any, spectra: Any) -> None:
    """Launch a kernel between half spectra and what they are folded to, for each 32 places of the period."""
    n_segments = source.shape[0] * source.shape[1]
    sizes = map(np.int32, (len(spectra.starts), spectra.n_fft, spectra.period))
    launch(
        Program(name, source.real.dtype.name),
        (min(n_blocks * -(-spectra.period // 32), MOST_BLOCKS),),
        (THREADS,),
        (source, spectra.values, *tables(spectra), target, np.int64(n_segments), *sizes),
    )
