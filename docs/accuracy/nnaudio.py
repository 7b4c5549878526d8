"""Rows of the classes of `arrayaudio.compat.nnaudio`, beside nnAudio's own, which compute in float32."""

import functools
from typing import Any
from unittest import mock

import numpy as np
import scipy.signal

from arrayaudio.compat import nnaudio
from docs.accuracy import oracles
from docs.accuracy.cases import SR, Case, Inputs, signals
from docs.accuracy.fourier import EAR, MEL, levels
from docs.accuracy.inverses import magnitudes, targets
from docs.accuracy.oracles import HOP, N_FFT
from tests import naive, naive_cfp, naive_gammatone, naive_inverse, naive_nnaudio
from tests.nnaudio_peer import paired, run, theirs


@functools.cache
def layer(name: str, **options: Any) -> Any:
    """The layer of nnAudio; its CFP asks for a window by a name that SciPy has moved."""
    moved = scipy.signal.windows.blackmanharris
    with mock.patch.object(scipy.signal, "blackmanharris", moved, create=True), np.errstate(all="ignore"):
        return theirs(name, **options)


def by_nnaudio(name: str, y: np.ndarray, **options: Any) -> Any:
    """What that layer makes of one signal."""
    return run(layer(name, **options), y[None].astype(np.float32))


def reflected(y: np.ndarray) -> np.ndarray:
    """The STFT with nnAudio's padding."""
    return oracles.stft(y, pad_mode="reflect")


FRAMES: dict[str, Any] = {"n_fft": N_FFT, "hop_length": HOP}
QUIET: dict[str, Any] = {"verbose": False}


def bands(y: np.ndarray) -> np.ndarray:
    """Mel spectrogram with nnAudio's padding."""
    return naive.mel_filters(SR, N_FFT, 24, 0.0, SR / 2, "slaney", "slaney") @ np.abs(reflected(y)) ** 2


NOTES: dict[str, Any] = {"sr": SR, "fmin": 220.0, "n_bins": 36, "hop_length": 64}


@functools.cache
def _kept_notes(y: bytes, gamma: float) -> np.ndarray:
    return np.abs(naive_nnaudio.cqt(np.frombuffer(y), gamma=gamma, **NOTES))


def notes(name: str, definition: str, gamma: float = 0.0) -> Case:
    """A row for one of the constant-Q classes."""
    options = NOTES | ({"gamma": gamma} if name == "VQT" else {})
    return Case(
        transform=f"{name}(fmin=220, n_bins=36, hop_length=64" + (f", gamma={gamma:g})" if gamma else ")"),
        covers=(f"nnaudio.{name}",),
        definition=definition,
        ours=lambda y: getattr(nnaudio, name)(**options)(y)[0],
        exact=lambda y: _kept_notes(y.tobytes(), gamma),
        peer=f"nnAudio {name}",
        theirs=lambda y: by_nnaudio(name, y, **options, **({} if name == "CQT1992" else QUIET))[0],
    )


SUMS = "nnAudio 0.3.4: sums over kernels of whole lengths"
OCTAVES = SUMS + ", by halving the rate"
CFP: dict[str, Any] = {"fr": 8, "fs": 1000, "window_size": 63, "hop_length": 50, "fc": 40, "tc": 1 / 300}
CFP["NumPerOct"] = 12


def periods(y: np.ndarray) -> list[np.ndarray]:
    """Combined frequency and periodicity as published, and what CFP returns, which keeps the outer frames."""
    window = np.zeros(125)
    window[31:94] = scipy.signal.windows.blackmanharris(63)
    parts = naive_cfp.cfp(y, 1000, 125, 50, window, 40.0, 300.0, 12, (0.24, 0.6, 1.0), True)
    return [*(part[:, 1:-1] for part in parts), parts[0]]


def hums() -> Inputs:
    """Noise; roots lift the rounding of float32 to a thousandth where there is little else."""
    return {"noise": signals(300, 1000)["noise"]}


def pairs(X: np.ndarray) -> np.ndarray:
    """Complex (freq, time) -> real (1, freq, time, 2) of the same precision."""
    return np.stack([X.real, X.imag], axis=-1)[None]


def random_start(S: np.ndarray) -> np.ndarray:
    """One iteration of Griffin-Lim from the phases of a seed."""
    phases = 2 * np.pi * np.random.default_rng(5).random(S.shape)
    w = oracles.window("hann", 64)
    return naive_inverse.griffin_lim(S, phases, 1, 0.99, 64, 16, w, True, "reflect", 320)


