"""Float64 oracle for reassigned spectrograms; the style is that of `naive.py`."""

import math

import numpy as np

from . import naive


def reassigned(y, sr, n_fft, hop_length, window, center, pad_mode, ref_power, exact):
    """Equations 5.20 and 5.23 of Flandrin, Auger & Chassande-Mottin 2002: w - Im(X_dh / X_h), t + Re(X_th / X_h) with
    dh[n] = (h[n + 1] - h[n - 1]) / 2, cyclic, th[n] = (n - middle) h[n]; NaN where |X|^2 < ref_power or X = 0.
    The middle is (n_fft - 1) / 2 (librosa docs); exact is n_fft // 2, and arcsin, as X_dh = -i sin(d) X_h for a tone
    at d radians per sample from the bin. Neither clipped nor filled -> three (1 + n_fft//2, T)."""
    h = [float(v) for v in window]
    middle = n_fft // 2 if exact else (n_fft - 1) / 2
    dh = [(h[(n + 1) % n_fft] - h[n - 1]) / 2 for n in range(n_fft)]
    th = [(n - middle) * h[n] for n in range(n_fft)]
    X, X_dh, X_th = (naive.stft(y, n_fft, hop_length, w, center, pad_mode) for w in (h, dh, th))
    freqs, times, mags = (np.full(X.shape, math.nan) for _ in range(3))
    for k in range(X.shape[0]):
        for t in range(X.shape[1]):
            mags[k, t] = abs(X[k, t])
            if mags[k, t] == 0 or mags[k, t] ** 2 < ref_power:
                continue
            turn = -(X_dh[k, t] / X[k, t]).imag
            turn = math.asin(min(1.0, max(-1.0, turn))) if exact else turn
            start = t * hop_length - (n_fft // 2 if center else 0)
            freqs[k, t] = (2 * math.pi * k / n_fft + turn) * sr / (2 * math.pi)
            times[k, t] = (start + n_fft // 2 + (X_th[k, t] / X[k, t]).real) / sr
    return freqs, times, mags
