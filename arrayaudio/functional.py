"""Functions with librosa's names, one line each over a transform.

Each takes the settings of its transform as keywords, and shows them in its signature.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from arrayaudio.arrays import Array, ArrayLike, asarray
from arrayaudio.errors import ParameterError
from arrayaudio.transforms.base import Transform
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import CQT, VQT
from arrayaudio.transforms.gammatone import Gammatonegram
from arrayaudio.transforms.hybrid_cqt import HybridCQT, PseudoCQT
from arrayaudio.transforms.lfcc import LFCC
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.stft import STFT

__all__ = [
    "cfp",
    "chroma_cqt",
    "chroma_stft",
    "cqt",
    "gammatonegram",
    "hybrid_cqt",
    "icqt",
    "istft",
    "lfcc",
    "melspectrogram",
    "mfcc",
    "pseudo_cqt",
    "spectrogram",
    "stft",
    "vqt",
]

P = ParamSpec("P")
T = TypeVar("T", bound=Transform)
Call = Callable[[ArrayLike, T], Array]


def settings_of(
    make: Callable[P, T], **defaults: Any
) -> Callable[[Call[T]], Callable[Concatenate[ArrayLike, P], Array]]:
    """Turn a function of (signal, transform) into one of the signal and the transform's settings as keywords."""

    def decorate(body: Call[T]) -> Callable[Concatenate[ArrayLike, P], Array]:
        @functools.wraps(body)
        def call(y: ArrayLike, /, *args: P.args, **options: P.kwargs) -> Array:
            return body(y, make(*args, **(defaults | options)))

        array = inspect.Parameter("y", inspect.Parameter.POSITIONAL_ONLY)
        keywords = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(
                    field.name, inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
                ),
            )
            for field in dataclasses.fields(make)  # type: ignore[arg-type]
        ]
        call.__signature__ = inspect.Signature([array, *keywords])  # type: ignore[attr-defined]
        return call

    return decorate


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


@settings_of(CQT)
def cqt(y: ArrayLike, transform: CQT) -> Array:
    """Constant-Q transform; the settings are those of `CQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.cqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(VQT)
def vqt(y: ArrayLike, transform: VQT) -> Array:
    """Variable-Q transform; the settings are those of `VQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.vqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(HybridCQT)
def hybrid_cqt(y: ArrayLike, transform: HybridCQT) -> Array:
    """Constant-Q magnitudes, by an STFT where kernels are short; the settings are those of `HybridCQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.hybrid_cqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(PseudoCQT)
def pseudo_cqt(y: ArrayLike, transform: PseudoCQT) -> Array:
    """Constant-Q magnitudes by an STFT; the settings are those of `PseudoCQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.pseudo_cqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(ChromaCQT)
def chroma_cqt(y: ArrayLike, transform: ChromaCQT) -> Array:
    """Energy of each pitch class, from constant-Q magnitudes; the settings are those of `ChromaCQT`.

    Returns
    -------
    array, shape (..., n_chroma, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.chroma_cqt(np.ones(22050), sr=22050).shape
    (12, 44)
    """
    return transform(y)


def icqt(C: ArrayLike, *, length: int | None = None, residual: bool = False, **settings: Any) -> Array:
    """Inverse constant-Q transform: the waveform whose CQT is nearest to `C` in least squares.

    Parameters
    ----------
    C : complex array, shape (..., n_bins, n_frames)
    length, residual
        As for `CQT.inverse`, which says where the waveform is determined and where not.
    **settings
        sr, hop_length, fmin and the others, as given to `cqt`; n_bins is that of `C`.

    Returns
    -------
    array, shape (..., length), and the residual if it is asked for

    Raises
    ------
    ParameterError
        If shape and length do not fit, or `C` is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> options = {"sr": 8000, "fmin": 110.0, "hop_length": 16}
    >>> C = aa.cqt(y, n_bins=48, **options)
    >>> bool(np.allclose(aa.icqt(C, length=8000, **options)[1000:-1000], y[1000:-1000], atol=1e-3))
    True
    """
    coefficients = asarray(C)
    n_bins = coefficients.shape[-2] if coefficients.ndim >= 2 else 1
    return CQT(**{"n_bins": n_bins, **settings}).inverse(coefficients, length=length, residual=residual)


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
    if n_fft is None:
        rows = S.shape[-2] if getattr(S, "ndim", 0) >= 2 else 0
        if rows < 2:
            raise ParameterError("spectrum: must have shape (..., 1 + n_fft // 2, n_frames), with at least two rows")
        n_fft = 2 * (rows - 1)
    return STFT(n_fft=n_fft, **settings).inverse(S, length=length)
