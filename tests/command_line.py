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
    "stft linear": (
        aa.STFT,
        {"output": "magnitude", "freq_scale": "linear", "freq_bins": 50, "fmin": 900.0, "fmax": 1100.0},
        "--transform stft --freq-scale linear --freq-bins 50 --fmin 900 --fmax 1100",
    ),
    "stft log": (
        aa.STFT,
        {"output": "complex", "freq_scale": "log", "n_fft": 256},
        "--transform stft --freq-scale log --output complex --n-fft 256",
    ),
    "gammatone": (aa.Gammatonegram, {}, "--transform gammatone"),
    "gammatone from 100 Hz": (
        aa.Gammatonegram,
        {"n_bins": 20, "fmin": 100.0, "n_fft": 512},
        "--transform gammatone --n-bins 20 --fmin 100 --n-fft 512",
    ),
    "cqt": (aa.CQT, {"output": "magnitude"}, "--transform cqt"),
    "cqt by octaves": (
        aa.CQT,
        {"output": "complex", "fmin": 110.0, "n_bins": 96, "bins_per_octave": 24, "method": "2010"},
        "--transform cqt --output complex --fmin 110 --n-bins 96 --bins-per-octave 24 --method 2010",
    ),
    "vqt": (aa.VQT, {"output": "magnitude"}, "--transform vqt"),
    "vqt with gamma": (
        aa.VQT,
        {"output": "power", "gamma": 20.0, "hop_length": 100, "window": "hamming"},
        "--transform vqt --output power --gamma 20 --hop-length 100 --window hamming",
    ),
    "chroma": (aa.Chroma, {}, "--transform chroma"),
    "chroma in quarter tones": (aa.Chroma, {"n_chroma": 24}, "--transform chroma --n-chroma 24"),
    "mfcc": (aa.MFCC, {"n_mfcc": 13, "n_mels": 64}, "--transform mfcc --n-mfcc 13 --n-mels 64"),
    "lfcc": (aa.LFCC, {}, "--transform lfcc"),
    "lfcc of 60 bands": (aa.LFCC, {"n_lfcc": 13, "n_filter": 60}, "--transform lfcc --n-lfcc 13 --n-filter 60"),
    "cfp": (aa.CFP, {}, "--transform cfp"),
    "cfp periodicity": (
        aa.CFP,
        {"output": "periodicity", "fmin": 100.0, "fmax": 800.0, "bins_per_octave": 24, "n_fft": 2048},
        "--transform cfp --output periodicity --fmin 100 --fmax 800 --bins-per-octave 24 --n-fft 2048",
    ),
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


# What a job keeps beside its outputs.
RECORDS = {".lock", "manifest.jsonl", "settings.json"}


def written(folder):
    """Files below a folder, without the records of a job."""
    files = [path for path in folder.rglob("*") if not path.is_dir() and path.name not in RECORDS]
    return sorted(str(path.relative_to(folder)) for path in files)


def features(path):
    with np.load(path, allow_pickle=False) as archive:
        return archive["features"]


def copies(clip, *places):
    for place in places:
        path = clip.parent / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip.read_bytes())
