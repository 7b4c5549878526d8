"""Per-channel energy normalisation: automatic gain control and compression of each band."""

import functools
import math

from arrayaudio.arrays import Array, ArrayLike, namespace, on_device_of
from arrayaudio.checks import real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.frames import pad
from arrayaudio.recursion import one_pole
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


def pcen(
    S: ArrayLike,
    *,
    sr: float,
    hop_length: int = 512,
    gain: float = 0.98,
    bias: float = 2.0,
    power: float = 0.5,
    time_constant: float = 0.4,
    eps: float = 1e-6,
    b: float | None = None,
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
    gain, bias, power : float
        Exponent of the gain control, and offset and exponent of the compression; not negative.
    time_constant : float
        Of the smoothing, in seconds.
    eps : float
        Energy, in units of S, under which the gain rises no more.
    b : float, optional
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
        If a setting is out of range, `S` has negative values or no time axis, or the shape of `initial` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> S = np.full((1, 4), 50.0)
    >>> aa.pcen(S, sr=22050, initial=S[..., :1]).round(3)
    array([[0.341, 0.341, 0.341, 0.341]])
    """
    energies = as_energies(S)
    gain, bias, power = real("gain", gain, least=0), real("bias", bias, least=0), real("power", power, least=0)
    eps, size = real("eps", eps, above=0), whole("max_size", max_size)
    rate, hop = real("sr", sr, above=0), whole("hop_length", hop_length)
    from_time = smoothing(rate, hop, real("time_constant", time_constant, above=0))
    weight = from_time if b is None else real("b", b, least=0)
    if weight > 1:
        raise ParameterError(f"b={b!r}: must be at least 0 and at most 1")
    with on_device_of(energies):
        xp = namespace(energies)
        start = xp.asarray(initial, dtype=energies.dtype)
        if start.ndim and start.shape != (*energies.shape[:-1], 1):
            raise ParameterError(
                f"initial has shape {start.shape}: must be a number or have shape {(*energies.shape[:-1], 1)}"
            )
        source = energies if size == 1 else _loudest_around(energies, size)
        smoothed = one_pole(weight * source, 1 - weight, initial=start)
        controlled = energies * (smoothed + eps) ** -gain
        if power == 0:
            return xp.log1p(controlled)
        if bias == 0:
            return controlled**power
        return bias**power * xp.expm1(power * xp.log1p(controlled / bias))
