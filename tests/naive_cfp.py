"""Float64 oracle of combined frequency and periodicity (Su and Yang, 2015), as loops over scalars."""

import math

import numpy as np

from . import naive


def _root(x, g):
    x = max(x, 0.0)
    return math.log(x + 1e-8) if g == 0 else x**g


def _transformed(values):
    """Real part of the DFT of the whole even sequence, over sqrt(n)."""
    n = len(values)
    return [sum(values[k] * math.cos(2 * math.pi * (k * q % n) / n) for k in range(n)) / math.sqrt(n) for q in range(n)]


def _cut(values, cutoff, published):
    """Zero below the cutoff on both sides. The program of the authors takes X[:cutoff] and X[-cutoff:], so that the
    mirror image of X[cutoff] goes too."""
    n = len(values)
    out = list(values)
    for k in range(n):
        if published and cutoff and (k < cutoff or k >= n - cutoff):
            out[k] = 0.0
        if not published and min(k, n - k) < cutoff:
            out[k] = 0.0
    return out


def _layers(X, n_fft, g, lag_cut, bin_cut, published):
    """The last spectrum and the last cepstrum of magnitudes |X[k]|, 0 <= k <= n_fft // 2."""
    spectrum = [_root(X[min(k, n_fft - k)], g[0]) for k in range(n_fft)]
    cepstrum = None
    for layer in range(1, len(g)):
        if layer % 2 == 1:
            cepstrum = _cut([_root(v, g[layer]) for v in _transformed(spectrum)], lag_cut, published)
        else:
            spectrum = _cut([_root(v, g[layer]) for v in _transformed(cepstrum)], bin_cut, published)
    return spectrum, cepstrum


def centres(fmin, fmax, per_octave):
    """fmin 2^(i / per_octave) as long as the next one is below fmax."""
    found = []
    while fmin * 2 ** ((len(found) + 1) / per_octave) < fmax:
        found.append(fmin * 2 ** (len(found) / per_octave))
    return found


def _triangle(place, before, after, k):
    """Height at the point k of the triangle over `place`, down to its neighbours, or to the next points if farther."""
    low, high = min(before, after), max(before, after)
    side = max(place - low, 1.0) if k < place else max(high - place, 1.0)
    return max(0.0, 1.0 - abs(k - place) / side)


def _open_triangle(f, before, centre, after):
    if before < f < centre:
        return (f - before) / (centre - before)
    if centre < f < after:
        return (after - f) / (after - centre)
    return 0.0


def matrices(sr, n_fft, fmin, fmax, per_octave, published):
    """Weights of bins and of periods in each band -> two (n_bands, 1 + n_fft // 2)."""
    n = len(centres(fmin, fmax, per_octave))
    bins, periods = np.zeros((n, 1 + n_fft // 2)), np.zeros((n, 1 + n_fft // 2))
    for i in range(n):
        before, here, after = (fmin * 2 ** (j / per_octave) for j in (i - 1, i, i + 1))
        for k in range(1 + n_fft // 2):
            if not published:
                bins[i, k] = _triangle(*(f * n_fft / sr for f in (here, before, after)), k)
                periods[i, k] = _triangle(*(sr / f for f in (here, before, after)), k)
            elif i > 0:
                first, last = round(before * n_fft / sr), round(after * n_fft / sr)
                if first == last:
                    bins[i, k] = float(k == first)
                elif first <= k <= last:
                    bins[i, k] = _open_triangle(sr / 2 * k / (n_fft // 2 - 1), before, here, after)
                periods[i, k] = _open_triangle(1 / (k / sr), before, here, after) if k > 0 else 0.0
    return bins, periods


def cfp(y, sr, n_fft, hop, window, fmin, fmax, per_octave, g, published=False):
    """cfp, spectrum, frequency and periodicity of (n_samples,) with a window of n_fft samples -> four (n_bands, T)."""
    norm = math.sqrt(sum(float(w) ** 2 for w in window))
    X = np.abs(naive.stft(y, n_fft, hop, window, True, "constant")) / norm
    bins, periods = matrices(sr, n_fft, fmin, fmax, per_octave, published)
    lag_cut, bin_cut = round(sr / fmax), round(fmin * n_fft / sr)
    found = [np.zeros((len(bins), X.shape[1])) for _ in range(4)]
    for t in range(X.shape[1]):
        spectrum, cepstrum = _layers(X[:, t], n_fft, g, lag_cut, bin_cut, published)
        for i in range(len(bins)):
            for k in range(1 + n_fft // 2):
                found[1][i, t] += bins[i, k] * X[k, t]
                found[2][i, t] += bins[i, k] * spectrum[k]
                found[3][i, t] += periods[i, k] * (cepstrum[k] if cepstrum else 0.0)
            found[0][i, t] = found[2][i, t] * found[3][i, t]
    return found
