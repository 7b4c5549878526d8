"""How far two spectrograms are apart."""

from typing import Any

import numpy as np


def errors(found: Any, wanted: Any) -> dict[str, float]:
    """Of magnitudes: the norm of the difference by that of the wanted, and its largest value by the largest wanted."""
    found, wanted = (np.abs(x).astype(np.float64) for x in (found, wanted))
    if found.shape != wanted.shape:
        raise ValueError(f"shapes {found.shape} and {wanted.shape} differ")
    difference = np.abs(found - wanted)
    return {
        "l2": short(np.linalg.norm(difference) / np.linalg.norm(wanted)),
        "peak": short(difference.max() / wanted.max()),
    }


def distance(found: Any, wanted: Any) -> float:
    """The norm of the difference of coefficients, phases included, by that of the wanted."""
    return short(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def decibels(x: Any, reference: float) -> np.ndarray:
    """Magnitudes in dB, 0 being the reference."""
    return 20 * np.log10(np.maximum(np.abs(x), 1e-30) / reference)


def short(number: Any) -> float:
    """The number with three digits."""
    return float(f"{number:.2e}")
