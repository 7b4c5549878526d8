"""The spectrograms that are trained, and the rates at which they are."""

from typing import Any, NamedTuple

import arrayaudio as aa
from docs.experiments.tones import LOWEST, SR


class Case(NamedTuple):
    """A spectrogram, the file name of its picture, and what of it is learned."""

    name: str
    picture: str
    learned: str
    transform: Any


CASES = (
    Case(
        "STFT of 64 points",
        "learned_stft.png",
        "basis",
        aa.STFT(sr=SR, n_fft=64, hop_length=64, output="magnitude", trainable=True),
    ),
    Case(
        "mel, 32 bands",
        "learned_mel.png",
        "bank",
        aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=64, n_mels=32, power=1.0, trainable_mel=True),
    ),
    Case(
        "CQT, 49 bins",
        "learned_cqt.png",
        "kernels",
        aa.CQT(sr=SR, hop_length=64, fmin=LOWEST, n_bins=49, output="magnitude", trainable=True),
    ),
)
SEEDS = (0, 1, 2)
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
EPOCHS, LONGER = 30, 5
DRAWN = 1e-3  # the rate at which what the pictures show was trained, with the first seed
