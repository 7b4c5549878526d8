"""The short-time Fourier transform, at the frequencies of the FFT or others, and its inverse."""

from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray
from arrayaudio.checks import frequency_range, one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.inverse import istft
from arrayaudio.parts import in_parts
from arrayaudio.plan import Plan
from arrayaudio.plan_inverse import distance, nearest, require_finite_rows
from arrayaudio.scales import fft_frequencies
from arrayaudio.signals import as_complex
from arrayaudio.spectrum import DETECTORS
from arrayaudio.streaming.base import Channels
from arrayaudio.streaming.synthesis import Synthesis
from arrayaudio.transforms.base import compiled, settings
from arrayaudio.transforms.framed import FramedTransform

__all__ = ["STFT"]

FREQ_SCALES = ("fft", "linear", "log")


@settings
class STFT(FramedTransform):
    """Short-time Fourier transform: X[k, t] = sum_n window[n] y[t hop + n] exp(-2 pi i f[k] n / sr).

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
        Sampling rate in Hz; needed for `frequencies` and `times`, and for the scales "linear" and "log".
    freq_scale : "fft", "linear" or "log"
        The frequencies f[k] of the rows: sr k / n_fft, k = 0 ... n_fft // 2; or, with k = 0 ... freq_bins - 1,
        fmin + k (fmax - fmin) / freq_bins, or fmin (fmax / fmin)^(k / freq_bins), as in nnAudio. More rows resolve no
        more than frames of `n_fft` samples do, they only lie closer.
    freq_bins : int, optional
        Number of rows of the scales "linear" and "log"; 1 + n_fft // 2 by default.
    fmin, fmax : float, optional
        Range of these scales in Hz; from 0, or from sr / n_fft for "log", to sr / 2 by default. No row is at fmax.
    trainable : bool
        Whether `params` holds the windowed Fourier basis, to be learned: see `with_params`.
    precision : None, "tf32" or "bf16x3"
        For a basis that was given, on a GPU with tensor cores and in float32: products with 10 bits behind the first,
        or of numbers in two parts of 8 bits each, which tensor cores make several times as fast as those of the
        signal's own precision, with relative errors of 5e-4 and 6e-6. Gradients are made alike. What cannot have the
        precision is refused.
    compat : "librosa", "torchaudio", "nnaudio" or "kaldi", optional
        Whose defaults to take for what is not given, where the library has this transform; it is no setting of its own.
    device : str, optional
        "cpu", "cuda" or "cuda:N" move signals there first; without it the signal decides.

    Returns
    -------
    array, shape (..., 1 + n_fft // 2, n_frames), or (..., freq_bins, n_frames)
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
    >>> zoom = aa.STFT(n_fft=256, sr=8000, freq_scale="linear", freq_bins=100, fmin=900, fmax=1100)
    >>> zoom.frequencies[:3]
    array([900., 902., 904.])
    """

    sr: float | None = None
    output: str = "complex"
    freq_scale: str = "fft"
    freq_bins: int | None = None
    fmin: float | None = None
    fmax: float | None = None
    trainable: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("output", self.output, DETECTORS)
        one_of("trainable", self.trainable, (True, False))
        if one_of("freq_scale", self.freq_scale, FREQ_SCALES) != "fft":
            self._check_scale()
            return
        for name in ("freq_bins", "fmin", "fmax"):
            if getattr(self, name) is not None:
                raise ParameterError(f"{name}={getattr(self, name)!r}: needs freq_scale='linear' or 'log'")

    def _check_scale(self) -> None:
        if self.sr is None:
            raise ParameterError(f"sr=None: freq_scale={self.freq_scale!r} needs the sampling rate in Hz")
        lowest = 0.0 if self.freq_scale == "linear" else self.sr / self.n_fft
        if self.freq_scale == "log" and self.fmin is not None:
            real("fmin", self.fmin, above=0)
        fmin, fmax = frequency_range(lowest if self.fmin is None else self.fmin, self.fmax, self.sr)
        freq_bins = 1 + self.n_fft // 2 if self.freq_bins is None else whole("freq_bins", self.freq_bins)
        self._replace(fmin=fmin, fmax=fmax, freq_bins=freq_bins)

    @property
    def _learned(self) -> tuple[str, ...]:
        return ("basis",) if self.trainable else ()

    @property
    def _n_rows(self) -> int:
        return super()._n_rows if self.freq_bins is None else self.freq_bins

    def _plan(self) -> Plan:
        rows = None if self.freq_scale == "fft" else Constant(self.frequencies / self._known_sr())
        return Plan(self.framing, self.frame_window, DETECTORS[self.output], frequencies=rows)

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz."""
        sr = self._known_sr()
        if self.freq_bins is None or self.fmin is None or self.fmax is None:
            return fft_frequencies(sr=sr, n_fft=self.n_fft)
        k = np.arange(self.freq_bins)
        if self.freq_scale == "linear":
            return self.fmin + k * ((self.fmax - self.fmin) / self.freq_bins)
        return self.fmin * (self.fmax / self.fmin) ** (k / self.freq_bins)

    def inverse_stream(self, channels: Channels = None) -> Synthesis:
        """Return the inverse for spectra that come block by block: see `Synthesis`.

        Parameters
        ----------
        channels : None, int or tuple
            Shape of the blocks before their last two axes.

        Raises
        ------
        ParameterError
            If this transform keeps something else than complex coefficients of the FFT's frequencies, or the window
            and the hop have no inverse.
        """
        plan = compiled(self)
        if self.output != "complex" or plan.frequencies is not None or plan.basis is not None:
            raise ParameterError(
                f"output={self.output!r}, freq_scale={self.freq_scale!r}: a stream goes back from complex coefficients "
                "of the FFT's frequencies; use output='complex' and freq_scale='fft' without a basis of its own"
            )
        return Synthesis(plan.framing, plan.window, self.device, channels)

    def inverse(
        self,
        S: ArrayLike,
        *,
        length: int | None = None,
        residual: bool = False,
        n_iter: int = 100,
        tolerance: float | None = 1e-6,
    ) -> Array:
        """Reconstruct the waveform whose STFT is nearest to `S` in least squares.

        For the frequencies of the FFT that is one overlap-add of inverse FFTs (Griffin and Lim, 1984). For other scales
        the waveform is found by preconditioned conjugate gradients on the normal equations. Rows that cover a part of
        the spectrum, or stand further apart than frames of `n_fft` samples resolve, as high rows of "log" may do,
        determine that part alone. The rest of the waveform stays small, and so the STFT of the result may be near to
        `S` although the result is not near to the signal that `S` came from.

        Parameters
        ----------
        S : complex array, shape (..., freq, n_frames)
        length : int, optional
            Samples to return; by default as many as lie between the centres of the first and the last frame, or all
            that the frames hold if they are not centred. For the scales "linear" and "log", and with `residual`, a
            signal of this length must have as many frames as `S`.
        residual : bool
            Whether to return as well how far the STFT of the waveform is from `S`.
        n_iter : int
            For the scales "linear" and "log": iterations at most, each of an STFT and its adjoint.
        tolerance : float or None
            For these: an item is done when the gradient has fallen to this part of its first length. None always runs
            `n_iter` iterations; a GPU is then never waited for. Gradients are those of the solution, or, with None, of
            what the iterations do.

        Returns
        -------
        y : array, shape (..., length)
        residual : array, shape (...), only if asked for
            ||S - STFT(y)|| / ||S|| of each item, 0 for silence.

        Raises
        ------
        ParameterError
            If the window and the hop have no inverse, the shape does not fit, the length is more than the frames
            cover, or this transform keeps something else than complex coefficients. For the scales "linear" and "log",
            also for padding with values that the signal does not hold, such as its mean.

        Examples
        --------
        >>> import numpy as np
        >>> import arrayaudio as aa
        >>> y = np.sin(np.arange(2048.0))
        >>> stft = aa.STFT(n_fft=128, sr=8000, freq_scale="linear")
        >>> back, residual = stft.inverse(stft(y), residual=True)
        >>> bool(np.allclose(back, y, atol=1e-4)), bool(residual < 1e-5)
        (True, True)
        """
        if self.output != "complex":
            raise ParameterError(
                f"output={self.output!r}: only complex coefficients determine the waveform; use output='complex', or "
                "aa.griffinlim for magnitudes"
            )
        if self._given and "basis" in self._given:
            raise ParameterError("basis given: a transform with a basis of its own has no inverse here")
        plan = compiled(self)
        if plan.frequencies is not None and plan.taped:
            raise ParameterError(
                f"window on the tape: freq_scale={self.freq_scale!r} is inverted by a search, without its gradient for "
                "the window; use freq_scale='fft'"
            )
        spectrum = as_complex(asarray(S, device=self.device))
        wanted = None if length is None else whole("length", length, most=2**63 - 1)
        one_of("residual", residual, (True, False))
        n_iter = whole("n_iter", n_iter, least=0)
        tolerance = None if tolerance is None else real("tolerance", tolerance, least=0)

        def found(X: Array) -> Any:
            if plan.frequencies is None:
                y = istft(X, plan.framing, plan.window, wanted)
                return (y, distance(y, X, plan)) if residual else y
            if self.check_finite:
                require_finite_rows(X)
            y, error = nearest(X, plan, wanted, n_iter, tolerance)
            return (y, error) if residual else y

        return in_parts(found, spectrum, axes=2, recorded=plan.taped)
