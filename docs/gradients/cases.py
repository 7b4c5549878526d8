"""The rows of the gradient table: every public transform, feature and way back, at small sizes."""

import functools
import json
from typing import Any

import numpy as np

import arrayaudio as aa
from arrayaudio.autodiff.trees import mapped
from arrayaudio.compat import nnaudio
from docs.gradients.measuring import Case

SR = 8000
y = np.random.default_rng(7).standard_normal(1500)
X = aa.stft(y, n_fft=64)
S = np.abs(X)
BANDS: dict[str, Any] = {"sr": SR, "n_fft": 128, "n_mels": 10}
NOTES: dict[str, Any] = {"sr": SR, "fmin": 500, "n_bins": 24}
OCTAVES: dict[str, Any] = {"sr": SR, "fmin": 500}
MEL = aa.melspectrogram(y, **BANDS)
# Bins that conjugate gradients invert in some iterations.
WIDE: dict[str, Any] = {"sr": SR, "fmin": 1500, "bins_per_octave": 1, "hop_length": 2}
FEW: dict[str, Any] = {"n_iter": 3, "tolerance": None}


def settings(options: dict[str, Any]) -> str:
    """Options as they are written in a call."""
    return ", ".join(
        f"{name}={json.dumps(value) if isinstance(value, str) else value}" for name, value in options.items()
    )


def function(name: str, x: Any, of: str = "signal", **options: Any) -> Case:
    """A row for a public function of one array."""
    call = functools.partial(getattr(aa, name), **options)
    return Case(transform=f"{name}({settings(options)})", covers=name, of={of: (call, x)})


def replaced(transform: Any, name: str, array: Any) -> Any:
    """What a transform makes of the signal with one of its arrays in another form."""
    return transform.with_params({name: array})(y)


def moved_away(array: np.ndarray) -> np.ndarray:
    """An array next to that of the settings, without its zeros, where magnitudes have kinks."""
    drawn = np.random.default_rng(2).random(array.shape)
    return np.asarray(array + 0.01 * np.abs(array).max() * drawn)


def transform(kind: str, x: np.ndarray = y, **options: Any) -> Case:
    """A row for a transform: its signal, and each array that can take another form."""
    made = getattr(aa, kind)(**options)
    arrays = {name: mapped(moved_away, make()) for name, make in made._arrays.items()}
    of = {name: (functools.partial(replaced, made, name), array) for name, array in arrays.items()}
    return Case(transform=f"{kind}({settings(options)})", covers=kind, of={"signal": (made, x)} | of)


def inverse(kind: str, given: dict[str, Any], **options: Any) -> Case:
    """A row for the inverse of a transform, and what it is given."""
    made = getattr(aa, kind)(**options)
    call = functools.partial(made.inverse, **given)
    return Case(
        transform=f"{kind}({settings(options)}).inverse({settings(given)})",
        covers=f"{kind}.inverse",
        of={"spectrum": (call, made(0.1 * y))},
    )


def layer(kind: str, x: Any = y, **options: Any) -> Case:
    """A row for a class of `arrayaudio.compat.nnaudio`."""
    quiet = {} if kind in ("CFP", "Combined_Frequency_Periodicity", "CQT1992", "Griffin_Lim") else {"verbose": False}
    made = getattr(nnaudio, kind)(**options, **quiet)
    call = functools.partial(made, **{"iSTFT": {"onesided": True}, "Griffin_Lim": {"seed": 0}}.get(kind, {}))
    of = "spectrum" if kind in ("Griffin_Lim", "iSTFT") else "signal"
    return Case(transform=f"{kind}({settings(options)})", covers=f"nnaudio.{kind}", of={of: (call, x)})


TRANSFORMS = [
    *(transform("STFT", n_fft=64, output=output) for output in ("complex", "magnitude", "power", "phase")),
    transform("STFT", n_fft=64, sr=SR, freq_scale="log", fmin=100, freq_bins=30),
    transform("MelSpectrogram", **BANDS),
    transform("MelSpectrogram", **BANDS, scale="db"),
    transform("MelSpectrogram", **BANDS, scale="log", power=1.3),
    transform("MFCC", **BANDS, n_mfcc=5),
    transform("LFCC", sr=SR, n_fft=128, n_filter=10, n_lfcc=5),
    transform("Gammatonegram", sr=SR, n_fft=128, n_bins=10),
    transform("Chroma", sr=SR, n_fft=256),
    transform("CFP", sr=SR, n_fft=256),
    *(transform("CQT", **NOTES, method=method) for method in ("auto", "1992", "1992v2", "2010", "2010v2")),
    transform("CQT", **NOTES, output="magnitude"),
    transform("VQT", **NOTES, gamma=20.0, output="power"),
    transform("HybridCQT", **NOTES, hop_length=128),
    transform("PseudoCQT", **NOTES, hop_length=128),
    transform("ChromaCQT", **OCTAVES, n_octaves=2),
    transform("NSGT", sr=SR, fmin=300),
]
SIGNALS = [
    function("stft", y, n_fft=64),
    function("spectrogram", y, n_fft=64),
    function("melspectrogram", y, **BANDS),
    function("mfcc", y, **BANDS, n_mfcc=5),
    function("lfcc", y, sr=SR, n_fft=128, n_filter=10, n_lfcc=5),
    function("gammatonegram", y, sr=SR, n_fft=128),
    function("gammatone_filterbank", y, sr=SR, n_bands=4),
    function("chroma_stft", y, sr=SR, n_fft=256),
    function("cfp", y, sr=SR, n_fft=256),
    function("cqt", y, **NOTES),
    function("vqt", y, **NOTES),
    function("hybrid_cqt", y, **NOTES, hop_length=128),
    function("pseudo_cqt", y, **NOTES, hop_length=128),
    function("chroma_cqt", y, **OCTAVES, n_octaves=2),
    function("reassigned_spectrogram", y, sr=SR, n_fft=64),
    function("rms", y, frame_length=64, hop_length=16),
    function("zero_crossing_rate", y, frame_length=64),
    function("spectral_centroid", y, sr=SR, n_fft=128),
    function("spectral_bandwidth", y, sr=SR, n_fft=128),
    function("spectral_rolloff", y, sr=SR, n_fft=128),
    function("spectral_flatness", y, n_fft=128),
    function("spectral_contrast", y, sr=SR, n_fft=256, n_bands=3, fmin=500),
    function("resample", y, orig_sr=SR, target_sr=5000),
    function("preemphasis", y),
    function("deemphasis", y),
    function("harmonic", y, n_fft=64),
    function("percussive", y, n_fft=64),
    function("time_stretch", y, rate=1.3, n_fft=64),
]
PCEN = {
    "gain": np.full((10, 1), 0.9),
    "bias": np.full((10, 1), 2.0),
    "power": np.full((10, 1), 0.5),
    "eps": np.full((10, 1), 0.1),
    "b": np.array(0.05),
    "initial": MEL[:, :1],
}
LENGTHS: dict[str, Any] = {"win_length": 40.3, "hop_length": 16.7, "n_fft": 64}


