"""The signals: pure tones of random frequency and phase."""

from typing import NamedTuple

import numpy as np

SR, N_SAMPLES = 8000, 1024
LOWEST, HIGHEST = 220.0, 3520.0  # Hz: four octaves


class Tones(NamedTuple):
    """Waveforms (n, 1024), float32, and where their frequencies lie between the lowest, 0, and the highest, 1."""

    y: np.ndarray
    place: np.ndarray


def tones(seed: int, n: int) -> Tones:
    """Draw tones of amplitude 1, uniform in frequency and phase."""
    rng = np.random.default_rng(seed)
    place, turn = rng.random((2, n, 1))
    hz = LOWEST + (HIGHEST - LOWEST) * place
    y = np.sin(2 * np.pi * (hz * np.arange(N_SAMPLES) / SR + turn))
    return Tones(y.astype(np.float32), place[:, 0].astype(np.float32))
