"""Recordings good and bad, and names that files may have."""

import io
import sys

import numpy as np
import soundfile

SR = 8000
NAMES = {"plain": "plain.wav", "space": "two words.wav", "unicode": "Käse 日本語.wav", "longest": "x" * 251 + ".wav"}
if sys.platform == "linux":  # elsewhere file names must be Unicode
    NAMES["latin-1"] = "caf\udce9.wav"


def tone(n_samples=4000, hz=1000):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(n_samples) / SR)).astype(np.float32)


def encoded(y, kind="WAV", **options):
    file = io.BytesIO()
    soundfile.write(file, y, SR, format=kind, **options)
    return file.getvalue()


# File name, content, and what the error must say beside the name.
BAD_FILES = {
    "zero bytes": ("zero.wav", b"", "cannot be read"),
    "text": ("text.wav", b"Dear diary, today I recorded nothing.\n", "cannot be read"),
    "cut header": ("header.wav", encoded(tone())[:30], "cannot be read"),
    "cut FLAC": ("half.flac", encoded(tone(40000), "FLAC")[:2000], "cannot be read"),
    "no samples": ("empty.wav", encoded(tone(0)), "holds no samples"),
    "no header": ("headerless.raw", bytes(1000), "cannot be read"),
}
