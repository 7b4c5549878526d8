"""Descriptors of magnitude spectra: centre, width, rolloff and flatness of each frame."""

from collections.abc import Callable
from typing import TypedDict, Unpack

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, cast, dtype_name, namespace, on_device_of, to_numpy
from arrayaudio.checks import one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.norms import normalised
from arrayaudio.project import mix_rows
from arrayaudio.recursion import one_pole
from arrayaudio.scales import fft_frequencies
from arrayaudio.signals import as_signal
from arrayaudio.spectrum import as_energies
from arrayaudio.transforms.stft import STFT
from arrayaudio.windows import Window

__all__ = [
    "spectral_bandwidth",
    "spectral_centroid",
    "spectral_flatness",
    "spectral_rolloff",
]


class Frames(TypedDict, total=False):
    """The settings of `STFT` that descriptors take; the hop is 512 by default, as in librosa."""

    n_fft: int
    hop_length: int | None
    win_length: int | None
    window: Window
    center: bool
    pad_mode: str
    device: str | None
    check_finite: bool


def described(y: ArrayLike | None, S: ArrayLike | None, frames: Frames, formula: Callable[[Array], Array]) -> Array:
    """Apply a formula to the magnitudes of `y`, or to `S`, in float64: single precision has none of the quiet bins."""
    if (y is None) == (S is None):
        raise ParameterError("y and S: give one of the two, the signal or its magnitude spectrogram")
    settings: Frames = {"hop_length": 512, **frames}
    stft = STFT(**settings, output="magnitude")
    given = as_energies(asarray(S, device=stft.device)) if y is None else as_signal(asarray(y, device=stft.device))
    with on_device_of(given):
        double = cast(given, "float64")
        return cast(formula(double if y is None else stft(double)), dtype_name(given))


def row_frequencies(S: Array, sr: float, freq: ArrayLike | None, frames: Frames) -> np.ndarray:
    """Frequencies of the rows of `S` in Hz: `freq`, or those of the FFT."""
    rows = S.shape[-2]
    if freq is None:
        n_fft = whole("n_fft", frames.get("n_fft", 2 * (rows - 1)))
        hz = fft_frequencies(sr=sr, n_fft=n_fft)
        if len(hz) != rows:
            raise ParameterError(f"n_fft={n_fft}: must fit the {rows} rows of the spectrogram, or give freq=...")
        return hz
    hz = np.asarray(to_numpy(freq), dtype=np.float64)
    if hz.shape != (rows,) or not np.isfinite(hz).all():
        raise ParameterError(
            f"freq of shape {hz.shape}: must be finite, with shape ({rows},) as the spectrogram has rows"
        )
    return hz


def between_0_and_1(name: str, value: float) -> float:
    """Return `value` as a float greater than 0 and less than 1, or raise ParameterError."""
    number = real(name, value, above=0)
    if number >= 1:
        raise ParameterError(f"{name}={value!r}: must be less than 1")
    return number


def _centre(S: Array, hz: np.ndarray) -> Array:
    return mix_rows(normalised(S, 1), Constant(hz[None, :]))


def spectral_centroid(
    y: ArrayLike | None = None,
    *,
    sr: float,
    S: ArrayLike | None = None,
    freq: ArrayLike | None = None,
    **frames: Unpack[Frames],
) -> Array:
    """Mean frequency of each frame, weighted by magnitude; 0 where it is silent.

    Parameters
    ----------
    y : array, shape (..., n_samples), optional
        Signal.
    sr : float
        Sampling rate in Hz.
    S : array, shape (..., freq, time), optional
        Magnitude spectrogram, in place of the signal.
    freq : array, shape (freq,), optional
        Frequency of each row in Hz; by default those of the FFT.
    **frames
        n_fft=2048, hop_length=512, win_length, window, center, pad_mode, device and check_finite, as for `STFT`.
        Beside `S` only n_fft counts, and only odd ones must be given.

    Returns
    -------
    array, shape (..., 1, n_frames), in Hz

    Raises
    ------
    ParameterError
        If not just one of `y` and `S` is given, `S` has negative values, or `freq` or n_fft do not fit its rows.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.spectral_centroid(S=np.array([[0.0], [1.0], [1.0]]), sr=8000)
    array([[3000.]])
    """
    return described(y, S, frames, lambda X: _centre(X, row_frequencies(X, sr, freq, frames)))


