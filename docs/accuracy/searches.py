"""Tables of what comes back: signals from their coefficients, and waveforms that are searched for."""

import functools
from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import scipy.signal
import soundfile

import arrayaudio as aa
from docs.accuracy.cases import SR, quietly, rounded, short
from docs.accuracy.fourier import FRAMES
from docs.accuracy.inverses import TIGHT, noise, targets
from docs.accuracy.oracles import HOP
from tests import naive_constant_q
from tests.conftest import AUDIO
from tests.nnaudio_peer import run, theirs

Way = Callable[[np.ndarray], Any]
SEEDS = (0, 1, 2)


def snr(back: np.ndarray, y: np.ndarray, margin: int) -> float:
    """Signal to noise in dB, without `margin` samples at either end."""
    inside = slice(margin, len(y) - margin)
    return round(float(-20 * np.log10(relative(back[inside], y[inside]))), 1)


def relative(actual: Any, wanted: np.ndarray) -> float:
    """The norm of the error as a part of that of the wanted values."""
    return float(np.linalg.norm(np.asarray(actual).astype(np.complex128) - wanted) / np.linalg.norm(wanted))


def trip(
    title: str, covers: tuple[str, ...], y: np.ndarray, ours: Way, peer: str, theirs: Way | None = None, margin: int = 0
) -> dict[str, Any]:
    """Measure a transform and the way back from it."""
    found = {"float32": snr(ours(y.astype(np.float32)), y, margin), "float64": snr(ours(y), y, margin)}
    if theirs is not None:
        found["peer"] = snr(quietly(theirs, y), y, margin)
    return {"transform": title, "covers": list(covers), "peer": peer, "snr": found}


NOTES: dict[str, Any] = {"sr": 4000, "fmin": 100.0, "n_bins": 36, "hop_length": 40}
LINEAR: dict[str, Any] = {"sr": SR, "n_fft": 256, "hop_length": 64, "freq_scale": "linear", "freq_bins": 129}


@functools.cache
def band() -> np.ndarray:
    """Noise from 150 to 500 Hz, at 4 kHz."""
    sos = scipy.signal.butter(8, [150, 500], "bandpass", fs=4000, output="sos")
    return rounded({"band": scipy.signal.sosfiltfilt(sos, noise(3000))})["band"]


@functools.cache
def notes_of_band() -> np.ndarray:
    """Its constant-Q coefficients, by the loops."""
    return naive_constant_q.cqt(band(), **NOTES)


def from_notes(y: np.ndarray, **options: Any) -> np.ndarray:
    """The waveform of the coefficients of the loops, in the precision of `y`."""
    return aa.CQT(**NOTES).inverse(cast(notes_of_band(), y), length=len(y), **options)


