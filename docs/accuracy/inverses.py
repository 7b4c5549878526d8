"""Rows of what goes back to spectra and waveforms: exact ways, round trips, and searches."""

import functools
import math
from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import scipy.optimize
import scipy.signal
import soundfile

import arrayaudio as aa
from docs.accuracy import oracles
from docs.accuracy.cases import SR, Case, Inputs, quietly, rounded, short, signals
from docs.accuracy.features import cepstra, spectra
from docs.accuracy.fourier import FRAMES
from docs.accuracy.oracles import HOP, N_FFT
from tests import naive, naive_constant_q, naive_cqt_kin, naive_inverse, naive_phase_gradient, naive_scales
from tests.conftest import AUDIO
from tests.nnaudio_peer import run, theirs


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


BINS: dict[str, Any] = {"sr": 4000, "fmin": 400.0, "n_bins": 12, "hop_length": 50}


def fitted(C: np.ndarray) -> np.ndarray:
    """The coefficients nearest to `C` that a signal has."""
    columns = columns_of_cqt()
    return (np.stack(columns, axis=1) @ least_squares(columns, C)).reshape(C.shape)


@functools.cache
def columns_of_cqt() -> list[np.ndarray]:
    """The transform of each unit impulse, by the loops."""
    return [naive_constant_q.cqt(unit, **BINS).ravel() for unit in np.eye(200)]


SMALL: dict[str, Any] = {"n_fft": 64, "hop_length": 16}


def magnitudes() -> Inputs:
    """Magnitudes of the signals in 1 + 64 / 2 bins."""
    return rounded({name: np.abs(oracles.stft(y, 64, 16)) for name, y in signals(320, SR).items()})


def one_iteration(S: np.ndarray) -> np.ndarray:
    """Griffin-Lim from phases of zero."""
    w = oracles.window("hann", 64)
    return naive_inverse.griffin_lim(S, 0 * S, 1, 0.99, 64, 16, w, True, "constant", 320)


def by_heap(S: np.ndarray) -> np.ndarray:
    """Phase gradient heap integration, without random phases."""
    w = oracles.window("hann", 64)
    g = naive_phase_gradient.gamma(list(w))
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
        transform="STFT.inverse, istft(n_fft=256, hop_length=64) of any coefficients",
        covers=("istft", "STFT"),
        definition="Griffin and Lim 1984: least squares by overlap-add",
        ours=lambda S: aa.istft(S, hop_length=HOP),
        exact=lambda S: naive.istft(S, N_FFT, HOP, oracles.window("hann"), True, (S.shape[1] - 1) * HOP),
        peer="librosa.istft",
        theirs=lambda S: librosa.istft(S, hop_length=HOP),
        inputs=lambda: spectra() | targets(129, 30)(),
    ),
    Case(
        transform='STFT(freq_scale="linear", n_fft=16).inverse of any coefficients',
        covers=("STFT",),
        definition="least squares over all samples at once",
        ours=lambda S: aa.STFT(**SCALE).inverse(S, length=79, **TIGHT),
        exact=lambda S: least_squares(columns_of_stft(), S),
        peer="none that solves it; for round trips see below",
        inputs=targets(20, 14),
    ),
    Case(
        transform="icqt(n_bins=12, hop_length=50) of any coefficients, transformed again",
        covers=("icqt", "CQT", "VQT"),
        definition="least squares over all samples at once",
        ours=lambda C: aa.CQT(**BINS)(aa.CQT(**BINS).inverse(C, n_iter=1000, tolerance=1e-14)),
        exact=fitted,
        peer="none that solves it; for round trips see below",
        inputs=targets(12, 5),
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
        definition="Prusa, Balazs and Sondergaard 2017",
        ours=lambda S: aa.pghi(S, length=320, **SMALL),
        exact=by_heap,
        peer="none in Python; for what it reaches see below",
        inputs=gammas,
    ),
]


def snr(back: np.ndarray, y: np.ndarray, margin: int) -> float:
    """Signal to noise in dB, without `margin` samples at either end."""
    inside = slice(margin, len(y) - margin)
    back = np.asarray(back, dtype=np.float64)
    return float(-20 * np.log10(np.linalg.norm((back - y)[inside]) / np.linalg.norm(y[inside])))


