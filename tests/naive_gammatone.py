"""Float64 oracles of the gammatone filters, as loops over scalars from Slaney's own form: four biquads in a row."""

import cmath
import math

import numpy as np


def centres(n, fmin, fmax):
    """-c + exp(k (ln(fmin + c) - ln(fmax + c)) / n) (fmax + c), c = 9.26449 * 24.7, k = n ... 1: ascending (Slaney
    1993, ERBSpace)."""
    c = 9.26449 * 24.7
    return [-c + math.exp(k * (math.log(fmin + c) - math.log(fmax + c)) / n) * (fmax + c) for k in range(n, 0, -1)]


def biquads(hz, sr, width):
    """[(b0, b1, a1, a2)] of the four sections of the gammatone at hz, and the gain of their product at hz (Slaney
    1993, MakeERBFilters)."""
    T = 1.0 / sr
    B = 1.019 * 2 * math.pi * width * (hz / 9.26449 + 24.7)
    arg = 2 * math.pi * hz * T
    sections = []
    for root in (
        math.sqrt(3 + 2**1.5),
        -math.sqrt(3 + 2**1.5),
        math.sqrt(3 - 2**1.5),
        -math.sqrt(3 - 2**1.5),
    ):
        b1 = -T * math.exp(-B * T) * (math.cos(arg) + root * math.sin(arg))
        sections.append((T, b1, -2 * math.cos(arg) * math.exp(-B * T), math.exp(-2 * B * T)))
    return sections, abs(response(sections, arg))


def response(sections, angle):
    """Product of (b0 + b1 / z) / (1 + a1 / z + a2 / z^2) at z = exp(i angle)."""
    z = cmath.exp(1j * angle)
    total = 1.0
    for b0, b1, a1, a2 in sections:
        total *= (b0 + b1 / z) / (1 + a1 / z + a2 / z**2)
    return total


def filterbank(y, sr, n, fmin, fmax, width=1.0):
    """Each band's waveform by the recursion of its biquads, (n_samples,) -> (n, n_samples)."""
    out = np.zeros((n, len(y)))
    for band, hz in enumerate(centres(n, fmin, fmax)):
        sections, gain = biquads(hz, sr, width)
        signal = [float(v) / gain for v in y]
        for b0, b1, a1, a2 in sections:
            x1 = y1 = y2 = 0.0
            for i in range(len(signal)):
                x0 = signal[i]
                signal[i] = b0 * x0 + b1 * x1 - a1 * y1 - a2 * y2
                x1, y1, y2 = x0, signal[i], y1
        out[band] = signal
    return out


def weights(sr, n_fft, n, fmin, fmax, width=1.0):
    """|response| / (|response at the centre| n_fft) at the bins k sr / n_fft -> (n, 1 + n_fft // 2) (Ellis 2009,
    fft2gammatonemx and gammatonegram)."""
    out = np.zeros((n, 1 + n_fft // 2))
    for band, hz in enumerate(centres(n, fmin, fmax)):
        sections, gain = biquads(hz, sr, width)
        for k in range(out.shape[1]):
            out[band, k] = abs(response(sections, 2 * math.pi * k / n_fft)) / gain / n_fft
    return out
