"""Spectrograms of ours and of librosa's, and how far both are from exact values."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import librosa
import numpy as np

import arrayaudio as aa
from docs.evidence import exact
from docs.evidence.exact import N_FFT, N_MELS
from docs.evidence.measures import errors
from docs.evidence.signals import HOP, SR, signals

Way = Callable[[np.ndarray], np.ndarray]


class Case(NamedTuple):
    """A spectrogram: its name in words and of its picture, our transform, librosa's call, and the exact values."""

    name: str
    picture: str
    transform: Any
    theirs: Way
    exact: Way


CASES = (
    Case(
        "STFT",
        "evidence_stft",
        aa.STFT(sr=SR, n_fft=N_FFT, hop_length=HOP, output="magnitude"),
        lambda y: np.abs(librosa.stft(y, n_fft=N_FFT, hop_length=HOP)),
        exact.stft,
    ),
    Case(
        "mel",
        "evidence_mel",
        aa.MelSpectrogram(sr=SR, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, power=1.0),
        lambda y: librosa.feature.melspectrogram(y=y, sr=SR, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, power=1.0),
        exact.mel,
    ),
    Case(
        "CQT",
        "evidence_cqt",
        aa.CQT(sr=SR, hop_length=HOP, output="magnitude"),
        lambda y: np.abs(librosa.cqt(y, sr=SR, hop_length=HOP)),
        lambda y: np.abs(exact.constant_q(y)),
    ),
)


@functools.cache
def results(case: Case, signal: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return magnitudes of a signal: ours, librosa's, and the exact ones."""
    y = signals()[signal]
    return case.transform(y), case.theirs(y), case.exact(y)


def row(case: Case, signal: str) -> dict[str, Any]:
    """Measure one spectrogram of one signal."""
    ours, theirs, wanted = results(case, signal)
    return {
        "spectrogram": case.name,
        "signal": signal,
        "ours to librosa": errors(ours, theirs),
        "ours": errors(ours, wanted),
        "librosa": errors(theirs, wanted),
    }


def measured() -> list[dict[str, Any]]:
    """Measure all."""
    return [row(case, signal) for case in CASES for signal in signals()]
