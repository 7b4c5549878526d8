"""What is done to each frame before its spectrum, as in Kaldi: no mean, more treble, and zeros behind it."""

from dataclasses import dataclass

import numpy as np

from arrayaudio.arrays import Array, namespace


@dataclass(frozen=True)
class Conditioning:
    """The mean of each frame is removed, then x[n] - preemphasis x[max(n - 1, 0)] taken; the FFT has `n_fft` points.

    The window comes after that, and zeros fill the FFT behind it (Kaldi, feat/feature-window.cc).
    """

    n_fft: int
    remove_dc: bool = False
    preemphasis: float = 0.0

    def matrix(self, frame_length: int) -> np.ndarray:
        """The same as a matrix (frame_length, frame_length) that multiplies frames."""
        return conditioned(np.eye(frame_length), self).T


def conditioned(frames: Array, conditioning: Conditioning) -> Array:
    """Remove means and raise the treble of frames (..., frame_length)."""
    xp = namespace(frames)
    if conditioning.remove_dc:
        frames = frames - xp.mean(frames, axis=-1, keepdims=True)
    if conditioning.preemphasis:
        before = xp.concat([frames[..., :1], frames[..., :-1]], axis=-1)
        frames = frames - conditioning.preemphasis * before
    return frames
