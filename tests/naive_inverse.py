"""Float64 oracles for what goes back from features to spectra and waveforms; the style is that of `naive.py`."""

import cmath
import math

import numpy as np

from . import naive


def griffin_lim(S, phases, n_iter, momentum, n_fft, hop_length, window, center, pad_mode, length):
    """Perraudin, Balazs & Sondergaard 2013, on spectra: t = stft(istft(c)), c' = S (t + a (t - t_before)) / |...|.
    (1 + n_fft//2, T) -> (length,); a coefficient of 0 has the phase 0."""
    c = np.array([[S[k, t] * cmath.exp(1j * phases[k, t]) for t in range(S.shape[1])] for k in range(len(S))])
    before = None
    for _ in range(n_iter):
        y = naive.istft(c, n_fft, hop_length, window, center, length)
        now = naive.stft(y, n_fft, hop_length, window, center, pad_mode)
        before = now if before is None else before
        for k in range(S.shape[0]):
            for t in range(S.shape[1]):
                ahead = complex(now[k, t] + momentum * (now[k, t] - before[k, t]))
                c[k, t] = S[k, t] * (ahead / abs(ahead) if abs(ahead) > 0 else 1)
        before = now
    return naive.istft(c, n_fft, hop_length, window, center, length)


def spectral_convergence(S, target):
    """sqrt(sum (S - target)^2 / sum target^2) (Sturmel & Daudet 2011)."""
    error = sum((float(a) - float(b)) ** 2 for a, b in zip(S.flat, target.flat, strict=True))
    return math.sqrt(error / sum(float(b) ** 2 for b in target.flat))


def idct(c, n, kind, ortho):
    """The x of length n whose `naive.dct` is c followed by zeros: solution of the linear system -> (n,)."""
    columns = [naive.dct([float(i == j) for i in range(n)], kind, ortho) for j in range(n)]
    return np.linalg.solve(np.array(columns).T, [*map(float, c), *[0.0] * (n - len(c))])


def mfcc_to_mel(cepstra, n_mels, kind, ortho, ref, lifter):
    """ref 10^(idct(c[n - 1] / (1 + lifter/2 sin(pi n / lifter))) / 10) for each frame -> (n_mels, T)."""
    out = np.zeros((n_mels, cepstra.shape[1]))
    for t in range(cepstra.shape[1]):
        c = [float(v) for v in cepstra[:, t]]
        if lifter > 0:
            c = [v / (1.0 + lifter / 2.0 * math.sin(math.pi * n / lifter)) for n, v in enumerate(c, 1)]
        out[:, t] = [ref * 10.0 ** (v / 10.0) for v in idct(c, n_mels, kind, ortho)]
    return out


def phase_vocoder(D, rate, hop_length, n_fft):
    """Frame by frame with unwrapped phases (Flanagan & Golden 1966; Ellis 2002): (F, T) -> (F, ceil(T / rate)).
    A frame of zeros follows the last one."""
    bins, count = D.shape
    D = np.concatenate([D, np.zeros((bins, 1))], axis=1)
    steps = [t * rate for t in range(count * 100) if t * rate < count]
    out = np.zeros((bins, len(steps)), dtype=np.complex128)
    for k in range(bins):
        expected = 2 * math.pi * k * hop_length / n_fft
        total = cmath.phase(D[k, 0])
        for t, place in enumerate(steps):
            i = int(place)
            a, b = complex(D[k, i]), complex(D[k, i + 1])
            out[k, t] = cmath.rect(abs(a) + (place - i) * (abs(b) - abs(a)), total)
            excess = cmath.phase(b) - cmath.phase(a) - expected
            excess -= 2 * math.pi * round(excess / (2 * math.pi))
            total += expected + excess
    return out
