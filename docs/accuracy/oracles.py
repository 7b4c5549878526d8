"""What the exact values of several rows have in common: sums of `tests/naive*.py`, kept, and put together."""

import functools
import math
from typing import Any

import numpy as np

from tests import naive, naive_constant_q

N_FFT, HOP = 256, 64
C1 = 440 * 2 ** (-45 / 12)


def window(name: Any, length: int = N_FFT) -> np.ndarray:
    """A periodic window."""
    return np.array([naive_constant_q.window_value(name, n, length) for n in range(length)])


@functools.cache
def _kept_stft(y: bytes, n_fft: int, hop: int, name: str, center: bool, pad_mode: str) -> np.ndarray:
    X = naive.stft(np.frombuffer(y), n_fft, hop, window(name, n_fft), center, pad_mode)
    X.setflags(write=False)
    return X


def stft(
    y: np.ndarray,
    n_fft: int = N_FFT,
    hop: int = HOP,
    name: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
) -> np.ndarray:
    """Short-time Fourier transform of one signal, by the loops."""
    return _kept_stft(np.asarray(y, dtype=np.float64).tobytes(), n_fft, hop, name, center, pad_mode)


def stft_frames(y: np.ndarray, frames: list[int], n_fft: int, hop: int) -> np.ndarray:
    """Some of the columns of the transform: centred, with a Hann window and zeros around the signal."""
    padded, w = np.pad(y, n_fft // 2), window("hann", n_fft)
    return np.stack([naive.rdft(w * padded[t * hop : t * hop + n_fft]) for t in frames], axis=1)


def bins(
    n_bins: int, fmin: float, sr: float, bins_per_octave: int = 12, gamma: float | None = 0.0
) -> tuple[list[float], list[float]]:
    """Frequencies and lengths of constant-Q kernels."""
    hz = [naive_constant_q.frequency(k, fmin, bins_per_octave, 0.0) for k in range(n_bins)]
    return hz, [naive_constant_q.kernel_length(f, sr, bins_per_octave, 1.0, gamma) for f in hz]


def constant_q(
    y: np.ndarray,
    *,
    sr: float,
    hop_length: int = 512,
    fmin: float = C1,
    n_bins: int = 84,
    bins_per_octave: int = 12,
    gamma: float | None = 0.0,
    window: Any = "hann",
    backwards: bool = False,
) -> np.ndarray:
    """Constant-Q coefficients: float64 sums of samples times the kernels of the loops, in all frames.

    Kernels that run `backwards` in time are those that librosa.cqt applies: it multiplies spectra without a conjugate.
    """
    frequencies, lengths = bins(n_bins, fmin, sr, bins_per_octave, gamma)
    half = math.ceil(lengths[0] / 2)
    padded = np.pad(np.asarray(y, dtype=np.float64), half + 1)
    rows = []
    for f, length in zip(frequencies, lengths, strict=True):
        first, kernel = naive_constant_q.kernel(f, sr, length, window)
        values = np.array(kernel)
        if backwards:
            first, values = 1 - first - len(values), values[::-1].conj()
        frames = np.lib.stride_tricks.sliding_window_view(padded, len(values))[half + 1 + first :: hop_length]
        frames = frames[: 1 + len(y) // hop_length]
        rows.append(math.sqrt(length) * (frames @ values.real - 1j * (frames @ values.imag)))
    return np.array(rows)


def phase_vocoder(D: np.ndarray, rate: float) -> np.ndarray:
    """Magnitudes between two frames, and phases that gain what they gain there, as products of numbers of size 1.

    The sums of `tests/naive_inverse.py` hold all whole turns, and so lose three digits in as few frames as here.
    """
    D = np.concatenate([D, np.zeros((len(D), 1))], axis=1)
    turns = np.where(D == 0, 1, D / np.where(D == 0, 1, np.abs(D)))
    columns, turn = [], turns[:, 0]
    while len(columns) * rate < D.shape[1] - 1:
        place = len(columns) * rate
        i = int(place)
        size = np.abs(D[:, i]) + (place - i) * (np.abs(D[:, i + 1]) - np.abs(D[:, i]))
        columns.append(size * turn)
        turn = turn * turns[:, i + 1] * turns[:, i].conj()
    return np.stack(columns, axis=1)
