"""Frequency scales: Hz, mel, bark, ERB rate and octaves, and the frequencies of bins.

The conversions take numbers or arrays and return float64 NumPy results of the same shape; CuPy arrays stay there.
"""

import reprlib
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, asarray, cast, device, dtype_name, to_numpy
from arrayaudio.checks import one_of, real, tuning_of, whole
from arrayaudio.errors import DTypeError

__all__ = [
    "bark_to_hz",
    "cqt_frequencies",
    "erb_to_hz",
    "fft_frequencies",
    "hz_to_bark",
    "hz_to_erb",
    "hz_to_mel",
    "hz_to_octs",
    "mel_frequencies",
    "mel_to_hz",
    "octs_to_hz",
]

C1 = 440 * 2 ** (-45 / 12)
MEL_SCALES = ("slaney", "htk", "kaldi")

# Slaney's Auditory Toolbox (1998): linear up to 1 kHz, then 27 steps for each factor of 6.4.
_SLANEY_BREAK_HZ, _SLANEY_BREAK_MEL = 1000.0, 15.0
_SLANEY_LOG_STEP = np.log(6.4) / 27


def as_values(x: Any) -> Any:
    """Return `x` in float64: CuPy arrays where they are, everything else as NumPy, whose functions take both."""
    array = asarray(x)
    if device(array) == "cpu":
        array = to_numpy(array)
    if dtype_name(array) == "bfloat16":
        array = cast(array, "float32")
    if array.dtype.kind not in "fiu":
        raise DTypeError(f"{reprlib.repr(x)}: must be real numbers")
    return array.astype(np.float64)


def hz_to_mel(frequencies: Any, *, mel_scale: str = "slaney") -> Array:
    """Convert Hz to mel.

    Parameters
    ----------
    frequencies : number or array
        In Hz.
    mel_scale : "slaney", "htk" or "kaldi"
        "slaney" is linear below 1 kHz and logarithmic above (Slaney's Auditory Toolbox, 1998); "htk" is
        2595 log10(1 + f / 700) (HTK book); "kaldi" is the same curve as Kaldi writes it, 1127 ln(1 + f / 700).

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.hz_to_mel(1000.0))
    15.0
    """
    f = as_values(frequencies)
    if one_of("mel_scale", mel_scale, MEL_SCALES) == "htk":
        return 2595.0 * np.log10(1 + f / 700)
    if mel_scale == "kaldi":
        return 1127.0 * np.log1p(f / 700)
    above = _SLANEY_BREAK_MEL + np.log(np.maximum(f, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(f < _SLANEY_BREAK_HZ, f * 3 / 200, above)[()]


def mel_to_hz(mels: Any, *, mel_scale: str = "slaney") -> Array:
    """Convert mel to Hz; the inverse of `hz_to_mel`.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.mel_to_hz(15.0))
    1000.0
    """
    m = as_values(mels)
    if one_of("mel_scale", mel_scale, MEL_SCALES) == "htk":
        return 700.0 * (10 ** (m / 2595.0) - 1)
    if mel_scale == "kaldi":
        return 700.0 * np.expm1(m / 1127.0)
    above = _SLANEY_BREAK_HZ * np.exp((np.maximum(m, _SLANEY_BREAK_MEL) - _SLANEY_BREAK_MEL) * _SLANEY_LOG_STEP)
    return np.where(m < _SLANEY_BREAK_MEL, m * 200 / 3, above)[()]


def hz_to_bark(frequencies: Any) -> Array:
    """Convert Hz to bark: 26.81 f / (1960 + f) - 0.53 (Traunmueller, 1990).

    Examples
    --------
    >>> import arrayaudio as aa
    >>> round(float(aa.hz_to_bark(1000.0)), 3)
    8.527
    """
    f = as_values(frequencies)
    return 26.81 * f / (1960 + f) - 0.53


def bark_to_hz(barks: Any) -> Array:
    """Convert bark to Hz; the inverse of `hz_to_bark`.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> round(float(aa.bark_to_hz(aa.hz_to_bark(440.0))), 6)
    440.0
    """
    z = as_values(barks) + 0.53
    return 1960 * z / (26.81 - z)


def hz_to_erb(frequencies: Any) -> Array:
    """Convert Hz to the ERB-rate scale: 21.4 log10(1 + 0.00437 f) (Glasberg and Moore, 1990).

    Examples
    --------
    >>> import arrayaudio as aa
    >>> round(float(aa.hz_to_erb(1000.0)), 3)
    15.621
    """
    return 21.4 * np.log10(1 + 0.00437 * as_values(frequencies))


def erb_to_hz(erbs: Any) -> Array:
    """Convert ERB rate to Hz; the inverse of `hz_to_erb`.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> round(float(aa.erb_to_hz(aa.hz_to_erb(440.0))), 6)
    440.0
    """
    return (10 ** (as_values(erbs) / 21.4) - 1) / 0.00437


def _octave_zero(tuning: float, bins_per_octave: int) -> float:
    return float(27.5 * 2 ** (tuning_of(tuning) / whole("bins_per_octave", bins_per_octave)))


def hz_to_octs(frequencies: Any, *, tuning: float = 0.0, bins_per_octave: int = 12) -> Array:
    """Convert Hz to octave numbers, octave 0 starting at A0 = 27.5 Hz, shifted by `tuning` in bins.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.hz_to_octs(440.0))
    4.0
    """
    return np.log2(as_values(frequencies) / _octave_zero(tuning, bins_per_octave))


def octs_to_hz(octaves: Any, *, tuning: float = 0.0, bins_per_octave: int = 12) -> Array:
    """Convert octave numbers to Hz; the inverse of `hz_to_octs`.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.octs_to_hz(4.0))
    440.0
    """
    return _octave_zero(tuning, bins_per_octave) * 2 ** as_values(octaves)


def fft_frequencies(*, sr: float, n_fft: int) -> np.ndarray:
    """Return the frequencies of the bins of a real FFT, in Hz: shape (1 + n_fft // 2,).

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.fft_frequencies(sr=8000, n_fft=4)
    array([   0., 2000., 4000.])
    """
    return np.fft.rfftfreq(whole("n_fft", n_fft), 1 / real("sr", sr, above=0))


def mel_frequencies(
    n_mels: int = 128, *, fmin: float = 0.0, fmax: float = 11025.0, mel_scale: str = "slaney"
) -> np.ndarray:
    """Return `n_mels` frequencies in Hz that are equally spaced in mel, from fmin to fmax.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.mel_frequencies(3, fmax=1000.0).round(6)
    array([   0.,  500., 1000.])
    """
    low, high = hz_to_mel([real("fmin", fmin, least=0), real("fmax", fmax, least=0)], mel_scale=mel_scale)
    return np.asarray(mel_to_hz(np.linspace(low, high, whole("n_mels", n_mels)), mel_scale=mel_scale))


def cqt_frequencies(n_bins: int, *, fmin: float, bins_per_octave: int = 12, tuning: float = 0.0) -> np.ndarray:
    """Return `n_bins` frequencies in Hz, `bins_per_octave` to the octave from fmin, shifted by `tuning` in bins.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.cqt_frequencies(3, fmin=55.0, bins_per_octave=1)
    array([ 55., 110., 220.])
    """
    per_octave = whole("bins_per_octave", bins_per_octave)
    steps = np.arange(whole("n_bins", n_bins)) + tuning_of(tuning)
    return np.asarray(real("fmin", fmin, above=0) * 2 ** (steps / per_octave))
