"""Spectrograms in memory that is given."""

from arrayaudio.kernels.gpu.spectrogram import written

__all__ = ["written"]
