"""Float64 oracle for phase gradient heap integration; the style is that of `naive.py`. No heap: the next cell is found
by looking at all."""

import math

import numpy as np
import scipy.optimize


def gamma(window):
    """Least squares between the window of peak 1, zero outside, and exp(-pi n^2 / gamma) on a line seven times as
    long; n counts from the middle of the squared window -> gamma in samples^2."""
    peak = max(window, key=abs)
    c = middle(window)
    length = len(window)
    line = [(n - c, window[n] / peak if 0 <= n < length else 0.0) for n in range(-3 * length, 4 * length)]

    def error(log_gamma):
        return sum((w - math.exp(-math.pi * n * n / math.exp(log_gamma))) ** 2 for n, w in line)

    bounds = (math.log(0.1), math.log(length**2))
    return math.exp(scipy.optimize.minimize_scalar(error, bounds=bounds, options={"xatol": 1e-9}).x)


def middle(window):
    """sum n w^2 / sum w^2."""
    return sum(n * float(w) ** 2 for n, w in enumerate(window)) / sum(float(w) ** 2 for w in window)


def slopes(S, n_fft, hop, g, c, floor, causal):
    """Prusa, Balazs & Sondergaard 2017, equations 16 to 20, for phases counted from the start of the frame; without a
    frame to come Prusa & Rajmic 2017. `floor[t]` is put in for softer cells -> radians per frame, radians per bin."""
    bins, count = S.shape

    def s(k, t, floor_of):
        """Logarithm of the magnitude; the spectrum is even and has the period n_fft, the signal goes on at its ends."""
        k %= n_fft
        return math.log(max(S[min(k, n_fft - k), min(max(t, 0), count - 1)], floor[floor_of]))

    in_time, in_frequency = np.zeros((bins, count)), np.zeros((bins, count))
    for k in range(bins):
        for t in range(count):
            ds_dk = (s(k + 1, t, t) - s(k - 1, t, t)) / 2
            ds_dt = (
                (3 * s(k, t, t) - 4 * s(k, t - 1, t) + s(k, t - 2, t)) / 2
                if causal
                else (s(k, t + 1, t) - s(k, t - 1, t)) / 2
            )
            in_time[k, t] = 2 * math.pi * hop * k / n_fft + hop * n_fft / g * ds_dk
            in_frequency[k, t] = -2 * math.pi * c / n_fft - g / (hop * n_fft) * ds_dt
    return in_time, in_frequency


def integrate(S, in_time, in_frequency, todo, done, phases, within):
    """Algorithm 1: the loudest cell that is done, the earliest and lowest of equals, hands on its phase to those in
    `todo` beside it; until none is left to do so. Frames not in `within` receive nothing."""
    border = set(done)
    while border:
        k, t = max(border, key=lambda cell: (S[cell], -cell[1], -cell[0]))
        border.remove((k, t))
        for there, slope, sign in (
            ((k, t - 1), in_time, -1),
            ((k, t + 1), in_time, 1),
            ((k - 1, t), in_frequency, -1),
            ((k + 1, t), in_frequency, 1),
        ):
            if there in todo and there[1] in within:
                todo.remove(there)
                phases[there] = phases[k, t] + sign * (slope[k, t] + slope[there]) / 2
                border.add(there)


def pghi(S, n_fft, hop, window, g, tolerance, random):
    """All at once: (1 + n_fft//2, T), the gamma g, and the phases of cells under the tolerance -> phases."""
    floor = [tolerance * S.max() or 1.0] * S.shape[1]
    steps = slopes(S, n_fft, hop, g, middle(window), floor, False)
    todo = {cell for cell in np.ndindex(S.shape) if S[cell] > tolerance * S.max()}
    phases = random.copy()
    while todo:
        first = max(todo, key=lambda cell: (S[cell], -cell[1], -cell[0]))
        todo.remove(first)
        phases[first] = 0.0
        integrate(S, *steps, todo, {first}, phases, range(S.shape[1]))
    return phases


def realtime_pghi(S, n_fft, hop, window, g, tolerance, random, lookahead):
    """Frame by frame, with `lookahead` frames to come: 0 or 1. Before the first frame stands a copy of it, with phases
    of zero."""
    S, phases = np.concatenate([S[:, :1], S], axis=1), np.concatenate([0 * random[:, :1], random], axis=1)
    loudest = [tolerance * S[:, max(t - 1, 0) : t + 1].max() for t in range(S.shape[1])]
    floor = [level or 1.0 for level in loudest]
    steps = slopes(S, n_fft, hop, g, middle(window), floor, lookahead == 0)
    for t in range(1, S.shape[1]):
        todo = {(k, t) for k in range(len(S)) if S[k, t] > loudest[t]}
        integrate(S, *steps, todo, {(k, t - 1) for k, _ in todo}, phases, [t])
    return phases[:, 1:]
