"""Gammatone filters: where they lie, what they pass, and the matrix that imitates them on the bins of an FFT.

Slaney's digital gammatone (Apple Technical Report 35, 1993) is a cascade of four sections of second order with the
poles p and p* = exp(-b +- i theta). Its zeros are such that the whole is half the sum of two cascades of order one,
1 / (1 - p / z)^4 and the same with p*: the impulse response is the real part of (n + 1)(n + 2)(n + 3) / 6 p^n. All
numbers here come from this form, which loses no digits at low frequencies.
"""

from dataclasses import dataclass

import numpy as np

from arrayaudio.checks import frequency_range, real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.scales import fft_frequencies

__all__ = ["gammatone_frequencies"]

# Glasberg and Moore (1990): a filter at f Hz is f / EAR_Q + LEAST_WIDTH Hz wide.
EAR_Q, LEAST_WIDTH = 9.26449, 24.7
ORDER = 4
# Decay of a fourth-order filter in units of its equivalent rectangular bandwidth (Patterson et al., 1992).
DECAY_PER_WIDTH = 2 * np.pi * 1.019
# After so many time constants less than 1e-17 of the envelope's sum is left: Gamma(4, 50) / Gamma(4) = 4e-18.
TIME_CONSTANTS = 50.0


def gammatone_frequencies(n_bins: int = 64, *, fmin: float, fmax: float) -> np.ndarray:
    """Return the centres of `n_bins` gammatone filters in Hz, equally spaced in ERB rate (Slaney, 1993).

    The first is `fmin`, the last lies one step below `fmax`.

    Raises
    ------
    ParameterError
        If fmin is negative or not below fmax.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.gammatone_frequencies(3, fmin=100.0, fmax=4000.0).round(1)
    array([ 100. ,  541.6, 1576.1])
    """
    n_bins, low, high = whole("n_bins", n_bins), real("fmin", fmin, least=0), real("fmax", fmax, above=0)
    if low >= high:
        raise ParameterError(f"fmin={fmin!r}: must be below fmax = {high:g} Hz")
    corner = EAR_Q * LEAST_WIDTH
    ratio = (high + corner) / (low + corner)
    return low + (low + corner) * np.expm1(np.log(ratio) * np.arange(n_bins) / n_bins)


@dataclass(frozen=True)
class Gammatones:
    """Fourth-order gammatone filters of unit gain at their centres in Hz, `width` times as wide as the ear's."""

    sr: float
    centres: tuple[float, ...]
    width: float = 1.0

    @property
    def exponents(self) -> np.ndarray:
        """Logarithms of the poles, -b + i theta, for each filter."""
        hz = np.array(self.centres)
        decay = DECAY_PER_WIDTH * self.width * (hz / EAR_Q + LEAST_WIDTH)
        return (-decay + 2j * np.pi * hz) / self.sr

    @property
    def gains(self) -> np.ndarray:
        """What makes the response at each centre 1."""
        return 1 / np.abs(_response(self.exponents, self.exponents.imag))

    @property
    def n_taps(self) -> int:
        """Samples after which all impulse responses are below the rounding of float64."""
        return 1 + int(np.ceil(TIME_CONSTANTS / -self.exponents.real.max()))

    def impulse_responses(self, n_samples: int) -> np.ndarray:
        """Return the first `n_samples` of each filter's impulse response: (n_filters, n_samples)."""
        n = np.arange(n_samples)
        pulses = np.exp(self.exponents[:, None] * n).real
        return self.gains[:, None] * (n + 1.0) * (n + 2.0) * (n + 3.0) / 6.0 * pulses

    def responses(self, frequencies: np.ndarray) -> np.ndarray:
        """Return the complex response at `frequencies` in Hz: (n_filters, n_frequencies)."""
        angles = 2 * np.pi * frequencies / self.sr
        return self.gains[:, None] * _response(self.exponents[:, None], angles)


def _response(exponents: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Half the sum of both cascades at exp(i angles); expm1 keeps 1 - p / z exact where it is small."""
    with_pole, with_conjugate = (-np.expm1(e - 1j * angles) for e in (exponents, exponents.conj()))
    return (with_pole**-ORDER + with_conjugate**-ORDER) / 2


def checked_width(width: float) -> float:
    """Return `width` as a float from 0.01, where filters ring for half a minute, to 100, or raise ParameterError."""
    number = real("width", width, least=0.01)
    if number > 100:
        raise ParameterError(f"width={width!r}: must be at most 100")
    return number


def gammatones(sr: float, n_bins: int, fmin: float, fmax: float | None, width: float) -> Gammatones:
    """Check the settings and return `n_bins` filters that are equally spaced in ERB rate from fmin."""
    rate = real("sr", sr, above=0)
    low, high = frequency_range(fmin, fmax, rate)
    centres = gammatone_frequencies(n_bins, fmin=low, fmax=high)
    return Gammatones(rate, tuple(centres.tolist()), checked_width(width))


def gammatone(
    *, sr: float, n_fft: int, n_bins: int = 64, fmin: float = 20.0, fmax: float | None = None, width: float = 1.0
) -> np.ndarray:
    """Build weights that gather FFT bins as gammatone filters would (Ellis, "Gammatone-like spectrograms", 2009).

    A row is the magnitude of the response of Slaney's filter (1993) at the bins, 1 at its centre, divided by `n_fft`.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of the FFT whose bins are gathered.
    n_bins : int
        Number of filters.
    fmin, fmax : float
        Centre of the first filter, and one step in ERB rate above the centre of the last, in Hz; fmax=None means
        sr / 2.
    width : float
        Width of the filters in units of the ear's (Glasberg and Moore, 1990), from 0.01 to 100.

    Returns
    -------
    array, shape (n_bins, 1 + n_fft // 2)

    Raises
    ------
    ParameterError
        If the range is empty or goes beyond sr / 2, or another parameter is out of range.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.filters.gammatone(sr=16000, n_fft=512, n_bins=32).shape
    (32, 257)
    """
    bins = fft_frequencies(sr=sr, n_fft=n_fft)
    return np.abs(gammatones(sr, n_bins, fmin, fmax, width).responses(bins)) / n_fft
