"""Pictures of whole recordings and of feature files, which the command line draws."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from arrayaudio.ext.plot.figures import lettered, new_figure, save
from arrayaudio.ext.plot.spectrograms import bar, draw, pictured, spectrogram
from arrayaudio.notes import note_to_hz
from arrayaudio.transforms.cqt import CQT
from arrayaudio.transforms.framed import Framed
from arrayaudio.transforms.gammatone import Gammatonegram
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.stft import STFT


def draw_one(path: Path, S: np.ndarray, transform: Framed, title: str) -> None:
    """Write a picture of what `transform` made of a signal, or of its first channel."""
    if S.ndim > 2:
        title = f"{title}, channel 1 of {len(S)}"
    figure, axes = new_figure(1, title=title)
    spectrogram(S[(0,) * (S.ndim - 2)], transform, axes[0, 0])
    save(lettered(figure, "screen"), path)


def overview(y: np.ndarray, sr: float, *, title: str | None = None, size: Literal["screen", "paper"] = "screen") -> Any:
    """Return a figure with a mono signal as STFT, mel, gammatone, CQT and MFCC panels, in frames of about 50 ms.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.ext import plot
    >>> figure = plot.overview(np.sin(np.arange(8000.0)), 8000, title="a tone")
    """
    n_fft = 2 ** max(1, round(np.log2(0.05 * sr)))
    hop_length = max(1, n_fft // 4)
    framing: dict[str, Any] = {"sr": sr, "n_fft": n_fft, "hop_length": hop_length}
    n_mels = max(1, min(128, n_fft // 8))  # as many as stay wider than the bins
    lowest = min(float(note_to_hz("C1")), sr / 16)
    n_bins = min(84, int(np.ceil(12 * np.log2(sr / 2 / lowest) - 1e-6)))  # from C1 to B7, or as many as the rate has
    transforms = (
        STFT(**framing),
        MelSpectrogram(**framing, n_mels=n_mels, scale="db"),
        # Of magnitudes, since the skirts of these bands would raise power too far from a loud bass.
        Gammatonegram(**framing, fmin=min(50.0, sr / 16), power=1.0),
        CQT(sr=sr, hop_length=hop_length, fmin=lowest, n_bins=n_bins),
        MFCC(**framing, n_mels=n_mels, n_mfcc=min(20, n_mels)),
    )
    height = {"screen": 2.0, "paper": 1.0}.get(size)
    figure, axes = new_figure(len(transforms), title=title, size=size, height=height)
    for panel, transform in zip(axes[:, 0], transforms, strict=True):
        S = transform(y)
        shown = pictured(S, transform)
        bar(figure, draw(panel, shown, transform, S.shape[-1]), panel, shown)
    axes[-1, 0].set_xlabel("time (s)")
    figure.align_ylabels()
    return lettered(figure, size)
