"""What the tests of pictures draw, and how they look at it."""

import io

import matplotlib.image
import numpy as np

import arrayaudio as aa

SR = 8000
FRAMES = {"sr": SR, "n_fft": 256, "hop_length": 64}
MEL = FRAMES | {"n_mels": 20}
TRANSFORMS = {
    "complex": aa.STFT(**FRAMES),
    "magnitude": aa.STFT(**FRAMES, output="magnitude"),
    "power": aa.STFT(**FRAMES, output="power"),
    "phase": aa.STFT(**FRAMES, output="phase"),
    "mel": aa.MelSpectrogram(**MEL),
    "mel of magnitude": aa.MelSpectrogram(**MEL, power=1.0),
    "mel in dB": aa.MelSpectrogram(**MEL, scale="db"),
    "ln mel": aa.MelSpectrogram(**MEL, scale="log"),
    "log10 mel": aa.MelSpectrogram(**MEL, scale="log10"),
    "MFCC": aa.MFCC(**MEL, n_mfcc=13),
    "LFCC": aa.LFCC(**FRAMES, n_filter=20, n_lfcc=13),
    "chroma": aa.Chroma(**FRAMES),
    "chroma of CQT": aa.ChromaCQT(sr=SR, hop_length=64, n_octaves=6),
    "linear": aa.STFT(**FRAMES, freq_scale="linear", fmin=200, fmax=3000, freq_bins=100),
    "log": aa.STFT(**FRAMES, freq_scale="log", fmin=100, freq_bins=100, output="power"),
    "gammatone": aa.Gammatonegram(**FRAMES, n_bins=40, power=1.0),
    "gammatone in dB": aa.Gammatonegram(**FRAMES, n_bins=40, scale="db"),
    "CQT": aa.CQT(sr=SR, hop_length=64),
    "CQT magnitude": aa.CQT(sr=SR, hop_length=64, fmin=110, n_bins=40, output="magnitude"),
    "CQT phase": aa.CQT(sr=SR, hop_length=64, output="phase"),
    "hybrid CQT": aa.HybridCQT(sr=SR, hop_length=64),
    "VQT": aa.VQT(sr=SR, hop_length=64, n_bins=120, bins_per_octave=24, fmin=120, output="power"),
    "CFP": aa.CFP(sr=SR, hop_length=64, n_fft=2048),
    "CFP spectrum": aa.CFP(sr=SR, hop_length=64, n_fft=2048, output="spectrum"),
    "CFP periodicity": aa.CFP(sr=SR, hop_length=64, n_fft=2048, output="periodicity"),
    "NSGT": aa.NSGT(sr=SR, fmin=65.4),
}
NUMBERED = ("MFCC", "LFCC", "chroma", "chroma of CQT")
IN_NOTES = {
    name: transform for name, transform in TRANSFORMS.items() if name.startswith(("CQT", "VQT", "CFP", "hybrid"))
}
IN_HZ = {name: transform for name, transform in TRANSFORMS.items() if name not in (*NUMBERED, *IN_NOTES)}
LEVELS = {
    name: transform
    for name, transform in TRANSFORMS.items()
    if name not in (*NUMBERED, "phase", "CQT phase", "NSGT") and name[:3] != "CFP"
}


def tone(n_samples=4000, hz=1000.0):
    return np.sin(2 * np.pi * hz * np.arange(n_samples) / SR)


SIGNALS = {"tone": tone(), "silence": np.zeros(4000), "one frame": tone(50), "one sample": np.ones(1)}


def picture(y, transform):
    """Draw a signal; return the axes, the cells and the colour bar's axes."""
    axes = transform.plot(transform(y))
    (cells,) = axes.collections
    return axes, cells, cells.colorbar.ax


def png(figure, **options):
    file = io.BytesIO()
    figure.savefig(file, format="png", **options)
    return file.getvalue()


def pixels(figure, **options):
    return matplotlib.image.imread(io.BytesIO(png(figure, **options)))
