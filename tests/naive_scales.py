"""Float64 oracles of the Fourier transform at any frequencies: sums over samples, with phases as exact fractions.

Signals are 1-D; spectra are 2-D (frequency, time). numpy only stores the results.
"""

import cmath
import functools
import math
from fractions import Fraction

import numpy as np

from . import naive


def scale(kind, bins, fmin, fmax):
    """fmin + k (fmax - fmin) / bins, or fmin (fmax / fmin)^(k / bins), k < bins, in Hz (nnAudio's STFT)."""
    if kind == "linear":
        return np.array([fmin + k * (fmax - fmin) / bins for k in range(bins)])
    return np.array([fmin * math.exp(math.log(fmax / fmin) * k / bins) for k in range(bins)])


def waves(cycles, n_fft):
    """exp(-2 pi i f n) for each of the frequencies f in cycles per sample, without a rounded product: (F, n_fft)."""
    return _waves(tuple(map(float, cycles)), n_fft)


@functools.cache
def _waves(cycles, n_fft):
    out = np.zeros((len(cycles), n_fft), dtype=np.complex128)
    for k, f in enumerate(cycles):
        exact = Fraction(f)
        for n in range(n_fft):
            out[k, n] = cmath.exp(-2j * math.pi * float(exact * n % 1))
    return out


def stft_at(y, cycles, n_fft, hop_length, window, center, pad_mode):
    """X[k, t] = sum_n w[n] y[t hop + n] exp(-2 pi i f[k] n) -> (F, T)."""
    if center:
        y = naive.pad(y, n_fft // 2, n_fft // 2, pad_mode)
    frames = naive.frame(y, n_fft, hop_length)
    wave = waves(cycles, n_fft)
    out = np.zeros((len(cycles), frames.shape[1]), dtype=np.complex128)
    for k in range(len(cycles)):
        row = [window[n] * wave[k, n] for n in range(n_fft)]
        for t in range(frames.shape[1]):
            out[k, t] = sum(row[n] * frames[n, t] for n in range(n_fft))
    return out
