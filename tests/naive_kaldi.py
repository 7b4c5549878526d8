"""Kaldi's features in float64 loops, from feat/feature-window.cc, mel-computations.cc and feature-mfcc.cc."""

import numpy as np

EPS = 2.0**-23  # of float32


def window(name, n):
    """Symmetric windows."""
    angle = [2 * np.pi * i / (n - 1) for i in range(n)]
    if name == "hamming":
        return np.array([0.54 - 0.46 * np.cos(a) for a in angle])
    hanning = [0.5 - 0.5 * np.cos(a) for a in angle]
    return np.array([h**0.85 if name == "povey" else h for h in hanning])


def frames(y, length, hop):
    """Frames inside the signal, each without its mean."""
    starts = range(0, len(y) - length + 1, hop)
    return [y[s : s + length] - sum(y[s : s + length]) / length for s in starts]


def bank(n_bands, n_fft, sr, low, high):
    """Triangles in mel, without the bin at half the rate."""

    def mel(f):
        return 1127.0 * np.log(1.0 + f / 700.0)

    step = (mel(high) - mel(low)) / (n_bands + 1)
    weights = np.zeros((n_bands, n_fft // 2 + 1))
    for band in range(n_bands):
        left = mel(low) + band * step
        for k in range(n_fft // 2):
            m = mel(k * sr / n_fft)
            if left < m < left + 2 * step:
                weights[band, k] = (m - left) / step if m <= left + step else (left + 2 * step - m) / step
    return weights


def fbank(y, n_bands, *, name="povey", preemphasis=0.97, length=400, hop=160, n_fft=512, sr=16000.0, low=20.0):
    """Log-mel features (n_bands, n_frames)."""
    weights, shape, columns = bank(n_bands, n_fft, sr, low, sr / 2), window(name, length), []
    for frame in frames(y, length, hop):
        raised = [frame[i] - preemphasis * frame[max(0, i - 1)] for i in range(length)]
        turns = np.exp(-2j * np.pi * np.outer(np.arange(n_fft // 2 + 1), np.arange(length)) / n_fft)
        power = np.abs(turns @ (np.array(raised) * shape)) ** 2
        columns.append(np.log(np.maximum(weights @ power, EPS)))
    return np.stack(columns, axis=-1)


def mfcc(y, n_bands=23, n_kept=13, lifter=22.0):
    """Cepstra (n_kept, n_frames), the first being the energy of the frame."""
    levels = fbank(y, n_bands)
    cepstra = np.zeros((n_kept, levels.shape[1]))
    for i in range(n_kept):
        norm = np.sqrt((1.0 if i == 0 else 2.0) / n_bands)
        gain = 1.0 + 0.5 * lifter * np.sin(np.pi * i / lifter)
        for j in range(n_bands):
            cepstra[i] += gain * norm * np.cos(np.pi / n_bands * (j + 0.5) * i) * levels[j]
    cepstra[0] = [np.log(max(sum(v * v for v in frame), EPS)) for frame in frames(y, 400, 160)]
    return cepstra


def low_frame_rate(S, size, step):
    """FunASR's stacks of frames: the first is repeated in front, the last behind."""
    n = S.shape[1]
    columns = []
    for first in range(0, n, step):
        around = [min(max(first + k - (size - 1) // 2, 0), n - 1) for k in range(size)]
        columns.append(np.concatenate([S[:, place] for place in around]))
    return np.stack(columns, axis=-1)
