"""nnAudio's combined frequency and periodicity."""

from collections.abc import Sequence

from arrayaudio.arrays import Array, ArrayLike
from arrayaudio.checks import real, whole
from arrayaudio.compat.nnaudio.layer import Layer
from arrayaudio.transforms import cfp

__all__ = ["CFP", "Combined_Frequency_Periodicity"]


class Combined_Frequency_Periodicity(Layer):  # noqa: N801
    """Combined frequency and periodicity with nnAudio's arguments, returning all four of its outputs.

    Parameters
    ----------
    fr : float
        Distance of the bins of the FFT in Hz; the FFT has int(fs / fr) samples.
    fs : float
        Sampling rate in Hz.
    hop_length : int
        Samples from one frame to the next.
    window_size : int
        Length of the window, a symmetric Blackman-Harris one, in samples; at most int(fs / fr).
    fc : float
        Centre of the lowest band in Hz, below which spectra are cut.
    tc : float
        Period in seconds below which cepstra are cut: bands end at 1 / tc Hz.
    g : sequence of float
        Exponents; 0 stands for the logarithm.
    NumPerOct : int
        Bands in an octave.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> layer = Spectrogram.Combined_Frequency_Periodicity()
    >>> Z, tfrL0, tfrLF, tfrLQ = layer(np.ones((2, 16000), dtype=np.float32))
    >>> Z.shape
    (2, 174, 51)
    """

    transform: cfp.CFP

    def __init__(
        self,
        fr: float = 2,
        fs: float = 16000,
        hop_length: int = 320,
        window_size: int = 2049,
        fc: float = 80,
        tc: float = 1 / 1000,
        g: Sequence[float] = (0.24, 0.6, 1),
        NumPerOct: int = 48,
    ) -> None:
        from scipy.signal.windows import blackmanharris

        n_fft = int(real("fs", fs, above=0) / real("fr", fr, above=0))
        transform = cfp.CFP(
            sr=fs,
            n_fft=n_fft,
            win_length=window_size,
            hop_length=hop_length,
            window=blackmanharris(whole("window_size", window_size)),
            fmin=fc,
            fmax=1 / real("tc", tc, above=0),
            bins_per_octave=NumPerOct,
            g=g,
            variant="published",
        )
        super().__init__(transform)

    def forward(self, x: ArrayLike) -> tuple[Array, Array, Array, Array]:
        """Return Z, tfrL0, tfrLF and tfrLQ of signals (batch, n_samples), each (batch, bands, time)."""
        parts = self.transform.parts(self._signals(x))
        return parts.cfp, parts.spectrum, parts.frequency, parts.periodicity


class CFP(Combined_Frequency_Periodicity):
    """The first output of `Combined_Frequency_Periodicity` alone, from the same arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.CFP()(np.ones((2, 16000), dtype=np.float32)).shape
    (2, 174, 51)
    """

    def forward(self, x: ArrayLike) -> Array:
        """Return Z of signals (batch, n_samples): (batch, bands, time)."""
        return self.transform(self._signals(x))
