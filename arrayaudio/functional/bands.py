"""Transforms into bands, cepstra and pitch classes as functions."""

from arrayaudio.arrays import Array, ArrayLike
from arrayaudio.functional.settings_of import settings_of
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.gammatone import Gammatonegram
from arrayaudio.transforms.lfcc import LFCC
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC

__all__ = ["cfp", "chroma_stft", "gammatonegram", "lfcc", "melspectrogram", "mfcc"]


@settings_of(MelSpectrogram)
def melspectrogram(y: ArrayLike, transform: MelSpectrogram) -> Array:
    """Mel spectrogram; the settings are those of `MelSpectrogram`.

    Returns
    -------
    array, shape (..., n_mels, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.melspectrogram(np.ones(22050), sr=22050, n_mels=64).shape
    (64, 44)
    """
    return transform(y)


@settings_of(MFCC)
def mfcc(y: ArrayLike, transform: MFCC) -> Array:
    """Mel-frequency cepstral coefficients; the settings are those of `MFCC`.

    Returns
    -------
    array, shape (..., n_mfcc, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.mfcc(np.ones(22050), sr=22050, n_mfcc=13).shape
    (13, 44)
    """
    return transform(y)


@settings_of(LFCC)
def lfcc(y: ArrayLike, transform: LFCC) -> Array:
    """Linear-frequency cepstral coefficients; the settings are those of `LFCC`.

    Returns
    -------
    array, shape (..., n_lfcc, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.lfcc(np.ones(22050), sr=22050, n_lfcc=13).shape
    (13, 44)
    """
    return transform(y)


@settings_of(Chroma)
def chroma_stft(y: ArrayLike, transform: Chroma) -> Array:
    """Energy of each pitch class; the settings are those of `Chroma`.

    Returns
    -------
    array, shape (..., n_chroma, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.chroma_stft(np.ones(22050), sr=22050).shape
    (12, 44)
    """
    return transform(y)


@settings_of(Gammatonegram)
def gammatonegram(y: ArrayLike, transform: Gammatonegram) -> Array:
    """Spectrogram in the bands of the ear; the settings are those of `Gammatonegram`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.gammatonegram(np.ones(22050), sr=22050).shape
    (64, 44)
    """
    return transform(y)


@settings_of(CFP)
def cfp(y: ArrayLike, transform: CFP) -> Array:
    """Combined frequency and periodicity; the settings are those of `CFP`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.cfp(np.ones(22050), sr=22050).shape
    (174, 44)
    """
    return transform(y)
