"""Rules that parameters must obey, each raising an error with the value, the rule and the remedy."""

import math
import operator
from collections.abc import Collection
from numbers import Integral
from typing import Any

import numpy as np

from arrayaudio.errors import ParameterError

# Frames, hops and filter counts beyond this are slips of the keyboard, and would only exhaust the memory.
LARGEST_LENGTH = 2**24
# Spectra to the power of more than this leave the range of numbers.
LARGEST_EXPONENT = 100
# Two to the power of more bins than this, at one to the octave, is beyond double precision.
FARTHEST_TUNING = 1000
TRUTH = bool | np.bool_


def whole(name: str, value: Any, *, least: int = 1, most: int = LARGEST_LENGTH) -> int:
    """Return `value` as an int between `least` and `most`, or raise ParameterError."""
    try:
        number = None if isinstance(value, TRUTH) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ParameterError(f"{name}={value!r}: must be a whole number, such as {least}")
    if not least <= number <= most:
        raise ParameterError(f"{name}={value!r}: must be at least {least} and at most {most}")
    return number


def real(name: str, value: Any, *, above: float = -math.inf, least: float = -math.inf, most: float = math.inf) -> float:
    """Return `value` as a finite float greater than `above`, not under `least` and not over `most`, or raise."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, str | bytes | TRUTH):
        raise ParameterError(f"{name}={value!r}: must be a real number")
    if not math.isfinite(number):
        raise ParameterError(f"{name}={value!r}: must be finite")
    if number <= above:
        raise ParameterError(f"{name}={value!r}: must be greater than {above:g}")
    if number < least:
        raise ParameterError(f"{name}={value!r}: must be at least {least:g}")
    if number > most:
        raise ParameterError(f"{name}={value!r}: must be at most {most:g}")
    return number


def seed_of(value: Any) -> int | None:
    """Return a seed for random numbers, a whole number of at least 0 or None for another each time, or raise."""
    return None if value is None else whole("seed", value, least=0, most=2**63 - 1)


def tuning_of(value: Any) -> float:
    """Return a deviation from A = 440 Hz in bins, with which frequencies stay within the range of numbers, or raise."""
    return real("tuning", value, least=-FARTHEST_TUNING, most=FARTHEST_TUNING)


def mapping(name: str, value: Any) -> dict[str, Any]:
    """Return a copy of `value` if it is a dict, or raise ParameterError."""
    if not isinstance(value, dict):
        raise ParameterError(f"{name}={value!r:.80}: must be a dict of settings")
    return dict(value)


def one_of(name: str, value: Any, allowed: Collection[Any]) -> Any:
    """Return the one of `allowed` that equals `value`, or raise ParameterError with the list."""
    for choice in allowed:
        # True equals 1, but stands for something else.
        same_kind = isinstance(value, str | Integral | None) and isinstance(value, bool) == isinstance(choice, bool)
        if same_kind and value == choice:
            return choice
    raise ParameterError(f"{name}={value!r}: must be one of {', '.join(map(repr, allowed))}")


def frequency_range(fmin: Any, fmax: Any, sr: float) -> tuple[float, float]:
    """Return (fmin, fmax) in Hz with 0 <= fmin < fmax <= sr / 2; `fmax=None` means sr / 2."""
    nyquist = sr / 2
    low = real("fmin", fmin, least=0)
    high = nyquist if fmax is None else real("fmax", fmax, above=0)
    if high > nyquist:
        raise ParameterError(f"fmax={fmax!r}: must be at most sr / 2 = {nyquist:g} Hz")
    if low >= high:
        raise ParameterError(f"fmin={fmin!r}: must be below fmax = {high:g} Hz")
    return low, high
