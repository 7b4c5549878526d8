"""The signals of nnAudio's figures: two sweeps, an impulse, a chromatic scale and a piano."""

import functools
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

SR, SECONDS = 22050, 3
N_SAMPLES = SR * SECONDS
HOP = 512
TOP = 11000.0  # Hz, where sweeps end
BEYOND = 5000.0  # Hz, above the highest bin of constant-Q transforms, 3951 Hz
IMPULSE = 64 * HOP + 20  # near enough to the middle of a frame for the shortest kernels, of 96 samples
AUDIO = Path(__file__).parent.parent / "audio"


def sweep(method: str, lowest: float, highest: float = TOP) -> np.ndarray:
    """A tone that rises from the first to the last sample."""
    t = np.arange(N_SAMPLES) / SR
    return scipy.signal.chirp(t, lowest, t[-1], highest, method=method)


def impulse() -> np.ndarray:
    """One sample of 1."""
    return np.eye(1, N_SAMPLES, IMPULSE)[0]


def chromatic_scale(sr: int, lowest: float, n_notes: int, seconds: float, n_partials: int) -> np.ndarray:
    """Notes a semitone apart, each of so many partials with amplitudes 1, 1/2, 1/3, ... and ends of 5 ms."""
    t = np.arange(round(seconds * sr)) / sr
    ends = np.clip(np.minimum(t, t[::-1]) / 0.005, 0, 1)
    notes = []
    for k in range(n_notes):
        hz = lowest * 2 ** (k / 12)
        partials = [np.sin(2 * np.pi * n * hz * t) / n for n in range(1, n_partials + 1)]
        notes.append(0.5 * ends * np.sum(partials, axis=0))
    return np.concatenate(notes)


def piano() -> np.ndarray:
    """The recording at half its rate, its channels' mean, with silence to the end."""
    y, _ = soundfile.read(AUDIO / "piano.flac")
    y = scipy.signal.resample_poly(y.mean(axis=1), 1, 2)
    return np.pad(y / np.abs(y).max(), (0, N_SAMPLES - len(y)))


@functools.cache
def signals() -> dict[str, np.ndarray]:
    """Three seconds of each, float32."""
    made = {
        "linear sweep": sweep("linear", 20.0),
        "logarithmic sweep": sweep("logarithmic", 32.7),
        "impulse": impulse(),
        "chromatic scale": chromatic_scale(SR, 440 * 2 ** (-9 / 12), 25, 0.12, 4),
        "piano": piano(),
    }
    return {name: single(y) for name, y in made.items()}


def beyond() -> np.ndarray:
    """A sweep above all bins of constant-Q transforms, which fades in and out."""
    ramp = np.clip(np.minimum(np.arange(N_SAMPLES), np.arange(N_SAMPLES)[::-1]) / (0.05 * SR), 0, 1)
    return single(sweep("linear", BEYOND, 10800.0) * np.sin(np.pi / 2 * ramp) ** 2)


def in_silence(y: np.ndarray) -> np.ndarray:
    """The signal with as much silence at both ends as the longest kernels are long, and more."""
    return np.pad(y, 64 * HOP)


def single(y: np.ndarray) -> np.ndarray:
    """Samples in float32, not to be written to."""
    y = y.astype(np.float32)
    y.setflags(write=False)
    return y
