"""The STFT with a window length and a hop that are real numbers, in loops over frames, rows and samples."""

import cmath
import math


def adaptive_stft(y, win_length, hop_length, n_fft):
    """X[t][k] = sum_n w(n - c) y[n] exp(-2 pi i k (n - c + n_fft // 2) / n_fft), c = t hop, n in the frame; no window
    beyond win_length / 2, no signal beyond its ends."""
    half, frames = n_fft // 2, []
    t = 0
    while t * hop_length + n_fft <= len(y) + 2 * half + 1e-9:
        centre = t * hop_length
        first = math.floor(centre) - half
        row = []
        for k in range(half + 1):
            total = 0j
            for n in range(max(0, first), min(len(y), first + n_fft)):
                u = n - centre
                if abs(u) < win_length / 2:
                    window = math.cos(math.pi * u / win_length) ** 2
                    total += window * y[n] * cmath.exp(-2j * math.pi * k * (u + half) / n_fft)
            row.append(total)
        frames.append(row)
        t += 1
    return frames