def trip(
    title: str,
    covers: tuple[str, ...],
    y: np.ndarray,
    ours: Callable[[np.ndarray], np.ndarray],
    peer: str,
    theirs: Callable[[np.ndarray], np.ndarray] | None,
    margin: int = 0,
) -> dict[str, Any]:
    """Measure a transform and the way back from it."""
    result = {
        "transform": title,
        "covers": list(covers),
        "peer": peer,
        "snr": {
            "float32": round(snr(ours(y.astype(np.float32)), y, margin), 1),
            "float64": round(snr(ours(y), y, margin), 1),
        },
    }
    if theirs is not None:
        result["snr"]["peer"] = round(snr(quietly(theirs, y), y, margin), 1)
    return result


def band() -> np.ndarray:
    """Noise from 150 to 500 Hz, at 4 kHz."""
    sos = scipy.signal.butter(8, [150, 500], "bandpass", fs=4000, output="sos")
    return rounded({"band": scipy.signal.sosfiltfilt(sos, noise(3000))})["band"]


def round_trips() -> list[dict[str, Any]]:
    """Signals that come back from their coefficients."""
    y = rounded({"noise": noise(4096)})["noise"]
    inside = band()
    q: dict[str, Any] = {"sr": 4000, "fmin": 100.0, "hop_length": 40}
    linear: dict[str, Any] = {"sr": SR, "n_fft": 256, "hop_length": 64, "freq_scale": "linear", "freq_bins": 129}
    edges: dict[str, Any] = {"fmin": 0, "fmax": 4000}
    there = theirs("STFT", verbose=False, output_format="Complex", **linear, **edges)
    back = theirs("iSTFT", verbose=False, **linear, **edges)

    def by_nnaudio(y: np.ndarray) -> np.ndarray:
        return run(back, run(there, y.astype(np.float32)), onesided=True, length=len(y))[0]

    def by_librosa(y: np.ndarray, sr: float, fmin: float, n_bins: int) -> np.ndarray:
        options: dict[str, Any] = {"sr": sr, "fmin": fmin, "hop_length": 64}
        return librosa.icqt(librosa.cqt(y, n_bins=n_bins, **options), length=len(y), **options)

    magnitude = aa.cqt(inside, n_bins=36, **q)
    return [
        trip(
            "istft(stft(y, n_fft=256)), white noise",
            ("stft", "istft"),
            y,
            lambda y: aa.istft(aa.stft(y, **FRAMES), length=len(y), hop_length=HOP),
            "librosa",
            lambda y: librosa.istft(librosa.stft(y, **FRAMES), length=len(y), hop_length=HOP),
        ),
        trip(
            'STFT(freq_scale="linear", n_fft=256), 129 rows, white noise',
            ("STFT",),
            y,
            lambda y: aa.STFT(**linear).inverse(aa.STFT(**linear)(y), length=len(y)),
            "nnAudio iSTFT",
            by_nnaudio,
        ),
        trip(
            "the same with tolerance=1e-15",
            ("STFT",),
            y,
            lambda y: aa.STFT(**linear).inverse(aa.STFT(**linear)(y), length=len(y), **TIGHT),
            "nnAudio iSTFT",
            by_nnaudio,
        ),
        trip(
            "icqt(cqt(y)), 36 bins from 100 Hz, hop 40, noise of 150 to 500 Hz away from the ends",
            ("icqt", "cqt"),
            inside,
            lambda y: aa.icqt(aa.cqt(y, n_bins=36, **q), length=len(y), **q),
            "librosa, hop 64 (40 is refused)",
            lambda y: by_librosa(y, 4000, 100.0, 36),
            700,
        ),
        trip(
            "the same with tolerance=1e-12, n_iter=1000",
            ("icqt", "cqt"),
            inside,
            lambda y: aa.CQT(n_bins=36, **q).inverse(
                aa.cqt(y, n_bins=36, **q), length=len(y), n_iter=1000, tolerance=1e-12
            ),
            "librosa, hop 64 (40 is refused)",
            lambda y: by_librosa(y, 4000, 100.0, 36),
            700,
        ),
        trip(
            "griffinlim_cqt of these magnitudes from their true phases, 20 iterations",
            ("griffinlim_cqt",),
            inside,
            lambda y: aa.griffinlim_cqt(
                np.abs(magnitude).astype(y.dtype),
                init=magnitude.astype(np.result_type(y.dtype, np.complex64)),
                n_iter=20,
                length=len(y),
                **q,
            ),
            "none: librosa takes no phases",
            None,
            700,
        ),
        trip(
            "NSGT(sr=8000), white noise",
            ("NSGT",),
            y,
            lambda y: aa.NSGT(sr=SR).inverse(aa.NSGT(sr=SR)(y), length=len(y)),
            "librosa icqt(cqt(y)), 83 bins, hop 64",
            lambda y: by_librosa(y, SR, oracles.C1, 83),
        ),
        trip(
            "deemphasis(preemphasis(y)), white noise",
            ("preemphasis", "deemphasis"),
            y,
            lambda y: aa.deemphasis(aa.preemphasis(y)),
            "librosa.effects",
            lambda y: librosa.effects.deemphasis(librosa.effects.preemphasis(y)),
        ),
    ]


