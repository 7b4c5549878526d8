"""Spectrograms whose window length and hop are real numbers, and so have derivatives."""

import math
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, cast, contiguous, dtype_name, namespace, on_device_of, plain
from arrayaudio.checks import one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import PAD_MODES, Framing, pad
from arrayaudio.project import fourier, mix_rows
from arrayaudio.signals import as_real, as_signal, require_finite
from arrayaudio.spectrum import DETECTORS, Detector, detected, scaled
from arrayaudio.transforms.base import compiled
from arrayaudio.transforms.mel import MelSpectrogram

__all__ = ["adaptive_melspectrogram", "adaptive_stft"]

# Frames and windows are placed in this precision, whatever the signal's: late frames begin at large numbers.
EXACT = "float64"


def adaptive_stft(
    y: ArrayLike,
    *,
    win_length: float | Array,
    hop_length: float | Array,
    n_fft: int = 2048,
    output: str = "complex",
    pad_mode: str = "constant",
    check_finite: bool = True,
) -> Array:
    """Short-time Fourier transform with a Hann window and a hop of any real length, which can both be learned.

    Frame t is centred at t hop_length: its samples are those from there, rounded down, and what was lost in rounding
    moves the window and turns the phases. So the result follows both lengths smoothly, as long as the number of frames
    stays the same, and for whole numbers, the window's being even, it is that of `stft`. After the differentiable STFT
    of Leiber, Marnissi, Barrau and El Badaoui (2023).

    Parameters
    ----------
    y : array, shape (..., n_samples)
    win_length : float or array, shape ()
        Length of the window in samples, from 2 to n_fft.
    hop_length : float or array, shape ()
        Samples from one frame to the next, at least 1. Its value decides how many frames there are, so a GPU is
        waited for.
    n_fft : int
        Samples in a frame and length of the FFT.
    output : "complex", "magnitude", "power" or "phase"
        What to return of each coefficient; the phase is in radians, counted n_fft // 2 samples before the middle of
        the frame, as that of `stft` is.
    pad_mode : str
        How to pad n_fft // 2 samples on both sides, by the names of `numpy.pad` ("empty" excepted).
    check_finite : bool
        Whether to search the signal for NaN and infinite samples.

    Returns
    -------
    array, shape (..., 1 + n_fft // 2, n_frames)
        n_frames is 1 + floor(n_samples / hop_length) for even n_fft.

    Raises
    ------
    ParameterError
        If a length is out of range, or a setting or the signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(4000.0) ** 2 / 5000)
    >>> def concentration(lengths):
    ...     S = aa.adaptive_stft(y, n_fft=512, output="power", **lengths)
    ...     return np.sum(S**2) / np.sum(S) ** 2
    >>> start = {"win_length": np.array(300.5), "hop_length": np.array(99.5)}
    >>> value, gradient = aa.value_and_grad(concentration)(start)
    >>> bool(gradient["win_length"] < 0)  # the chirp wants a shorter window
    True
    """
    signal = as_signal(y)
    n_fft = whole("n_fft", n_fft)
    one_of("pad_mode", pad_mode, PAD_MODES)
    one_of("check_finite", check_finite, (True, False))
    if check_finite:
        require_finite(signal)
    detector = DETECTORS[one_of("output", output, DETECTORS)]
    with on_device_of(signal):
        return contiguous(_adaptive(signal, win_length, hop_length, n_fft, detector, pad_mode))


