"""Float64 oracles of descriptors and filters that feed back: textbook formulas as loops over scalars.

Signals are 1-D; spectra and matrices are 2-D (frequency or band, time). numpy only stores the results.
"""

import math

import numpy as np


def one_pole(x, pole, before=0.0):
    """s[t] = pole s[t-1] + x[t], s[-1] = before, (n,) -> (n,)."""
    out = np.zeros(len(x))
    for t in range(len(x)):
        before = pole * before + float(x[t])
        out[t] = before
    return out


def preemphasis(y, coef):
    """y[t] - coef y[t-1], the first output 3 y[0] - y[1] (librosa docs: zi = 2 y[0] - y[1] added to y[0])."""
    return np.array([3.0 * y[0] - y[1], *(y[t] - coef * y[t - 1] for t in range(1, len(y)))])


def deemphasis(y, coef):
    """s[t] - ((2 - coef) y[0] - y[1]) / (3 - coef) coef^t, where s[t] = y[t] + coef s[t-1] (librosa docs)."""
    extra = ((2.0 - coef) * y[0] - y[1]) / (3.0 - coef)
    out = one_pole(y, coef)
    for t in range(len(out)):
        out[t] -= extra * coef**t
    return out


def pcen(S, gain, bias, power, eps, b, max_size, before):
    """(S / (eps + M)^gain + bias)^power - bias^power (Lostanlen et al. 2019); M smooths the loudest of the bands
    f - max_size // 2 ... f - max_size // 2 + max_size - 1. Power 0 stands for ln(1 + S / (eps + M)^gain)."""
    out = np.zeros(S.shape)
    bands = S.shape[0]
    for f in range(bands):
        first = f - max_size // 2
        near = [g for g in range(first, first + max_size) if 0 <= g < bands]
        energy = before
        for t in range(S.shape[1]):
            energy = (1.0 - b) * energy + b * max(float(S[g, t]) for g in near)
            ratio = float(S[f, t]) / (eps + energy) ** gain
            out[f, t] = math.log(1.0 + ratio) if power == 0 else (ratio + bias) ** power - bias**power
    return out


def _frames(y, length, hop):
    """Every whole frame as a list."""
    return [[float(v) for v in y[start : start + length]] for start in range(0, len(y) - length + 1, hop)]


def rms(y, length, hop):
    """sqrt(sum y^2 / length) of each whole frame -> (1, T)."""
    return np.array([[math.sqrt(sum(v * v for v in row) / length) for row in _frames(y, length, hop)]])


def zero_crossing_rate(y, length, hop, threshold):
    """Sign changes within each whole frame over its length; from -threshold up is positive (librosa docs) -> (1, T)."""
    rates = []
    for row in _frames(y, length, hop):
        negative = [v < -threshold for v in row]
        rates.append(sum(negative[i] != negative[i - 1] for i in range(1, length)) / length)
    return np.array([rates])


def centroid(S, freq):
    """sum_f f S[f] / sum_f S[f], 0 for silence -> (1, T) (Klapuri & Davy 2007)."""
    out = np.zeros((1, S.shape[1]))
    for t in range(S.shape[1]):
        total = sum(float(v) for v in S[:, t])
        weighted = sum(float(S[k, t]) * float(freq[k]) for k in range(S.shape[0]))
        out[0, t] = weighted / total if total > 0 else 0.0
    return out


def bandwidth(S, freq, norm, p):
    """(sum_f S[f] |f - centroid|^p)^(1/p), S divided by its sum if norm -> (1, T) (librosa docs)."""
    middle = centroid(S, freq)
    out = np.zeros((1, S.shape[1]))
    for t in range(S.shape[1]):
        total = sum(float(v) for v in S[:, t]) if norm else 1.0
        moment = sum(float(S[k, t]) * abs(float(freq[k]) - middle[0, t]) ** p for k in range(S.shape[0]))
        out[0, t] = (moment / total) ** (1.0 / p) if total > 0 else 0.0
    return out


def rolloff(S, freq, part):
    """The first frequency at which the running sum reaches `part` of the whole -> (1, T) (librosa docs)."""
    out = np.zeros((1, S.shape[1]))
    for t in range(S.shape[1]):
        total = sum(float(v) for v in S[:, t])
        running = k = 0
        while running + float(S[k, t]) < part * total:
            running += float(S[k, t])
            k += 1
        out[0, t] = freq[k]
    return out


