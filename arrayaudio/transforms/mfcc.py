"""Mel-frequency cepstral coefficients."""

import numpy as np

from arrayaudio.arrays import Array
from arrayaudio.bases import DCT_NORMS, DCT_TYPES, cepstral
from arrayaudio.checks import one_of, real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.filterbanks import NORMS
from arrayaudio.plan import Plan
from arrayaudio.project import mix_rows
from arrayaudio.transforms.base import settings
from arrayaudio.transforms.mel import MelBased

__all__ = ["MFCC"]


@settings
class MFCC(MelBased):
    """Mel-frequency cepstral coefficients: the cosine transform, over the bands, of a mel spectrogram in dB.

    Parameters
    ----------
    sr, n_fft, hop_length, win_length, window, center, pad_mode, device
        As for `MelSpectrogram`.
    n_mels, fmin, fmax, power, mel_scale, scale, amin, top_db
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

    scale: str | None = "db"
    mel_norm: str | None = "slaney"
    n_mfcc: int = 20
    dct_type: int = 2
    norm: str | None = "ortho"
    lifter: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("mel_norm", self.mel_norm, NORMS)
        one_of("dct_type", self.dct_type, DCT_TYPES)
        one_of("norm", self.norm, DCT_NORMS)
        n_mfcc = whole("n_mfcc", self.n_mfcc)
        if n_mfcc > self.n_mels:
            raise ParameterError(f"n_mfcc={n_mfcc}: must be at most n_mels={self.n_mels}")
        if self.dct_type == 1 and self.n_mels < 2:
            raise ParameterError("dct_type=1: needs n_mels of at least 2")
        self._replace(n_mfcc=n_mfcc, lifter=real("lifter", self.lifter, least=0))

    def _plan(self) -> Plan:
        return self._mel_plan(self.mel_norm)

    def _apply(self, y: Array) -> Array:
        basis = cepstral(self.n_mfcc, self.n_mels, self.dct_type, self.norm, self.lifter)
        return mix_rows(super()._apply(y), basis)

    @property
    def frequencies(self) -> np.ndarray:
        """Number of each coefficient, from 0; cepstra have no frequencies in Hz."""
        return np.arange(self.n_mfcc, dtype=np.float64)
