"""Features on top of spectrograms: here deltas."""

import functools
import math
from fractions import Fraction

from arrayaudio.arrays import Array, ArrayLike, namespace, on_device_of
from arrayaudio.checks import one_of, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import frame, pad
from arrayaudio.signals import as_real

__all__ = ["delta"]

# librosa's and SciPy's names for the ways to go on beyond the ends, and numpy.pad's for the same.
DELTA_MODES = {"interp": "", "constant": "constant", "mirror": "reflect", "nearest": "edge", "wrap": "wrap"}


@functools.lru_cache(maxsize=32)
def _derivative_weights(width: int, order: int) -> Constant:
    """Weights that give the order-th derivative of the polynomial of that degree fitted to `width` samples.

    They are proportional to the Gram polynomial of that degree, which is orthogonal on the samples; its recurrence
    (Abramowitz and Stegun, 22.7) is evaluated in exact fractions, since in floating point high degrees lose all digits.
    """
    positions = [Fraction(i - width // 2) for i in range(width)]
    previous, current = [Fraction(0)] * width, [Fraction(1)] * width
    for k in range(order):
        weight = Fraction(k * k * (width * width - k * k), 4 * (4 * k * k - 1))
        previous, current = current, [x * p - weight * q for x, p, q in zip(positions, current, previous, strict=True)]
    scale = math.factorial(order) / sum(p * p for p in current)
    return Constant([float(scale * p) for p in current])


def delta(data: ArrayLike, *, width: int = 9, order: int = 1, axis: int = -1, mode: str = "interp") -> Array:
    """Estimate the derivative along time by local polynomial fits (Savitzky and Golay, 1964).

    Parameters
    ----------
    data : array, shape (..., time)
        Features.
    width : int
        Number of frames in each fit, odd and at least 3.
    order : int
        Order of the derivative, and degree of the polynomial; at most `width - 1`.
    axis : int
        The time axis.
    mode : "interp", "nearest", "mirror", "constant" or "wrap"
        How to go on beyond the ends: "interp" evaluates the fit to the first and last `width` frames.

    Returns
    -------
    array of the same shape, per frame to the power of `order`

    Raises
    ------
    ParameterError
        If `width` is even or too small, or `data` is too short for the mode.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.delta([0.0, 2.0, 4.0, 6.0, 8.0], width=3).round(6)
    array([2., 2., 2., 2., 2.])
    """
    x = as_real(data, "data")
    xp = namespace(x)
    width, order = whole("width", width, least=3), whole("order", order)
    if width % 2 == 0 or order >= width:
        raise ParameterError(f"width={width}, order={order}: width must be odd and greater than order")
    one_of("mode", mode, DELTA_MODES)
    if not -x.ndim <= axis < x.ndim:
        raise ParameterError(f"axis={axis}: data of shape {x.shape} has no such axis")
    n, half = x.shape[axis], width // 2
    least = {"interp": width, "mirror": half + 1}.get(mode, 1)
    if n < least:
        raise ParameterError(f"data has {n} frames along axis {axis}: must have at least {least} for width={width}")
    with on_device_of(x):
        moved, weights = xp.moveaxis(x, axis, -1), _derivative_weights(width, order).like(x)
        if mode != "interp":
            moved = pad(moved, half, DELTA_MODES[mode])
        result = xp.matmul(frame(moved, width, 1), weights)
        if mode == "interp":
            # A polynomial of degree `order` has the same order-th derivative everywhere, hence flat ends.
            first, last = (xp.broadcast_to(end, (*end.shape[:-1], half)) for end in (result[..., :1], result[..., -1:]))
            result = xp.concat([first, result, last], axis=-1)
        return xp.moveaxis(result, -1, axis)
