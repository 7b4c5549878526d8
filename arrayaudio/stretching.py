"""Slower or faster without a change of pitch: the phase vocoder."""

from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, cast, cumulative_sum, dtype_name, namespace, on_device_of
from arrayaudio.checks import real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import lengthened
from arrayaudio.signals import as_complex, as_signal
from arrayaudio.spectrum import phase
from arrayaudio.transforms.stft import STFT

__all__ = ["phase_vocoder", "time_stretch"]


def phase_vocoder(D: ArrayLike, *, rate: float, hop_length: int | None = None, n_fft: int | None = None) -> Array:
    """Stretch an STFT in time: frames are interpolated, and phases go on at the speed that they had.

    Output frame t stands at input frame s = t rate. Its magnitude lies on the line between those of the frames before
    and after s; its phase is that of output frame t - 1, plus what the phase gained between the two input frames there
    (Flanagan and Golden, 1966; Laroche and Dolson, 1999). Sums are in double precision.

    Parameters
    ----------
    D : complex array, shape (..., 1 + n_fft // 2, n_frames)
        As `stft` gives it.
    rate : float
        Speed: 2 halves the duration, 0.5 doubles it.
    hop_length, n_fft : int, optional
        As in librosa, but without effect: the gain expected of each bin in one hop, which they give, is taken off
        before whole turns are, and then put back; only whole turns are left of it.

    Returns
    -------
    array, shape (..., 1 + n_fft // 2, ceil(n_frames / rate))

    Raises
    ------
    ParameterError
        If `rate` is not positive or `D` has no frames.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> D = aa.stft(np.sin(np.arange(22050.0)))
    >>> D.shape, aa.phase_vocoder(D, rate=2).shape
    ((1025, 44), (1025, 22))
    """
    spectrum = as_complex(D)
    rate = real("rate", rate, above=0)
    for name, value in (("hop_length", hop_length), ("n_fft", n_fft)):
        if value is not None:
            whole(name, value)
    if spectrum.ndim < 2 or spectrum.shape[-1] == 0:
        raise ParameterError(f"spectrum has shape {spectrum.shape}: must be (..., freq, n_frames), with a frame")
    xp = namespace(spectrum)
    places = np.arange(0, spectrum.shape[-1], rate, dtype=np.float64)
    before = places.astype(np.int64)
    with on_device_of(spectrum):
        exact = cast(spectrum, "complex128")
        # A frame of silence comes after the last.
        padded = xp.concat([exact, xp.zeros_like(exact[..., :1])], axis=-1)
        size, angle = xp.abs(padded), phase(padded)
        here, there = xp.asarray(before), xp.asarray(before + 1)
        weight = Constant(places - before).like(size)
        sizes = (1 - weight) * xp.take(size, here, axis=-1) + weight * xp.take(size, there, axis=-1)
        gains = xp.take(angle, there, axis=-1) - xp.take(angle, here, axis=-1)
        angles = cumulative_sum(xp.concat([angle[..., :1], gains[..., :-1]], axis=-1))
        return cast(sizes * xp.exp(1j * cast(angles, "complex128")), dtype_name(spectrum))


def time_stretch(y: ArrayLike, *, rate: float, **settings: Any) -> Array:
    """Change the speed of a signal, and not its pitch: STFT, `phase_vocoder`, inverse STFT.

    Parameters
    ----------
    y : array, shape (..., n_samples)
        Signal.
    rate : float
        Speed: 2 halves the duration, 0.5 doubles it.
    **settings
        n_fft, hop_length, win_length, window, center, pad_mode, as given to `stft`.

    Returns
    -------
    array, shape (..., round(n_samples / rate))
        With zeros at the end where the frames do not reach.

    Raises
    ------
    ParameterError
        If `rate` is not positive, so high that nothing is left, or a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.time_stretch(np.sin(np.arange(22050.0)), rate=2).shape
    (11025,)
    """
    signal = as_signal(y)
    rate = real("rate", rate, above=0)
    length = round(signal.shape[-1] / rate)
    if length < 1:
        raise ParameterError(f"rate={rate:g}: leaves no sample of {signal.shape[-1]}; use a lower one")
    transform = STFT(**settings)
    framing = transform.framing
    # Phases of quiet bins, which are all rounding in single precision, add up until a tone comes there.
    stretched = phase_vocoder(transform(cast(signal, "float64")), rate=rate)
    covered = (stretched.shape[-1] - 1) * framing.hop_length + framing.frame_length - framing.padding
    result = transform.inverse(stretched, length=min(length, covered))
    with on_device_of(result):
        return cast(lengthened(result, 0, length), dtype_name(signal))
