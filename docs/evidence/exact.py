"""Exact values in float64, from formulas alone: nothing here calls arrayaudio."""

import functools
import math
from typing import Any

import numpy as np

from docs.evidence.signals import HOP, SR
from tests import naive, naive_constant_q, naive_nnaudio

N_FFT, N_MELS = 2048, 128
C1 = 440 * 2 ** (-45 / 12)
NNAUDIO_FMIN = 32.70
N_BINS, OCTAVE = 84, 12
N_OCTAVES = N_BINS // OCTAVE


def stft(y: np.ndarray) -> np.ndarray:
    """Magnitudes of centred frames with a periodic Hann window, zeros around the signal, by NumPy's FFT."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    padded = np.pad(np.float64(y), N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    return np.abs(np.fft.rfft(window * frames)).T


@functools.cache
def _mel_filters() -> np.ndarray:
    return naive.mel_filters(SR, N_FFT, N_MELS, 0.0, SR / 2, "slaney", "slaney")


def mel(y: np.ndarray) -> np.ndarray:
    """These magnitudes gathered by the triangles of the loops."""
    return _mel_filters() @ stft(y)


class Kernel:
    """A kernel on the samples of the signal: the first of them, and the values there."""

    def __init__(self, first: int, values: Any) -> None:
        self.first, self.values = first, np.asarray(values)

    def met(self, y: np.ndarray, hop: int) -> np.ndarray:
        """Inner products with the signal around every hop-th sample, zeros around it."""
        left, right = max(0, -self.first), max(0, self.first + len(self.values))
        padded = np.pad(np.float64(y), (left, right))
        frames = np.lib.stride_tricks.sliding_window_view(padded, len(self.values))[left + self.first :: hop]
        frames = frames[: 1 + len(y) // hop]
        return frames @ self.values.real - 1j * (frames @ self.values.imag)


def frequencies(fmin: float, n_bins: int = N_BINS) -> list[float]:
    """Frequencies of bins a semitone apart."""
    return [fmin * 2 ** (k / OCTAVE) for k in range(n_bins)]


def librosa_length(f: float, sr: float = SR) -> float:
    """The length of a kernel in samples, which need not be whole."""
    return naive_constant_q.kernel_length(f, sr, OCTAVE, 1.0, 0.0)


def nnaudio_length(f: float, sr: float = SR) -> int:
    """The length of a kernel in whole samples."""
    return naive_nnaudio.kernel_length(f, sr, OCTAVE, 1.0, 0.0)


DEFINITIONS = {"librosa": (C1, librosa_length), "nnAudio": (NNAUDIO_FMIN, nnaudio_length)}


def constant_q(y: np.ndarray, definition: str = "librosa", n_bins: int = N_BINS, hop: int = HOP) -> np.ndarray:
    """Sums of samples times the kernels of librosa's or of nnAudio's definition, at the rate of the signal."""
    fmin, length = DEFINITIONS[definition]
    rows = []
    for f in frequencies(fmin, n_bins):
        kernel = Kernel(*naive_constant_q.kernel(f, SR, length(f)))
        rows.append(math.sqrt(length(f)) * kernel.met(y, hop))
    return np.array(rows)


def by_octaves(y: np.ndarray, definition: str, hop: int = HOP) -> np.ndarray:
    """The same over the kernels that librosa and nnAudio make anew for each octave.

    At a rate that was halved `halvings` times a kernel has so many whole samples of this rate. Here it is the same
    window and tone with all samples in between, so that nothing is lost by halving. librosa multiplies spectra without
    a conjugate, so that its kernels run backwards. nnAudio's low-pass filter has an even number of taps, and delays
    the signal by half a sample each time.
    """
    fmin, length = DEFINITIONS[definition]
    rows = []
    for k, f in enumerate(frequencies(fmin)):
        step = 2 ** halvings(k)
        first, stop = (step * edge for edge in edges(length(f * step)))
        late = (step - 1) / 2 if definition == "nnAudio" else 0.0
        samples = np.arange(math.floor(first + late), math.ceil(stop + late) + 1)
        inside = np.clip(samples - late, first, stop)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * (inside - first) / (stop - first))
        values = 2 / (stop - first) * window * np.exp(2j * np.pi * f / SR * (samples - late))
        if definition == "librosa":
            samples, values = -samples[::-1], values[::-1].conj()
        rows.append(math.sqrt(length(f)) * Kernel(int(samples[0]), values).met(y, hop))
    return np.array(rows)


def kernel_distance(k: int, wavelet: np.ndarray) -> float:
    """How far a wavelet of librosa, in the middle of zeros, is from the kernel of a bin, by its largest value."""
    f = frequencies(C1)[k]
    _, values = naive_constant_q.kernel(f, SR, librosa_length(f))
    start = (len(wavelet) - len(values)) // 2
    inside = np.zeros(len(wavelet), complex)
    inside[start : start + len(values)] = values
    return float(np.abs(inside - wavelet).max() / np.abs(wavelet).max())


def halvings(k: int) -> int:
    """How often the rate is halved for a bin: the highest octave has that of the signal."""
    return (N_BINS - 1 - k) // OCTAVE


def edges(length: float) -> tuple[int, int]:
    """The first sample of a kernel and the one after the last."""
    return math.floor(-length / 2), math.floor(length / 2)


def rounding(definition: str) -> float:
    """The largest part by which making kernels anew changes their length."""
    fmin, length = DEFINITIONS[definition]
    parts = []
    for k, f in enumerate(frequencies(fmin)):
        step = 2 ** halvings(k)
        first, stop = edges(length(f * step))
        parts.append(abs(step * (stop - first) / length(f) - 1))
    return max(parts)


def octaves(C: np.ndarray) -> np.ndarray:
    """Rows by octave, (octave, row, frame)."""
    return C.reshape(-1, OCTAVE, C.shape[-1])
