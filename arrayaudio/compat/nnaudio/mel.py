"""nnAudio's mel spectrogram and cepstral coefficients."""

import math
from typing import Any

from arrayaudio.arrays import Array, ArrayLike, on_device_of
from arrayaudio.bases import DCT_NORMS, cepstral
from arrayaudio.checks import one_of, real, whole
from arrayaudio.compat.nnaudio.layer import Layer, named
from arrayaudio.errors import ParameterError
from arrayaudio.project import mix_rows
from arrayaudio.spectrum import power_to_db
from arrayaudio.transforms import mel
from arrayaudio.windows import Window

__all__ = ["MFCC", "MelSpectrogram"]


class MelSpectrogram(Layer):
    """Mel spectrogram with nnAudio's arguments.

    Parameters
    ----------
    sr, n_fft, win_length, n_mels, hop_length, window, center, pad_mode, power, fmin, fmax
        As for `arrayaudio.MelSpectrogram`; hop_length=None means win_length // 4.
    htk : bool
        True for the mel scale of HTK, False for Slaney's.
    norm : 1, None or infinity
        1 gives all bands the same area; the others the same height.
    trainable_mel, trainable_STFT : bool
        Whether `params` holds these arrays, to be learned: see `with_params`.
    verbose, iSTFT
        Without effect.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.MelSpectrogram(n_mels=64)(np.ones((2, 1, 22050), dtype=np.float32)).shape
    (2, 64, 44)
    """

    transform: mel.MelSpectrogram

    def __init__(
        self,
        sr: float = 22050,
        n_fft: int = 2048,
        win_length: int | None = None,
        n_mels: int = 128,
        hop_length: int | None = 512,
        window: Window = "hann",
        center: bool = True,
        pad_mode: str = "reflect",
        power: float = 2.0,
        htk: bool = False,
        fmin: float = 0.0,
        fmax: float | None = None,
        norm: float | None = 1,
        trainable_mel: bool = False,
        trainable_STFT: bool = False,
        verbose: bool = True,  # noqa: ARG002
        *,
        iSTFT: bool = False,  # noqa: ARG002
    ) -> None:
        if norm not in (1, None, math.inf):
            raise ParameterError(f"norm={norm!r}: must be 1, None or infinity")
        transform = mel.MelSpectrogram(
            sr=sr,
            n_fft=n_fft,
            win_length=win_length,
            n_mels=n_mels,
            hop_length=hop_length,
            window=named(window),
            center=center,
            pad_mode=pad_mode,
            power=power,
            mel_scale="htk" if htk else "slaney",
            fmin=fmin,
            fmax=fmax,
            norm="slaney" if norm == 1 else None,
        )
        super().__init__(transform, trainable_mel=trainable_mel, trainable_STFT=trainable_STFT)

    def forward(self, x: ArrayLike) -> Array:
        """Transform signals (batch, n_samples) into (batch, n_mels, time)."""
        return self.transform(self._signals(x))


class MFCC(Layer):
    """Mel-frequency cepstral coefficients with nnAudio's arguments: the cosine transform of a mel spectrogram in dB.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_mfcc : int
        Coefficients to keep, at most n_mels.
    norm : "ortho" or None
        Norm of the cosine transform.
    ref, amin, top_db
        As for `arrayaudio.power_to_db`, whatever the power of the mel spectrogram.
    verbose
        Without effect.
    **kwargs
        Settings of `MelSpectrogram`, but for its norm.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.MFCC(n_mfcc=13, n_mels=40)(np.ones(22050)).shape
    (1, 13, 44)
    """

    def __init__(
        self,
        sr: float = 22050,
        n_mfcc: int = 20,
        norm: str | None = "ortho",
        verbose: bool = True,  # noqa: ARG002
        ref: float = 1.0,
        amin: float = 1e-10,
        top_db: float | None = 80.0,
        **kwargs: Any,
    ) -> None:
        self.melspec_layer = MelSpectrogram(sr=sr, **kwargs)
        super().__init__(self.melspec_layer.transform)
        n_mels = self.melspec_layer.transform.n_mels
        self.n_mfcc = whole("n_mfcc", n_mfcc)
        if self.n_mfcc > n_mels:
            raise ParameterError(f"n_mfcc={n_mfcc}: must be at most n_mels={n_mels}")
        self._basis = cepstral(self.n_mfcc, n_mels, 2, one_of("norm", norm, DCT_NORMS), 0.0)
        self._levels: dict[str, Any] = {
            "ref": real("ref", ref),
            "amin": real("amin", amin, above=0),
            "top_db": None if top_db is None else real("top_db", top_db, least=0),
        }

    def forward(self, x: ArrayLike) -> Array:
        """Transform signals (batch, n_samples) into (batch, n_mfcc, time)."""
        y = self._signals(x)
        with on_device_of(y):
            return mix_rows(power_to_db(self.transform(y), **self._levels), self._basis)
