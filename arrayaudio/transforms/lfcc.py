"""Linear-frequency cepstral coefficients."""

from typing import ClassVar

import numpy as np

from arrayaudio.filterbanks import linear
from arrayaudio.transforms.bands import Cepstral
from arrayaudio.transforms.base import settings

__all__ = ["LFCC"]


@settings
class LFCC(Cepstral):
    """Linear-frequency cepstral coefficients: the cosine transform, over equally wide bands, of their levels in dB.

    The definition is that of torchaudio; the frames are, as for all transforms, those of librosa.

    Parameters
    ----------
    sr, n_fft, hop_length, win_length, window, center, pad_mode, trainable_stft, precision, device
        As for `MelSpectrogram`.
    fmin, fmax, power, scale, amin, top_db, window_at, remove_dc, preemphasis, compat
        As for `MelSpectrogram`, but for `scale`, which is "db" by default.
    n_filter : int
        Number of triangular bands between fmin and fmax: see `filters.linear`.
    n_lfcc : int
        Coefficients to keep, at most n_filter.
    dct_type : 1, 2 or 3
        Type of the cosine transform.
    norm : "ortho" or None
        Norm of the cosine transform, as in `scipy.fft.dct`.
    lifter : float
        If not 0, coefficient n is multiplied by 1 + lifter / 2 sin(pi n / lifter).
    lifter_from : 1 or 0
        The n of the first coefficient: 1 as in librosa, or 0 as in Kaldi and the HTK book.

    Returns
    -------
    array, shape (..., n_lfcc, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.LFCC(sr=16000, n_lfcc=20)(np.ones(16000)).shape
    (20, 32)
    """

    n_filter: int = 128
    n_lfcc: int = 40

    sizes: ClassVar[tuple[str, str]] = ("n_lfcc", "n_filter")

    @property
    def _n_bands(self) -> int:
        return self.n_filter

    def _bank(self) -> np.ndarray:
        return linear(sr=self.sr, n_fft=self.n_fft, n_filter=self.n_filter, fmin=self.fmin, fmax=self.fmax)
