"""Rows of descriptors, of parts and places of spectra, and of what happens around them."""

import math
from typing import Any

import librosa
import numpy as np
import scipy.signal

import arrayaudio as aa
from docs.accuracy import oracles
from docs.accuracy.cases import N_SAMPLES, SR, Case, Inputs, loud, rounded, signals
from docs.accuracy.fourier import FRAMES
from docs.accuracy.oracles import HOP, N_FFT
from tests import naive, naive_features, naive_reassignment, naive_separation

HZ = np.arange(1 + N_FFT // 2) * SR / N_FFT
CONTRAST: dict[str, Any] = {"sr": SR, "fmin": 300.0, "n_bands": 3}


def magnitudes(y: np.ndarray) -> np.ndarray:
    """The spectrogram from which descriptors are taken."""
    return np.abs(oracles.stft(y))


def descriptor(
    name: str, definition: str, oracle: Any, unit: str = "peak", inputs: Any = signals, **options: Any
) -> Case:
    """A row for a descriptor that librosa has by the same name."""
    options = options | FRAMES
    return Case(
        transform=name,
        covers=(name,),
        definition=definition,
        ours=lambda y: getattr(aa, name)(y, **options),
        exact=oracle,
        peer=f"librosa.feature.{name}",
        theirs=lambda y: getattr(librosa.feature, name)(y=y, **options),
        inputs=inputs,
        unit=unit,
    )


def contrast(y: np.ndarray) -> np.ndarray:
    """Levels of peaks less those of valleys."""
    peak, valley = naive_features.contrast(magnitudes(y), HZ, 300.0, 3, 0.02)
    return naive.power_to_db(peak, 1.0, 1e-10, 80.0) - naive.power_to_db(valley, 1.0, 1e-10, 80.0)


def padded(y: np.ndarray, mode: str) -> np.ndarray:
    """The signal as centred frames see it."""
    return naive.pad(y, N_FFT // 2, N_FFT // 2, mode)


def energies() -> Inputs:
    """Bands of noise as loud as those of 16-bit samples."""
    return rounded({"noise": 1e3 * np.random.default_rng(2).standard_normal((24, 120)) ** 2})


def cepstra() -> Inputs:
    """Coefficients of noise."""
    return rounded({"noise": np.random.default_rng(3).standard_normal((13, 40))})


def spectra() -> Inputs:
    """Short-time spectra of the signals."""
    return rounded({name: oracles.stft(y) for name, y in signals().items()})


def kept(y: np.ndarray, part: int) -> np.ndarray:
    """The harmonic or percussive part of a signal."""
    S = naive_separation.hpss(oracles.stft(y), (31, 31), 2.0, (1.0, 1.0))[part]
    return naive.istft(S, N_FFT, HOP, oracles.window("hann"), True, len(y))


def separated(part: int, name: str) -> Case:
    """A row for one of the two parts."""
    return Case(
        transform=f"{name}(n_fft=256, hop_length=64)",
        covers=(name,),
        definition="librosa 0.11: STFT, masks, inverse STFT",
        ours=lambda y: getattr(aa, name)(y, **FRAMES),
        exact=lambda y: kept(y, part),
        peer=f"librosa.effects.{name}",
        theirs=lambda y: getattr(librosa.effects, name)(y, **FRAMES),
        inputs=loud,
    )


PLACES: dict[str, Any] = {"n_fft": 64, "hop_length": 16, "fill_nan": True, "ref_power": 1.0, "sr": SR}


def places(y: np.ndarray) -> list[np.ndarray]:
    """Frequencies and times of the bins, within the signal, and their magnitudes."""
    freqs, times, S = naive_reassignment.reassigned(
        y, SR, 64, 16, oracles.window("hann", 64), True, "constant", 1.0, False
    )
    bins, frames = np.arange(33)[:, None] * SR / 64, np.arange(S.shape[1])[None, :] * 16 / SR
    freqs = np.clip(np.where(np.isnan(freqs), bins, freqs), 0, SR / 2)
    times = np.clip(np.where(np.isnan(times), frames, times), 0, len(y) / SR)
    return [freqs, times, S]


def polyphase(y: np.ndarray) -> np.ndarray:
    """SciPy's polyphase filter with the same kernel."""
    up, down, half_width, beta = 5, 8, 64, 12.27
    cutoff = 0.94 * up / down
    reach = math.ceil(half_width / cutoff * up)
    u = np.arange(-reach, reach + 1) / up
    inside = np.clip(1 - (u * cutoff / half_width) ** 2, 0, None)
    kernel = cutoff * np.sinc(cutoff * u) * np.where(inside > 0, np.i0(beta * np.sqrt(inside)) / np.i0(beta), 0)
    # resample_poly multiplies windows that are given by `up`, and by nothing else.
    return scipy.signal.resample_poly(y, up, down, window=kernel / up)


def stretched(y: np.ndarray) -> np.ndarray:
    """The signal 1.3 times as fast."""
    D = oracles.phase_vocoder(oracles.stft(y), 1.3)
    return naive.istft(D, N_FFT, HOP, oracles.window("hann"), True, round(len(y) / 1.3))


bandwidth = descriptor(
    "spectral_bandwidth",
    "librosa 0.11",
    lambda y: naive_features.bandwidth(magnitudes(y), HZ, True, 2.0),
    sr=SR,
)
loud_contrast = descriptor(
    "spectral_contrast", "librosa 0.11, levels of each item", contrast, unit="dB", inputs=loud, **CONTRAST
)
harmonic, percussive = separated(0, "harmonic"), separated(1, "percussive")
faster = Case(
    transform="time_stretch(rate=1.3, n_fft=256, hop_length=64)",
    covers=("time_stretch",),
    definition="librosa 0.11: STFT, phase vocoder, inverse STFT",
    ours=lambda y: aa.time_stretch(y, rate=1.3, **FRAMES),
    exact=stretched,
    peer="librosa.effects.time_stretch",
    theirs=lambda y: librosa.effects.time_stretch(y, rate=1.3, **FRAMES),
    inputs=loud,
)


def smoothing(frames: float) -> float:
    """The coefficient that librosa derives from a time constant of so many frames."""
    return (math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)


FEATURES = [
    Case(
        transform="rms(frame_length=256, hop_length=64)",
        covers=("rms",),
        definition="librosa 0.11",
        ours=lambda y: aa.rms(y, frame_length=N_FFT, hop_length=HOP),
        exact=lambda y: naive_features.rms(padded(y, "constant"), N_FFT, HOP),
        peer="librosa.feature.rms",
        theirs=lambda y: librosa.feature.rms(y=y, frame_length=N_FFT, hop_length=HOP, dtype=np.float64),
    ),
    Case(
        transform="zero_crossing_rate(frame_length=256, hop_length=64)",
        covers=("zero_crossing_rate",),
        definition="librosa 0.11",
        ours=lambda y: aa.zero_crossing_rate(y, frame_length=N_FFT, hop_length=HOP),
        exact=lambda y: naive_features.zero_crossing_rate(padded(y, "edge"), N_FFT, HOP, 1e-10),
        peer="librosa.feature.zero_crossing_rate",
        theirs=lambda y: librosa.feature.zero_crossing_rate(y, frame_length=N_FFT, hop_length=HOP),
    ),
    descriptor("spectral_centroid", "librosa 0.11", lambda y: naive_features.centroid(magnitudes(y), HZ), sr=SR),
    bandwidth,
    descriptor("spectral_rolloff", "librosa 0.11", lambda y: naive_features.rolloff(magnitudes(y), HZ, 0.85), sr=SR),
    descriptor("spectral_flatness", "librosa 0.11", lambda y: naive_features.flatness(magnitudes(y), 1e-10, 2.0)),
    loud_contrast,
    Case(
        transform="delta(width=9)",
        covers=("delta",),
        definition="librosa 0.11: slope of a polynomial (Savitzky and Golay 1964)",
        ours=aa.delta,
        exact=lambda C: np.stack([naive.delta(row, 9, 1) for row in C]),
        peer="librosa.feature.delta",
        theirs=librosa.feature.delta,
        inputs=cepstra,
    ),
    Case(
        transform="pcen(sr=22050)",
        covers=("pcen",),
        definition="librosa 0.11 (Wang and others 2017)",
        ours=lambda S: aa.pcen(S, sr=22050),
        exact=lambda S: naive_features.pcen(S, 0.98, 2.0, 0.5, 1e-6, smoothing(0.4 * 22050 / 512), 1, 1.0),
        peer="librosa.pcen",
        theirs=lambda S: librosa.pcen(S, sr=22050),
        inputs=energies,
    ),
    Case(
        transform="hpss(kernel_size=31)",
        covers=("hpss",),
        definition="librosa 0.11 (Fitzgerald 2010): masks from running medians",
        ours=aa.hpss,
        exact=lambda S: naive_separation.hpss(S, (31, 31), 2.0, (1.0, 1.0)),
        peer="librosa.decompose.hpss",
        theirs=librosa.decompose.hpss,
        inputs=spectra,
    ),
    harmonic,
    percussive,
    Case(
        transform="reassigned_spectrogram(n_fft=64, ref_power=1)",
        covers=("reassigned_spectrogram",),
        definition="librosa 0.11 (Flandrin, Auger and Chassande-Mottin 2002)",
        ours=lambda y: aa.reassigned_spectrogram(y, **PLACES),
        exact=places,
        peer="librosa.reassigned_spectrogram",
        theirs=lambda y: librosa.reassigned_spectrogram(y, **PLACES),
    ),
    Case(
        transform="phase_vocoder(rate=1.3)",
        covers=("phase_vocoder",),
        definition="librosa 0.11 (Flanagan and Golden 1966)",
        ours=lambda D: aa.phase_vocoder(D, rate=1.3, hop_length=HOP),
        exact=lambda D: oracles.phase_vocoder(D, 1.3),
        peer="librosa.phase_vocoder",
        theirs=lambda D: librosa.phase_vocoder(D, rate=1.3, hop_length=HOP),
        inputs=spectra,
    ),
    faster,
    Case(
        transform="resample(orig_sr=8000, target_sr=5000)",
        covers=("resample",),
        definition="Smith 1984: Kaiser-windowed sinc",
        ours=lambda y: aa.resample(y, orig_sr=8000, target_sr=5000),
        exact=lambda y: naive.resample(y, 5, 8, 64, 12.27, 0.94),
        peer="scipy.signal.resample_poly with the same kernel",
        theirs=polyphase,
        inputs=lambda: signals(N_SAMPLES // 4, SR),
    ),
    Case(
        transform="preemphasis(coef=0.97)",
        covers=("preemphasis",),
        definition="librosa 0.11",
        ours=aa.preemphasis,
        exact=lambda y: naive_features.preemphasis(y, 0.97),
        peer="librosa.effects.preemphasis",
        theirs=librosa.effects.preemphasis,
    ),
    Case(
        transform="deemphasis(coef=0.97)",
        covers=("deemphasis",),
        definition="librosa 0.11",
        ours=aa.deemphasis,
        exact=lambda y: naive_features.deemphasis(y, 0.97),
        peer="librosa.effects.deemphasis",
        theirs=librosa.effects.deemphasis,
    ),
]