def cast(C: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients in the precision of `y`."""
    return C.astype(np.result_type(y.dtype, np.complex64))


def by_librosa(y: np.ndarray, n_bins: int, **options: Any) -> np.ndarray:
    """There and back."""
    return librosa.icqt(librosa.cqt(y, n_bins=n_bins, **options), length=len(y), **options)


def by_nnaudio(y: np.ndarray) -> np.ndarray:
    """There and back on the linear scale."""
    edges = {"fmin": 0, "fmax": SR / 2, "verbose": False}
    there, back = theirs("STFT", **LINEAR, **edges), theirs("iSTFT", **LINEAR, **edges)
    return run(back, run(there, y[None].astype(np.float32)), onesided=True, length=len(y))[0]


def round_trips() -> list[dict[str, Any]]:
    """Signals that come back from their coefficients."""
    y, inside = rounded({"noise": noise(4096)})["noise"], band()
    linear = aa.STFT(**LINEAR)
    from_magnitudes = {"n_iter": 20} | {name: value for name, value in NOTES.items() if name != "n_bins"}
    return [
        trip(
            "istft(stft(y)), n_fft=256, white noise",
            ("stft", "istft"),
            y,
            lambda y: aa.istft(aa.stft(y, **FRAMES), length=len(y), hop_length=HOP),
            "librosa",
            lambda y: librosa.istft(librosa.stft(y, **FRAMES), length=len(y), hop_length=HOP),
        ),
        trip(
            'STFT(freq_scale="linear", n_fft=256, freq_bins=129) and its inverse, white noise',
            ("STFT",),
            y,
            lambda y: linear.inverse(linear(y), length=len(y)),
            "nnAudio STFT and iSTFT, float32",
            by_nnaudio,
        ),
        trip(
            "the same, with tolerance=1e-15 and n_iter=300",
            ("STFT",),
            y,
            lambda y: linear.inverse(linear(y), length=len(y), **TIGHT),
            "nnAudio STFT and iSTFT, float32",
            by_nnaudio,
        ),
        trip(
            "icqt of 36 bins from 100 Hz, hop 40: noise from 150 to 500 Hz, away from the ends",
            ("icqt", "CQT", "VQT"),
            inside,
            from_notes,
            "librosa.icqt(librosa.cqt(y))",
            lambda y: by_librosa(y, **NOTES),
            700,
        ),
        trip(
            "the same, with tolerance=1e-12 and n_iter=1000",
            ("icqt", "CQT", "VQT"),
            inside,
            lambda y: from_notes(y, tolerance=1e-12, n_iter=1000),
            "librosa.icqt(librosa.cqt(y))",
            lambda y: by_librosa(y, **NOTES),
            700,
        ),
        trip(
            "griffinlim_cqt of these magnitudes from their true phases, 20 iterations",
            ("griffinlim_cqt",),
            inside,
            lambda y: aa.griffinlim_cqt(
                np.abs(notes_of_band()).astype(y.dtype),
                init=cast(notes_of_band(), y),
                length=len(y),
                **from_magnitudes,
            ),
            "none: librosa takes no phases",
            margin=700,
        ),
        trip(
            "NSGT(sr=8000) and its inverse, white noise",
            ("NSGT",),
            y,
            lambda y: aa.NSGT(sr=SR).inverse(aa.NSGT(sr=SR)(y), length=len(y)),
            "librosa.icqt(librosa.cqt(y)), 83 bins, hop 64",
            lambda y: by_librosa(y, 83, sr=SR, hop_length=64),
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


def stopping() -> dict[str, float]:
    """Residuals of icqt for white noise in 12 bins, by the number of iterations; 0 is possible."""
    transform = aa.CQT(sr=4000, fmin=400.0, n_bins=12, hop_length=50)
    C = targets(12, 5)()["noise"]
    counts = (100, 1000, 10000)
    return {str(n): short(float(quietly(transform.inverse, C, residual=True, n_iter=n)[1])) for n in counts}


FAR = {"n_fft": 1024}
FULL = {"fmin": 65.4, "hop_length": 64}


def searches() -> list[dict[str, Any]]:
    """Waveforms and spectra that are searched for, from two seconds of speech, beside librosa's."""
    y, sr = soundfile.read(AUDIO / "speech.flac")
    y = rounded({"speech": y[: 2 * sr]})["speech"]
    rate, length = {"sr": sr}, {"length": len(y)}
    bank = librosa.filters.mel(n_mels=80, dtype=np.float64, **rate, **FAR)
    S = np.abs(librosa.stft(y, **FAR))
    C, M = aa.cqt(y, n_bins=72, output="magnitude", **rate, **FULL), bank @ S**2

    def seen(back: np.ndarray) -> float:
        return relative(np.abs(librosa.stft(np.float64(back), **FAR)), S)

    def heard(back: np.ndarray) -> float:
        return relative(aa.cqt(np.float64(back), n_bins=72, output="magnitude", **rate, **FULL), C)

    def weighed(spectrum: np.ndarray) -> float:
        return relative(bank @ np.float64(spectrum) ** 2, M)

    def weighed_again(back: np.ndarray) -> float:
        return weighed(np.abs(librosa.stft(np.float64(back), **FAR)))

    def phases_by_librosa(S: np.ndarray, seed: int) -> np.ndarray:
        return librosa.griffinlim(S, random_state=seed, **length)

    def mel_by_librosa(M: np.ndarray, seed: int) -> np.ndarray:
        return phases_by_librosa(librosa.feature.inverse.mel_to_stft(M, **rate, **FAR), seed)

    def row(covers: str, given: np.ndarray, measure: Way, ours: Any, peer: str, theirs: Any, **shown: Any) -> Any:
        calls = {"float32": (ours, given.astype(np.float32)), "float64": (ours, given), "peer": (theirs, given)}
        found = {
            who: short(float(np.mean([measure(quietly(call, x, seed)) for seed in SEEDS])))
            for who, (call, x) in calls.items()
        }
        return {"covers": [covers], "peer": peer, "convergence": found} | shown

    return [
        row(
            "griffinlim",
            S,
            seen,
            lambda S, seed: aa.griffinlim(S, seed=seed, **length),
            "librosa.griffinlim",
            phases_by_librosa,
            transform="griffinlim, 32 iterations",
        ),
        row(
            "pghi",
            S,
            seen,
            lambda S, seed: aa.pghi(S, seed=seed, **length),
            "librosa.griffinlim, 32 iterations",
            phases_by_librosa,
            transform="pghi, no iterations",
        ),
        row(
            "griffinlim",
            S,
            seen,
            lambda S, seed: aa.griffinlim(S, seed=seed, init="pghi", **length),
            "librosa.griffinlim",
            phases_by_librosa,
            transform='griffinlim(init="pghi"), 32 iterations',
        ),
        row(
            "griffinlim_cqt",
            C,
            heard,
            lambda C, seed: aa.griffinlim_cqt(C, seed=seed, **length, **rate, **FULL),
            "librosa.griffinlim_cqt",
            lambda C, seed: librosa.griffinlim_cqt(C, random_state=seed, **length, **rate, **FULL),
            transform="griffinlim_cqt, 32 iterations, 72 bins, hop 64",
        ),
        row(
            "mel_to_stft",
            M,
            weighed,
            lambda M, _: aa.mel_to_stft(M, **rate, **FAR),
            "librosa.feature.inverse.mel_to_stft",
            lambda M, _: librosa.feature.inverse.mel_to_stft(M, **rate, **FAR),
            transform="mel_to_stft, 80 bands",
        ),
        row(
            "mel_to_audio",
            M,
            weighed_again,
            lambda M, seed: aa.mel_to_audio(M, seed=seed, **length, **rate, **FAR),
            "librosa: mel_to_stft and griffinlim",
            mel_by_librosa,
            transform="mel_to_audio, 80 bands, 32 iterations",
        ),
    ]
