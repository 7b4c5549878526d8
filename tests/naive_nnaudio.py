"""Float64 oracle of nnAudio's constant-Q transforms: sums over samples, bin by bin and frame by frame.

Signals are 1-D; coefficients are 2-D (bin, frame). numpy only stores the results.
"""

import math

import numpy as np

from . import naive, naive_constant_q


def kernel_length(f, sr, bins_per_octave, filter_scale, gamma):
    """ceil(Q sr / (f + gamma / alpha)), alpha = 2^(1 / bins_per_octave) - 1, Q = filter_scale / alpha (nnAudio)."""
    alpha = 2.0 ** (1 / bins_per_octave) - 1
    return math.ceil(filter_scale / alpha * sr / (f + gamma / alpha))


def taper(window, length):
    """The name and parameter of a window; a Gaussian is given by its attenuation at the ends in dB, and its standard
    deviation is a whole number of samples (nnAudio)."""
    if window[0] != "gaussian":
        return window
    return "gaussian", math.ceil(length / 2 / math.sqrt(-2 * math.log(10 ** (-window[1] / 20))))


def cqt(
    y,
    *,
    sr,
    hop_length,
    fmin,
    n_bins,
    bins_per_octave=12,
    filter_scale=1.0,
    gamma=0.0,
    norm=1,
    window="hann",
    normalization="librosa",
    center=True,
    pad_mode="reflect",
):
    """C[k, t] = s_k sum_n y[t hop + n] conj(w_k[n]), n = 0 in the middle of frames of 2^nextpow2(longest) samples;
    w_k = window exp(2 pi i f n / sr) / length, divided by its norm, and s_k = sqrt(length), 1 or 2."""
    freqs = [fmin * 2.0 ** (k / bins_per_octave) for k in range(n_bins)]
    lengths = [kernel_length(f, sr, bins_per_octave, filter_scale, gamma) for f in freqs]
    half = 2 ** math.ceil(math.log2(lengths[0])) // 2
    signal = [float(v) for v in (naive.pad(y, half, half, pad_mode) if center else y)]
    middles = range(half, len(signal) - half + 1, hop_length)
    out = np.zeros((n_bins, len(middles)), dtype=np.complex128)
    for k in range(n_bins):
        first, values = naive_constant_q.kernel(freqs[k], sr, lengths[k], taper(window, lengths[k]), norm)
        scale = {"librosa": math.sqrt(lengths[k]), "convolutional": 1.0, "wrap": 2.0}[normalization]
        scale /= 1 if norm else lengths[k]
        for t, middle in enumerate(middles):
            piece = signal[middle + first : middle + first + len(values)]
            out[k, t] = scale * sum(v * w.conjugate() for v, w in zip(piece, values, strict=True))
    return out
