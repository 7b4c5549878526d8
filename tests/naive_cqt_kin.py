"""Float64 oracles of what is built around constant-Q transforms, as loops and sums over exponentials."""

import cmath
import math

import numpy as np


def hann(n):
    return [0.5 - 0.5 * math.cos(2 * math.pi * i / n) for i in range(n)]


def raised_cosine_bands(y, nodes, sr, hop, n_frames):
    """Rows of a non-stationary Gabor transform: for each, a sum over the frequencies between its neighbours."""
    n = n_frames * hop
    y = [*y, *[0.0] * (n - len(y))]
    rows = np.zeros((len(nodes), n_frames), dtype=complex)

    def weight(k, f):
        left = nodes[k - 1] if k else None
        right = nodes[k + 1] if k + 1 < len(nodes) else None
        if left is not None and left <= f < nodes[k]:
            return math.sin(math.pi / 2 * (f - left) / (nodes[k] - left)) ** 2
        if right is not None and nodes[k] <= f < right:
            return math.cos(math.pi / 2 * (f - nodes[k]) / (right - nodes[k])) ** 2
        return 1.0 if f == nodes[k] else 0.0

    for j in range(n // 2 + 1):
        f = j * sr / n
        X = sum(y[i] * cmath.exp(-2j * math.pi * i * j / n) for i in range(n)) / n
        weights = [weight(k, f) for k in range(len(nodes))]
        size = math.sqrt(sum(w * w for w in weights))
        for k, w in enumerate(weights):
            if w:
                for m in range(n_frames):
                    rows[k, m] += X * w / size * cmath.exp(2j * math.pi * j * m * hop / n)
    return rows


def pseudo_cqt(y, sr, hop, frequencies, lengths):
    """librosa's definition: magnitudes of a Hann STFT, weighed with those of the kernels' spectra."""
    n_fft = max(2 ** math.ceil(math.log2(lengths[0])), 2 ** (1 + math.ceil(math.log2(hop))))
    window = hann(n_fft)
    padded = [*[0.0] * (n_fft // 2), *y, *[0.0] * (n_fft // 2)]
    n_frames = 1 + len(y) // hop
    turns = np.exp(-2j * np.pi * np.outer(np.arange(1 + n_fft // 2), np.arange(n_fft)) / n_fft)
    out = np.zeros((len(frequencies), n_frames))
    for k, (f, length) in enumerate(zip(frequencies, lengths, strict=True)):
        first, stop = math.floor(-length / 2), math.floor(length / 2)
        taper = hann(stop - first)
        kernel = [
            w / sum(taper) * cmath.exp(2j * math.pi * f * n / sr)
            for w, n in zip(taper, range(first, stop), strict=True)
        ]
        spectrum = [abs(sum(v * turns[j, n] for n, v in enumerate(kernel))) for j in range(1 + n_fft // 2)]
        for t in range(n_frames):
            frame = [padded[t * hop + n] * window[n] for n in range(n_fft)]
            S = np.abs(turns @ np.array(frame))
            out[k, t] = sum(a * b for a, b in zip(spectrum, S, strict=True)) * length / n_fft / math.sqrt(n_fft)
    return out
