"""Chroma: the energy of each pitch class, whatever its octave."""

import math

import numpy as np

from arrayaudio.arrays import Array
from arrayaudio.checks import one_of, real, whole
from arrayaudio.chroma_bank import chroma
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.norms import checked_norm, normalised
from arrayaudio.plan import Plan
from arrayaudio.transforms.base import settings
from arrayaudio.transforms.framed import FramedTransform

__all__ = ["Chroma"]


@settings
class Chroma(FramedTransform):
    """Chroma: the power spectrogram gathered into pitch classes, each frame divided by its norm.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft, hop_length, win_length, window, center, pad_mode, precision, device
        As for `STFT`; the hop is 512 by default, as in librosa.
    n_chroma : int
        Pitch classes in an octave.
    tuning : float
        Deviation from A = 440 Hz, in parts of a pitch class. Nothing is estimated.
    ctroct, octwidth, base_c
        As for `filters.chroma`.
    compat : str, optional
        As for `STFT`.
    norm : float or None
        inf divides each frame by its maximum, 1 by its sum, 2 by its length; None leaves it. Silence stays zero.

    Returns
    -------
    array, shape (..., n_chroma, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> int(aa.Chroma(sr=22050)(y)[:, 20].argmax())  # A, the ninth semitone above C
    9
    """

    sr: float
    hop_length: int | None = 512
    n_chroma: int = 12
    tuning: float = 0.0
    ctroct: float = 5.0
    octwidth: float | None = 2.0
    norm: float | None = math.inf
    base_c: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sr is None:
            raise ParameterError("sr=None: pitch classes need the sampling rate in Hz")
        whole("n_fft", self.n_fft, least=2)
        one_of("base_c", self.base_c, (True, False))
        self._replace(
            n_chroma=whole("n_chroma", self.n_chroma),
            tuning=real("tuning", self.tuning),
            ctroct=real("ctroct", self.ctroct),
            octwidth=None if self.octwidth is None else real("octwidth", self.octwidth, above=0),
            norm=checked_norm(self.norm),
        )

    @property
    def _n_bands(self) -> int:
        return self.n_chroma

    def _plan(self) -> Plan:
        names = ("sr", "n_fft", "n_chroma", "tuning", "ctroct", "octwidth", "base_c")
        bank = chroma(**{name: getattr(self, name) for name in names})
        return Plan(self.framing, self.frame_window, 2.0, Constant(bank))

    def _apply(self, y: Array) -> Array:
        return normalised(super()._apply(y), self.norm)

    @property
    def frequencies(self) -> np.ndarray:
        """Number of each pitch class, from 0; they have no frequencies in Hz."""
        return np.arange(self.n_chroma, dtype=np.float64)
