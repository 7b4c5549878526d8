"""nnAudio's STFT and its inverse."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, asarray, contiguous, namespace, on_device_of
from arrayaudio.checks import one_of, whole
from arrayaudio.compat.nnaudio.layer import (
    OUTPUT_FORMATS,
    Layer,
    as_pairs,
    checked_format,
    from_pairs,
    named,
    variant,
)
from arrayaudio.errors import ParameterError
from arrayaudio.transforms import stft
from arrayaudio.windows import Window

__all__ = ["STFT", "iSTFT"]

SCALES = {"no": "fft", "linear": "linear", "log": "log", "log2": "log"}


class _Fourier(Layer):
    """What STFT and iSTFT share: the settings, and the way back."""

    transform: stft.STFT

    def __init__(
        self,
        freq_scale: str,
        freq_bins: int | None,
        fmin: float,
        fmax: float,
        window: Window,
        trainable: dict[str, bool],
        **rest: Any,
    ) -> None:
        scale = SCALES[one_of("freq_scale", freq_scale, SCALES)]
        scaling: dict[str, Any] = {} if scale == "fft" else {"freq_bins": freq_bins, "fmin": fmin, "fmax": fmax}
        super().__init__(stft.STFT(window=named(window), freq_scale=scale, **scaling, **rest), **trainable)
        n_fft = self.transform.n_fft
        self.freq_bins = whole("freq_bins", 1 + n_fft // 2 if freq_bins is None else freq_bins)
        if scale == "fft" and self.freq_bins > n_fft:
            raise ParameterError(f"freq_bins={freq_bins}: must be at most n_fft={n_fft} for freq_scale='no'")

    def _back(self, X: ArrayLike, onesided: bool, length: int | None) -> Array:
        pairs = asarray(X, device=self._device)
        with on_device_of(pairs):
            spectrum = from_pairs(pairs)
            if self.transform.freq_scale == "fft":
                n_fft = self.transform.n_fft
                require_rows(spectrum, self.freq_bins if onesided else n_fft, n_fft)
                spectrum = filled(spectrum, n_fft) if onesided else folded(spectrum, n_fft)
            return self.transform.inverse(spectrum, length=length)


class STFT(_Fourier):
    """Short-time Fourier transform with nnAudio's arguments.

    Parameters
    ----------
    n_fft, win_length, hop_length, window, center, pad_mode
        As for `arrayaudio.STFT`; the hop is win_length // 4 by default.
    freq_bins : int, optional
        For freq_scale="no" only the first so many rows of n_fft; for the others as many rows as this.
    freq_scale : "no", "linear", "log" or "log2"
        Rows of the FFT, or from `fmin` on towards `fmax`; "log2" is the same as "log".
    fmin, fmax, sr : float
        For the scales other than "no", in Hz.
    output_format : "Complex", "Magnitude" or "Phase"
        What a call returns if it asks for nothing else.
    iSTFT, verbose
        Without effect: the inverse is always there, and nothing is printed.
    trainable : bool
        Whether `params` holds these arrays, to be learned: see `with_params`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> layer = Spectrogram.STFT(n_fft=512, verbose=False)
    >>> layer(np.ones((3, 8000), dtype=np.float32)).shape
    (3, 257, 63, 2)
    >>> layer(np.ones(8000), output_format="Magnitude").shape
    (1, 257, 63)
    """

    def __init__(
        self,
        n_fft: int = 2048,
        win_length: int | None = None,
        freq_bins: int | None = None,
        hop_length: int | None = None,
        window: Window = "hann",
        freq_scale: str = "no",
        center: bool = True,
        pad_mode: str = "reflect",
        iSTFT: bool = False,  # noqa: ARG002
        fmin: float = 50,
        fmax: float = 6000,
        sr: float = 22050,
        trainable: bool = False,
        output_format: str = "Complex",
        verbose: bool = True,  # noqa: ARG002
    ) -> None:
        super().__init__(
            freq_scale,
            freq_bins,
            fmin,
            fmax,
            window,
            {"trainable": trainable},
            n_fft=n_fft,
            win_length=win_length,
            hop_length=hop_length,
            center=center,
            pad_mode=pad_mode,
            sr=sr,
        )
        self.output_format = checked_format(output_format)

    @property
    def bins2freq(self) -> list[float]:
        """Frequency of each row in Hz."""
        n_fft, sr = self.transform.n_fft, self.transform.sr
        assert sr is not None
        if self.transform.freq_scale == "fft":
            return [k * sr / n_fft for k in range(self.freq_bins)]
        return [float(f) for f in self.transform.frequencies]

    def forward(self, x: ArrayLike, output_format: str | None = None) -> Array:
        """Transform signals (batch, n_samples) into (batch, freq, time), or (batch, freq, time, 2) for "Complex".

        The phase is in radians, counted from the start of the frame.
        """
        wanted = OUTPUT_FORMATS[checked_format(output_format or self.output_format)]
        y = self._signals(x)
        with on_device_of(y):
            X = variant(self.transform, output=wanted)(y)
            if self.freq_bins > X.shape[1]:
                X = mirrored(X, self.transform.n_fft, wanted)
            X = X[..., : self.freq_bins, :]
            return as_pairs(X) if wanted == "complex" else contiguous(X)

    def inverse(
        self,
        X: ArrayLike,
        onesided: bool = True,
        length: int | None = None,
        refresh_win: bool = True,  # noqa: ARG002
    ) -> Array:
        """Reconstruct waveforms (batch, length) from (batch, freq, time, 2): see `iSTFT`."""
        return self._back(X, onesided, length)


class iSTFT(_Fourier):  # noqa: N801
    """Inverse of `STFT` with nnAudio's arguments: the waveform whose STFT is nearest in least squares.

    Rows that `freq_bins` left out count as zero. For the scales other than "no", see `arrayaudio.STFT.inverse`.

    Parameters
    ----------
    n_fft, win_length, freq_bins, hop_length, window, freq_scale, center, fmin, fmax, sr
        As given to `STFT`.
    trainable_kernels, trainable_window : bool
        Must be False.
    verbose, refresh_win
        Without effect.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> y = np.sin(np.arange(8000.0))
    >>> X = Spectrogram.STFT(n_fft=512)(y)
    >>> back = Spectrogram.iSTFT(n_fft=512)(X, onesided=True, length=8000)
    >>> bool(np.allclose(back[0], y))
    True
    """

    def __init__(
        self,
        n_fft: int = 2048,
        win_length: int | None = None,
        freq_bins: int | None = None,
        hop_length: int | None = None,
        window: Window = "hann",
        freq_scale: str = "no",
        center: bool = True,
        fmin: float = 50,
        fmax: float = 6000,
        sr: float = 22050,
        trainable_kernels: bool = False,
        trainable_window: bool = False,
        verbose: bool = True,  # noqa: ARG002
        refresh_win: bool = True,  # noqa: ARG002
    ) -> None:
        super().__init__(
            freq_scale,
            freq_bins,
            fmin,
            fmax,
            window,
            {"trainable_kernels": trainable_kernels, "trainable_window": trainable_window},
            n_fft=n_fft,
            win_length=win_length,
            hop_length=hop_length,
            center=center,
            pad_mode="reflect",
            sr=sr,
        )

    def forward(
        self,
        X: ArrayLike,
        onesided: bool = False,
        length: int | None = None,
        refresh_win: bool | None = None,  # noqa: ARG002
    ) -> Array:
        """Reconstruct waveforms (batch, length) from (batch, freq, time, 2).

        With `onesided`, rows are those of `STFT`; without, all n_fft of them.
        """
        return self._back(X, onesided, length)


def mirrored(X: Array, n_fft: int, kind: str) -> Array:
    """Continue half spectra to all `n_fft` rows."""
    xp = namespace(X)
    above = xp.flip(X[..., 1 : n_fft - n_fft // 2, :], axis=-2)
    if kind == "complex":
        above = xp.conj(above)
    return xp.concat([X, -above if kind == "phase" else above], axis=-2)


def require_rows(X: Array, n_rows: int, n_fft: int) -> None:
    """Raise ParameterError unless the spectrum (batch, freq, time) has so many rows."""
    if X.shape[1] != n_rows:
        remedy = f"; with onesided=True there are {1 + n_fft // 2}, or freq_bins" if n_rows == n_fft else ""
        raise ParameterError(f"spectrum has {X.shape[1]} rows: must have {n_rows}{remedy}")


def filled(X: Array, n_fft: int) -> Array:
    """Cut half spectra to 1 + n_fft // 2 rows, or add rows of zeros."""
    xp, n_half = namespace(X), 1 + n_fft // 2
    if X.shape[1] >= n_half:
        return X[..., :n_half, :]
    return xp.concat([X, xp.zeros((X.shape[0], n_half - X.shape[1], X.shape[2]), dtype=X.dtype)], axis=-2)


def folded(X: Array, n_fft: int) -> Array:
    """The half spectra of the real parts of frames with the spectra (batch, n_fft, time)."""
    xp, n_half = namespace(X), 1 + n_fft // 2
    mirror = xp.concat([X[..., :1, :], xp.flip(X[..., 1:, :], axis=-2)], axis=-2)
    return (X[..., :n_half, :] + xp.conj(mirror[..., :n_half, :])) / 2
