"""Spectra to waveform in NumPy: inverse FFT, window and overlap-add, segment by segment of the output."""

from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.threads import run
from arrayaudio.kernels.tiled.spectrogram import TILE_BYTES


def synthesis(S: np.ndarray, framing: Any, window: Any) -> Any:
    """Windowed, overlap-added inverse FFTs of (..., n_bins, n_frames): (..., n_covered)."""
    n_fft, hop, n_frames = framing.frame_length, framing.hop_length, S.shape[-1]
    weights, n_covered = window.like(S), (n_frames - 1) * hop + n_fft
    parts = -(-n_fft // hop)  # hops that a frame reaches over
    spectra = S.reshape(-1, *S.shape[-2:])
    blocks = np.zeros((len(spectra), n_frames + parts - 1, hop), weights.dtype)
    size = max(TILE_BYTES // (n_fft * weights.itemsize), 4 * parts)

    def segment(place: tuple[int, int]) -> None:
        # A segment adds up all frames that reach into it, so that segments depend on nothing but their place.
        item, begin = place
        here = blocks[item, begin:] if begin + size >= n_frames else blocks[item, begin : begin + size]
        first = max(0, begin - parts + 1)
        X = spectra[item, :, first : min(begin + size, n_frames)].T
        frames = scipy.fft.irfft(X, n=n_fft, axis=-1)
        frames *= weights
        add_up(frames, first - begin, here)

    run(segment, [(item, begin) for item in range(len(spectra)) for begin in range(0, n_frames, size)])
    return blocks.reshape(len(spectra), (n_frames + parts - 1) * hop)[:, :n_covered].reshape(*S.shape[:-2], n_covered)


def add_up(frames: np.ndarray, first: int, blocks: np.ndarray) -> None:
    """Add frames up in (n_blocks, hop), the first of them at block `first`, but for what lies outside of it."""
    n_blocks, hop = blocks.shape
    for part in range(-(-frames.shape[1] // hop)):
        values, shift = frames[:, part * hop : (part + 1) * hop], first + part
        inside = slice(max(0, -shift), max(0, min(len(values), n_blocks - shift)))
        blocks[inside.start + shift : inside.stop + shift, : values.shape[1]] += values[inside]
