"""VGGish's features in float64 from the formulas of its mel_features.py: no code runs here that could be compared."""

import numpy as np

WINDOW, HOP, N_FFT, BANDS, FROM, TO, PATCH = 400, 160, 512, 64, 125.0, 7500.0, 96


def mel(f: float) -> float:
    """Frequency in mel."""
    return 1127.0 * np.log(1 + f / 700.0)


def bank() -> np.ndarray:
    """Triangles that are straight in mel, without 0 Hz: (64, 257)."""
    edges = [mel(FROM) + k * (mel(TO) - mel(FROM)) / (BANDS + 1) for k in range(BANDS + 2)]
    weights = np.zeros((BANDS, N_FFT // 2 + 1))
    for band in range(BANDS):
        low, middle, high = edges[band : band + 3]
        for k in range(1, N_FFT // 2 + 1):
            m = mel(k * 16000 / N_FFT)
            weights[band, k] = max(0.0, min((m - low) / (middle - low), (high - m) / (high - middle)))
    return weights


def vggish(y: np.ndarray) -> np.ndarray:
    """Patches (n_patches, 64, 96) of log-mel features."""
    window = np.array([0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW) for n in range(WINDOW)])
    turns = np.exp(-2j * np.pi * np.outer(np.arange(N_FFT // 2 + 1), np.arange(WINDOW)) / N_FFT)
    columns, weights = [], bank()
    for start in range(0, len(y) - WINDOW + 1, HOP):
        magnitudes = np.abs(turns @ (window * y[start : start + WINDOW].astype(np.float64)))
        columns.append(np.log(weights @ magnitudes + 0.01))
    whole = len(columns) // PATCH
    return np.stack([np.stack(columns[p * PATCH : (p + 1) * PATCH], axis=-1) for p in range(whole)])
