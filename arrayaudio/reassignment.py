"""Reassigned spectrograms: each bin moved to where, in time and frequency, its energy is centred."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, cast, contiguous, dtype_name, namespace, on_device_of
from arrayaudio.checks import one_of, real
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.plan import spectrogram
from arrayaudio.signals import as_complex, as_signal, require_finite
from arrayaudio.spectrum import as_energies, magnitude
from arrayaudio.transforms.base import compiled
from arrayaudio.transforms.stft import STFT
from arrayaudio.windows import Window

__all__ = ["reassigned_spectrogram"]


def cyclic_difference(window: np.ndarray) -> np.ndarray:
    """Half the difference between the samples after and before each, with the ends joined: librosa's derivative."""
    return (np.roll(window, -1) - np.roll(window, 1)) / 2


def _given(S: ArrayLike, y: Array, shape: tuple[int, ...]) -> Array:
    """Return an STFT of that shape in double precision, where the signal is, or raise."""
    spectrum = as_complex(S)
    namespace(spectrum, y)
    if spectrum.shape != shape:
        raise ParameterError(f"S has shape {spectrum.shape}: must have shape {shape}, that of the STFT of the signal")
    return cast(spectrum, "complex128")


def _too_weak(sizes: Array, ref_power: float | Callable[..., Any]) -> Array:
    """Where magnitudes tell no place: those under the square root of `ref_power`, and zero."""
    if callable(ref_power):
        least = namespace(sizes).sqrt(ref_power(sizes * sizes, axis=(-2, -1), keepdims=True))
    else:
        least = math.sqrt(real("ref_power", ref_power, least=0))
    return (sizes < least) | (sizes < float(namespace(sizes).finfo(sizes.dtype).smallest_normal))


def _moved(own: Array, shift: Array, fill_nan: bool, highest: float | None) -> Array:
    """Add shifts, NaN where there is none, and limit the sum from 0 to `highest` unless that is None."""
    xp = namespace(shift)
    values = own + shift
    if fill_nan:
        values = xp.where(xp.isnan(values), own, values)
    return values if highest is None else xp.clip(values, 0.0, highest)


def reassigned_spectrogram(
    y: ArrayLike,
    *,
    sr: float,
    S: ArrayLike | None = None,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Window = "hann",
    center: bool = True,
    reassign_frequencies: bool = True,
    reassign_times: bool = True,
    ref_power: float | Callable[..., Any] = 1e-6,
    fill_nan: bool = False,
    clip: bool = True,
    exact: bool = False,
    pad_mode: str = "constant",
) -> tuple[Array, Array, Array]:
    """Frequency, time and magnitude of each bin of an STFT, moved to the centre of its energy.

    With X the STFT, X' that with the derivative of the window and X* that with the window times the time from the
    middle of the frame, the frequency is that of the bin - Im(X' / X), in radians per sample, and the time that of the
    frame + Re(X* / X), in samples (Auger and Flandrin, 1995; equations 5.20 and 5.23 of Flandrin, Auger and
    Chassande-Mottin, 2002).

    Parameters
    ----------
    y : array, shape (..., n_samples)
        Signal.
    sr : float
        Sampling rate in Hz.
    S : complex array, shape (..., 1 + n_fft // 2, n_frames), optional
        STFT of `y` with the same settings, where it is known already.
    n_fft, hop_length, win_length, window, center, pad_mode
        As for `STFT`.
    reassign_frequencies, reassign_times : bool
        Which of the two to move; the other is that of the bin or the frame. At least one.
    ref_power : float or callable
        Squared magnitude under which bins are not moved; a function such as `np.max` is called as
        `ref_power(power, axis=..., keepdims=True)` for each item, the last two axes.
    fill_nan : bool
        Whether bins that are not moved keep their own frequency and time; otherwise they get NaN.
    clip : bool
        Whether to limit frequencies to 0 ... sr / 2, and times to those of the signal.
    exact : bool
        False gives the numbers of librosa 0.11, which takes central differences for the derivative, and counts from
        the middle between the two middle samples where n_fft is even. Differences give sin(d) for a tone that lies d
        radians per sample off its bin, and the middle makes times late by half a sample. True corrects both.

    Returns
    -------
    freqs, times, mags : arrays, shape (..., 1 + n_fft // 2, n_frames)
        In Hz, in seconds, and |X|, in the precision of `y`: times of long recordings need float64.

    Raises
    ------
    ParameterError
        If a setting is out of range, neither is reassigned, or the shape of `S` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 1010 * np.arange(8000) / 8000)
    >>> freqs, times, mags = aa.reassigned_spectrogram(y, sr=8000, n_fft=256)
    >>> freqs[31:35, 60].round(1)  # of bins at 969, 1000, 1031 and 1062 Hz
    array([1010., 1010., 1010., 1010.])
    """
    rate = real("sr", sr, above=0)
    transform = STFT(
        sr=rate,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )
    flags = {"reassign_frequencies": reassign_frequencies, "reassign_times": reassign_times, "fill_nan": fill_nan}
    for name, value in (flags | {"clip": clip, "exact": exact}).items():
        one_of(name, value, (True, False))
    if not (reassign_frequencies or reassign_times):
        raise ParameterError("reassign_frequencies and reassign_times: at least one of the two must be True")
    plan, given = compiled(transform), as_signal(y)
    require_finite(given)
    weights, frame_length, n_samples = plan.window.value, plan.framing.frame_length, given.shape[-1]
    n_frames = transform.n_frames(n_samples)
    with on_device_of(given):
        # The quotients below magnify the rounding errors of weak bins.
        signal = cast(given, "float64")
        shape = (*signal.shape[:-1], 1 + frame_length // 2, n_frames)
        spectrum = spectrogram(signal, plan) if S is None else _given(S, signal, shape)
        xp = namespace(signal, spectrum)
        mags = as_energies(magnitude(spectrum))
        weak = _too_weak(mags, ref_power)
        # Weak bins get NaN from here, where it costs no warnings.
        one, nowhere = (xp.full(1, value, dtype=mags.dtype) for value in (1.0, xp.nan))
        gain = xp.where(weak, nowhere, 1 / xp.where(weak, one, mags))
        inverse = xp.conj(spectrum) * gain * gain
        starts = np.arange(n_frames) * plan.framing.hop_length - plan.framing.padding
        freqs = xp.broadcast_to(Constant(transform.frequencies[:, None]).like(mags), shape)
        times = xp.broadcast_to(Constant((starts + frame_length // 2) / rate).like(mags), shape)
        if reassign_frequencies:
            other = dataclasses.replace(plan, window=Constant(cyclic_difference(weights)))
            turn = -xp.imag(spectrogram(signal, other) * inverse)
            turn = xp.asin(xp.clip(turn, -1.0, 1.0)) if exact else turn
            freqs = _moved(freqs, turn * (rate / (2 * math.pi)), fill_nan, rate / 2 if clip else None)
        if reassign_times:
            middle = frame_length // 2 if exact else (frame_length - 1) / 2
            other = dataclasses.replace(plan, window=Constant(weights * (np.arange(frame_length) - middle)))
            shift = xp.real(spectrogram(signal, other) * inverse) / rate
            times = _moved(times, shift, fill_nan, n_samples / rate if clip else None)
        results = (cast(values, dtype_name(given)) for values in (freqs, times, mags))
        return tuple(map(contiguous, results))
