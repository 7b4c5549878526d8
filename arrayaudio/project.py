"""Frames x basis -> coefficients, and back: the Fourier basis through the FFT, others as matrices."""

import numpy as np

from arrayaudio.arrays import Array, namespace
from arrayaudio.constants import Constant
from arrayaudio.primitive import primitive


def fourier(frames: Array, n_fft: int | None = None) -> Array:
    """Spectra of real frames: (..., n_frames, n_fft) -> complex (..., 1 + n_fft // 2, n_frames).

    Frames that are shorter than `n_fft` have zeros behind them.
    """
    xp = namespace(frames)
    return xp.matrix_transpose(xp.fft.rfft(frames, n=n_fft, axis=-1))


def inverse_fourier(spectrum: Array, n_fft: int) -> Array:
    """Real frames from their half spectra: (..., 1 + n_fft // 2, n_frames) -> (..., n_frames, n_fft)."""
    xp = namespace(spectrum)
    return xp.fft.irfft(xp.matrix_transpose(spectrum), n=n_fft, axis=-1)


def half_weights(n_fft: int, between: float) -> Constant:
    """A column of 1 for 0 Hz and half the rate, which a half spectrum holds once, and `between` for those between."""
    weights = np.full((n_fft // 2 + 1, 1), between)
    weights[0] = 1
    if n_fft % 2 == 0:
        weights[-1] = 1
    return Constant(weights)


def fourier_basis(window: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Windowed Fourier basis (2, n_frequencies, n_fft): real and imaginary parts; frequencies in cycles per sample."""
    turns = -2 * np.pi * np.asarray(frequencies)[:, None] * np.arange(len(window))
    return np.stack([np.cos(turns), np.sin(turns)]) * window


@primitive
def mix_rows(S: Array, matrix: Constant) -> Array:
    """Weighted sums of rows, as by a filterbank: (..., n_in, n_frames) -> (..., n_out, n_frames)."""
    weights = matrix.like(S)
    return namespace(S, weights).matmul(weights, S)
