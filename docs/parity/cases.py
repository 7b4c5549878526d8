"""A row of the parity table, and how it is measured."""

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal

import arrayaudio as aa
from arrayaudio.ext.io import load

SPEECH = Path(__file__).parent.parent / "audio" / "speech.flac"


@functools.cache
def signals(sr: int) -> dict[str, np.ndarray]:
    """White noise, and speech, of two seconds and a bit, as float32."""
    n = 2 * sr + 333
    speech, rate = load(SPEECH)
    speech = scipy.signal.resample_poly(speech.astype(np.float64).reshape(-1), sr, int(rate))
    noise = 0.1 * np.random.default_rng(0).standard_normal(n)
    return {"noise": noise.astype(np.float32), "speech": speech[:n].astype(np.float32)}


LIMIT = 1e-4


@dataclass(frozen=True)
class Reason:
    """Why errors are above the limit, and how far they may be, by precision."""

    text: str
    float32: float
    float64: float = LIMIT


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row: what is called here, and the code outside that it is compared with."""

    name: str
    ours: Callable[[], Any]
    outside: str
    theirs: Callable[[np.ndarray], Any]
    sr: int = 16000
    level: bool = True
    """Whether results are levels; the errors of others are parts of their largest value."""
    reason: Reason = Reason("", LIMIT)


def measured(case: Case) -> dict[str, Any]:
    """Measure one row: the largest error over all values, for each signal and precision."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", aa.ArrayAudioWarning)  # of empty bands, which the outside has too
        transform = case.ours()
        errors = {
            f"{signal}, {dtype}": short(_error(case, transform, y, dtype))
            for signal, y in signals(case.sr).items()
            for dtype in ("float32", "float64")
        }
    return {
        "name": case.name,
        "outside": case.outside,
        "unit": "level" if case.level else "peak",
        "errors": errors,
        "reason": case.reason.text,
    }


def _error(case: Case, transform: Any, y: np.ndarray, dtype: str) -> float:
    ours, theirs = transform(y.astype(dtype)), np.asarray(case.theirs(y.astype(dtype)))
    if ours.dtype != (np.dtype(dtype) if ours.dtype.kind == "f" else np.result_type(dtype, np.complex64)):
        raise ValueError(f"{case.name}: {dtype} became {ours.dtype}")
    if ours.shape != theirs.shape:
        raise ValueError(f"{case.name}: shapes {ours.shape} and {theirs.shape} differ")
    scale = 1.0 if case.level else float(np.abs(theirs).max())
    error = float(np.abs(ours - theirs).max()) / scale
    if not np.isfinite(error):
        raise ValueError(f"{case.name}: not finite")
    return error


def short(number: float) -> float:
    """The number with two digits."""
    return float(f"{number:.1e}")
