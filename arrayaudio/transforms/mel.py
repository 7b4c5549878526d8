"""The mel spectrogram, and the bands that it shares with the cepstra built on it."""

from typing import Any

import numpy as np

from arrayaudio.checks import one_of, whole
from arrayaudio.filterbanks import NORMS, mel
from arrayaudio.scales import MEL_SCALES, mel_frequencies
from arrayaudio.transforms.bands import Banded
from arrayaudio.transforms.base import settings

__all__ = ["MelSpectrogram"]


@settings
class MelBased(Banded):
    """Base of the transforms that start with a mel spectrogram."""

    n_mels: int = 128
    mel_scale: str = "slaney"
    trainable_mel: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("mel_scale", self.mel_scale, MEL_SCALES)
        one_of("trainable_mel", self.trainable_mel, (True, False))
        self._replace(n_mels=whole("n_mels", self.n_mels))

    @property
    def _n_bands(self) -> int:
        return self.n_mels

    @property
    def _trainable_bank(self) -> bool:
        return self.trainable_mel

    def _mel_bank(self, norm: str | None) -> np.ndarray:
        options: dict[str, Any] = {name: getattr(self, name) for name in ("sr", "n_fft", "n_mels", "fmin", "fmax")}
        return mel(**options, mel_scale=self.mel_scale, norm=norm)


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
    window_at : "middle" or "start"
        Where a window that is shorter than the FFT stands: in the middle of frames of `n_fft` samples, or, as in Kaldi,
        on frames of `win_length` samples, with zeros behind it. The number of frames follows from their length.
    remove_dc : bool
        Whether to remove the mean of each frame, before all else.
    preemphasis : float
        Part of the sample before that is taken from each sample of a frame, and from the first one of itself: 0.97 in
        Kaldi. For the whole signal there is `preemphasis`.
    trainable_mel, trainable_stft : bool
        Whether `params` holds the mel bank, and the windowed Fourier basis, to be learned: see `with_params`.
    precision : None, "tf32" or "bf16x3"
        Of products with a basis that was given: see `STFT`.
    compat : "librosa", "torchaudio", "nnaudio" or "kaldi", optional
        Whose defaults to take for what is not given, where the library has this transform; it is no setting of its own.

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

    def _bank(self) -> np.ndarray:
        return self._mel_bank(self.norm)

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz."""
        assert self.fmax is not None
        return mel_frequencies(self.n_mels + 2, fmin=self.fmin, fmax=self.fmax, mel_scale=self.mel_scale)[1:-1]
