"""Gammatone filters as recursions: four complex poles of order one in a row, in double precision, band by band."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.jit import jit
from arrayaudio.kernels.cpu.threads import run

# Samples after which states too small to matter are cleared, since arithmetic on subnormal numbers is slow.
STRETCH = 1024
VANISHED = 1e-200


@jit
def resonate(y, re, im, gain, out):  # type: ignore[no-untyped-def]
    """Filter `y` with gain / (1 - p / z)^4 for p = re + i im, and keep the real part."""
    a_re = a_im = b_re = b_im = c_re = c_im = d_re = d_im = 0.0
    for begin in range(0, y.size, STRETCH):
        for n in range(begin, min(begin + STRETCH, y.size)):
            a_re, a_im = gain * y[n] + (re * a_re - im * a_im), re * a_im + im * a_re
            b_re, b_im = a_re + (re * b_re - im * b_im), a_im + (re * b_im + im * b_re)
            c_re, c_im = b_re + (re * c_re - im * c_im), b_im + (re * c_im + im * c_re)
            d_re, d_im = c_re + (re * d_re - im * d_im), c_im + (re * d_im + im * d_re)
            out[n] = d_re
        if max(abs(a_re), abs(a_im), abs(b_re), abs(b_im)) < VANISHED:
            a_re = a_im = b_re = b_im = 0.0
        if max(abs(c_re), abs(c_im), abs(d_re), abs(d_im)) < VANISHED:
            c_re = c_im = d_re = d_im = 0.0


def gammatone_bands(y: np.ndarray, filters: Any) -> np.ndarray:
    """Filter (..., n_samples) with every filter: (..., n_filters, n_samples)."""
    poles, gains = np.exp(filters.exponents), filters.gains
    out = np.empty((*y.shape[:-1], len(poles), y.shape[-1]), dtype=y.dtype)
    signals = np.ascontiguousarray(y).reshape(-1, y.shape[-1])
    bands = out.reshape(len(signals), len(poles), y.shape[-1])

    def band(place: tuple[int, int]) -> None:
        item, k = place
        resonate(signals[item], poles[k].real, poles[k].imag, gains[k], bands[item, k])

    run(band, [(item, k) for item in range(len(signals)) for k in range(len(poles))])
    return out
