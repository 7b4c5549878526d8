"""Frames x basis -> coefficients, and back: the Fourier basis through the FFT, others as matrices."""

from arrayaudio.arrays import Array, Constant, namespace


def fourier(frames: Array) -> Array:
    """Spectra of real frames: (..., n_frames, n_fft) -> complex (..., 1 + n_fft // 2, n_frames)."""
    xp = namespace(frames)
    return xp.matrix_transpose(xp.fft.rfft(frames, axis=-1))


def inverse_fourier(spectrum: Array, n_fft: int) -> Array:
    """Real frames from their half spectra: (..., 1 + n_fft // 2, n_frames) -> (..., n_frames, n_fft)."""
    xp = namespace(spectrum)
    return xp.fft.irfft(xp.matrix_transpose(spectrum), n=n_fft, axis=-1)


def mix_rows(S: Array, matrix: Constant) -> Array:
    """Weighted sums of rows, as by a filterbank: (..., n_in, n_frames) -> (..., n_out, n_frames)."""
    return namespace(S).matmul(matrix.like(S), S)
