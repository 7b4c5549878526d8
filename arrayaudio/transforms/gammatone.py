"""The gammatonegram: a spectrogram gathered into the bands of the ear."""

import numpy as np

from arrayaudio.checks import one_of, whole
from arrayaudio.gammatone_bank import checked_width, gammatone, gammatone_frequencies
from arrayaudio.transforms.bands import Banded
from arrayaudio.transforms.base import settings

__all__ = ["Gammatonegram"]


@settings
class Gammatonegram(Banded):
    """Gammatonegram: the spectrogram weighted by the magnitude responses of gammatone filters (Ellis, 2009).

    It approximates the energies of `gammatone_filterbank` at the cost of a mel spectrogram; all its bands have the time
    resolution of the frame. The weights are magnitudes also where `power` is 2, as in nnAudio.

    Parameters
    ----------
    sr, n_fft, hop_length, win_length, window, center, pad_mode, device
        As for `MelSpectrogram`.
    n_bins : int
        Number of bands.
    fmin, fmax : float
        Centre of the first band, and one step in ERB rate above the centre of the last, in Hz; fmax=None means sr / 2.
    power : float
        Power to which magnitudes are raised before the bands: 2 for power, 1 for magnitude, as in Ellis's program.
    width : float
        Width of the filters in units of the ear's: see `filters.gammatone`.
    scale, amin, top_db
        As for `MelSpectrogram`.
    trainable_bins, trainable_stft : bool
        Whether `params` holds the bands, and the windowed Fourier basis, to be learned: see `with_params`.
    precision : None, "tf32" or "bf16x3"
        Of products with a basis that was given: see `STFT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> transform = aa.Gammatonegram(sr=16000, n_bins=32)
    >>> S = transform(y)
    >>> S.shape
    (32, 32)
    >>> float(transform.frequencies[S[:, 16].argmax()].round())
    1054.0
    """

    fmin: float = 20.0
    n_bins: int = 64
    width: float = 1.0
    trainable_bins: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("trainable_bins", self.trainable_bins, (True, False))
        self._replace(n_bins=whole("n_bins", self.n_bins), width=checked_width(self.width))

    @property
    def _n_bands(self) -> int:
        return self.n_bins

    @property
    def _trainable_bank(self) -> bool:
        return self.trainable_bins

    def _bank(self) -> np.ndarray:
        return gammatone(
            sr=self.sr, n_fft=self.n_fft, n_bins=self.n_bins, fmin=self.fmin, fmax=self.fmax, width=self.width
        )

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz."""
        assert self.fmax is not None
        return gammatone_frequencies(self.n_bins, fmin=self.fmin, fmax=self.fmax)
