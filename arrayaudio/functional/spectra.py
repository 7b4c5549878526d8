"""The Fourier transform and its inverse as functions."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, asarray
from arrayaudio.errors import ParameterError
from arrayaudio.functional.settings_of import settings_of
from arrayaudio.transforms.stft import STFT

__all__ = ["istft", "spectrogram", "stft"]


@settings_of(STFT)
def stft(y: ArrayLike, transform: STFT) -> Array:
    """Short-time Fourier transform; the settings are those of `STFT`.

    Returns
    -------
    array, shape (..., 1 + n_fft // 2, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.stft(np.ones(22050, dtype=np.float32), n_fft=1024).dtype
    dtype('complex64')
    """
    return transform(y)


@settings_of(STFT, output="power")
def spectrogram(y: ArrayLike, transform: STFT) -> Array:
    """Power spectrogram; the settings are those of `STFT`, with `output="power"`.

    Returns
    -------
    array, shape (..., 1 + n_fft // 2, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.spectrogram(np.ones(2048), n_fft=512, window="boxcar", center=False).max()
    np.float64(262144.0)
    """
    return transform(y)


def istft(S: ArrayLike, *, n_fft: int | None = None, length: int | None = None, **settings: Any) -> Array:
    """Inverse short-time Fourier transform: the waveform whose STFT is nearest to `S` in least squares.

    Parameters
    ----------
    S : complex array, shape (..., 1 + n_fft // 2, n_frames)
    n_fft : int, optional
        As given to `stft`; 2 (rows - 1) by default, so odd ones must be given.
    length : int, optional
        Samples to return; by default as many as lie between the centres of the first and the last frame.
    **settings
        hop_length, win_length, window, center, as given to `stft`.

    Returns
    -------
    array, shape (..., length)

    Raises
    ------
    ParameterError
        If the window and the hop have no inverse, or shape and length do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(5000.0))
    >>> bool(np.allclose(aa.istft(aa.stft(y), length=5000), y))
    True
    """
    spectrum = asarray(S)
    if n_fft is None:
        rows = spectrum.shape[-2] if spectrum.ndim >= 2 else 0
        if rows < 2:
            raise ParameterError("spectrum: must have shape (..., 1 + n_fft // 2, n_frames), with at least two rows")
        n_fft = 2 * (rows - 1)
    return STFT(n_fft=n_fft, **settings).inverse(spectrum, length=length)
