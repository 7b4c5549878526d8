"""The spectrograms of a page: families of transforms, each in a few settings."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.scales import C1
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import CQT, VQT
from arrayaudio.transforms.framed import Framed
from arrayaudio.transforms.gammatone import Gammatonegram
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.stft import STFT

# What each family shows, in the order of the page.
FAMILIES = {
    "STFT": "The spectrum of short frames, in steps of equal width in Hz. "
    "A short window tells when, a long one at which frequency.",
    "Mel": "The power of bands that are narrow below 1 kHz and wider above, as speech recognisers take it.",
    "Gammatone": "Bands as wide as those of the ear, with its gentle slopes.",
    "CQT": "One row for each note or part of a note: long kernels for low notes, short ones for high.",
    "VQT": "As the CQT, but with shorter kernels for low notes, which blurs pitch there and tells onsets sooner.",
    "Chroma": "The energy of the twelve pitch classes, whatever the octave; the strongest of each frame is 1.",
    "MFCC": "The shape of the mel spectrum in few numbers: 0 is loudness, 1 its tilt, the others finer detail.",
    "CFP": "What is both a partial in the spectrum and a period in the cepstrum: fundamentals, without overtones.",
}
WINDOWS = (0.012, 0.046, 0.186)  # seconds
PER_OCTAVE = (12, 24, 36)


class View(NamedTuple):
    """A transform of a family, with the settings by which the page chooses it."""

    family: str
    settings: dict[str, str]
    transform: Framed


def views(sr: float) -> list[View]:
    """Return the spectrograms of a clip with the sampling rate `sr`; of each family, all combinations of its settings.

    Examples
    --------
    >>> from arrayaudio.ext.explore.views import views
    >>> [view.settings for view in views(16000) if view.family == "Chroma"]
    [{'From': 'STFT'}, {'From': 'CQT'}]
    """
    return [*_spectra(sr), *_bands(sr), *_notes(sr), *_pitches(sr)]


def _lengths(sr: float) -> list[int]:
    """Samples in the short, the medium and the long window: powers of two."""
    return [2 ** max(4, round(np.log2(seconds * sr))) for seconds in WINDOWS]


def _spectra(sr: float) -> Iterator[View]:
    for n_fft in _lengths(sr):
        yield View("STFT", {"Window": _milliseconds(n_fft, sr)}, STFT(sr=sr, n_fft=n_fft, output="magnitude"))


def _bands(sr: float) -> Iterator[View]:
    """Mel, gammatone and cepstra."""
    _, medium, _ = _lengths(sr)
    many = min(128, medium // 8)  # as many as stay wider than the bins
    for win_length in _lengths(sr):
        window = {"Window": _milliseconds(win_length, sr)}
        # Short windows are padded with zeros, or low bands would fall between the bins.
        options: dict[str, Any] = {"sr": sr, "n_fft": max(win_length, medium), "win_length": win_length}
        options["hop_length"] = win_length // 4
        for n_mels in (max(1, many * 5 // 16), many):
            yield View("Mel", window | {"Bands": str(n_mels)}, MelSpectrogram(**options, n_mels=n_mels))
        for n_bins in (32, 64):
            # Of magnitudes, since the skirts of these bands would raise power too far from a loud bass.
            gammatone = Gammatonegram(**options, n_bins=n_bins, fmin=50.0, power=1.0)
            yield View("Gammatone", window | {"Bands": str(n_bins)}, gammatone)
        for n_mfcc in dict.fromkeys((min(13, many), min(40, many))):
            mfcc = MFCC(**options, n_mels=many, n_mfcc=n_mfcc)
            yield View("MFCC", window | {"Coefficients": str(n_mfcc)}, mfcc)


def _notes(sr: float) -> Iterator[View]:
    """Constant Q and variable Q, and pitch classes, over whole octaves from C1 on."""
    _, medium, long = _lengths(sr)
    octaves = int(np.log2(sr / 2 / C1))
    options: dict[str, Any] = {"sr": sr, "hop_length": medium // 4}
    for transform, n in itertools.product((CQT, VQT), PER_OCTAVE):
        rows: dict[str, Any] = {"n_bins": n * octaves, "bins_per_octave": n}
        name = transform.__name__
        yield View(name, {"Rows in an octave": str(n)}, transform(**options, **rows, output="magnitude"))
    yield View("Chroma", {"From": "STFT"}, Chroma(**options, n_fft=long))
    yield View("Chroma", {"From": "CQT"}, ChromaCQT(**options, n_octaves=min(7, octaves)))


def _pitches(sr: float) -> Iterator[View]:
    _, medium, _ = _lengths(sr)
    options: dict[str, Any] = {"sr": sr, "n_fft": 4 * medium, "hop_length": medium // 4}
    parts = {"cfp": "both", "frequency": "partials", "periodicity": "periods", "spectrum": "spectrum"}
    for output, name in parts.items():
        yield View("CFP", {"Part": name}, CFP(**options, output=output))


def _milliseconds(n_samples: int, sr: float) -> str:
    return f"{1000 * n_samples / sr:.0f} ms"
