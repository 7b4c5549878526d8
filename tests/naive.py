"""Float64 oracles for the tests: each function is the textbook formula written as loops over scalars.

Signals are 1-D; spectra and band matrices are 2-D (frequency or band, time). numpy only stores the results.
"""

import cmath
import math

import numpy as np


def pad(y, left, right, mode):
    """(n,) -> (left + n + right,): linear_ramp ends at 0, statistics are over all of y (numpy.pad docs)."""
    y = [float(v) for v in y]
    n = len(y)
    middle = sorted(y)[(n - 1) // 2 : n // 2 + 1]
    fill = {"constant": 0.0, "maximum": max(y), "mean": sum(y) / n, "minimum": min(y)}
    fill["median"] = sum(middle) / len(middle)
    out = np.zeros(left + n + right)
    for i in range(-left, n + right):
        if 0 <= i < n:
            value = y[i]
        elif mode in fill:
            value = fill[mode]
        elif mode == "linear_ramp":
            value = y[0] * (left + i) / left if i < 0 else y[n - 1] * (n + right - 1 - i) / right
        elif mode == "edge":
            value = y[0] if i < 0 else y[n - 1]
        elif mode == "wrap":
            value = y[i % n]
        elif mode == "symmetric":
            j = i % (2 * n)
            value = y[min(j, 2 * n - 1 - j)]
        elif mode == "reflect":
            j = i % max(2 * (n - 1), 1)
            value = y[min(j, 2 * (n - 1) - j)] if n > 1 else y[0]
        else:
            raise ValueError(f"unknown pad mode {mode!r}")
        out[left + i] = value
    return out


def n_frames(n_samples, n_fft, hop_length, center):
    """Number of whole frames, counted one by one; center adds n_fft//2 samples at both ends (librosa docs)."""
    total = n_samples + 2 * (n_fft // 2) if center else n_samples
    count = start = 0
    while start + n_fft <= total:
        count += 1
        start += hop_length
    return count


def frame(y, frame_length, hop_length):
    """out[n, t] = y[t hop + n] for every whole frame t -> (frame_length, n_frames) (librosa docs)."""
    count = n_frames(len(y), frame_length, hop_length, center=False)
    out = np.zeros((frame_length, count))
    for t in range(count):
        for n in range(frame_length):
            out[n, t] = y[t * hop_length + n]
    return out


def _dft_bins(x, n_bins):
    """X[k] = sum_n x[n] exp(-2 pi i k n / N) for k < n_bins; k n is taken mod N, a whole number of turns less."""
    x = [complex(v) for v in x]
    size = len(x)
    root = [cmath.exp(-2j * math.pi * m / size) for m in range(size)]
    return np.array([sum(x[n] * root[k * n % size] for n in range(size)) for k in range(n_bins)])


def dft(x):
    """X[k] = sum_n x[n] exp(-2 pi i k n / N), (N,) -> (N,) (Oppenheim & Schafer)."""
    return _dft_bins(x, len(x))


def rdft(x):
    """Bins 0..N//2 of dft, (N,) -> (1 + N//2,) (Oppenheim & Schafer)."""
    return _dft_bins(x, len(x) // 2 + 1)


def stft(y, n_fft, hop_length, window, center, pad_mode):
    """X[k, t] = sum_n w[n] y[t hop + n] exp(-2 pi i k n / n_fft) -> (1 + n_fft//2, T) (librosa docs)."""
    if center:
        y = pad(y, n_fft // 2, n_fft // 2, pad_mode)
    frames = frame(y, n_fft, hop_length)
    out = np.zeros((1 + n_fft // 2, frames.shape[1]), dtype=np.complex128)
    for t in range(frames.shape[1]):
        out[:, t] = rdft([window[n] * frames[n, t] for n in range(n_fft)])
    return out


def irdft(X, n):
    """x[j] = (Re X[0] + 2 sum_{0<k<n/2} Re(X[k] exp(2 pi i j k / n)) + [n even] (-1)^j Re X[n/2]) / n -> (n,).
    The inverse DFT of the Hermitian extension of X (Oppenheim & Schafer)."""
    X = [complex(v) for v in X]
    root = [cmath.exp(2j * math.pi * m / n) for m in range(n)]
    out = np.zeros(n)
    for j in range(n):
        total = X[0].real + sum(2 * (X[k] * root[j * k % n]).real for k in range(1, (n + 1) // 2))
        if n % 2 == 0:
            total += (-1) ** j * X[n // 2].real
        out[j] = total / n
    return out


def istft(S, n_fft, hop_length, window, center, length):
    """y[i] = sum_t w[i - t hop] x_t[i - t hop] / sum_t w[i - t hop]^2, x_t = irdft(S[:, t]) -> (length,).
    Least-squares overlap-add (Griffin & Lim 1984); 0 where no window reaches; center drops the first n_fft//2."""
    skip = n_fft // 2 if center else 0
    total = [0.0] * (skip + length)
    weight = [0.0] * (skip + length)
    for t in range(S.shape[1]):
        x = irdft(S[:, t], n_fft)
        for n in range(n_fft):
            i = t * hop_length + n
            if i < skip + length:
                total[i] += float(window[n]) * float(x[n])
                weight[i] += float(window[n]) ** 2
    out = np.zeros(length)
    for i in range(length):
        if weight[skip + i] != 0.0:
            out[i] = total[skip + i] / weight[skip + i]
    return out


def hz_to_mel(f, scale):
    """Scalar Hz to mel: "slaney" (Slaney's Auditory Toolbox), "htk" (HTK book), "kaldi" (mel-computations.h)."""
    if scale == "htk":
        return 2595.0 * math.log10(1.0 + f / 700.0)
    if scale == "kaldi":
        return 1127.0 * math.log(1.0 + f / 700.0)
    if f < 1000.0:
        return f / (200.0 / 3.0)
    return 15.0 + math.log(f / 1000.0) / (math.log(6.4) / 27.0)


def mel_to_hz(m, scale):
    """Scalar mel to Hz, the inverse of hz_to_mel; 1000 Hz is 15 mel on the "slaney" scale."""
    if scale == "htk":
        return 700.0 * (10.0 ** (m / 2595.0) - 1.0)
    if scale == "kaldi":
        return 700.0 * (math.exp(m / 1127.0) - 1.0)
    if m < 15.0:
        return m * (200.0 / 3.0)
    return 1000.0 * math.exp((m - 15.0) * (math.log(6.4) / 27.0))


def hz_to_bark(f):
    """26.81 f / (1960 + f) - 0.53, without end corrections (Traunmueller 1990)."""
    return 26.81 * f / (1960.0 + f) - 0.53


def hz_to_erb_rate(f):
    """21.4 log10(1 + 0.00437 f) (Glasberg & Moore 1990)."""
    return 21.4 * math.log10(1.0 + 0.00437 * f)


def hz_to_octave(f, tuning=0, bins_per_octave=12):
    """log2(f / (A440 / 16)), A440 = 440 2^(tuning / bins_per_octave) (librosa docs, hz_to_octs)."""
    a440 = 440.0 * 2.0 ** (tuning / bins_per_octave)
    return math.log2(f / (a440 / 16.0))


def hz_to_midi(f):
    """69 + 12 log2(f / 440) (MIDI tuning standard)."""
    return 69.0 + 12.0 * math.log2(f / 440.0)


def mel_filters(sr, n_fft, n_mels, fmin, fmax, scale, norm):
    """Triangles on n_mels + 2 edges equally spaced in mel -> (n_mels, 1 + n_fft//2).
    Linear in Hz for "slaney" (Auditory Toolbox, librosa docs) and "htk" (librosa docs, htk=True); linear in mel
    and 0 at Nyquist for "kaldi" (Kaldi mel-computations.cc). norm "slaney" multiplies by 2 / (right - left) in Hz."""
    low, high = hz_to_mel(fmin, scale), hz_to_mel(fmax, scale)
    mels = [low + (high - low) * i / (n_mels + 1) for i in range(n_mels + 2)]
    freqs = [mel_to_hz(m, scale) for m in mels]
    out = np.zeros((n_mels, 1 + n_fft // 2))
    for b in range(n_mels):
        for k in range(1 + n_fft // 2):
            f = k * sr / n_fft
            if scale == "kaldi":
                left, center, right = mels[b], mels[b + 1], mels[b + 2]
                mel = hz_to_mel(f, scale)
                weight = 0.0
                if left < mel < right and 2 * k != n_fft:
                    weight = (mel - left) / (center - left) if mel <= center else (right - mel) / (right - center)
            else:
                left, center, right = freqs[b], freqs[b + 1], freqs[b + 2]
                weight = max(0.0, min((f - left) / (center - left), (right - f) / (right - center)))
            if norm == "slaney":
                weight *= 2.0 / (freqs[b + 2] - freqs[b])
            out[b, k] = weight
    return out


def _to_db(values, shape, factor, ref, amin, top_db):
    """factor log10(max(v, amin)) - factor log10(max(amin, |ref|)), floored at its maximum - top_db -> shape."""
    offset = factor * math.log10(max(amin, abs(ref)))
    db = [factor * math.log10(max(float(v), amin)) - offset for v in values]
    floor = -math.inf if top_db is None else max(db) - top_db
    return np.array([max(d, floor) for d in db]).reshape(shape)


def power_to_db(S, ref, amin, top_db):
    """10 log10(max(S, amin)) - 10 log10(max(amin, |ref|)), floored at its maximum - top_db (librosa docs)."""
    return _to_db(S.flat, S.shape, 10.0, ref, amin, top_db)


def amplitude_to_db(S, ref, amin, top_db):
    """20 log10(max(|S|, amin)) - 20 log10(max(amin, |ref|)), floored at its maximum - top_db (librosa docs)."""
    return _to_db([abs(complex(v)) for v in S.flat], S.shape, 20.0, ref, amin, top_db)


def db_to_power(D, ref):
    """ref 10^(D / 10) (librosa docs)."""
    return np.array([float(ref) * 10.0 ** (float(d) / 10.0) for d in D.flat]).reshape(D.shape)


def db_to_amplitude(D, ref):
    """ref 10^(D / 20) (librosa docs)."""
    return np.array([float(ref) * 10.0 ** (float(d) / 20.0) for d in D.flat]).reshape(D.shape)


def dct(x, kind, ortho):
    """1: x[0] + (-1)^k x[N-1] + 2 sum_{0<n<N-1} x[n] cos(pi k n / (N-1)); 2: 2 sum_n x[n] cos(pi k (2n+1) / 2N);
    3: x[0] + 2 sum_{n>0} x[n] cos(pi (2k+1) n / 2N); (N,) -> (N,). ortho makes the matrix orthonormal, for which
    kind 1 first takes x[0] and x[N-1] times sqrt(2), kind 3 x[0] (scipy.fft.dct docs, norm="ortho")."""
    x = [float(v) for v in x]
    size = len(x)
    last = size - 1
    out = np.zeros(size)
    for k in range(size):
        if kind == 1:
            total = (math.sqrt(2.0) if ortho else 1.0) * (x[0] + (-1) ** k * x[last])
            total += 2 * sum(x[n] * math.cos(math.pi * k * n / last) for n in range(1, last))
            scale = 0.5 * math.sqrt((1 if k in (0, last) else 2) / last)
        elif kind == 2:
            total = 2 * sum(x[n] * math.cos(math.pi * k * (2 * n + 1) / (2 * size)) for n in range(size))
            scale = math.sqrt((1 if k == 0 else 2) / (4 * size))
        else:
            total = math.sqrt(2.0) * x[0] if ortho else x[0]
            total += 2 * sum(x[n] * math.cos(math.pi * (2 * k + 1) * n / (2 * size)) for n in range(1, size))
            scale = math.sqrt(1 / (2 * size))
        out[k] = scale * total if ortho else total
    return out


def mfcc(log_mel, n_mfcc, kind, ortho, lifter):
    """First n_mfcc of the DCT over bands, row n = 1..n_mfcc times 1 + lifter/2 sin(pi n / lifter) -> (n_mfcc, T)
    (librosa docs: the HTK book's liftering with n counted from the first row kept, the 0th coefficient)."""
    out = np.zeros((n_mfcc, log_mel.shape[1]))
    for t in range(log_mel.shape[1]):
        cepstrum = dct(log_mel[:, t], kind, ortho)
        for n in range(1, n_mfcc + 1):
            gain = 1.0 + lifter / 2.0 * math.sin(math.pi * n / lifter) if lifter > 0 else 1.0
            out[n - 1, t] = gain * cepstrum[n - 1]
    return out


def _solve(A, b):
    """Solution of A x = b by Gaussian elimination with partial pivoting (A a list of rows)."""
    size = len(b)
    rows = [[*A[i], b[i]] for i in range(size)]
    for col in range(size):
        pivot = max(range(col, size), key=lambda r: abs(rows[r][col]))
        rows[col], rows[pivot] = rows[pivot], rows[col]
        for r in range(col + 1, size):
            factor = rows[r][col] / rows[col][col]
            for c in range(col, size + 1):
                rows[r][c] -= factor * rows[col][c]
    x = [0.0] * size
    for r in range(size - 1, -1, -1):
        x[r] = (rows[r][size] - sum(rows[r][c] * x[c] for c in range(r + 1, size))) / rows[r][r]
    return x


def delta(x, width, order):
    """order! a_order of the least-squares polynomial sum_p a_p u^p, p <= order, over the width samples around each
    position, (n,) -> (n,) (Savitzky & Golay 1964). Near an end: over the first or last width samples, where the
    order-th derivative is the same at every position (scipy.signal.savgol_filter docs, mode "interp")."""
    x = [float(v) for v in x]
    half = width // 2
    out = np.zeros(len(x))
    for i in range(len(x)):
        start = min(max(i - half, 0), len(x) - width)
        A = [[0.0] * (order + 1) for _ in range(order + 1)]
        b = [0.0] * (order + 1)
        for j in range(width):
            u = float(j - half)
            for p in range(order + 1):
                b[p] += u**p * x[start + j]
                for q in range(order + 1):
                    A[p][q] += u ** (p + q)
        out[i] = math.factorial(order) * _solve(A, b)[order]
    return out


def _bessel_i0(x):
    """I0(x) = sum_k ((x/2)^k / k!)^2 (Abramowitz & Stegun 9.6.12)."""
    total, term, k = 1.0, 1.0, 0
    while term > 1e-18 * total:
        k += 1
        term *= (x / 2.0 / k) ** 2
        total += term
    return total


def resample(y, up, down, half_width, beta, rolloff):
    """out[m] = sum_k y[k] h(m down/up - k), 0 <= m < ceil(n up/down), with h(u) = 0 for |u| >= W = half_width / c and
    c sinc(c u) I0(beta sqrt(1 - (u/W)^2)) / I0(beta) below, c = rolloff min(1, up/down) (Smith, Digital Audio
    Resampling; sinc(x) = sin(pi x) / (pi x))."""
    c = rolloff * min(1.0, up / down)
    W = half_width / c
    i0_beta = _bessel_i0(beta)
    out = np.zeros(-(-len(y) * up // down))
    for m in range(len(out)):
        total = 0.0
        for k in range(len(y)):
            u = (m * down - k * up) / up
            if abs(u) < W:
                sinc = 1.0 if u == 0.0 else math.sin(math.pi * c * u) / (math.pi * c * u)
                window = _bessel_i0(beta * math.sqrt(1.0 - (u / W) ** 2)) / i0_beta
                total += float(y[k]) * c * sinc * window
        out[m] = total
    return out


def rms(y):
    """sqrt(mean(y^2)) over the whole signal, a scalar (librosa docs)."""
    return math.sqrt(sum(float(v) ** 2 for v in y) / len(y))
