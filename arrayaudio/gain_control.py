"""Per-channel energy normalisation: automatic gain control and compression of each band."""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, device, namespace, on_device_of, plain
from arrayaudio.checks import real, whole
from arrayaudio.constants import constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import pad
from arrayaudio.primitive import primitive
from arrayaudio.recursion import one_pole
from arrayaudio.signals import as_real
from arrayaudio.spectrum import as_energies

__all__ = ["pcen"]


def smoothing(sr: float, hop_length: int, time_constant: float) -> float:
    """Coefficient b of s[t] = (1 - b) s[t - 1] + b x[t] with that time constant in seconds.

    The one that librosa takes from T frames: (sqrt(1 + 4 T^2) - 1) / (2 T^2), here without its cancellation.
    """
    frames = time_constant * sr / hop_length
    return 2 / (math.sqrt(1 + 4 * frames * frames) + 1)


def _loudest_around(S: Array, size: int) -> Array:
    """The maximum of `size` neighbouring rows, the odd one of an even number below, as scipy.ndimage aligns them."""
    xp = namespace(S)
    n = S.shape[-2]
    columns = pad(xp.matrix_transpose(S), size // 2, "edge")
    shifted = [columns[..., j : j + n] for j in range(size)]
    return xp.matrix_transpose(functools.reduce(xp.maximum, shifted))


def _is_array(value: Any) -> bool:
    return hasattr(value, "ndim") and not (isinstance(value, np.ndarray | np.generic) and value.ndim == 0)


def _parameter(name: str, value: Any, shapes: tuple[tuple[int, ...], ...], **limits: float) -> Any:
    """Return a setting as a float, or as it came if it is an array of one of the shapes; or raise.

    The values of arrays in host memory are checked too; on a GPU this would wait for the device.
    """
    if not _is_array(value):
        return real(name, value, **limits)
    array = as_real(value, name)
    if array.shape not in shapes:
        allowed = " or ".join(map(str, shapes))
        raise ParameterError(f"{name} has shape {array.shape}: must be a number or have shape {allowed}")
    if device(array) == "cpu" and array.size:
        values = plain(array)
        xp = namespace(values)
        for extreme in (xp.min(values), xp.max(values)):
            real(name, float(extreme), **limits)
    return array


def _like(S: Array, value: Any) -> Any:
    """A setting in the precision of `S`, to be combined with it."""
    return value if isinstance(value, float) else constant(value).like(S)


def pcen(
    S: ArrayLike,
    *,
    sr: float,
    hop_length: int = 512,
    gain: float | ArrayLike = 0.98,
    bias: float | ArrayLike = 2.0,
    power: float | ArrayLike = 0.5,
    time_constant: float = 0.4,
    eps: float | ArrayLike = 1e-6,
    b: float | ArrayLike | None = None,
    max_size: int = 1,
    initial: float | ArrayLike = 1.0,
) -> Array:
    """Divide each band by its recent energy and compress it (Wang et al., 2017; Lostanlen et al., 2019).

    (S / (eps + M)^gain + bias)^power - bias^power, where M[t] = (1 - b) M[t - 1] + b S[t] is the smoothed energy. A
    bias of 0 leaves (S / (eps + M)^gain)^power, and a power of 0 stands for the logarithm ln(1 + S / (eps + M)^gain).

    Parameters
    ----------
    S : array, shape (..., freq, time)
        Magnitudes or mel energies, not negative and finite. The defaults suit integer samples: librosa advises
        to scale S by 2^31 where samples lie between -1 and 1.
    sr : float
        Sampling rate in Hz.
    hop_length : int
        Samples from one frame to the next.
    gain, bias, power : float or array, shape () or (freq, 1)
        Exponent of the gain control, and offset and exponent of the compression; not negative, and in arrays of
        `bias` and `power` greater than 0. Gradients can be taken with respect to all arrays.
    time_constant : float
        Of the smoothing, in seconds.
    eps : float or array, shape () or (freq, 1)
        Energy, in units of S, under which the gain rises no more.
    b : float or array, shape (), optional
        Coefficient of the smoothing, from 0 to 1; replaces the one that `time_constant` gives.
    max_size : int
        Bands whose maximum is smoothed instead of each band alone (SuperFlux); 1 for each alone.
    initial : float or array, shape (..., freq, 1)
        Smoothed energy before the first frame: 1 as in librosa; `S[..., :1]` makes constant bands stay constant.

    Returns
    -------
    array of the same shape, without a unit

    Raises
    ------
    ParameterError
        If a setting is out of range, `S` has negative values or no time axis, or the shape of an array does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> S = np.full((1, 4), 50.0)
    >>> aa.pcen(S, sr=22050, initial=S[..., :1]).round(3)
    array([[0.341, 0.341, 0.341, 0.341]])
    """
    energies = as_energies(S)
    control = checked_control(
        energies.shape[-2],
        sr=sr,
        hop_length=hop_length,
        gain=gain,
        bias=bias,
        power=power,
        time_constant=time_constant,
        eps=eps,
        b=b,
        max_size=max_size,
    )
    with on_device_of(energies):
        return controlled(energies, smoothed(energies, control, beginning(energies, initial)), control)


class Control(NamedTuple):
    """The settings of `pcen`, checked, with the coefficient of the smoothing as `weight`."""

    gain: Any
    bias: Any
    power: Any
    eps: Any
    weight: Any
    max_size: int


def checked_control(n_bands: int, *, sr: float, hop_length: int, time_constant: float, **given: Any) -> Control:
    """Return the settings for so many bands, or raise ParameterError."""
    each = ((), (n_bands, 1))
    gain = _parameter("gain", given["gain"], each, least=0)
    # With numbers, 0 means another formula; among the values of an array it cannot.
    bias, power = (
        _parameter(name, given[name], each, **{"above" if _is_array(given[name]) else "least": 0})
        for name in ("bias", "power")
    )
    eps, size = _parameter("eps", given["eps"], each, above=0), whole("max_size", given["max_size"])
    rate, hop, b = real("sr", sr, above=0), whole("hop_length", hop_length), given["b"]
    weight: Any = smoothing(rate, hop, real("time_constant", time_constant, above=0))
    if b is not None:
        weight = _parameter("b", b, ((),), least=0)
        if device(weight) == "cpu" and plain(weight) > 1:
            raise ParameterError(f"b={b!r}: must be at least 0 and at most 1")
    return Control(gain, bias, power, eps, weight, size)


def beginning(S: Array, initial: Any) -> Array:
    """The smoothed energy before the first frame of `S`, a number or (..., freq, 1), or ParameterError."""
    start = constant(asarray(initial)).like(S) if _is_array(initial) else namespace(S).asarray(initial, dtype=S.dtype)
    if start.ndim and start.shape != (*S.shape[:-1], 1):
        raise ParameterError(f"initial has shape {start.shape}: must be a number or have shape {(*S.shape[:-1], 1)}")
    return start


def smoothed(S: Array, control: Control, start: Array) -> Array:
    """The energy around each value, of the past more than of the present."""
    source = S if control.max_size == 1 else _loudest_around(S, control.max_size)
    return one_pole(_like(S, control.weight) * source, 1 - control.weight, initial=start)


@primitive
def controlled(S: Array, smoothed: Array, control: Control) -> Array:
    """Energies divided by what is around them, and compressed."""
    gain, bias, power, eps = (_like(S, value) for value in control[:4])
    quotient = S * (smoothed + eps) ** -gain
    xp = namespace(quotient)
    if isinstance(power, float) and power == 0:
        return xp.log1p(quotient)
    if isinstance(bias, float) and bias == 0:
        return quotient**power
    return bias**power * xp.expm1(power * xp.log1p(quotient / bias))
