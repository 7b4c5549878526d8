"""Signals and settings for the tests of the constant-Q transforms, with the oracle's coefficients of these."""

import functools

import numpy as np
import scipy.signal

import arrayaudio as aa

from . import naive, naive_constant_q

EXACT = ("auto", "1992", "1992v2")
OCTAVES = ("2010", "2010v2")
BASE = {"sr": 8000, "fmin": 220.0, "n_bins": 14, "hop_length": 160}
N = 1500


@functools.cache
def signal(name, n=N):
    """Signals at 8 kHz whose samples are float32 numbers."""
    t = np.arange(n) / 8000
    made = {
        "noise": lambda: np.random.default_rng(7).standard_normal(n),
        "impulse": lambda: np.eye(1, n, 2 * n // 3)[0],
        "tone": lambda: np.sin(2 * np.pi * 330 * t),
        "sweep": lambda: scipy.signal.chirp(t, 60, t[-1], 3900, method="logarithmic"),
        "silence": lambda: np.zeros(n),
    }[name]()
    made = made.astype(np.float32).astype(np.float64)
    made.setflags(write=False)
    return made


@functools.cache
def sums(name, n, items):
    return naive_constant_q.cqt(signal(name, n), **dict(items))


def expected(name="noise", n=N, **options):
    return sums(name, n, tuple(sorted(options.items())))


def transform(method="auto", **options):
    return (aa.VQT if "gamma" in options else aa.CQT)(method=method, **options)


LOW = {"sr": 8000, "fmin": 65.0, "n_bins": 60, "hop_length": 128}


def oracle(y, made, framing):
    """Inner products with the kernels as they are, frame by frame."""
    padded = naive.pad(y, framing.padding, framing.padding, framing.pad_mode)
    middles = range(framing.frame_length // 2, len(padded) - framing.frame_length // 2 + 1, framing.hop_length)
    out = np.zeros((len(made.lengths), len(middles)), complex)
    for k in range(len(made.lengths)):
        first, kernel = made.kernel(k)
        for t, middle in enumerate(middles):
            out[k, t] = np.sum(padded[middle + first :][: len(kernel)] * kernel.conj())
    return out
