"""Positions in time: frames, samples and seconds."""

from typing import Any

import numpy as np

from arrayaudio.arrays import Array, device
from arrayaudio.checks import real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.scales import as_values

__all__ = [
    "frames_to_samples",
    "frames_to_time",
    "samples_to_frames",
    "samples_to_time",
    "time_to_frames",
    "time_to_samples",
]


def _whole(places: Array) -> Array:
    """Return whole numbers as such, or raise ParameterError if 64 bits do not hold them; a GPU is not waited for."""
    if device(places) == "cpu" and not (np.abs(places) < 2.0**63).all():
        worst = places.ravel()[np.argmin(np.abs(places.ravel()) < 2.0**63)]
        raise ParameterError(f"place {worst:g}: must be finite, and in samples and frames less than 2^63")
    return places.astype(np.int64)[()]


def frames_to_samples(frames: Any, *, hop_length: int = 512, n_fft: int | None = None) -> Array:
    """Convert frame numbers to sample positions; `n_fft` adds half a frame, for frames that are not centred.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> int(aa.frames_to_samples(2))
    1024
    """
    offset = 0 if n_fft is None else whole("n_fft", n_fft) // 2
    return _whole(np.floor(as_values(frames) * whole("hop_length", hop_length)) + offset)


def samples_to_frames(samples: Any, *, hop_length: int = 512, n_fft: int | None = None) -> Array:
    """Convert sample positions to the frames they fall into.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> int(aa.samples_to_frames(1500))
    2
    """
    offset = 0 if n_fft is None else whole("n_fft", n_fft) // 2
    return _whole(np.floor((as_values(samples) - offset) / whole("hop_length", hop_length)))


def samples_to_time(samples: Any, *, sr: float) -> Array:
    """Convert sample positions to seconds.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.samples_to_time(11025, sr=22050))
    0.5
    """
    return as_values(samples) / real("sr", sr, above=0)


def time_to_samples(times: Any, *, sr: float) -> Array:
    """Convert seconds to sample positions, rounded down; the inverse of `samples_to_time` for whole ones.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> int(aa.time_to_samples(0.5, sr=22050))
    11025
    """
    # A few units in the last place, so that a sample's own time does not fall just short of it.
    slack = 1 + 4 * np.finfo(np.float64).eps
    return _whole(np.floor(as_values(times) * real("sr", sr, above=0) * slack))


def frames_to_time(frames: Any, *, sr: float, hop_length: int = 512, n_fft: int | None = None) -> Array:
    """Convert frame numbers to seconds.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.frames_to_time(10, sr=5120))
    1.0
    """
    return samples_to_time(frames_to_samples(frames, hop_length=hop_length, n_fft=n_fft), sr=sr)


def time_to_frames(times: Any, *, sr: float, hop_length: int = 512, n_fft: int | None = None) -> Array:
    """Convert seconds to the frames they fall into.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> int(aa.time_to_frames(1.0, sr=5120))
    10
    """
    return samples_to_frames(time_to_samples(times, sr=sr), hop_length=hop_length, n_fft=n_fft)