def with_lengths(name: str, **options: Any) -> Case:
    """A row for a transform whose window length and hop are real numbers."""
    call = functools.partial(getattr(aa, name), **options)
    of: dict[str, Any] = {"signal": (functools.partial(call, **LENGTHS), y)}
    for length in ("win_length", "hop_length"):
        of[length] = (
            lambda value, length=length: call(y, **LENGTHS | {length: value}),
            np.array(LENGTHS[length]),
        )
    return Case(transform=f"{name}({settings(options | LENGTHS)})", covers=name, of=of)


SETTINGS = [
    with_lengths("adaptive_stft"),
    with_lengths("adaptive_melspectrogram", sr=SR, n_mels=5),
    Case(
        transform=f"pcen(sr={SR})",
        covers="pcen",
        of={"spectrum": (functools.partial(aa.pcen, sr=SR, **PCEN), MEL)}
        | {
            name: (lambda value, name=name: aa.pcen(MEL, sr=SR, **PCEN | {name: value}), at)
            for name, at in PCEN.items()
        },
    ),
]
SPECTRA = [
    function("delta", S, "spectrum"),
    function("hpss", S, "spectrum"),
    function("phase_vocoder", X, "spectrum", rate=1.3),
    function("power_to_db", S, "spectrum"),
    function("amplitude_to_db", S, "spectrum"),
    function("db_to_power", X.real, "spectrum"),
    function("db_to_amplitude", X.real, "spectrum"),
]
WAYS_BACK = [
    function("istft", X, "spectrum"),
    inverse("STFT", {}, n_fft=64, hop_length=16),
    inverse("STFT", FEW, n_fft=64, sr=SR, freq_scale="log", fmin=100, freq_bins=30),
    function("icqt", aa.cqt(y[:300], **WIDE, n_bins=2), "spectrum", **WIDE, tolerance=1e-12),
    inverse("CQT", FEW, **NOTES, hop_length=32),
    inverse("VQT", FEW, **NOTES, hop_length=32),
    inverse("NSGT", {}, sr=SR, fmin=300),
    function("griffinlim", S, "spectrum", n_iter=3, seed=0),
    function("griffinlim_cqt", aa.cqt(y, **NOTES, output="magnitude"), "spectrum", **OCTAVES, n_iter=2, seed=0),
    function("mel_to_stft", MEL, "spectrum", sr=SR, n_fft=128),
    function("mel_to_audio", MEL, "spectrum", sr=SR, n_fft=128, n_iter=2, seed=0),
    function("mfcc_to_mel", aa.mfcc(y, **BANDS, n_mfcc=5), "spectrum", n_mels=10),
]
NNAUDIO = [
    layer("STFT", n_fft=64),
    layer("MelSpectrogram", **BANDS),
    layer("MFCC", sr=SR, n_mfcc=5, n_fft=128, n_mels=10),
    layer("Gammatonegram", sr=SR, n_fft=128, n_bins=10),
    layer("CFP", fs=SR, fr=16, window_size=255),
    layer("Combined_Frequency_Periodicity", fs=SR, fr=16, window_size=255),
    *(layer(kind, **NOTES) for kind in ("CQT", "CQT1992", "CQT1992v2", "CQT2010", "CQT2010v2", "VQT")),
    layer("iSTFT", nnaudio.STFT(n_fft=64, verbose=False)(y), n_fft=64),
    layer("Griffin_Lim", S[None], n_fft=64, n_iter=2),
]
FAMILIES = {
    "Transforms": TRANSFORMS,
    "Functions of signals": SIGNALS,
    "Settings that can be learned": SETTINGS,
    "Functions of spectra": SPECTRA,
    "Ways back": WAYS_BACK,
    "nnAudio's classes": NNAUDIO,
}
WITHOUT = [("pghi", S, "it decides from bin to bin which phase to follow, by sorting, and has no recorded steps")]