def flatness(S, amin, power):
    """exp(mean log x) / mean x, x = max(S^power, amin) -> (1, T) (Dubnov 2004)."""
    out = np.zeros((1, S.shape[1]))
    for t in range(S.shape[1]):
        values = [max(float(v) ** power, amin) for v in S[:, t]]
        logs = sum(math.log(v) for v in values) / len(values)
        out[0, t] = math.exp(logs) / (sum(values) / len(values))
    return out


def contrast(S, freq, fmin, n_bands, quantile):
    """Means of the highest and of the lowest values of each band -> two (n_bands + 1, T) (Jiang et al. 2002).

    Bands end at fmin, 2 fmin, ...; each takes in the row below it, leaves out its top row, except for the last, which
    goes on to the end; round(quantile rows) values count, rows with the top one (librosa docs)."""
    rows = range(S.shape[0])
    peak, valley = np.zeros((n_bands + 1, S.shape[1])), np.zeros((n_bands + 1, S.shape[1]))
    for b in range(n_bands + 1):
        low, high = (0.0 if b == 0 else fmin * 2.0 ** (b - 1)), fmin * 2.0**b
        inside = [k for k in rows if low <= freq[k] <= high]
        if b > 0:
            inside.insert(0, inside[0] - 1)
        if b == n_bands:
            inside += [k for k in rows if k > inside[-1]]
        count = max(1, round(quantile * len(inside)))
        if b < n_bands:
            inside.pop()
        for t in range(S.shape[1]):
            values = sorted(float(S[k, t]) for k in inside)
            valley[b, t] = sum(values[:count]) / len(values[:count])
            peak[b, t] = sum(values[-count:]) / len(values[-count:])
    return peak, valley


def linear_filters(sr, n_fft, n_filter, fmin, fmax):
    """Triangles of height 1 on n_filter + 2 edges equally spaced in Hz -> (n_filter, 1 + n_fft//2)
    (torchaudio docs, linear_fbanks)."""
    width = (fmax - fmin) / (n_filter + 1)
    out = np.zeros((n_filter, 1 + n_fft // 2))
    for b in range(n_filter):
        for k in range(1 + n_fft // 2):
            out[b, k] = max(0.0, 1.0 - abs(k * sr / n_fft - (fmin + (b + 1) * width)) / width)
    return out


def norm_of(values, norm):
    """(sum |v|^norm)^(1 / norm), the maximum for inf; 1 for zeros and for None."""
    sizes = [abs(float(v)) for v in values]
    if norm is None or max(sizes) == 0.0:
        return 1.0
    return max(sizes) if norm == math.inf else sum(v**norm for v in sizes) ** (1.0 / norm)


def chroma_filters(sr, n_fft, n_chroma, tuning, ctroct, octwidth, norm, base_c):
    """Gaussians exp(-(2 d / w)^2 / 2) around pitch classes, times those of octaves -> (n_chroma, 1 + n_fft//2).

    d is the distance modulo an octave, w the distance of the bins but at least 1 (Ellis 2007; librosa docs). Of odd
    n_chroma, distances are taken from -round(n_chroma / 2)."""
    a0 = 440.0 * 2.0 ** (tuning / n_chroma) / 16.0
    pitch = [0.0, *(n_chroma * math.log2(k * sr / n_fft / a0) for k in range(1, n_fft))]
    pitch[0] = pitch[1] - 1.5 * n_chroma
    half = round(n_chroma / 2)
    out = np.zeros((n_chroma, 1 + n_fft // 2))
    for k in range(1 + n_fft // 2):
        width = max(1.0, pitch[k + 1] - pitch[k]) if k + 1 < n_fft else 1.0
        column = []
        for c in range(n_chroma):
            d = pitch[k] - c
            while d < -half:
                d += n_chroma
            while d >= n_chroma - half:
                d -= n_chroma
            column.append(math.exp(-0.5 * (2.0 * d / width) ** 2))
        octave = math.exp(-0.5 * ((pitch[k] / n_chroma - ctroct) / octwidth) ** 2) if octwidth is not None else 1.0
        for c in range(n_chroma):
            row = (c - 3 * (n_chroma // 12)) % n_chroma if base_c else c
            out[row, k] = octave * column[c] / norm_of(column, norm)
    return out
