"""Rows of what goes back to spectra and waveforms: exact ways, round trips, and searches."""

import functools
import math
from collections.abc import Callable
from typing import Any

import librosa
import numpy as np

import arrayaudio as aa
from arrayaudio.reconstruction.phase_gradient import gaussian_gamma
from docs.accuracy import oracles
from docs.accuracy.cases import SR, Case, Inputs, rounded, signals
from docs.accuracy.features import cepstra, spectra
from docs.accuracy.oracles import HOP, N_FFT
from tests import naive, naive_cqt_kin, naive_inverse, naive_phase_gradient, naive_scales


def noise(*shape: int, seed: int = 4) -> np.ndarray:
    """White noise."""
    return np.random.default_rng(seed).standard_normal(shape)


def targets(rows: int, frames: int) -> Callable[[], Inputs]:
    """Coefficients that no signal has."""
    return lambda: rounded({"noise": noise(rows, frames) + 1j * noise(rows, frames, seed=5)})


SCALE: dict[str, Any] = {"sr": 8000, "n_fft": 16, "hop_length": 6, "freq_scale": "linear", "freq_bins": 20}
TIGHT: dict[str, Any] = {"n_iter": 300, "tolerance": 1e-15}


def least_squares(columns: list[np.ndarray], S: np.ndarray) -> np.ndarray:
    """The real solution of a complex system, all at once."""
    matrix = np.concatenate([np.real(columns), np.imag(columns)], axis=1).T
    return np.linalg.lstsq(matrix, np.concatenate([S.real.ravel(), S.imag.ravel()]))[0]


@functools.cache
def columns_of_stft() -> list[np.ndarray]:
    """The transform of each unit impulse, by the loops."""
    hz = naive_scales.scale("linear", 20, 0.0, 4000.0)
    w = oracles.window("hann", 16)
    return [naive_scales.stft_at(unit, hz / 8000, 16, 6, w, True, "constant").ravel() for unit in np.eye(79)]


SMALL: dict[str, Any] = {"n_fft": 64, "hop_length": 16}


def magnitudes() -> Inputs:
    """Magnitudes of noise and of a sweep; an impulse with phases of zero lies where the window is zero."""
    made = signals(320, SR)
    return rounded({name: np.abs(oracles.stft(made[name], 64, 16)) for name in ("noise", "sweep")})


def one_iteration(S: np.ndarray) -> np.ndarray:
    """Griffin-Lim from phases of zero."""
    w = oracles.window("hann", 64)
    return naive_inverse.griffin_lim(S, 0 * S, 1, 0.99, 64, 16, w, True, "constant", 320)


def by_heap(S: np.ndarray) -> np.ndarray:
    """Phase gradient heap integration, without random phases, for the same Gaussian."""
    w = oracles.window("hann", 64)
    g = gaussian_gamma(w)
    phases = naive_phase_gradient.pghi(S, 64, 16, w, g, 1e-6, 0 * S)
    return naive.istft(S * np.exp(1j * phases), 64, 16, w, True, 320)


def gammas() -> Inputs:
    """Magnitudes all above the tolerance, so that no phase is random."""
    return rounded({"noise": 0.5 + np.random.default_rng(6).random((33, 21))})


TILES: dict[str, Any] = {"sr": 500, "fmin": 60.0, "bins_per_octave": 2}


def tiles(y: np.ndarray) -> np.ndarray:
    """Coefficients of the non-stationary Gabor transform."""
    made = aa.NSGT(**TILES)
    bins = [60.0 * 2 ** (k / 2) for k in range(math.ceil(2 * math.log2(250 / 60)))]
    return naive_cqt_kin.raised_cosine_bands(y, [0.0, *bins, 250.0], 500, made.hop_length, made.n_frames(len(y)))


INVERSES = [
    Case(
        transform="istft(n_fft=256, hop_length=64) of any coefficients",
        covers=("istft", "STFT"),
        definition="Griffin and Lim 1984: least squares by overlap-add",
        ours=lambda S: aa.istft(S, hop_length=HOP),
        exact=lambda S: naive.istft(S, N_FFT, HOP, oracles.window("hann"), True, (S.shape[1] - 1) * HOP),
        peer="librosa.istft",
        theirs=lambda S: librosa.istft(S, hop_length=HOP),
        inputs=lambda: spectra() | targets(129, 30)(),
    ),
    Case(
        transform='STFT(freq_scale="linear", n_fft=16).inverse(S) of any coefficients',
        covers=("STFT",),
        definition="least squares over all samples at once",
        ours=lambda S: aa.STFT(**SCALE).inverse(S, length=79, **TIGHT),
        exact=lambda S: least_squares(columns_of_stft(), S),
        peer="none that solves it; for round trips see below",
        inputs=targets(20, 14),
    ),
    Case(
        transform="NSGT(bins_per_octave=2)",
        covers=("NSGT",),
        definition="Velasco and others 2011, with raised cosines",
        ours=aa.NSGT(**TILES),
        exact=tiles,
        peer="none with these windows; for round trips see below",
        inputs=lambda: signals(120, 500),
    ),
    Case(
        transform="mfcc_to_mel(n_mels=40) of 13 coefficients",
        covers=("mfcc_to_mel",),
        definition="librosa 0.11",
        ours=lambda C: aa.mfcc_to_mel(C, n_mels=40),
        exact=lambda C: naive_inverse.mfcc_to_mel(C, 40, 2, True, 1.0, 0),
        peer="librosa.feature.inverse.mfcc_to_mel",
        theirs=lambda C: librosa.feature.inverse.mfcc_to_mel(C, n_mels=40),
        inputs=cepstra,
    ),
    Case(
        transform="griffinlim(n_fft=64), one iteration from phases of zero",
        covers=("griffinlim",),
        definition="Griffin and Lim 1984; Perraudin, Balazs and Sondergaard 2013",
        ours=lambda S: aa.griffinlim(S, n_iter=1, init=None, length=320, **SMALL),
        exact=one_iteration,
        peer="librosa.griffinlim",
        theirs=lambda S: librosa.griffinlim(S, n_iter=1, init=None, length=320, dtype=np.float64, **SMALL),
        inputs=magnitudes,
    ),
    Case(
        transform="pghi(n_fft=64)",
        covers=("pghi",),
        definition="Prusa, Balazs and Sondergaard 2017, with the Gaussian that the package fits to the window",
        ours=lambda S: aa.pghi(S, length=320, **SMALL),
        exact=by_heap,
        peer="none in Python; for what it reaches see below",
        inputs=gammas,
    ),
]
