"""One of every transform, for tests of what must hold for the whole library."""

import dataclasses
from typing import Any

import arrayaudio as aa
from arrayaudio.transforms.base import Transform

SR = 8000
FRAMES = {"n_fft": 256, "hop_length": 64}
BANDS = {"sr": SR, "n_mels": 20, **FRAMES}
NOTES = {"sr": SR, "fmin": 300.0, "n_bins": 24, "hop_length": 64}
FORMS = ("1992", "1992v2", "2010", "2010v2")

# Settings with which every class of transforms is made, and small.
SETTINGS = {
    "STFT": {"sr": SR, **FRAMES},
    "MelSpectrogram": BANDS,
    "MFCC": BANDS | {"n_mfcc": 13},
    "LFCC": {"sr": SR, "n_filter": 20, "n_lfcc": 13, **FRAMES},
    "Gammatonegram": {"sr": SR, "n_bins": 20, **FRAMES},
    "Chroma": {"sr": SR, **FRAMES},
    "CFP": {"sr": SR, "fmin": 100.0, "fmax": 1000.0, **FRAMES},
    "CQT": NOTES,
    "VQT": NOTES | {"gamma": 10.0},
    "HybridCQT": NOTES,
    "PseudoCQT": NOTES,
    "ChromaCQT": {"sr": SR, "fmin": 300.0, "n_octaves": 2, "hop_length": 64},
    "NSGT": {"sr": SR, "fmin": 100.0},
}
TRANSFORMS: dict[str, Transform] = {name: getattr(aa, name)(**settings) for name, settings in SETTINGS.items()}
TRANSFORMS |= {
    "STFT magnitude": aa.STFT(**FRAMES, output="magnitude"),
    "STFT phase": aa.STFT(**FRAMES, output="phase"),
    "STFT odd": aa.STFT(n_fft=67, hop_length=16, output="power"),
    "STFT log": aa.STFT(sr=SR, freq_scale="log", freq_bins=30, fmin=100.0, **FRAMES),
    "STFT learned": aa.STFT(trainable=True, output="power", **FRAMES),
    "mel dB": aa.MelSpectrogram(scale="db", **BANDS),
    "mel log": aa.MelSpectrogram(scale="log", **BANDS),
    "Kaldi": aa.MelSpectrogram(compat="kaldi", sr=SR, n_mels=20),
    "CQT low": aa.CQT(sr=SR, fmin=55.0, n_bins=40, hop_length=64),  # by spectra of long segments
    **{f"CQT {form}": aa.CQT(method=form, **NOTES) for form in FORMS},
    "FrontEnd": aa.presets.get("whisper"),
}
# Levels count from the loudest of their item, so that all frames depend on all samples.
FROM_LOUDEST = ("MFCC", "LFCC", "mel dB", "FrontEnd")
# Angles turn at pi, and bins without energy have any.
ANGLES = ("STFT phase",)
# Results after a logarithm.
LEVELLED = ("MFCC", "LFCC", "mel dB", "mel log", "Kaldi", "FrontEnd")


def changed(transform: Transform, **settings: Any) -> Any:
    """A transform with other settings."""
    return dataclasses.replace(transform, **settings)


def classes() -> set[str]:
    """The names of all public classes of transforms."""
    public = ((name, getattr(aa, name)) for name in aa.__all__)
    return {name for name, value in public if isinstance(value, type) and issubclass(value, Transform)}
