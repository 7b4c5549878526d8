"""Mel-frequency cepstral coefficients."""

from typing import ClassVar

import numpy as np

from arrayaudio.checks import one_of
from arrayaudio.filterbanks import NORMS
from arrayaudio.transforms.bands import Cepstral
from arrayaudio.transforms.base import settings
from arrayaudio.transforms.mel import MelBased

__all__ = ["MFCC"]


@settings
class MFCC(Cepstral, MelBased):
    """Mel-frequency cepstral coefficients: the cosine transform, over the bands, of a mel spectrogram in dB.

    Parameters
    ----------
    sr, n_fft, hop_length, win_length, window, center, pad_mode, device
        As for `MelSpectrogram`.
    n_mels, fmin, fmax, power, mel_scale, scale, amin, top_db, trainable_mel, trainable_stft,
    precision
        As for `MelSpectrogram`, but for `scale`, which is "db" by default.
    mel_norm : "slaney" or None
        Norm of the mel bands.
    n_mfcc : int
        Coefficients to keep, at most n_mels.
    dct_type : 1, 2 or 3
        Type of the cosine transform.
    norm : "ortho" or None
        Norm of the cosine transform, as in `scipy.fft.dct`.
    lifter : float
        If not 0, coefficient n = 1, 2, ... is multiplied by 1 + lifter / 2 sin(pi n / lifter).

    Returns
    -------
    array, shape (..., n_mfcc, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.MFCC(sr=22050, n_mfcc=13)(np.ones(22050)).shape
    (13, 44)
    """

    mel_norm: str | None = "slaney"
    n_mfcc: int = 20

    sizes: ClassVar[tuple[str, str]] = ("n_mfcc", "n_mels")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("mel_norm", self.mel_norm, NORMS)

    def _bank(self) -> np.ndarray:
        return self._mel_bank(self.mel_norm)
