"""Float64 oracles for running medians and for harmonic and percussive parts; the style is that of `naive.py`."""

import math

import numpy as np


def median_filter(S, size, axis):
    """out[i] = the value of rank size // 2, from 0, of x[i - size // 2], ..., size of them, x[-1 - j] = x[j] and
    x[n + j] = x[n - 1 - j] as often as needed (scipy.ndimage.median_filter docs, mode "reflect") -> (F, T)."""
    out = np.zeros(S.shape)
    n = S.shape[axis]
    for f in range(S.shape[0]):
        for t in range(S.shape[1]):
            values = []
            for step in range(size):
                i = (t if axis == -1 else f) - size // 2 + step
                while not 0 <= i < n:
                    i = -1 - i if i < 0 else 2 * n - 1 - i
                values.append(float(S[f, i] if axis == -1 else S[i, t]))
            out[f, t] = sorted(values)[size // 2]
    return out


def soft_mask(x, other, power, silent):
    """x^p / (x^p + other^p) of two numbers; x > other for p = inf; `silent` for two zeros (Fitzgerald 2010)."""
    if power == math.inf:
        return 1.0 if x > other else 0.0
    if x == other == 0:
        return silent
    return 1 / (1 + (other / x) ** power) if x > other else (x / other) ** power / (1 + (x / other) ** power)


def hpss(S, kernel_size, power, margin):
    """S times the masks of medians along time and along frequency (Fitzgerald 2010; Driedger et al. 2014)."""
    magnitudes = np.array([[abs(complex(v)) for v in row] for row in S])
    lasting = median_filter(magnitudes, kernel_size[0], -1)
    spread = median_filter(magnitudes, kernel_size[1], -2)
    silent = 0.5 if margin[0] == margin[1] == 1 else 0.0
    parts = [np.zeros(S.shape, dtype=S.dtype), np.zeros(S.shape, dtype=S.dtype)]
    for f in range(S.shape[0]):
        for t in range(S.shape[1]):
            h, p = lasting[f, t], spread[f, t]
            parts[0][f, t] = S[f, t] * soft_mask(h, margin[0] * p, power, silent)
            parts[1][f, t] = S[f, t] * soft_mask(p, margin[1] * h, power, silent)
    return parts