def speech() -> tuple[np.ndarray, float]:
    """Two seconds of a recording."""
    y, sr = soundfile.read(AUDIO / "speech.flac")
    return rounded({"speech": y[: 2 * sr]})["speech"], sr


def relative(actual: np.ndarray, wanted: np.ndarray) -> float:
    """The norm of the error as a part of that of the wanted values."""
    actual = np.asarray(actual, dtype=np.float64)
    return short(float(np.linalg.norm(actual - wanted) / np.linalg.norm(wanted)))


def searches() -> list[dict[str, Any]]:
    """How near the spectra of what is found come to the wanted ones, on speech: ||S' - S|| / ||S||."""
    y, sr = speech()
    S = np.abs(librosa.stft(y, n_fft=1024))
    single = S.astype(np.float32)
    length = len(y)

    def seen(back: np.ndarray) -> float:
        return relative(np.abs(librosa.stft(np.asarray(back, dtype=np.float64), n_fft=1024)), S)

    half = np.abs(aa.cqt(y, sr=sr, fmin=65.4, n_bins=72, hop_length=64))
    notes: dict[str, Any] = {"sr": sr, "fmin": 65.4, "hop_length": 64}

    def heard(back: np.ndarray) -> float:
        return relative(np.abs(aa.cqt(np.asarray(back, dtype=np.float64), n_bins=72, **notes)), half)

    bank = librosa.filters.mel(sr=sr, n_fft=1024, n_mels=80, dtype=np.float64)
    M = bank @ S**2
    best = np.stack([scipy.optimize.nnls(bank, column)[0] for column in M.T[::8]], axis=1)

    def weighed(X: np.ndarray) -> float:
        return relative(bank @ np.asarray(X, dtype=np.float64) ** 2, M)

    def reduced(back: np.ndarray) -> float:
        return relative(bank @ np.abs(librosa.stft(np.asarray(back, dtype=np.float64), n_fft=1024)) ** 2, M)

    lim: dict[str, Any] = {"length": length}
    peer = quietly(librosa.griffinlim, S, random_state=0, **lim)
    rows = [
        ("griffinlim, 32 iterations", ("griffinlim",), lambda S: seen(aa.griffinlim(S, seed=0, **lim)), S),
        ("pghi", ("pghi",), lambda S: seen(aa.pghi(S, seed=0, **lim)), S),
        (
            'griffinlim(init="pghi"), 32 iterations',
            ("griffinlim", "pghi"),
            lambda S: seen(aa.griffinlim(S, seed=0, init="pghi", **lim)),
            S,
        ),
        (
            "griffinlim_cqt, 32 iterations, 72 bins, hop 64",
            ("griffinlim_cqt",),
            lambda C: heard(aa.griffinlim_cqt(C, seed=0, **lim, **notes)),
            half,
        ),
        ("mel_to_stft, 80 bands", ("mel_to_stft",), lambda M: weighed(aa.mel_to_stft(M, sr=sr, n_fft=1024)), M),
        (
            "mel_to_audio, 80 bands, 32 iterations",
            ("mel_to_audio",),
            lambda M: reduced(aa.mel_to_audio(M, sr=sr, n_fft=1024, seed=0, **lim)),
            M,
        ),
    ]
    del single
    griffin = ("librosa.griffinlim, 32 iterations", seen(peer))
    peers = [
        griffin,
        griffin,
        griffin,
        (
            "librosa.griffinlim_cqt, 32 iterations",
            heard(quietly(librosa.griffinlim_cqt, half, random_state=0, **lim, **notes)),
        ),
        ("librosa.feature.inverse.mel_to_stft", weighed(librosa.feature.inverse.mel_to_stft(M, sr=sr, n_fft=1024))),
        (
            "librosa: mel_to_stft and griffinlim",
            reduced(
                librosa.griffinlim(librosa.feature.inverse.mel_to_stft(M, sr=sr, n_fft=1024), random_state=0, **lim)
            ),
        ),
    ]
    print(relative(bank @ best, M[:, ::8]))
    return [
        {
            "transform": title,
            "covers": list(covers),
            "peer": name,
            "convergence": {"float32": call(x.astype(np.float32)), "float64": call(x), "peer": value},
        }
        for (title, covers, call, x), (name, value) in zip(rows, peers, strict=True)
    ]
