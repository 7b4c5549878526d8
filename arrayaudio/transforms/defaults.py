"""Defaults of other libraries, for `compat=`: what stands in for settings that are not given.

Values were read from librosa 0.11, torchaudio 2.11, nnAudio 0.3.4 and kaldi-native-fbank 1.23. A function of the
settings so far gives a value that follows from them.
"""

from collections.abc import Callable
from typing import Any

from arrayaudio.checks import one_of, real, whole
from arrayaudio.errors import ParameterError

Settings = dict[str, Any]

LIBRARIES = ("librosa", "torchaudio", "nnaudio", "kaldi")


def _half_a_window(given: Settings) -> int:
    name = "n_fft" if given.get("win_length") is None else "win_length"
    return max(1, whole(name, given[name]) // 2)


def _milliseconds(n: int) -> Callable[[Settings], int]:
    return lambda given: int(n / 1000 * real("sr", given["sr"], above=0))


def _power_of_two(given: Settings) -> int:
    win_length = _milliseconds(25)(given) if given["win_length"] is None else whole("win_length", given["win_length"])
    return 1 << (win_length - 1).bit_length()


def _in_scale(frequency: float) -> Callable[[Settings], float | None]:
    """A limit of rows, which those of the FFT do not have."""
    return lambda given: None if given.get("freq_scale", "fft") == "fft" else frequency


LIBROSA: Settings = {"sr": 22050.0}  # the others are our own
TORCHAUDIO: Settings = {"n_fft": 400, "hop_length": _half_a_window, "pad_mode": "reflect"}
TORCHAUDIO_BANDS = {"sr": 16000.0} | TORCHAUDIO

NNAUDIO = {"sr": 22050.0, "pad_mode": "reflect"}

KALDI = {
    "sr": 16000.0,
    "win_length": _milliseconds(25),
    "hop_length": _milliseconds(10),
    "n_fft": _power_of_two,
    "window": "povey",
    "window_at": "start",
    "center": False,
    "remove_dc": True,
    "preemphasis": 0.97,
    "n_mels": 23,
    "fmin": 20.0,
    "mel_scale": "kaldi",
    "scale": "log",
    "amin": 2.0**-23,
}

DEFAULTS: dict[str, dict[str, Settings]] = {
    "STFT": {
        "librosa": LIBROSA,
        "torchaudio": TORCHAUDIO | {"output": "power"},
        "nnaudio": NNAUDIO | {"fmin": _in_scale(50.0), "fmax": _in_scale(6000.0)},
    },
    "MelSpectrogram": {
        "librosa": LIBROSA,
        "torchaudio": TORCHAUDIO_BANDS | {"mel_scale": "htk", "norm": None},
        "nnaudio": NNAUDIO,
        "kaldi": KALDI | {"norm": None},
    },
    "MFCC": {
        "librosa": LIBROSA,
        "torchaudio": TORCHAUDIO_BANDS | {"mel_scale": "htk", "mel_norm": None, "n_mfcc": 40},
        "nnaudio": NNAUDIO,
        "kaldi": KALDI | {"mel_norm": None, "n_mfcc": 13, "lifter": 22.0, "lifter_from": 0, "energy": True},
    },
    "LFCC": {"torchaudio": TORCHAUDIO_BANDS},
    "Chroma": {"librosa": LIBROSA},
    "CQT": {"librosa": LIBROSA, "nnaudio": NNAUDIO | {"fmin": 32.70, "output": "magnitude"}},
    "VQT": {"librosa": LIBROSA},
}


def defaults_of(transform: str, library: str, given: Settings) -> Settings:
    """Return a library's defaults for the settings of a transform that are not given, or raise ParameterError."""
    one_of("compat", library, LIBRARIES)
    known = DEFAULTS.get(transform, {})
    if library not in known:
        others = ", ".join(map(repr, known)) or "none"
        raise ParameterError(
            f"compat={library!r}: {library} has no {transform}, or none with these settings; libraries whose defaults "
            f"{transform} knows: {others}"
        )
    found: Settings = {}
    for name, value in known[library].items():
        if name not in given:
            found[name] = value(found | given) if callable(value) else value
    return found
