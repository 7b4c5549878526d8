"""How the tests run the command, in this process and in others, and what it wrote."""

import subprocess
import sys

import numpy as np
from click.testing import CliRunner

import arrayaudio as aa
from arrayaudio.cli import command

from .recordings import BAD_FILES, encoded

CASES = {
    "stft": (aa.STFT, {"output": "magnitude"}, "--transform stft"),
    "stft complex": (aa.STFT, {"output": "complex", "n_fft": 500}, "--transform stft --output complex --n-fft 500"),
    "stft power": (
        aa.STFT,
        {"output": "power", "n_fft": 512, "hop_length": 100, "win_length": 400, "window": "hamming"},
        "--transform stft --output power --n-fft 512 --hop-length 100 --win-length 400 --window hamming",
    ),
    "stft phase": (
        aa.STFT,
        {"output": "phase", "center": False, "n_fft": 256},
        "--transform stft --output phase --no-center --n-fft 256",
    ),
    "mel": (
        aa.MelSpectrogram,
        {"n_mels": 40, "fmin": 50.0, "fmax": 3000.0, "mel_scale": "htk", "pad_mode": "reflect"},
        "--transform mel --n-mels 40 --fmin 50 --fmax 3000 --mel-scale htk --pad-mode reflect",
    ),
    "logmel": (aa.MelSpectrogram, {"scale": "db", "n_mels": 30}, "--transform logmel --n-mels 30"),
    "default": (aa.MelSpectrogram, {"scale": "db"}, ""),
    "mfcc": (aa.MFCC, {"n_mfcc": 13, "n_mels": 64}, "--transform mfcc --n-mfcc 13 --n-mels 64"),
}

SPOILED = {
    **BAD_FILES,
    "NaN": ("nan.wav", encoded(np.float32([0, np.nan] * 2000), subtype="FLOAT"), "2000 NaN or infinite samples"),
}


def run(*args):
    """Run the command in this process; an exception that it lets through fails the test."""
    return CliRunner().invoke(command, [str(arg) for arg in args], catch_exceptions=False)


def run_apart(*args, program=("-m", "arrayaudio"), **options):
    """Run the command as a process of its own."""
    words = [sys.executable, *program, *map(str, args)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, **options)


def run_without(modules, *args):
    """Run the command as if `modules` were not installed."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({modules!r}))"
    return run_apart(*args, program=("-c", f"{blocked}; from arrayaudio.__main__ import main; main()"))


def written(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def features(path):
    with np.load(path, allow_pickle=False) as archive:
        return archive["features"]


def copies(clip, *places):
    for place in places:
        path = clip.parent / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip.read_bytes())
