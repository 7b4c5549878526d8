"""A signal split into the bands of the ear: gammatone filters in the time domain."""

import functools

from arrayaudio.arrays import Array, ArrayLike, namespace
from arrayaudio.checks import whole
from arrayaudio.constants import Constant
from arrayaudio.gammatone_bank import Gammatones, gammatones
from arrayaudio.parts import in_parts
from arrayaudio.primitive import primitive
from arrayaudio.signals import as_signal, require_finite

__all__ = ["gammatone_filterbank"]

# Values of a block of bands; more would only take memory.
BLOCK = 2**22


@functools.lru_cache(maxsize=4)
def _taps(filters: Gammatones, n_samples: int) -> Constant:
    return Constant(filters.impulse_responses(n_samples))


@primitive
def gammatone_bands(y: Array, filters: Gammatones) -> Array:
    """Filter (..., n_samples) with every filter, at rest before the first sample: (..., n_filters, n_samples).

    Convolution with the impulse responses up to where they vanish in the rounding, by overlap-save.
    """
    xp = namespace(y)
    *batch, n = y.shape
    n_bands = len(filters.centres)
    n_taps = min(filters.n_taps, n)
    taps = _taps(filters, n_taps).like(y)
    size = 1 << min(4 * n_taps, n + n_taps).bit_length()
    history = xp.zeros((*batch, n_taps - 1), dtype=y.dtype)
    padded = xp.concat([history, y], axis=-1)
    step = max(1, BLOCK // max(1, size * (y.size // n)))
    bands = []
    for first in range(0, n_bands, step):
        responses = xp.fft.rfft(taps[first : min(first + step, n_bands), :], n=size, axis=-1)
        pieces = []
        for start in range(0, n, size - n_taps + 1):
            spectrum = xp.fft.rfft(padded[..., start : min(start + size, n + n_taps - 1)], n=size, axis=-1)[
                ..., None, :
            ]
            pieces.append(xp.fft.irfft(spectrum * responses, n=size, axis=-1)[..., n_taps - 1 :])
        bands.append(xp.concat(pieces, axis=-1)[..., :n])
    return xp.concat(bands, axis=-2)


def gammatone_filterbank(
    y: ArrayLike,
    *,
    sr: float,
    n_bands: int = 64,
    fmin: float = 50.0,
    fmax: float | None = None,
    width: float = 1.0,
    check_finite: bool = True,
) -> Array:
    """Split a signal into bands as the ear's basilar membrane does, by gammatone filters of order four.

    The filters are those of Slaney (Apple Technical Report 35, 1993): causal, of unit gain at their centres, at rest
    before the first sample. Their impulse response is (n + 1)(n + 2)(n + 3) exp(-b n) cos(theta n), but for the gain.

    Parameters
    ----------
    y : array, shape (..., n_samples)
    sr : float
        Sampling rate in Hz.
    n_bands : int
        Number of filters.
    fmin, fmax : float
        Centre of the first filter, and one step in ERB rate above the centre of the last, in Hz; fmax=None means
        sr / 2. `gammatone_frequencies` gives all the centres.
    width : float
        Width of the filters in units of the ear's, whose equivalent rectangular bandwidth is f / 9.26449 + 24.7 Hz
        (Glasberg and Moore, 1990), from 0.01 to 100.
    check_finite : bool
        Whether to search for NaN and infinite samples, which otherwise spoil what comes after them.

    Returns
    -------
    array, shape (..., n_bands, n_samples)
        The waveform of each band.

    Raises
    ------
    ParameterError
        If the range is empty or goes beyond sr / 2, or another parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000)
    >>> bands = aa.gammatone_filterbank(y, sr=16000, n_bands=20)
    >>> bands.shape
    (20, 8000)
    >>> loudest = (bands**2).mean(axis=-1).argmax()
    >>> float(aa.gammatone_frequencies(20, fmin=50, fmax=8000)[loudest].round())
    1050.0
    """
    signal = as_signal(y)
    if check_finite:
        require_finite(signal)
    filters = gammatones(sr, whole("n_bands", n_bands), fmin, fmax, width)
    return in_parts(lambda y: gammatone_bands(y, filters), signal)
