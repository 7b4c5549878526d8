"""Recordings good and bad, and names that files may have."""

import io
import struct
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


def wav_header(n_channels, n_bytes, rate=SR, bits=16):
    """What a WAV file begins with, whether or not such a file makes sense."""
    frame = n_channels * bits // 8
    kind = struct.pack("<HHIIHH", 1, n_channels, rate, rate * frame, frame & 0xFFFF, bits)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", 36 + n_bytes, b"WAVE", b"fmt ", 16)
        + kind
        + struct.pack("<4sI", b"data", n_bytes)
    )


# File name, content, and what the error must say beside the name.
BAD_FILES = {
    "zero bytes": ("zero.wav", b"", "cannot be read"),
    "text": ("text.wav", b"Dear diary, today I recorded nothing.\n", "cannot be read"),
    "cut header": ("header.wav", encoded(tone())[:30], "cannot be read"),
    "cut FLAC": ("half.flac", encoded(tone(40000), "FLAC")[:2000], "cannot be read"),
    "no samples": ("empty.wav", encoded(tone(0)), "holds no samples"),
    "no header": ("headerless.raw", bytes(1000), "cannot be read"),
}
