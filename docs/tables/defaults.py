"""Defaults of transforms, read from the code."""

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import arrayaudio as aa

SR = 22050
FRAMES = ("STFT", "MelSpectrogram", "MFCC", "LFCC", "Gammatonegram", "Chroma", "CFP")
CONSTANT_Q = ("CQT", "VQT", "HybridCQT", "PseudoCQT", "ChromaCQT", "NSGT")
SHARED = ("device", "check_finite", "pcm")
LIBRARIES = ("librosa", "torchaudio", "nnaudio", "kaldi")

Rows = Iterator[Sequence[object]]


def shown(value: Any) -> str:
    """A value as it is written in Python."""
    text = f"{value:.7g}" if isinstance(value, float) else repr(value)
    return f"`{text}`".replace("'", '"')


def default_of(transform: Any, field: Any) -> str:
    """A default, with what None stands for at this sampling rate."""
    if field.default is dataclasses.MISSING:
        return "required"
    used = getattr(transform, field.name)
    stands = field.default is None and used is not None
    return f"{shown(field.default)}: {shown(used)}" if stands else shown(field.default)


def table(names: Sequence[str]) -> Rows:
    """The defaults of transforms, a column for each; empty where there is no such setting."""
    made = {name: getattr(aa, name)(sr=SR) for name in names}
    columns = {name: {field.name: field for field in dataclasses.fields(t)} for name, t in made.items()}
    settings = dict.fromkeys(setting for fields in columns.values() for setting in fields if setting not in SHARED)
    yield ["", *(f"`{name}`" for name in names)]
    for setting in settings:
        cells = [default_of(made[n], columns[n][setting]) if setting in columns[n] else "" for n in names]
        yield [f"`{setting}`", *cells]


def shared() -> Rows:
    """The defaults that all transforms have alike."""
    yield ["setting", "default"]
    for setting in SHARED:
        kinds = [getattr(aa, name) for name in (*FRAMES, *CONSTANT_Q)]
        (default,) = {field.default for kind in kinds for field in dataclasses.fields(kind) if field.name == setting}
        yield [f"`{setting}`", shown(default)]


def results() -> Rows:
    """What every transform makes of a second, with nothing set but the rate."""
    y = np.random.default_rng(0).standard_normal(SR).astype(np.float32)
    yield ["transform", "shape", "dtype", "rows", "frames, s", "`inverse`"]
    for name in (*FRAMES, *CONSTANT_Q):
        transform = getattr(aa, name)(sr=SR)
        S = transform(y)
        first, second, *_ = transform.times(y.size)
        times = f"{first:g}, {second:.3g}, ..."
        yield [f"`{name}`", S.shape, S.dtype, rows_of(transform), times, way_back(transform, S)]


def rows_of(transform: Any) -> str:
    """What the rows are."""
    if isinstance(transform, aa.MFCC | aa.LFCC):
        return "coefficients"
    if isinstance(transform, aa.Chroma | aa.ChromaCQT):
        return "pitch classes, C to B"
    low, high = transform.frequencies[[0, -1]]
    return f"{low:.4g} to {high:.5g} Hz"


def way_back(transform: Any, S: np.ndarray) -> str:
    """Whether there is an inverse."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", aa.ArrayAudioWarning)
        try:
            transform.inverse(S, length=SR)
        except aa.ParameterError:
            return ""
    return "with a warning at this hop" if warned else "yes"


def libraries() -> Rows:
    """What `compat` changes: settings whose value is another one than ours."""
    yield ["", "setting", "here", *LIBRARIES]
    for name in ("STFT", "MelSpectrogram", "MFCC"):
        kind = getattr(aa, name)
        ours = kind(sr=SR)
        theirs = {library: known(kind, library) for library in LIBRARIES}
        shown_name = f"`{name}`"
        for field in dataclasses.fields(kind):
            here = default_of(ours, field)
            values = {who: getattr(t, field.name) for who, t in theirs.items() if t is not None}
            cells = [shown(values[who]) if who in values else "" for who in LIBRARIES]
            if any(value != getattr(ours, field.name) for value in values.values()) or field.name == "sr":
                yield [shown_name, f"`{field.name}`", here, *cells]
                shown_name = ""


def known(kind: Any, library: str) -> Any:
    """A transform with the defaults of a library, or None if the library has no such transform."""
    try:
        return kind(compat=library)
    except aa.ParameterError:
        return None


def mel_scales() -> Rows:
    """Frequencies in mel."""
    scales = ("slaney", "htk", "kaldi")
    yield ["Hz", *(f'`"{scale}"`' for scale in scales)]
    for hz in (100, 500, 1000, 2000, 4000, 8000):
        yield [hz, *(f"{float(aa.hz_to_mel(hz, mel_scale=scale)):.2f}" for scale in scales)]
