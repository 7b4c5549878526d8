"""The mel spectrogram, and what it shares with the cepstra built on it."""

from typing import Any

import numpy as np

from arrayaudio.arrays import Constant
from arrayaudio.checks import frequency_range, one_of, real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.filterbanks import NORMS, mel
from arrayaudio.plan import Plan
from arrayaudio.scales import MEL_SCALES, mel_frequencies
from arrayaudio.spectrum import Scaling
from arrayaudio.transforms.base import FramedTransform, settings

__all__ = ["MelSpectrogram"]

LEVELS = ("db", "log", "log10", None)


@settings
class MelBased(FramedTransform):
    """Base of the transforms that start with a mel spectrogram."""

    sr: float
    hop_length: int | None = 512
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    power: float = 2.0
    mel_scale: str = "slaney"
    scale: str | None = None
    amin: float = 1e-10
    top_db: float | None = 80.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sr is None:
            raise ParameterError("sr=None: mel bands need the sampling rate in Hz")
        fmin, fmax = frequency_range(self.fmin, self.fmax, self.sr)
        one_of("mel_scale", self.mel_scale, MEL_SCALES)
        one_of("scale", self.scale, LEVELS)
        self._replace(
            n_mels=whole("n_mels", self.n_mels),
            fmin=fmin,
            fmax=fmax,
            power=real("power", self.power, above=0),
            amin=real("amin", self.amin, above=0),
            top_db=None if self.top_db is None else real("top_db", self.top_db, least=0),
        )

    def _mel_plan(self, norm: str | None) -> Plan:
        options: dict[str, Any] = {name: getattr(self, name) for name in ("sr", "n_fft", "n_mels", "fmin", "fmax")}
        bank = mel(**options, mel_scale=self.mel_scale, norm=norm)
        return Plan(self.framing, self.frame_window, self.power, Constant(bank), self._scaling())

    def _scaling(self) -> Scaling | None:
        if self.scale == "db":
            return Scaling(20 / self.power, self.amin, range=self.top_db)
        return None if self.scale is None else Scaling(1.0, self.amin, base="e" if self.scale == "log" else "10")


@settings
class MelSpectrogram(MelBased):
    """Mel spectrogram: the power (or magnitude) spectrogram gathered into mel bands, on request as levels.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft, hop_length, win_length, window, center, pad_mode, device
        As for `STFT`; the hop is 512 by default, as in librosa.
    n_mels : int
        Number of bands.
    fmin, fmax : float
        Lower edge of the first and upper edge of the last band in Hz; fmax=None means sr / 2.
    power : float
        Power to which magnitudes are raised before the bands: 2 for power, 1 for magnitude.
    mel_scale : "slaney", "htk" or "kaldi"
        See `filters.mel`.
    norm : "slaney" or None
        "slaney" gives all bands the same area.
    scale : None, "db", "log" or "log10"
        None returns the bands as they are; "db" as 20 / power * log10(max(S, amin)), "log" as ln(max(S, amin)),
        "log10" as log10(max(S, amin)).
    amin : float
        Floor under the logarithm.
    top_db : float or None
        For "db": levels more than this under the loudest of their item are raised to that level.

    Returns
    -------
    array, shape (..., n_mels, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Warns
    -----
    ArrayAudioWarning
        If bands are narrower than the bins of the FFT and hence empty.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> logmel = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80, scale="db")
    >>> logmel(np.zeros(16000, dtype=np.float32)).shape
    (80, 101)
    """

    norm: str | None = "slaney"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("norm", self.norm, NORMS)

    def _plan(self) -> Plan:
        return self._mel_plan(self.norm)

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz."""
        assert self.fmax is not None
        return mel_frequencies(self.n_mels + 2, fmin=self.fmin, fmax=self.fmax, mel_scale=self.mel_scale)[1:-1]