NNAUDIO = [
    Case(
        transform="STFT(n_fft=256, hop_length=64)",
        covers=("nnaudio.STFT",),
        definition="nnAudio 0.3.4",
        ours=lambda y: paired(nnaudio.STFT(**FRAMES)(y))[0],
        exact=reflected,
        peer="nnAudio STFT",
        theirs=lambda y: paired(by_nnaudio("STFT", y, **FRAMES, **QUIET))[0],
    ),
    Case(
        transform="iSTFT(n_fft=256, hop_length=64)",
        covers=("nnaudio.iSTFT",),
        definition="nnAudio 0.3.4: least squares by overlap-add",
        ours=lambda X: nnaudio.iSTFT(**FRAMES)(pairs(X), onesided=True)[0],
        exact=lambda X: naive.istft(X, N_FFT, HOP, oracles.window("hann"), True, (X.shape[1] - 1) * HOP),
        peer="nnAudio iSTFT",
        theirs=lambda X: run(layer("iSTFT", **FRAMES, **QUIET), pairs(X).astype(np.float32), onesided=True)[0],
        inputs=targets(129, 30),
    ),
    Case(
        transform="Griffin_Lim(n_fft=64, n_iter=1)",
        covers=("nnaudio.Griffin_Lim",),
        definition="Griffin and Lim 1984, from given phases",
        ours=lambda S: nnaudio.Griffin_Lim(64, n_iter=1)(S[None], length=320, seed=5)[0],
        exact=random_start,
        peer="none: nnAudio's raises with torch 2",
        inputs=magnitudes,
    ),
    Case(
        transform="MelSpectrogram(n_fft=256, n_mels=24)",
        covers=("nnaudio.MelSpectrogram",),
        definition="nnAudio 0.3.4, after librosa",
        ours=lambda y: nnaudio.MelSpectrogram(**MEL)(y)[0],
        exact=bands,
        peer="nnAudio MelSpectrogram",
        theirs=lambda y: by_nnaudio("MelSpectrogram", y, **MEL, **QUIET)[0],
    ),
    Case(
        transform="MFCC(n_mfcc=13, n_mels=24)",
        covers=("nnaudio.MFCC",),
        definition="nnAudio 0.3.4, after librosa",
        ours=lambda y: nnaudio.MFCC(n_mfcc=13, **MEL)(y)[0],
        exact=lambda y: naive.mfcc(levels(bands(y)), 13, 2, True, 0),
        peer="nnAudio MFCC",
        theirs=lambda y: by_nnaudio("MFCC", y, n_mfcc=13, **MEL, **QUIET)[0],
        unit="dB",
    ),
    Case(
        transform="Gammatonegram(n_bins=16, n_fft=256)",
        covers=("nnaudio.Gammatonegram",),
        definition="nnAudio 0.3.4, after Slaney and Ellis",
        ours=lambda y: nnaudio.Gammatonegram(fmax=4000.0, **EAR)(y)[0],
        exact=lambda y: naive_gammatone.weights(SR, N_FFT, 16, 50.0, SR / 2) @ np.abs(reflected(y)) ** 2,
        peer="nnAudio Gammatonegram",
        theirs=lambda y: by_nnaudio("Gammatonegram", y, fmax=4000.0, **EAR, **QUIET)[0],
    ),
    Case(
        transform="CFP, Combined_Frequency_Periodicity(fr=8, fs=1000), four outputs",
        covers=("nnaudio.CFP", "nnaudio.Combined_Frequency_Periodicity"),
        definition="Su and Yang 2015 as published",
        ours=lambda y: (
            [part[0, :, 1:-1] for part in nnaudio.Combined_Frequency_Periodicity(**CFP)(y)] + [nnaudio.CFP(**CFP)(y)[0]]
        ),
        exact=periods,
        peer="nnAudio Combined_Frequency_Periodicity, CFP",
        theirs=lambda y: (
            [part[0] for part in by_nnaudio("Combined_Frequency_Periodicity", y, **CFP)]
            + [by_nnaudio("CFP", y, **CFP)[0]]
        ),
        inputs=hums,
    ),
    notes("CQT", SUMS),
    notes("CQT1992", SUMS),
    notes("CQT1992v2", SUMS),
    notes("CQT2010", OCTAVES),
    notes("CQT2010v2", OCTAVES),
    notes("VQT", OCTAVES, gamma=10.0),
]
