"""Columns divided by their norm, so that only their shape is left."""

import math
from numbers import Real

from arrayaudio.arrays import Array, namespace
from arrayaudio.checks import real

# With smaller exponents, sums of many values are beyond the range of numbers.
LEAST_NORM = 0.1


def checked_norm(norm: float | str | None) -> float | None:
    """Return the exponent of a norm, at least 0.1 and perhaps infinite, or None for none; or raise ParameterError.

    Infinity may also be written "inf", since JSON has no number for it.
    """
    if norm is None:
        return None
    if isinstance(norm, str | Real) and norm in (math.inf, "inf"):
        return math.inf
    return real("norm", norm, least=LEAST_NORM)


def normalised(S: Array, norm: float | None) -> Array:
    """Divide each column of (..., freq, time) by (sum |S|^norm)^(1 / norm), or by its maximum if norm is infinite.

    Columns whose maximum is less than the smallest normal number stay as they are.
    """
    if norm is None:
        return S
    xp = namespace(S)
    sizes = xp.abs(S)
    peak = xp.max(sizes, axis=-2, keepdims=True)
    peak = xp.where(peak < float(xp.finfo(S.dtype).smallest_normal), xp.ones_like(peak), peak)
    if norm == math.inf:
        return S / peak
    # Powers of parts of the maximum neither overflow nor vanish; a column of zeros stays one.
    total = xp.sum((sizes / peak) ** norm, axis=-2, keepdims=True) ** (1 / norm)
    return S / peak / xp.where(total < 1, xp.ones_like(total), total)
