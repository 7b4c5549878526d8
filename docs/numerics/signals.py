"""Signals that are hard for floating point, each in the precision asked for, at 8000 Hz."""

import numpy as np

SR, LENGTH = 8000, 8000
QUIET = 1e-7  # 140 dB below full scale


def noise(n_samples: int = LENGTH) -> np.ndarray:
    """White noise, the same each time."""
    return np.random.default_rng(3).uniform(-1, 1, n_samples)


def square() -> np.ndarray:
    """A square wave at full scale."""
    return np.where(np.arange(LENGTH) // 9 % 2, 1.0, -1.0)


def falling() -> np.ndarray:
    """Noise at full scale, and then 140 dB below."""
    return noise() * np.where(np.arange(LENGTH) < LENGTH // 2, 1.0, QUIET)


def near_nyquist() -> np.ndarray:
    """A tone 4 Hz below half the sampling rate."""
    return np.sin(2 * np.pi * (SR / 2 - 4) * np.arange(LENGTH) / SR)


def signals(dtype: str) -> dict[str, np.ndarray]:
    """All of them, by name."""
    tiny = np.finfo(dtype).tiny
    return {
        name: y.astype(dtype)
        for name, y in {
            "noise": noise(),
            "silence": np.zeros(LENGTH),
            "square": square(),
            "140 dB down": falling(),
            "offset": 1000 + 0.1 * noise(),
            "denormal": noise() * tiny / 100,
            "near Nyquist": near_nyquist(),
        }.items()
    }