def adaptive_melspectrogram(
    y: ArrayLike,
    *,
    sr: float,
    win_length: float | Array,
    hop_length: float | Array,
    n_fft: int = 2048,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    power: float = 2.0,
    mel_scale: str = "slaney",
    norm: str | None = "slaney",
    scale: str | None = None,
    amin: float = 1e-10,
    top_db: float | None = 80.0,
    pad_mode: str = "constant",
    check_finite: bool = True,
) -> Array:
    """Mel spectrogram with a Hann window and a hop of any real length, which can both be learned.

    Parameters
    ----------
    y : array, shape (..., n_samples)
    win_length, hop_length, n_fft
        As for `adaptive_stft`.
    sr, n_mels, fmin, fmax, power, mel_scale, norm, scale, amin, top_db, pad_mode, check_finite
        As for `MelSpectrogram`.

    Returns
    -------
    array, shape (..., n_mels, n_frames)

    Raises
    ------
    ParameterError
        If a length is out of range, or a setting or the signal breaks one of the rules.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(8000.0))
    >>> aa.adaptive_melspectrogram(y, sr=8000, win_length=400.7, hop_length=160.3, n_fft=512, n_mels=40).shape
    (40, 50)
    """
    mel = MelSpectrogram(
        sr=sr,
        n_fft=n_fft,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        power=power,
        mel_scale=mel_scale,
        norm=norm,
        scale=scale,
        amin=amin,
        top_db=top_db,
        pad_mode=pad_mode,
        check_finite=check_finite,
    )
    signal, plan = mel._checked(y), compiled(mel)
    assert plan.bank is not None
    with on_device_of(signal):
        S = mix_rows(_adaptive(signal, win_length, hop_length, mel.n_fft, plan.detector, pad_mode), plan.bank)
        return contiguous(S if plan.scaling is None else scaled(S, plan.scaling))


def _adaptive(y: Array, win_length: Any, hop_length: Any, n_fft: int, detector: Detector, pad_mode: str) -> Array:
    length = _length("win_length", win_length, y, least=2, most=n_fft)
    hop = _length("hop_length", hop_length, y, least=1)
    n_frames = _n_frames(y, float(plain(hop)), n_fft, pad_mode)
    starts = np.floor(np.arange(n_frames) * float(plain(hop)))
    lost = hop * Constant(np.arange(n_frames)).like(hop) - Constant(starts).like(hop)
    frames = _gathered(pad(y, n_fft // 2, pad_mode), starts.astype(np.int64), n_fft)
    dtype = dtype_name(y)
    X = fourier(frames * cast(_windows(length, lost, n_fft), dtype))
    if detector in ("complex", "phase"):
        X = X * cast(_turns(lost, n_fft), "complex64" if dtype == "float32" else "complex128")
    return detected(X, detector)


def _length(name: str, value: Any, y: Array, *, least: float, most: float = math.inf) -> Array:
    """Return a length in samples as an exact array of shape () where the signal is; or raise."""
    if hasattr(value, "ndim") and not isinstance(value, np.ndarray | np.generic):
        array = as_real(value, name)
        namespace(array, y)
        if array.shape != ():
            raise ParameterError(f"{name} has shape {array.shape}: must be a number or have shape ()")
    else:
        xp = namespace(plain(y))
        array = xp.asarray(real(name, value), dtype=getattr(xp, EXACT))
    number = real(name, float(plain(array)), least=least)
    if number > most:
        raise ParameterError(f"{name}={number!r}: must be at most n_fft={most}")
    return cast(array, EXACT)


def _n_frames(y: Array, hop: float, n_fft: int, pad_mode: str) -> int:
    framing = Framing(n_fft, 1, n_fft // 2, pad_mode)
    return 1 + int((framing.n_frames(y.shape[-1]) - 1) // hop)


def _gathered(padded: Array, starts: np.ndarray, n_fft: int) -> Array:
    """Frames that begin at any samples: (..., n_frames, n_fft)."""
    xp = namespace(padded)
    places = xp.asarray((starts[:, None] + np.arange(n_fft)).ravel())
    return xp.reshape(xp.take(padded, places, axis=-1), (*padded.shape[:-1], len(starts), n_fft))


def _windows(length: Array, lost: Array, n_fft: int) -> Array:
    """Hann windows of real length, so many samples after the middle of their frame: (n_frames, n_fft)."""
    distance = Constant(np.arange(n_fft) - n_fft // 2).like(lost) - lost[:, None]
    xp = namespace(distance, length)
    raised = 0.5 + 0.5 * xp.cos((2 * math.pi) * distance / length)
    return xp.where(2 * xp.abs(distance) < length, raised, xp.zeros_like(raised))


def _turns(lost: Array, n_fft: int) -> Array:
    """What turns phases counted from the samples to those counted from the real beginning: (n_rows, n_frames)."""
    xp = namespace(lost)
    angles = Constant(2 * np.pi * np.arange(n_fft // 2 + 1)[:, None] / n_fft).like(lost) * lost
    return xp.cos(angles) + 1j * xp.sin(angles)
