"""One step of Griffin and Lim in NumPy, segment by segment of the output."""

from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.tiled.spectrogram import TILE_BYTES
from arrayaudio.kernels.tiled.synthesis import add_up


def give_magnitudes(X: np.ndarray, S: np.ndarray) -> np.ndarray:
    """Replace the magnitudes of X by S; the phase of 0, and of what has too few digits to have one, is 0."""
    size = np.abs(X)
    known = size >= np.finfo(size.dtype).smallest_normal
    return np.where(known, X * (S / np.where(known, size, 1)), S)


def rephased(
    y: np.ndarray, previous: np.ndarray, S: np.ndarray, framing: Any, window: Any, momentum: float, gain: np.ndarray
) -> Any:
    """Return the next waveform: inverse FFTs of `S` with phases from the last two."""
    n_fft, hop, n_frames = framing.frame_length, framing.hop_length, S.shape[-1]
    weights = window.like(y)
    parts = -(-n_fft // hop)  # hops that a frame reaches over
    magnitudes = S.reshape(-1, *S.shape[-2:])
    signals = (y + y.dtype.type(momentum) * (y - previous)).reshape(len(magnitudes), y.shape[-1])
    signals = np.pad(signals, ((0, 0), (framing.padding,) * 2), mode=framing.pad_mode)
    blocks = np.zeros((len(signals), n_frames + parts - 1, hop), y.dtype)
    size = max(TILE_BYTES // (n_fft * y.itemsize), 4 * parts)

    def segment(place: tuple[int, int]) -> None:
        item, begin = place
        first, last = max(0, begin - parts + 1), min(begin + size, n_frames)
        frames = np.lib.stride_tricks.sliding_window_view(signals[item, first * hop :], n_fft)[::hop][: last - first]
        X = scipy.fft.rfft(frames * weights, axis=-1)
        frames = scipy.fft.irfft(give_magnitudes(X, magnitudes[item, :, first:last].T), n=n_fft, axis=-1)
        frames *= weights
        add_up(frames, first - begin, blocks[item, begin : None if last == n_frames else last])

    run(segment, [(item, begin) for item in range(len(signals)) for begin in range(0, n_frames, size)])
    here = slice(framing.padding, framing.padding + y.shape[-1])
    return blocks.reshape(*y.shape[:-1], (n_frames + parts - 1) * hop)[..., here] * gain