def spectral_bandwidth(
    y: ArrayLike | None = None,
    *,
    sr: float,
    S: ArrayLike | None = None,
    freq: ArrayLike | None = None,
    norm: bool = True,
    p: float = 2.0,
    **frames: Unpack[Frames],
) -> Array:
    """Mean distance from the centroid: (sum_f S[f] |f - centroid|^p)^(1 / p); 0 where a frame is silent.

    Parameters
    ----------
    y, sr, S, freq, **frames
        As for `spectral_centroid`.
    norm : bool
        Whether magnitudes are first divided by the sum of their frame.
    p : float
        Power of the distance.

    Returns
    -------
    array, shape (..., 1, n_frames), in Hz

    Raises
    ------
    ParameterError
        As for `spectral_centroid`, and if `p` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.spectral_bandwidth(S=np.array([[0.0], [1.0], [1.0]]), sr=8000)
    array([[1000.]])
    """
    exponent = real("p", p, above=0)
    one_of("norm", norm, (True, False))

    def formula(X: Array) -> Array:
        hz = row_frequencies(X, sr, freq, frames)
        distance = namespace(X).abs(Constant(hz[:, None]).like(X) - _centre(X, hz))
        weights = normalised(X, 1) if norm else X
        return namespace(X).sum(weights * distance**exponent, axis=-2, keepdims=True) ** (1 / exponent)

    return described(y, S, frames, formula)


def spectral_rolloff(
    y: ArrayLike | None = None,
    *,
    sr: float,
    S: ArrayLike | None = None,
    freq: ArrayLike | None = None,
    roll_percent: float = 0.85,
    **frames: Unpack[Frames],
) -> Array:
    """Lowest frequency up to which a frame holds `roll_percent` of its summed magnitude.

    Parameters
    ----------
    y, sr, S, freq, **frames
        As for `spectral_centroid`.
    roll_percent : float
        Part of the sum, between 0 and 1.

    Returns
    -------
    array, shape (..., 1, n_frames), in Hz

    Raises
    ------
    ParameterError
        As for `spectral_centroid`, and if `roll_percent` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.spectral_rolloff(S=np.array([[3.0], [2.0], [1.0]]), sr=8000, roll_percent=0.8)
    array([[2000.]])
    """
    part = between_0_and_1("roll_percent", roll_percent)

    def formula(X: Array) -> Array:
        xp = namespace(X)
        below = one_pole(xp.matrix_transpose(X), 1.0)
        hz = Constant(row_frequencies(X, sr, freq, frames)).like(X)
        reached = xp.where(below < part * below[..., -1:], xp.full_like(below, xp.inf), hz)
        return xp.min(reached, axis=-1)[..., None, :]

    return described(y, S, frames, formula)


def spectral_flatness(
    y: ArrayLike | None = None,
    *,
    S: ArrayLike | None = None,
    amin: float = 1e-10,
    power: float = 2.0,
    **frames: Unpack[Frames],
) -> Array:
    """Geometric over arithmetic mean of each frame's spectrum: 1 for a flat one, near 0 for a tone, 1 for silence.

    Parameters
    ----------
    y, S, **frames
        As for `spectral_centroid`.
    amin : float
        Values below are raised to it.
    power : float
        Power to which magnitudes are raised first.

    Returns
    -------
    array, shape (..., 1, n_frames), from 0 to 1

    Raises
    ------
    ParameterError
        If not just one of `y` and `S` is given, `S` has negative values, or `amin` or `power` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.spectral_flatness(S=np.array([[1.0, 4.0], [1.0, 1.0]]), power=1.0)
    array([[1. , 0.8]])
    """
    floor, exponent = real("amin", amin, above=0), real("power", power, above=0)

    def formula(X: Array) -> Array:
        xp, values = namespace(X), namespace(X).clip(X**exponent, floor, None)
        geometric = xp.exp(xp.mean(xp.log(values), axis=-2, keepdims=True))
        return geometric / xp.mean(values, axis=-2, keepdims=True)

    return described(y, S, frames, formula)
