"""Float64 oracles of the constant-Q transforms: sums over samples, bin by bin and frame by frame.

Signals are 1-D; coefficients are 2-D (bin, frame). numpy only stores the results.
"""

import cmath
import functools
import math

import numpy as np

from . import naive


def _bessel_i0(x):
    """I0(x) = sum_k ((x / 2)^k / k!)^2 (Abramowitz and Stegun, 9.6.12)."""
    term = total = 1.0
    k = 0
    while term > 1e-18 * total:
        k += 1
        term *= (x / 2 / k) ** 2
        total += term
    return total


COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
}


def window_value(window, n, size):
    """Value n of a periodic window: sum_k (-1)^k a_k cos(2 pi k n / size) (Harris 1978), the Kaiser window
    I0(beta sqrt(1 - (2 n / size - 1)^2)) / I0(beta), or the Gaussian exp(-((n - size / 2) / std)^2 / 2)."""
    if size == 1:
        return 1.0
    if window[0] == "kaiser":
        return _bessel_i0(window[1] * math.sqrt(1 - (2 * n / size - 1) ** 2)) / _bessel_i0(window[1])
    if window[0] == "gaussian":
        return math.exp(-(((n - size / 2) / window[1]) ** 2) / 2)
    return sum((-1) ** k * a * math.cos(2 * math.pi * k * n / size) for k, a in enumerate(COSINES[window]))


def frequency(k, fmin, bins_per_octave, tuning):
    """Bin k in Hz: fmin 2^((k + tuning) / bins_per_octave) (Brown 1991)."""
    return fmin * 2.0 ** ((k + tuning) / bins_per_octave)


def kernel_length(f, sr, bins_per_octave, filter_scale, gamma):
    """filter_scale sr / (a f + gamma), a = (b - 1) / (b + 1), b = 2^(2 / bins_per_octave) (librosa docs); without
    gamma, bandwidths grow like 24.7 + 0.108 f (Glasberg and Moore 1990)."""
    b = 2.0 ** (2 / bins_per_octave)
    a = (b - 1) / (b + 1)
    return filter_scale * sr / (a * f + (a * 24.7 / 0.108 if gamma is None else gamma))


@functools.cache
def kernel(f, sr, length, window="hann", norm=1):
    """First n, and values, of window[n] exp(2 pi i f n / sr) / norm on n = ceil(-length / 2) ... (librosa docs):
    as many as whole steps of one from -length // 2 to before length // 2 go."""
    first, stop = math.floor(-length / 2), math.floor(length / 2)
    values = [window_value(window, n - first, stop - first) for n in range(first, stop)]
    size = 1.0
    if norm == math.inf:
        size = max(map(abs, values))
    elif norm is not None:
        size = sum(abs(v) ** norm for v in values) ** (1 / norm)
    return first, [v / size * cmath.exp(2j * math.pi * f / sr * (first + i)) for i, v in enumerate(values)]


def cqt(
    y,
    *,
    sr,
    hop_length=512,
    fmin,
    n_bins,
    bins_per_octave=12,
    tuning=0.0,
    filter_scale=1.0,
    gamma=0.0,
    norm=1,
    window="hann",
    normalization="librosa",
    center=True,
    pad_mode="constant",
):
    """C[k, t] = s_k sum_n y[m_t + n] conj(w_k[n]), s_k = sqrt(length), 1 or 2 -> (n_bins, n_frames) (librosa docs).
    Frames have their middles m_t = t hop at the first sample on, or where the longest kernel fits, if not centred."""
    freqs = [frequency(k, fmin, bins_per_octave, tuning) for k in range(n_bins)]
    lengths = [kernel_length(f, sr, bins_per_octave, filter_scale, gamma) for f in freqs]
    half = math.ceil(lengths[0] / 2)
    signal = [float(v) for v in (naive.pad(y, half, half, pad_mode) if center else y)]
    middles = range(half, len(signal) - half + 1, hop_length)
    out = np.zeros((n_bins, len(middles)), dtype=np.complex128)
    for k in range(n_bins):
        first, values = kernel(freqs[k], sr, lengths[k], window, norm)
        scale = {"librosa": math.sqrt(lengths[k]), "convolutional": 1.0, "wrap": 2.0}[normalization]
        for t, middle in enumerate(middles):
            piece = signal[middle + first : middle + first + len(values)]
            out[k, t] = scale * sum(v * w.conjugate() for v, w in zip(piece, values, strict=True))
    return out
