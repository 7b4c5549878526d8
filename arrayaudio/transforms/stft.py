"""The short-time Fourier transform and its inverse."""

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, as_complex, asarray, on_device_of
from arrayaudio.checks import one_of, whole
from arrayaudio.errors import ParameterError
from arrayaudio.inverse import istft
from arrayaudio.plan import Detector, Plan
from arrayaudio.scales import fft_frequencies
from arrayaudio.transforms.base import FramedTransform, compiled, settings

__all__ = ["STFT"]

DETECTORS: dict[str, Detector] = {"complex": "complex", "magnitude": 1.0, "power": 2.0, "phase": "phase"}


@settings
class STFT(FramedTransform):
    """Short-time Fourier transform: X[k, t] = sum_n window[n] y[t hop + n] exp(-2 pi i k n / n_fft).

    Parameters
    ----------
    n_fft : int
        Samples in a frame and length of the FFT; any number, odd and prime ones too.
    hop_length : int
        Samples from one frame to the next; win_length // 4 by default. May exceed the window.
    win_length : int
        Length of the window, which stands in the middle of the frame; n_fft by default.
    window : str, tuple, array or callable
        See `get_window`.
    center : bool
        True pads n_fft // 2 samples on both sides, so that frame t is centred at sample t hop_length.
    pad_mode : str
        How to pad, by the names of `numpy.pad` ("empty" excepted).
    output : "complex", "magnitude", "power" or "phase"
        What to return of each coefficient; the phase is in radians, counted from the start of the frame.
    sr : float, optional
        Sampling rate in Hz; needed for `frequencies` and `times` only.
    device : str, optional
        "cpu", "cuda" or "cuda:N" move signals there first; without it the signal decides.

    Returns
    -------
    array, shape (..., 1 + n_fft // 2, n_frames)
        complex64 or complex128 for "complex", float32 or float64 for the others, after the dtype of the signal.

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    >>> stft = aa.STFT(n_fft=256, sr=8000, output="magnitude")
    >>> S = stft(y)
    >>> S.shape
    (129, 126)
    >>> float(stft.frequencies[S[:, 60].argmax()])
    1000.0
    """

    sr: float | None = None
    output: str = "complex"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("output", self.output, DETECTORS)

    def _plan(self) -> Plan:
        return Plan(self.framing, self.frame_window, DETECTORS[self.output])

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz."""
        return fft_frequencies(sr=self._known_sr(), n_fft=self.n_fft)

    def inverse(self, S: ArrayLike, *, length: int | None = None) -> Array:
        """Reconstruct the waveform whose STFT is nearest to `S` in least squares (Griffin and Lim, 1984).

        Parameters
        ----------
        S : complex array, shape (..., 1 + n_fft // 2, n_frames)
        length : int, optional
            Samples to return; by default as many as lie between the centres of the first and the last frame, or all
            that the frames hold if they are not centred.

        Returns
        -------
        array, shape (..., length)

        Raises
        ------
        ParameterError
            If the window and the hop have no inverse, the shape does not fit, the length is more than the frames
            cover, or this transform keeps something else than complex coefficients.
        """
        if self.output != "complex":
            raise ParameterError(
                f"output={self.output!r}: only complex coefficients determine the waveform; use output='complex', or "
                "aa.griffinlim for magnitudes"
            )
        plan = compiled(self)
        spectrum = as_complex(asarray(S, device=self.device))
        wanted = None if length is None else whole("length", length, most=2**63 - 1)
        with on_device_of(spectrum):
            return istft(spectrum, plan.framing, plan.window, wanted)
