"""nnAudio's gammatonegram."""

import warnings

from arrayaudio.arrays import Array, ArrayLike
from arrayaudio.compat.nnaudio.layer import Layer, named
from arrayaudio.errors import ArrayAudioWarning
from arrayaudio.transforms import gammatone
from arrayaudio.windows import Window

__all__ = ["Gammatonegram"]


class Gammatonegram(Layer):
    """Gammatonegram with nnAudio's arguments.

    Parameters
    ----------
    sr, n_fft, win_length, n_bins, hop_length, window, center, pad_mode, power, fmin, fmax
        As for `arrayaudio.Gammatonegram`; hop_length=None means win_length // 4.
    htk, norm
        Without effect, here as in nnAudio, since bands of the ear have one scale and one height; other values than
        False and 1 give a warning.
    trainable_bins, trainable_STFT : bool
        Whether `params` holds these arrays, to be learned: see `with_params`.
    verbose, iSTFT
        Without effect.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.Gammatonegram()(np.ones(22050, dtype=np.float32)).shape
    (1, 64, 44)
    """

    def __init__(
        self,
        sr: float = 22050,
        n_fft: int = 2048,
        win_length: int | None = None,
        n_bins: int = 64,
        hop_length: int | None = 512,
        window: Window = "hann",
        center: bool = True,
        pad_mode: str = "reflect",
        power: float = 2.0,
        htk: bool = False,
        fmin: float = 0.0,
        fmax: float | None = None,
        norm: float | None = 1,
        trainable_bins: bool = False,
        trainable_STFT: bool = False,
        verbose: bool = True,  # noqa: ARG002
        *,
        iSTFT: bool = False,  # noqa: ARG002
    ) -> None:
        for name, value, default in (("htk", htk, False), ("norm", norm, 1)):
            if value != default:
                warnings.warn(
                    f"{name}={value!r}: has no effect on gammatone bands, as it had none in nnAudio; leave it out",
                    ArrayAudioWarning,
                    stacklevel=2,
                )
        transform = gammatone.Gammatonegram(
            sr=sr,
            n_fft=n_fft,
            win_length=win_length,
            n_bins=n_bins,
            hop_length=hop_length,
            window=named(window),
            center=center,
            pad_mode=pad_mode,
            power=power,
            fmin=fmin,
            fmax=fmax,
        )
        super().__init__(transform, trainable_bins=trainable_bins, trainable_STFT=trainable_STFT)

    def forward(self, x: ArrayLike) -> Array:
        """Transform signals (batch, n_samples) into (batch, n_bins, time)."""
        return self.transform(self._signals(x))
