"""Mel-frequency cepstral coefficients."""

import dataclasses
from typing import ClassVar

import numpy as np

from arrayaudio.arrays import Array, contiguous, namespace
from arrayaudio.checks import one_of
from arrayaudio.conditioning import Conditioning, conditioned
from arrayaudio.errors import ParameterError
from arrayaudio.filterbanks import NORMS
from arrayaudio.frames import framed
from arrayaudio.pcm import in_floats
from arrayaudio.spectrum import scaled
from arrayaudio.transforms.bands import Cepstral
from arrayaudio.transforms.base import settings
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.mel import MelBased

__all__ = ["MFCC"]


@settings
class MFCC(Cepstral, MelBased):
    """Mel-frequency cepstral coefficients: the cosine transform, over the bands, of a mel spectrogram in dB.

    Parameters
    ----------
    sr, n_fft, hop_length, win_length, window, center, pad_mode, device
        As for `MelSpectrogram`.
    n_mels, fmin, fmax, power, mel_scale, scale, amin, top_db, window_at, remove_dc, preemphasis, trainable_mel,
    trainable_stft, precision, compat
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
        If not 0, coefficient n is multiplied by 1 + lifter / 2 sin(pi n / lifter).
    lifter_from : 1 or 0
        The n of the first coefficient: 1 as in librosa, or 0 as in Kaldi and the HTK book.
    energy : bool
        Whether the level of the energy of the frame, without its mean if that is removed but before preemphasis and
        window, takes the place of the first coefficient, as in Kaldi.

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
    energy: bool = False

    sizes: ClassVar[tuple[str, str]] = ("n_mfcc", "n_mels")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("mel_norm", self.mel_norm, NORMS)
        one_of("energy", self.energy, (True, False))

    def _bank(self) -> np.ndarray:
        return self._mel_bank(self.mel_norm)

    def _apply(self, y: Array) -> Array:
        C = super()._apply(y)
        if not self.energy:
            return C
        return contiguous(namespace(C).concat([self._energies(y), C[..., 1:, :]], axis=-2))

    def _energies(self, y: Array) -> Array:
        frames = conditioned(framed(in_floats(y), self.framing), Conditioning(self.n_fft, self.remove_dc))
        E = namespace(frames).sum(frames * frames, axis=-1)[..., None, :]
        scaling = self._scaling()
        if scaling is None:
            return E
        factor = 10.0 if self.scale == "db" else 1.0  # energies are powers, whatever the bands are
        return scaled(E, dataclasses.replace(scaling, factor=factor, range=None))

    def _by_frames(self) -> ByFrames:
        if not self.energy:
            return super()._by_frames()
        if self.scale == "db" and self.top_db is not None:
            raise ParameterError(f"top_db={self.top_db:g}: needs the whole signal; with energy=True, use top_db=None")
        return ByFrames(self._uncentred()._apply, separate=self._separate)
