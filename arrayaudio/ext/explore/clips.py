"""The clip of a page: a signal, or a part of a recording, and what the browser plays of it."""

import io
import os
import wave
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.arrays import asarray, plain, to_numpy
from arrayaudio.checks import real
from arrayaudio.errors import AudioDecodeError, ParameterError
from arrayaudio.ext.io import header, printable, read_blocks
from arrayaudio.pcm import in_floats
from arrayaudio.resampling import resample
from arrayaudio.signals import as_signal

MOST_SAMPLES = 1_500_000  # which make a page of 16 MB at 44.1 kHz
RATES = (3000, 192_000)  # what browsers play
LOUDEST = 1e6  # more is a slip, and powers of it would not be finite
BLOCK = 2**16


def clip(source: Any, sr: float | None, start: float, seconds: float | None) -> tuple[np.ndarray, int]:
    """Return a part of a recording, or of a mono signal, as float32 samples, and its sampling rate; or raise."""
    start = real("start", start, least=0)
    seconds = None if seconds is None else real("seconds", seconds, above=0)
    if isinstance(source, str | os.PathLike):
        y, rate = _read(Path(source), start, seconds)
        if sr is None or sr == rate:
            return y, _whole_rate(rate)
        return resample(y, orig_sr=rate, target_sr=_whole_rate(sr)), _whole_rate(sr)
    if sr is None:
        raise ParameterError("sr=None: a signal needs its sampling rate in Hz, such as sr=16000")
    rate = _whole_rate(sr)
    y = in_floats(to_numpy(plain(asarray(source))))
    if y.ndim != 1:
        raise ParameterError(f"signal has shape {y.shape}: must be (n_samples,); average the channels, or choose one")
    first, last = _part(len(y), rate, start, seconds)
    return _checked(as_signal(y[first:last])), rate


def _read(path: Path, start: float, seconds: float | None) -> tuple[np.ndarray, float]:
    """Decode no more of a recording than is needed."""
    rate, _, n_samples, _ = header(path)
    try:
        first, last = _part(n_samples, rate, start, seconds)
        return _checked(_decoded(path, first, last)), rate
    except ParameterError as error:
        raise ParameterError(f"{printable(path)}: {error}") from error


def _decoded(path: Path, first: int, last: int) -> np.ndarray:
    parts, place = [], 0
    for block in read_blocks(path, BLOCK)[2]:
        parts.append(block[max(first - place, 0) : max(last - place, 0)])
        place += len(block)
        if place >= last:
            break
    y = np.concatenate(parts)
    if len(y) == 0:  # its header says otherwise
        raise AudioDecodeError(f"{printable(path)}: ends before sample {first}")
    return y


def _checked(y: np.ndarray) -> np.ndarray:
    spoiled = int(np.sum(~np.isfinite(y)))
    if spoiled:
        raise ParameterError(f"signal has {spoiled} NaN or infinite samples: must be finite; repair or cut them")
    loudest = float(np.abs(y).max())
    if loudest > LOUDEST:
        raise ParameterError(f"signal reaches {loudest:g}: must stay below {LOUDEST:g}; scale it to [-1, 1]")
    return y.astype(np.float32)


def _part(n_samples: int, rate: float, start: float, seconds: float | None) -> tuple[int, int]:
    """The samples from `first` to `last` that are asked for, if there are some and not too many."""
    first = round(start * rate)
    last = n_samples if seconds is None else min(n_samples, first + max(1, round(seconds * rate)))
    if n_samples == 0:
        raise ParameterError("holds no samples: must have at least one")
    if first >= n_samples:
        raise ParameterError(f"start={start:g}: must be less than its length, {n_samples / rate:.3g} s")
    if last - first > MOST_SAMPLES:
        raise ParameterError(
            f"{last - first} samples, {(last - first) / rate:.0f} s: a page holds at most {MOST_SAMPLES}, "
            f"{MOST_SAMPLES // rate:.0f} s at {rate:g} Hz; choose a part by start and seconds"
        )
    return first, last


def _whole_rate(sr: float) -> int:
    low, high = RATES
    rate = real("sr", sr, above=0)
    if rate != round(rate) or not low <= rate <= high:
        raise ParameterError(
            f"sr={sr:g}: must be a whole number from {low} to {high} Hz for browsers to play it; use aa.resample, or "
            "give the rate to resample a file to"
        )
    return round(rate)


def wav(y: np.ndarray, sr: int) -> bytes:
    """Return a mono signal as a WAV file in 16 bits; if it goes beyond [-1, 1], its largest sample becomes 1."""
    scale = 32767 / max(1.0, float(np.abs(y).max()))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(sr)
        sound.writeframes(np.rint(y * scale).astype("<i2").tobytes())
    return file.getvalue()
