"""Spectrograms in memory that is given."""

from arrayaudio.kernels.cpu.spectrogram import written

__all__ = ["written"]
