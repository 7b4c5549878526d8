"""Descriptors of waveforms: the level and the zero crossings of each frame."""

import math

from arrayaudio.arrays import Array, ArrayLike, cast, dtype_name, namespace, on_device_of
from arrayaudio.checks import one_of, real, whole
from arrayaudio.frames import PAD_MODES, Framing, frame, pad
from arrayaudio.signals import as_signal, require_finite

__all__ = ["rms", "zero_crossing_rate"]


def _padded(y: ArrayLike, framing: Framing, check_finite: bool) -> Array:
    signal = as_signal(y)
    if check_finite:
        require_finite(signal)
    framing.n_frames(signal.shape[-1])
    with on_device_of(signal):
        return pad(signal, framing.padding, framing.pad_mode)


def _framing(frame_length: int, hop_length: int, center: bool, pad_mode: str) -> Framing:
    length, hop = whole("frame_length", frame_length, least=2), whole("hop_length", hop_length)
    one_of("center", center, (True, False)), one_of("pad_mode", pad_mode, PAD_MODES)
    return Framing(length, hop, length // 2 if center else 0, pad_mode)


def rms(
    y: ArrayLike,
    *,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    pad_mode: str = "constant",
    check_finite: bool = True,
) -> Array:
    """Root of the mean square of each frame.

    Parameters
    ----------
    y : array, shape (..., n_samples)
    frame_length, hop_length : int
        Samples in a frame, at least 2, and from one frame to the next.
    center : bool
        True pads frame_length // 2 samples on both sides.
    pad_mode : str
        How to pad, by the names of `numpy.pad` ("empty" excepted).
    check_finite : bool
        Whether to search for NaN and infinite samples.

    Returns
    -------
    array, shape (..., 1, n_frames), in the unit of the signal

    Raises
    ------
    ParameterError
        If a setting is out of range or the signal is shorter than a frame.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.rms(np.full(8, -3.0), frame_length=4, hop_length=4, center=False)
    array([[3., 3.]])
    """
    framing = _framing(frame_length, hop_length, center, pad_mode)
    padded = _padded(y, framing, check_finite)
    with on_device_of(padded):
        energies = frame_sums(padded * padded, framing.frame_length, framing.hop_length)
        return namespace(padded).sqrt(energies / framing.frame_length)[..., None, :]


def frame_sums(x: Array, frame_length: int, hop_length: int) -> Array:
    """Sums over all whole frames of (..., n_samples): (..., n_frames), of sums over what whole frames share."""
    xp, shared = namespace(x), math.gcd(frame_length, hop_length)
    n_blocks = x.shape[-1] // shared
    blocks = xp.sum(xp.reshape(x[..., : n_blocks * shared], (*x.shape[:-1], n_blocks, shared)), axis=-1)
    return xp.sum(frame(blocks, frame_length // shared, hop_length // shared), axis=-1)


def zero_crossing_rate(
    y: ArrayLike,
    *,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    threshold: float = 1e-10,
    check_finite: bool = True,
) -> Array:
    """Part of the samples of each frame that have another sign than the sample before them in the frame.

    Parameters
    ----------
    y, frame_length, hop_length, center, check_finite
        As for `rms`, but padding repeats the first and the last sample.
    threshold : float
        Samples from -threshold up count as positive.

    Returns
    -------
    array, shape (..., 1, n_frames), from 0 to 1

    Raises
    ------
    ParameterError
        If a setting is out of range or the signal is shorter than a frame.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.zero_crossing_rate([1.0, -1.0, 1.0, 1.0], frame_length=4, center=False)
    array([[0.5]])
    """
    framing = _framing(frame_length, hop_length, center, "edge")
    least = real("threshold", threshold, least=0)
    padded = _padded(y, framing, check_finite)
    with on_device_of(padded):
        xp, negative = namespace(padded), padded < -least
        changes = cast(xp.not_equal(negative[..., 1:], negative[..., :-1]), dtype_name(padded))
        sums = frame_sums(changes, framing.frame_length - 1, framing.hop_length)
        return sums[..., None, :] / framing.frame_length
